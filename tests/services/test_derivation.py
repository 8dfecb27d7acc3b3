"""Derived channels: always what the function makes of the others, however often their worker dies on the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import orjson
import pytest

from components.freshness import channel_facts
from services.broker import LaneLost
from services.declare import Channel, ChannelRef, DeclarationError, Declarations, Derived, Lane
from services.derivation import OF
from services.freshness import judge
from services.state import state_of
from tests.services import derived_feeds
from tests.services.derived_feeds import Course, Dear, Margin, Price, Summary
from tests.system import START_MS, System

MARGIN, SUMMARY = Lane("margin", 0), Lane("summary", 0)


@pytest.fixture
def system(broker_url: str) -> Iterator[System]:
    made = System(broker_url, derived_feeds)
    yield made
    made.close()


def put(system: System, feed: str, number: int, item: str, figure: float) -> None:
    field = "price" if feed == "prices" else "cost"
    record = {"id": f"{feed}-{number}", "created_at": START_MS + number, "item": item, field: figure}
    assert system.post([record], feed).accepted == 1


def plain(rows: dict[str, Any]) -> dict[str, Any]:
    """Rows without the times since when they are what they are."""
    return {key: {name: v for name, v in row.items() if name != "created_at"} for key, row in rows.items()}


def direct(system: System) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the functions make of what the channels hold, computed here."""

    def made(channel: type[Derived], *of: Any) -> dict[str, Any]:
        key = channel.feed.key
        return {row[key]: {name: v for name, v in row.items() if v is not None} for row in channel.rows(*of)}

    margin = made(Margin, system.data(Price.name)["rows"], system.data("costs.cost")["rows"])
    summary = made(Summary, margin, system.data(Course.name)["points"], system.data(Dear.name)["entries"])
    return margin, summary


def folded(system: System, channel: type[Channel]) -> tuple[dict[str, Any], list[int]]:
    """What a viewer who took every delta holds, and their seqs."""
    state, seqs = state_of("latest", channel.keep), []
    for delta in system.broker.read_range(ChannelRef(channel), 0):
        state.apply(orjson.loads(delta.data))
        seqs.append(delta.seq)
    return state.data()["rows"], seqs


@pytest.mark.parametrize("seed", range(8))
def test_it_is_what_the_function_makes_of_the_others_whatever_dies_on_the_way(system: System, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(60):
        feed = chance.choice(["prices", "costs"])
        put(system, feed, number, chance.choice("abcdefgh"), chance.choice([0.0, 10.0, 49.5, 80.0]))
        what = chance.random()
        if what < 0.4:
            system.drain()
        elif what < 0.6:  # it dies between a look and a commit: what it computed is gone
            system.processor._keep_leases()
            system.processor._read(0)
            system.processor._look()
            for lane in list(system.processor._led):  # its leases end
                system.processor._leadership.give_back(lane)
            system.processor = system.new_processor("worker-1")
    system.drain()
    margin, summary = direct(system)
    assert plain(system.data(Margin.name)["rows"]) == margin
    assert plain(system.data(Summary.name)["rows"]) == summary
    for channel in (Margin, Summary):
        rows, seqs = folded(system, channel)
        assert rows == system.data(channel.name)["rows"]
        assert seqs == list(range(1, len(seqs) + 1)), "a gap-free prefix"


def test_state_seq_delta_and_positions_are_committed_together_or_not_at_all(system: System) -> None:
    put(system, "prices", 1, "a", 10.0)
    put(system, "costs", 1, "a", 8.0)
    system.drain()
    before = system.broker.read_channel(ChannelRef(Margin))
    assert before.position is not None
    of = orjson.loads(before.cells[OF])
    for name in ("prices.price", "costs.cost"):
        ref = system.declarations.resolve(name)
        assert ref is not None
        stands = system.broker.read_channel(ref).position
        assert stands is not None
        assert of[name] == [stands.epoch, stands.seq]

    loser = system.processor._led[MARGIN]
    put(system, "prices", 2, "a", 16.0)
    system.processor._read(0)
    system.processor._commit(system.processor._led[Lane("prices", 0)])
    assert loser.look()
    system.processor._leadership.give_back(MARGIN)
    other = system.new_processor("worker-2")
    other.drain()
    assert plain(system.data(Margin.name)["rows"]) == {"a": {"item": "a", "percent": 50.0}}
    after = system.broker.read_channel(ChannelRef(Margin))
    with pytest.raises(LaneLost):
        loser.commit()
    assert system.broker.read_channel(ChannelRef(Margin)) == after


def test_nothing_is_committed_again_where_nothing_has_changed(system: System) -> None:
    put(system, "prices", 1, "a", 10.0)
    put(system, "costs", 1, "a", 8.0)
    system.drain()
    stands = system.broker.read_channel(ChannelRef(Margin)).position
    put(system, "costs", 2, "b", 1.0)  # of which there is no price
    system.drain()
    system.processor.hand_over()
    system.new_processor("worker-2").drain()
    assert system.broker.read_channel(ChannelRef(Margin)).position == stands


def test_a_function_that_fails_keeps_what_was_and_says_so_until_it_succeeds(system: System) -> None:
    put(system, "prices", 1, "a", 10.0)
    put(system, "costs", 1, "a", 8.0)
    system.drain()
    held = system.data(Margin.name)
    put(system, "prices", 2, "b", 666.0)
    system.now_ms += 400_000
    put(system, "prices", 400_001, "c", 1.0)
    put(system, "costs", 400_001, "c", 1.0)
    system.processor._renew_at = system.processor._progress_at = 0.0
    system.drain()
    assert system.data(Margin.name) == held
    told = system.broker.lane_progress([MARGIN])[MARGIN]
    assert told.error.startswith("ArithmeticError: the number of the beast (")
    assert "derived_feeds.py:" in told.error
    verdict = judge(Margin.freshness, told, event_at=START_MS, now=system.now_ms)
    assert (verdict.state, verdict.cause) == ("stale", "source_error")
    put(system, "prices", 400_002, "b", 2.0)
    system.drain()
    assert set(system.data(Margin.name)["rows"]) == {"a", "c"}
    assert system.broker.lane_progress([MARGIN])[MARGIN].error == ""


def test_it_is_as_fresh_as_the_least_fresh_of_the_others(system: System) -> None:
    assert (Margin.freshness.late_after_s, Margin.freshness.stale_after_s) == (60, 300)
    put(system, "prices", 1, "a", 10.0)
    put(system, "costs", 1, "a", 8.0)
    system.drain()
    system.now_ms += 301_000
    put(system, "prices", 301_000, "a", 12.0)
    system.drain()
    told = system.broker.lane_progress([MARGIN])[MARGIN]
    at = system.broker.read_channel(ChannelRef(Margin)).times
    assert at is not None
    verdict = judge(Margin.freshness, told, event_at=at.created[1], now=system.now_ms)
    assert (verdict.state, verdict.cause) == ("stale", "source_silent")
    put(system, "costs", 301_001, "a", 8.0)
    system.drain()
    told = system.broker.lane_progress([MARGIN])[MARGIN]
    assert judge(Margin.freshness, told, event_at=told.event_at, now=system.now_ms).state == "live"


def test_its_details_say_what_it_is_made_from() -> None:
    facts = dict(channel_facts(ChannelRef(Margin), ""))
    assert facts["Source"] == "made from prices.price and costs.cost; feed margin, computed by the worker"
    assert not Margin.feed.source.posted


BAD: dict[str, tuple[Callable[[], object], str]] = {}


def bad(told: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    def note(declare: Callable[[], object]) -> Callable[[], object]:
        BAD[declare.__name__] = declare, told
        return declare

    return note




@bad("name the channels that it is made from")
def of_nothing() -> object:
    return type("Bad", (Derived,), {"rows": staticmethod(list)}, name="bad", of=[], key="what")


@bad("define @staticmethod def rows")
def without_a_function() -> object:
    return type("Bad", (Derived,), {"what": derived_feeds.Text()}, name="bad", of=[Price], key="what")


@bad("put @staticmethod before it")
def with_a_method() -> object:
    body = {"what": derived_feeds.Text(), "rows": lambda self, prices: []}
    return type("Bad", (Derived,), body, name="bad", of=[Price], key="what")


@bad("name a required Text or Integer field")
def with_a_key_that_is_no_field() -> object:
    body = {"what": derived_feeds.Text(), "rows": staticmethod(lambda prices: [])}
    return type("Bad", (Derived,), body, name="bad", of=[Price], key="item")


@bad("its channels are known by name alone")
def without_a_rule_of_freshness() -> object:
    body = {"what": derived_feeds.Text(), "rows": staticmethod(lambda prices: [])}
    return type("Bad", (Derived,), body, name="bad", of=["prices.price"], key="what")


@pytest.mark.parametrize("case", BAD)
def test_a_derived_channel_that_cannot_be_meant_is_refused(case: str) -> None:
    declare, told = BAD[case]
    with pytest.raises(DeclarationError, match=told):
        declare()


def _named(name: str, *of: str) -> type[Derived]:
    body = {"__module__": "made", "what": derived_feeds.Text(), "rows": staticmethod(lambda *_: [])}
    rule = derived_feeds.RULE
    made: type[Derived] = type(name, (Derived,), body, name=name.lower(), of=of, key="what", freshness=rule)
    return made


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ([_named("Lost", "prices.course", "nothing.here")], "Lost.of: 'nothing.here': no channel has this name"),
        ([_named("Self", "self.now")], "'self.now from self.now': it would be made from itself"),
        ([_named("One", "two.now"), _named("Two", "three.now"), _named("Three", "prices.price", "one.now")],
         "One.of: 'one.now from two.now from three.now from one.now': it would be made from itself"),
    ],
)
def test_what_is_not_there_and_what_leads_back_to_itself_is_refused_and_leaves_the_rest(
    declared: list[type[Derived]], told: str
) -> None:
    module = ModuleType("made")
    vars(module).update({one.__name__: one for one in declared})
    with pytest.raises(DeclarationError, match=told):
        Declarations.read([derived_feeds, module])
    faults: list[str] = []
    left = Declarations.read([derived_feeds, module], lambda error: faults.append(str(error)))
    assert any(told in fault for fault in faults)
    assert {"prices.price", "margin.now", "summary.now"} == set(left.channels) - {
        "prices.course", "prices.dear", "costs.cost",
    }
