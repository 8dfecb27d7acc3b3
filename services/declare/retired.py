"""Retired: a feed, channel or page that is there no more, though old links lead to it and its history is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.declare.error import DeclarationError


@dataclass(frozen=True, slots=True)
class Retired:
    """Since which day (`2026-11-30`), and what took its place: a feed or channel by its name, a page by its path.

    `retired = Retired(...)` in the body of a feed or channel: it is no longer processed, and on no page. Its history is
    kept and read as before. When its declaration is taken out, its keys in the broker go. Raises DeclarationError.
    """

    since: str
    successor: str = ""

    def __post_init__(self) -> None:
        try:
            date.fromisoformat(self.since)
        except (TypeError, ValueError):
            remedy = "give a day, for example 2026-11-30"
            raise DeclarationError("Retired()", "Retired.since", self.since, remedy) from None

    def in_words(self) -> str:
        return f"retired since {self.since}" + (f"; its successor is {self.successor}" if self.successor else "")
