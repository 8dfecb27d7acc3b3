"""Notices: recorded by the clock of the register; what is late is refused and kept, what is claimed needs two names."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.contract.document import Contract
from services.contract.exclusions import ExclusionKind
from services.contract.intervals import Declared, reasons
from services.contract.notices import NoticeError
from services.contract.reading import read_contract
from services.contract.register import Excluded, NoticeRegister
from services.database import Database
from tests.contract.written import DECLARATIONS, shop, written

NEW_YORK = ZoneInfo("America/New_York")
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def at(text: str) -> int:
    return int(1000 * datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp())


class Desk:
    """The shop's register on a clock that the test moves."""

    def __init__(self, database: Database, contract: Contract) -> None:
        self.now = at("2026-05-01 12:00")
        self.database, self.contract = database, contract
        self.register = NoticeRegister(database, contract, lambda: self.now)

    def read(self, contract: Contract) -> None:
        """The contract's file is changed, and the process started again."""
        self.contract = contract
        self.register = NoticeRegister(self.database, contract, lambda: self.now)
        self.register.announce()

    def standing(self, since: str, until: str) -> list[tuple[str, str]]:
        return [(one.name, one.standing) for one in self.declared(since, until)]

    def declared(self, since: str, until: str) -> list[Declared]:
        return self.register.declared(at(since), at(until))

    def counted(self, since: str, until: str) -> float:
        """Minutes that count in that time."""
        spans = [one for one in self.declared(since, until) if one.counts]
        return sum(one.until - one.since for one in spans) / MINUTE


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database, shop())


@pytest.fixture
def each_desk(each_database: Database) -> Desk:
    """Once on SQLite and once on PostgreSQL."""
    return Desk(each_database, shop())


def _maintenance(desk: Desk, since: str, until: str, name: str = "patches") -> str:
    return desk.register.record(
        "maintenance", since=at(since), until=at(until), reason="patches", person="Ada", party="provider", name=name
    ).refused


def test_maintenance_that_is_announced_in_time_counts(desk: Desk) -> None:
    assert _maintenance(desk, "2026-05-05 02:00", "2026-05-05 03:00") == ""
    assert desk.standing("2026-05-05", "2026-05-06") == [("patches", "counts")]
    assert desk.counted("2026-05-05", "2026-05-06") == 60


@pytest.mark.parametrize(
    ("begins", "said"),
    [
        ("2026-05-03 12:00", "recorded 2 d ahead, the contract asks for 72 h"),
        ("2026-05-01 11:48", "recorded 12 min after it began"),
    ],
)
def test_maintenance_that_is_announced_late_is_refused_and_the_attempt_recorded(
    desk: Desk, begins: str, said: str
) -> None:
    assert _maintenance(desk, begins, "2026-05-03 13:00") == said
    assert desk.standing("2026-05-01", "2026-05-04") == [("patches", f"refused: {said}")]
    assert desk.counted("2026-05-01", "2026-05-04") == 0
    assert [one.refused for one in desk.register.notices()] == [said]


def test_a_hotfix_counts_from_its_own_record_on_and_needs_no_notice(desk: Desk) -> None:
    hotfix = desk.register.record(
        "hotfix", since=desk.now, until=desk.now + 20 * MINUTE, reason="leak", person="Ada", party="provider"
    )
    assert hotfix.refused == ""
    late = desk.register.record(
        "hotfix", since=desk.now - 1, until=desk.now + HOUR, reason="leak", person="Ada", party="provider"
    )
    assert late.refused == "recorded 0 s after it began"
    assert desk.counted("2026-05-01", "2026-05-02") == 20


def test_a_months_cap_holds_over_all_windows_of_the_month_in_order(desk: Desk) -> None:
    for day in ("05", "12", "19"):
        assert _maintenance(desk, f"2026-05-{day} 02:00", f"2026-05-{day} 02:50", f"patches-{day}") == ""
    assert desk.counted("2026-05-01", "2026-06-01") == 120
    assert desk.standing("2026-05-19", "2026-05-20") == [
        ("patches-19", "counts"), ("patches-19", "over the month's cap by 30 min")
    ]  # fmt: skip
    assert desk.counted("2026-05-19", "2026-05-20") == 20, "also where only that day is asked for"


def test_a_window_over_the_months_end_counts_in_both_months(desk: Desk) -> None:
    _maintenance(desk, "2026-05-31 22:00", "2026-06-01 02:00")
    assert desk.counted("2026-05-31", "2026-06-01") == 120
    assert desk.counted("2026-06-01", "2026-06-02") == 120


def test_windows_that_overlap_count_once(desk: Desk) -> None:
    _maintenance(desk, "2026-05-05 02:00", "2026-05-05 03:00", "first")
    _maintenance(desk, "2026-05-05 02:30", "2026-05-05 03:15", "second")
    assert desk.counted("2026-05-05", "2026-05-06") == 75


def _claim(desk: Desk) -> int:
    return desk.register.record(
        "force_majeure", since=at("2026-04-30 10:00"), until=at("2026-04-30 12:00"), reason="flood", person="Ada",
        party="provider",
    ).id  # fmt: skip


def test_force_majeure_is_a_claim_until_the_other_party_confirms_it(each_desk: Desk) -> None:
    number = _claim(each_desk)
    assert each_desk.standing("2026-04-30", "2026-05-01") == [
        ("force majeure", "claimed by Ada for the provider, not confirmed")
    ]
    assert each_desk.counted("2026-04-30", "2026-05-01") == 0
    each_desk.register.confirm(number, person="Grace", party="client")
    assert each_desk.standing("2026-04-30", "2026-05-01") == [
        ("force majeure", "counts: claimed by Ada, confirmed by Grace")
    ]
    assert each_desk.counted("2026-04-30", "2026-05-01") == 120


@pytest.mark.parametrize(("person", "party"), [("Grace", "provider"), ("ada ", "client")])
def test_nobody_confirms_a_claim_of_the_own_party_or_of_oneself(desk: Desk, person: str, party: str) -> None:
    number = _claim(desk)
    with pytest.raises(NoticeError, match="Ada claimed it for the provider; the client confirms"):
        desk.register.confirm(number, person=person, party=party)  # type: ignore[arg-type]


def test_only_a_third_party_that_the_contract_names_can_be_claimed(desk: Desk) -> None:
    with pytest.raises(NoticeError, match="'dns': no such third party; the contract names card-network"):
        desk.register.record("third_party", since=1, until=2, reason="down", person="Ada", party="provider", name="dns")
    assert desk.register.notices() == []


@pytest.mark.parametrize(("reason", "person", "until"), [("", "Ada", 2), ("flood", " ", 2), ("flood", "Ada", 1)])
def test_a_notice_without_reason_person_or_length_is_not_taken(
    desk: Desk, reason: str, person: str, until: int
) -> None:
    with pytest.raises(NoticeError, match="notice: "):
        desk.register.record("force_majeure", since=1, until=until, reason=reason, person=person, party="client")
    assert desk.register.notices() == []


def test_a_window_that_is_called_off_or_over_early_counts_no_longer_than_it_lasted(each_desk: Desk) -> None:
    _maintenance(each_desk, "2026-05-05 02:00", "2026-05-05 03:00", "early")
    _maintenance(each_desk, "2026-05-12 02:00", "2026-05-12 03:00", "off")
    each_desk.now = at("2026-05-05 02:20")
    each_desk.register.end(1)
    each_desk.register.end(2)
    assert each_desk.counted("2026-05-05", "2026-05-06") == 20
    assert each_desk.standing("2026-05-12", "2026-05-13") == [("off", "called off")]
    assert each_desk.counted("2026-05-12", "2026-05-13") == 0
    with pytest.raises(NoticeError, match="over already"):
        each_desk.register.end(1)


# What the file announces ---------------------------------------------------------------------------


def test_a_recurring_window_counts_from_the_first_one_that_was_announced_in_time(desk: Desk) -> None:
    desk.register.announce()  # on a Friday; the first Sunday is nearer than the 72 h of notice
    found = desk.declared("2026-05-01", "2026-05-18")
    assert [(one.name, one.since) for one in found if one.counts] == [
        ("sunday-updates", at("2026-05-10 02:00")), ("sunday-updates", at("2026-05-17 02:00"))
    ]  # fmt: skip
    assert found[0].standing == "refused: announced 1 d 14 h ahead, too late for this one"


def test_windows_are_announced_once_however_often_the_file_is_read(each_desk: Desk) -> None:
    for _ in range(3):
        each_desk.register.announce()
        each_desk.now += HOUR
    assert len(each_desk.register.windows()) == 1
    assert [one.name for one in each_desk.register.notices()] == ["database-move"]


def test_two_processes_that_read_the_file_at_once_announce_it_once(each_desk: Desk) -> None:
    with ThreadPoolExecutor(4) as processes:
        for one in [processes.submit(each_desk.register.announce) for _ in range(8)]:
            one.result()
    assert len(each_desk.register.windows()) == 1
    assert len(each_desk.register.notices()) == 1


def test_of_two_that_confirm_at_once_one_is_told_that_it_is_done(each_desk: Desk) -> None:
    number = _claim(each_desk)

    def confirm(person: str) -> str:
        try:
            return each_desk.register.confirm(number, person=person, party="client").confirmed_by
        except NoticeError as error:
            return str(error)

    with ThreadPoolExecutor(2) as people:
        said = list(people.map(confirm, ("Grace", "Jean")))
    first = each_desk.register.notices()[0].confirmed_by
    assert sorted(said) == sorted([first, f"notice 1: {first} confirmed it already"])


def test_a_window_that_is_moved_must_be_announced_anew_and_what_was_stays(each_desk: Desk, tmp_path: Path) -> None:
    each_desk.register.announce()
    each_desk.now = at("2026-05-23 12:00")  # a Saturday
    moved = written(
        tmp_path, ('weekday = "sunday"\nbegins = 02:00:00', 'weekday = "sunday"\nbegins = 05:00:00'),
        ("cap_minutes_a_month = 120", "cap_minutes_a_month = 240"),
    )  # fmt: skip
    each_desk.read(read_contract(moved, DECLARATIONS))
    counted = [one.since for one in each_desk.declared("2026-05-04", "2026-06-05") if one.counts]
    assert counted == [
        at("2026-05-10 02:00"), at("2026-05-17 02:00"), at("2026-05-31 05:00"), at("2026-06-01 22:00")
    ]  # fmt: skip
    assert each_desk.standing("2026-05-24", "2026-05-25") == [
        ("sunday-updates", "refused: announced 17 h ahead, too late for this one")
    ]


def test_a_single_window_that_stands_in_the_file_too_late_is_refused(desk: Desk) -> None:
    desk.now = at("2026-06-01 23:00")
    desk.register.announce()
    assert desk.standing("2026-06-01", "2026-06-02")[-1] == (
        "database-move", "refused: recorded 1 h after it began"
    )  # fmt: skip


def test_a_single_window_that_leaves_the_file_before_it_begins_is_called_off(each_desk: Desk, tmp_path: Path) -> None:
    each_desk.register.announce()
    assert each_desk.counted("2026-06-01", "2026-06-03") == 120
    each_desk.now += DAY
    text = written(tmp_path).read_text()
    single = text[text.index("[[exclusions.maintenance.single]]") : text.index("[exclusions.hotfix]")]
    each_desk.read(read_contract(written(tmp_path, (single, "")), DECLARATIONS))
    assert each_desk.counted("2026-06-01", "2026-06-03") == 0


# What the ledger is told ---------------------------------------------------------------------------


def test_a_minute_is_excluded_by_the_share_that_a_window_covers(desk: Desk) -> None:
    begins = at("2026-05-05 02:00") + 15_000
    desk.register.record(
        "maintenance", since=begins, until=begins + 5 * MINUTE, reason="patches", person="Ada", party="provider"
    )
    excluded, objective = Excluded(desk.register, lambda: desk.now), desk.contract.objectives[0]
    first = at("2026-05-05 02:00")
    assert [dict(excluded(objective, first + n * MINUTE)) for n in (-1, 0, 1, 5, 6)] == [
        {}, {"maintenance": 0.75}, {"maintenance": 1.0}, {"maintenance": 0.25}, {}
    ]  # fmt: skip


def test_an_objective_that_does_not_exclude_maintenance_is_measured_through_it(desk: Desk) -> None:
    _maintenance(desk, "2026-05-05 02:00", "2026-05-05 03:00")
    kinds: tuple[ExclusionKind, ...] = ("hotfix",)
    objective = replace(desk.contract.objectives[0], excluding=kinds)
    assert Excluded(desk.register, lambda: desk.now)(objective, at("2026-05-05 02:10")) == {}


def test_a_claim_that_is_confirmed_is_excluded_within_seconds(desk: Desk) -> None:
    number, minute = _claim(desk), at("2026-04-30 11:00")
    excluded, objective = Excluded(desk.register, lambda: desk.now), desk.contract.objectives[0]
    assert excluded(objective, minute) == {}
    desk.register.confirm(number, person="Grace", party="client")
    desk.now += 10_000
    assert excluded(objective, minute) == {"force_majeure": 1.0}


def test_an_outage_of_a_third_party_touches_what_comes_from_it_and_nothing_else(desk: Desk) -> None:
    number = desk.register.record(
        "third_party", since=at("2026-04-30 10:00"), until=at("2026-04-30 12:00"), reason="down", person="Ada",
        party="provider", name="card-network",
    ).id  # fmt: skip
    desk.register.confirm(number, person="Grace", party="client")
    excluded, minute = Excluded(desk.register, lambda: desk.now), at("2026-04-30 11:00")
    ours = desk.contract.objectives[0]
    assert excluded(ours, minute) == {"third_party:card-network": 1.0}
    assert excluded(replace(ours, channel=None), minute) == {"third_party:card-network": 1.0}
    assert excluded(replace(ours, channel="stock.levels"), minute) == {}


def test_every_exclusion_has_its_reason_in_words() -> None:
    found = reasons(shop())
    assert set(found) == {
        "upstream:orders", "maintenance", "hotfix", "third_party:card-network", "force_majeure", "viewer_network"
    }  # fmt: skip
    assert found["hotfix"] == "7.3 Emergency changes: recorded before it began, at most 60 min a month"
    assert found["upstream:orders"] == "the shop's till sends late (client, over 3 s)"
