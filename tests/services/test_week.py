"""A week of simulated time, from what processes measured to the report that is sent; every figure worked out by hand.

Only the clock is simulated. What processes measure goes through telemetry, broker, collector, database and closed
hours to the ledger; the alerts' own watch writes the incident, the courier brings the report to a real mail server.

The week lies in the future, since the broker stamps what it holds with its own clock, and what comes after its hour was
closed counts nowhere. Berlin, 16 to 22 November 2037, 100 events a minute at the gateway, and what is not good of it:

- Tuesday 10:00 to 10:30: half of them are late: 30 × 50 = 1,500 bad, 30 minutes down; told as an incident.
- Thursday 02:00 to 03:00 is announced maintenance; all of the hour are late: 6,000, excluded.
- Friday 12:00 to 12:10 nothing is measured: 10 minutes without data: 1,000 bad.
- Saturday 04:00 to 05:00 all are late: 6,000 bad; the maintenance for it was announced after it began, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest

from services.alerts.courier import Courier
from services.alerts.objectives import KEYS, Objectives
from services.alerts.observer import Observer
from services.alerts.outbox import Outbox
from services.alerts.register import Register
from services.alerts.rule import Rule
from services.alerts.telling import Telling
from services.alerts.watch import Watch
from services.broker import Broker
from services.contract.alerting import Alerting, BurnRule, LogSink
from services.contract.document import Contract
from services.contract.exclusions import Exclusions, Maintenance
from services.contract.register import Excluded, NoticeRegister
from services.database import Database
from services.declare import Declarations
from services.measurement.collecting import Closer, Collector
from services.measurement.kept import Kept
from services.measurement.ledger import Ledger
from services.measurement.minutes import MINUTE_MS
from services.report import words
from services.report.board import StandingRegister
from services.report.gathering import Gathering
from services.report.html import render_html
from services.report.keeping import StandingKeeper
from services.report.periods import reported
from services.report.register import ReportRegister
from services.report.report import Measured, make_report
from services.report.schedule import ReportSchedule
from services.report.sections import document
from services.telemetry import Telemetry
from tests import feeds
from tests.services.agreed import AGREED, LATENCY, ZONE, agreed

HOUR_MS = 60 * MINUTE_MS
DESK = LogSink("desk", "minor", 1)
WEEKLY = replace(LATENCY, name="orders-latency", channel="orders.everything", excluding=("maintenance",))
CONTRACT = agreed(
    begins=date(2037, 11, 16),
    ends=date(2038, 12, 31),
    objectives=(WEEKLY,),
    exclusions=Exclusions(maintenance=Maintenance(48, 240, (), ())),
    alerting=Alerting((BurnRule(5.0, 3_600, 300, "critical"),), (), 50, 0, 14_400, (DESK,), None),
    reporting=replace(AGREED.reporting, sinks=("desk",)),
)


def at(day: int, hour: int = 0, minute: int = 0) -> int:
    return round(datetime(2037, 11, day, hour, minute, tzinfo=ZONE).timestamp() * 1000)


class Week:
    """Everything that stands between a process that measures and a reader, on one clock."""

    def __init__(self, broker: Broker, database: Database) -> None:
        self.now = at(16)
        self.broker, self.database = broker, database
        self.telemetry = Telemetry("web-1", "web", self.clock)
        self.kept = Kept(database)
        self.notices = NoticeRegister(database, CONTRACT, self.clock)
        self.ledger = self.new_ledger(self.clock)
        self.collector, self.closer = Collector(broker, self.kept), Closer(self.kept, (WEEKLY,), 90, self.clock)
        self.gathering = Gathering(CONTRACT, Register(database), self.notices)
        self.schedule = ReportSchedule(
            CONTRACT, self.ledger, ReportRegister(database), began_at=self.kept.began_at, gather=self.gathering.facts,
            clock=self.clock,
        )  # fmt: skip
        rule = Rule(KEYS, Objectives((WEEKLY,), CONTRACT.alerting, self.ledger).look)
        observer = Observer(broker, Declarations.read([feeds]), ZONE, self.clock)
        self.watch = Watch(
            observer, [rule], Register(database), Telling(database, CONTRACT.alerting, ZONE), watcher="w"
        )

    def new_ledger(self, clock: Callable[[], int], *, closed: bool = True) -> Ledger:
        rolled_up = self.kept if closed else None
        return Ledger(self.kept, rolled_up=rolled_up, intervals=Excluded(self.notices, clock), clock=clock)

    def clock(self) -> int:
        return self.now

    def until(self, moment: int, bad: int = 0, *, measuring: bool = True, watching: bool = False) -> None:
        """Let time pass by minutes, with so many late events of a hundred; not measuring is a process that died."""
        while self.now < moment:
            if measuring:
                self.telemetry.note("ingested_to_processed", 0.01, 100, WEEKLY.channel or "")
                self.telemetry.note("ingested_to_sent", 0.5, 100 - bad, WEEKLY.channel or "")
                if bad:
                    self.telemetry.note("ingested_to_sent", 9.0, bad, WEEKLY.channel or "")
            self.now += MINUTE_MS
            sheets = self.telemetry.take_sheets()
            self.broker.write_sheets([sheet.encoded() for sheet in sheets if measuring])
            if watching or self.now % HOUR_MS == 0:
                self.collect()
            if watching:
                self.watch.step()

    def collect(self) -> None:
        self.collector.step()
        self.closer.step()


def live(week: Week) -> None:
    """The week as it is described above."""
    week.until(at(16, 12))
    announce(week, at(19, 2), at(19, 3))
    week.until(at(17, 9, 58))
    week.until(at(17, 10), watching=True)
    week.until(at(17, 10, 30), bad=50, watching=True)
    week.until(at(17, 12, 30), watching=True)
    week.until(at(19, 2))
    week.until(at(19, 3), bad=100)
    week.until(at(20, 12))
    week.until(at(20, 12, 10), measuring=False)
    week.until(at(21, 4))
    week.until(at(21, 4, 30), bad=100)
    announce(week, at(21, 4), at(21, 5))  # half an hour after it began
    week.until(at(21, 5), bad=100)
    week.until(at(23, 8))


def announce(week: Week, since: int, until: int) -> None:
    week.notices.record(
        "maintenance", since=since, until=until, reason="updates", person="Ada", party="provider", name="updates"
    )


@pytest.fixture
def week(broker_url: str, database: Database) -> Week:
    made = Week(Broker(broker_url), database)
    live(made)
    return made


def measured(week: Week, ledger: Ledger, contract: Contract = CONTRACT) -> Measured:
    period = reported(contract, "week", at(18))
    facts = week.gathering.facts(period.since, period.until)
    return make_report(facts, ledger, "week", period).measured[0]


def test_a_week_is_reported_to_the_digit_sent_once_and_comes_out_the_same_again(week: Week) -> None:
    found = measured(week, week.ledger)

    # 10,080 minutes: 60 of maintenance count nothing, 10,010 count 100 each, and so do 10 without data
    assert found.score.minutes == 10_080
    assert found.score.no_data_minutes == 10
    assert found.score.raw_total == 10_080 * 100 == 1_008_000
    assert found.score.excluded == {"maintenance": 6_000}
    assert found.score.total == 1_008_000 - 6_000 == 1_002_000
    assert found.score.total - found.score.good == 1_500 + 1_000 + 6_000 == 8_500
    assert words.percent(found.score.share) == "99.151\u00a0%"  # 1 − 8,500 ÷ 1,002,000 = 0.991516…
    assert words.percent(found.score.raw_share) == "98.561\u00a0%"  # 1 − 14,500 ÷ 1,008,000 = 0.985615…
    assert found.minutes_down == 30 + 10 + 60
    assert words.percent(found.budget_left) == "83.033\u00a0%"  # 1 − 8,500 ÷ 50,100 = 0.830339…
    assert found.verdict == "met"

    # the incident: the rule is a rate of 5 over an hour. After 15 bad minutes it is 15 × 50 ÷ (6,000 × 0.05) = 2.5,
    # after 30 it is 5.0: at 10:30, which is seen at 10:31, as a minute is told once it is settled
    (incident,) = Register(week.database).incidents(at(16), at(23))
    assert (incident.objective, incident.severity) == ("orders-latency", "critical")
    assert incident.began_at == at(17, 10)
    assert incident.detected_at == at(17, 10, 31)
    assert incident.resolved_at or incident.mitigated_at

    # the report: made when due, sent once
    assert week.schedule.step() == 1
    assert week.schedule.step() == 0
    courier = Courier(Outbox(week.database), [DESK], {}, week.clock)
    assert courier.step() >= 1
    reports = [fate for fate in Outbox(week.database).fates() if fate.subject.startswith("Service level report")]
    assert [(fate.subject, fate.delivered_at > 0) for fate in reports] == [
        ("Service level report, week 2037-W47: 1 of 1 objectives met; 1 incident.", True)
    ]
    kept = ReportRegister(week.database).made("week:2037-W47")
    assert kept is not None
    html = kept.html.decode()
    for said in ("99.151\u00a0%", "98.561\u00a0%", "0.595\u00a0%", "83.0\u00a0%", "1,002,000", "8,500", "100\u00a0min"):
        assert said in html  # 6,000 ÷ 1,008,000 = 0.5952 % were excluded
    assert "refused: recorded 30 min after it began" in html
    assert "Ada" not in html.partition("Appendix")[2]

    # again, from what was received and not from closed hours, a day later: the same bytes
    week.now += 86_400_000
    again = week.new_ledger(week.clock, closed=False)
    assert measured(week, again).score == found.score
    period = reported(CONTRACT, "week", at(18))
    facts = week.gathering.facts(period.since, period.until)
    assert render_html(document(make_report(facts, again, "week", period))) == kept.html

    # and live: the standing says the same of the whole period
    StandingKeeper(CONTRACT, week.ledger, week.gathering.facts, StandingRegister(week.database), lambda: at(23)).step()
    standing = StandingRegister(week.database).read()
    assert standing is not None
    (objective,) = standing.objectives
    assert objective.minutes_down == 100
    assert {day.day: day.down for day in objective.days if day.down} == {
        "2037-11-17": 30, "2037-11-20": 10, "2037-11-21": 60,
    }  # fmt: skip
