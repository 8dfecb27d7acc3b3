"""Polled: the sources that are asked again and again."""

from __future__ import annotations

import time
from abc import abstractmethod

from services.sources.reached import Reached
from services.sources.source import Intake


class Polled(Reached):
    """Asked every `every_s` seconds, at once at the start; one slow answer delays the next question, and adds none."""

    every_s: float

    def run(self, intake: Intake) -> None:
        self.open(intake)
        try:
            due = time.monotonic()
            while True:
                self.ask(intake)
                due = max(due + self.every_s, time.monotonic())
                if intake.wait(due - time.monotonic()):
                    return
        finally:
            self.shut()

    def open(self, intake: Intake) -> None:
        """Make what all questions of one run share."""

    @abstractmethod
    def ask(self, intake: Intake) -> None:
        """Ask once, and hand over what is new, or give a sign of life. Raises SourceTrouble."""

    def shut(self) -> None:
        """Give back what `open` made."""

    def problem(self) -> tuple[str, object, str] | None:
        if not 0.05 <= self.every_s <= 86_400:
            return "source.every_s", self.every_s, "give seconds from 0.05 to 86400"
        return super().problem()
