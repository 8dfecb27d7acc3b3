"""Alert: a finding that was told about, until it is seen no more; and what a new look at everything changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.alerts.finding import Finding, Stage, is_worse
from services.contract.document import Severity

ABANDONED_MS = 30_000
"""An alert that its watcher has not seen for so long may be cleared, or taken over, by any other."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One key that fires. Times are milliseconds since the Unix epoch; 0 is not yet.

    `watcher` is the process that sees the condition, `seen_at` when it last did.
    """

    id: int
    incident: int
    key: str
    severity: Severity
    stage: Stage
    text: str
    began_at: int
    fired_at: int
    seen_at: int
    watcher: str
    cleared_at: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What one look changes: findings that become alerts, alerts that are seen again, alerts that end."""

    fired: tuple[Finding, ...]
    seen: tuple[tuple[Alert, Finding], ...]
    cleared: tuple[Alert, ...]


def changes(
    alerts: Iterable[Alert], findings: Iterable[Finding], *, watcher: str, looked_at: Iterable[str], at: int
) -> Changes:
    """Hold the open alerts against what is found at `at`.

    A finding becomes an alert when it has lasted for its `for_ms`. An alert ends as soon as its watcher does not find
    it any more; another watcher ends it when nobody has seen it for a while. `looked_at` are the beginnings of the keys
    that were looked at: alerts with others stay as they are.
    """
    held = {alert.key: alert for alert in alerts}
    found = {finding.key: finding for finding in findings}
    fired = [one for key, one in found.items() if key not in held and at - one.since >= one.for_ms]
    seen = [
        (alert, found[key]) for key, alert in held.items() if key in found and _is_for(alert, watcher, at)
    ]  # fmt: skip
    unseen = [alert for key, alert in held.items() if key not in found and key.startswith(tuple(looked_at))]
    return Changes(tuple(fired), tuple(seen), tuple(alert for alert in unseen if _is_for(alert, watcher, at)))


def _is_for(alert: Alert, watcher: str, at: int) -> bool:
    return alert.watcher == watcher or at - alert.seen_at > ABANDONED_MS


def is_news(alert: Alert, finding: Finding, at: int) -> bool:
    """Whether to write down that an alert was seen: when it got worse, and often enough to show that it is watched."""
    return is_worse(finding.severity, alert.severity) or at - alert.seen_at >= ABANDONED_MS // 3
