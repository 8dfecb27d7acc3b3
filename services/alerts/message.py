"""Message: what a sink is given to tell, before it has any sink's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.contract.document import Severity


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message where the sink can carry one; `media_type` like `application/pdf`."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A subject in one line, what it says line by line, and facts as name and value.

    `severity` is None where it tells of no trouble: a report, a test, an end.
    """

    subject: str
    lines: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None
    attachments: tuple[Attachment, ...] = ()

    @property
    def text(self) -> str:
        """All of it as plain text."""
        facts = [f"{name}: {value}" for name, value in self.facts.items()]
        return "\n".join([*self.lines, *([""] if facts else []), *facts])

    def as_json(self) -> dict[str, Any]:
        """Without its attachments, which are kept as they are."""
        return {
            "subject": self.subject,
            "lines": list(self.lines),
            "facts": dict(self.facts),
            "severity": self.severity,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], attachments: tuple[Attachment, ...] = ()) -> Message:
        """Read what `as_json` wrote."""
        return cls(raw["subject"], tuple(raw["lines"]), raw["facts"], raw["severity"], attachments)
