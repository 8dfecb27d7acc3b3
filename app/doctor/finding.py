"""Finding: one line of what the doctor says; and check, what makes such lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. Where a `warn` or `fail` has no `remedy` of its own, its text names it."""

    level: Level
    subject: str
    text: str
    remedy: str = ""

    def line(self) -> str:
        said = f"{self.text}; {self.remedy}" if self.remedy else self.text
        return f"{self.level:4}  {self.subject}: {said}"

    def as_json(self) -> dict[str, str]:
        return {"level": self.level, "subject": self.subject, "text": self.text, "remedy": self.remedy}


class Check(Protocol):
    """One thing that may be wrong. It is given all that it needs when it is made, and never raises."""

    def look(self) -> Iterator[Finding]:
        """What there is to say of it: one line at least."""


def graded(subject: str, text: str, *, fail: bool = False, warn: bool = False, remedy: str = "") -> Finding:
    """A finding of the level that holds; one that is ok needs no remedy."""
    level: Level = "fail" if fail else "warn" if warn else "ok"
    return Finding(level, subject, text, "" if level == "ok" else remedy)
