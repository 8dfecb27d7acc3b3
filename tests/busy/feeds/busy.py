"""One feed whose source is busy, one that is posted to."""

from headwater import Feed, Freshness, Http, Latest, Source, Text
from services.sources.source import Intake

FRESH = Freshness(expected_every_s=60, late_after_s=60, stale_after_s=60)


class BusySource(Source):
    """Says that it burns, computes for some seconds without once letting other threads run, says that it is done."""

    title = "busy"

    def run(self, intake: Intake) -> None:
        intake.accept([{"id": "burning", "name": "source", "doing": "burning"}])
        sum(range(300_000_000))  # one instruction to the interpreter: no other thread runs meanwhile
        intake.accept([{"id": "done", "name": "source", "doing": "done"}])
        intake.wait(60)


class Busy(Feed, name="busy", key="name", source=BusySource(), freshness=FRESH):
    """What the source does."""

    name = Text()
    doing = Text()


class Doing(Latest, feed=Busy):
    """What it does now."""


class Orders(Feed, name="orders", key="order", source=Http(), freshness=FRESH):
    """Orders as they come."""

    order = Text()


class Newest(Latest, feed=Orders):
    """Each order."""
