"""The report's schedule: each report is made when it is due, missed ones on return, and every one is sent once."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from services.alerts.outbox import Outbox
from services.contract.moments import day_begins
from services.database import Database
from services.report.register import ReportRegister
from services.report.report import Facts
from services.report.schedule import SETTLED_MS, ReportSchedule
from tests.services.agreed import AGREED, ZONE, Even, agreed

CONTRACT = agreed(reporting=AGREED.reporting.__class__(0, AGREED.reporting.at, ("desk", "mail"), 90))
BEGAN = day_begins(ZONE, date(2026, 11, 10))


class Now:
    """A clock that the test sets."""

    def __init__(self, *moment: int) -> None:
        self.set(*moment)

    def set(self, month: int, day: int, hour: int, minute: int = 0) -> None:
        self.at = round(datetime(2026, month, day, hour, minute, tzinfo=ZONE).timestamp() * 1000)

    def __call__(self) -> int:
        return self.at


def schedule(database: Database, now: Now, began_at: int | None = BEGAN) -> ReportSchedule:
    facts = Facts(CONTRACT, {}, {}, (), (), lambda since, until: 0.0)
    return ReportSchedule(
        CONTRACT, Even({"board-latency": 10}, since=BEGAN), ReportRegister(database), began_at=lambda: began_at,
        gather=lambda *_: facts, clock=now,
    )  # fmt: skip


def sent(database: Database) -> list[tuple[str, str]]:
    return sorted((fate.subject.partition(":")[0], fate.sink) for fate in Outbox(database).fates())


def test_a_report_is_sent_to_every_sink_of_the_contract_when_it_is_due_and_not_before(database: Database) -> None:
    now = Now(11, 16, 6, 59)
    made = schedule(database, now)
    assert made.step() == 0
    now.set(11, 16, 7, 2)
    assert made.step() == 1
    subject = "Service level report, week 2026-W46"
    assert sent(database) == [(subject, "desk"), (subject, "mail")]


def test_a_report_that_was_sent_is_never_sent_again_not_even_by_another_worker(database: Database) -> None:
    now = Now(11, 16, 8)
    first, second = schedule(database, now), schedule(database, now)
    assert (first.step(), first.step(), second.step()) == (1, 0, 0)
    assert len(sent(database)) == 2


def test_of_two_workers_that_make_the_same_report_at_once_one_sends_it(each_database: Database) -> None:
    now = Now(11, 16, 8)
    first, second = schedule(each_database, now), schedule(each_database, now)
    keys = ReportRegister.keys
    with pytest.MonkeyPatch.context() as patch:  # both looked before either wrote
        patch.setattr(ReportRegister, "keys", lambda self: frozenset())
        assert (first.step(), second.step()) == (1, 0)
    assert keys(ReportRegister(each_database)) == {"week:2026-W46"}
    assert len(sent(each_database)) == 2


def test_reports_missed_while_the_worker_was_down_are_made_on_its_return_and_sent_once(database: Database) -> None:
    now = Now(12, 9, 12)
    assert schedule(database, now).step() == 5
    assert schedule(database, now).step() == 0
    assert ReportRegister(database).keys() == {
        "week:2026-W46", "week:2026-W47", "week:2026-W48", "week:2026-W49", "period:2026-11",
    }  # fmt: skip


def test_nothing_is_reported_of_the_time_before_anything_was_measured(database: Database) -> None:
    now = Now(11, 16, 8)
    assert schedule(database, now, began_at=None).step() == 0
    assert schedule(database, now, began_at=now.at - SETTLED_MS).step() == 0


def test_the_message_carries_the_verdict_and_the_report_as_it_is_kept(each_database: Database) -> None:
    now = Now(11, 16, 8)
    schedule(each_database, now).step()
    kept = ReportRegister(each_database).made("week:2026-W46")
    delivery = Outbox(each_database).take(now.at)
    assert kept is not None
    assert delivery is not None
    pdf, html = delivery.message.attachments
    assert (pdf.content, html.content) == (kept.pdf, kept.html)
    assert (pdf.name, html.name) == ("report-week-2026-W46.pdf", "report-week-2026-W46.html")
    assert "1 of 2 objectives met; not counted: Availability" in delivery.message.subject
    assert "Board latency: 100.000\u00a0% of 95\u00a0%, budget left 100.0\u00a0%: met" in delivery.message.lines
