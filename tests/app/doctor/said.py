"""What a check said, in the form in which tests compare it."""

from __future__ import annotations

from app.doctor.finding import Check, Finding


def found(check: Check, level: str = "fail") -> Finding:
    """The one finding of that level; everything that is not ok has to name a remedy."""
    findings = list(check.look())
    those = [finding for finding in findings if finding.level == level]
    assert len(those) == 1, findings
    assert level == "ok" or those[0].remedy, those[0]
    return those[0]


def passes(check: Check) -> list[str]:
    """The texts of a check that finds nothing wrong."""
    findings = list(check.look())
    assert {finding.level for finding in findings} <= {"ok"}, findings
    return [finding.text for finding in findings]
