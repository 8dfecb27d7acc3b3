"""Declarations: a wrong one is refused at once, with file, name, value and remedy."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from headwater import (
    DeclarationError,
    Feed,
    Flag,
    Freshness,
    History,
    Http,
    Latest,
    Log,
    Number,
    Series,
    Text,
    count,
    mean,
    quantile,
    value,
)
from services.declare import Declarations
from tests import feeds
from tests.feeds import Board, Orders, ShopBoard

LANES_OF_AIRPORTS = [2, 7, 2]  # CRC-32 of the name, modulo 8: a release must not move a partition
FRESH = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10)


def _feed(**keywords: Any) -> None:
    class Wrong(Feed, **{"name": "wrong", "key": "k", "source": Http(), "freshness": FRESH, **keywords}):  # type: ignore[call-arg,misc]
        k = Text()
        v = Number()
        maybe = Text(required=False)


def _reserved() -> None:
    class Wrong(Feed, name="wrong", key="k", source=Http(), freshness=FRESH):
        k = Text()
        ingested_at = Number()


def _latest(**keywords: Any) -> None:
    class Wrong(Latest, **{"feed": Orders, **keywords}):  # type: ignore[call-arg,misc]
        pass


def _windowless() -> None:
    class Wrong(Latest, feed=Orders):
        orders = count()


def _mean_of_text() -> None:
    class Wrong(Latest, feed=Orders, window_s=5):
        shops = mean(Orders.shop)


def _wrong_quantile() -> None:
    class Wrong(Latest, feed=Orders, window_s=5):
        median = quantile(Orders.price, 50)


def _foreign_field() -> None:
    class Other(Feed, name="other", key="k", source=Http(), freshness=FRESH):
        k = Text()
        v = Number()

    class Wrong(Series, feed=Orders, span_s=60):
        v = value(Other.v)


def _empty_series() -> None:
    class Wrong(Series, feed=Orders, span_s=60):
        pass


def _log_with_aggregates() -> None:
    class Wrong(Log, feed=Orders):
        orders = count()


def _unpartitioned_in_lanes() -> None:
    class Many(Feed, name="many", key="k", source=Http(), freshness=FRESH, lanes=4, partition="k"):
        k = Text()

    class Wrong(Latest, feed=Many):
        pass


def _log_of_newest() -> None:
    class Wrong(Log, feed=Orders, policy="newest"):
        pass


def _taken_name() -> None:
    class Wrong(Latest, feed=Orders, window_s=5):
        title = count()  # type: ignore[assignment]


def _parts_of_groups() -> None:
    class Wrong(Series, feed=Orders, span_s=60, by=Orders.shop, parts=Orders.shop):
        price = value(Orders.price)


def _log_by_hour() -> None:
    class Wrong(Log, feed=Orders, history=History(days=1, hourly_days=30)):
        pass


@pytest.mark.parametrize(
    ("declare", "name", "remedy"),
    [
        (lambda: _feed(name="Wrong Name"), "name", "lower-case"),
        (lambda: _feed(key="nope"), "key", "required Text or Integer field"),
        (lambda: _feed(key="v"), "key", "required Text or Integer field"),
        (lambda: _feed(key="maybe"), "key", "required"),
        (lambda: _feed(freshness=Freshness(5, 3, 10)), "freshness", "expected_every_s <= late_after_s"),
        (lambda: _feed(lanes=0), "lanes", "1 to 64"),
        (lambda: _feed(lanes=2), "lanes", "partition="),
        (lambda: _feed(lateness_s=-1), "lateness_s", "0 to 86400"),
        (_reserved, "ingested_at", "reserved"),
        (lambda: _latest(rows_max=0), "rows_max", "1 to 10000"),
        (lambda: _latest(rows_max=20_000), "rows_max", "partition="),
        (lambda: _latest(evict_after_s=-1), "evict_after_s", "positive"),
        (lambda: _latest(feed=Feed), "feed", "extends Feed"),
        (lambda: _latest(window_s=5), "window_s", "declare aggregates"),
        (lambda: _latest(name="Bad-Name"), "name", "lower-case"),
        (_windowless, "orders", "window_s="),
        (_mean_of_text, "shops", "Number, Integer or Flag"),
        (_wrong_quantile, "median", "between 0 and 1"),
        (_foreign_field, "v", "name a field of orders"),
        (_empty_series, "Wrong", "declare one"),
        (_log_with_aggregates, "Wrong", "Latest or Series"),
        (_unpartitioned_in_lanes, "partition", "lives in one"),
        (_taken_name, "title", "otherwise"),
        (_log_of_newest, "policy", "keeps 'every'"),
        (lambda: _feed(history=History(days=-1)), "history", "0 to 36500"),
        (lambda: _feed(history=History(days=0.5, hourly_days=30)), "history", "hours come from days"),
        (lambda: _latest(history=History(days=9, hourly_days=3)), "history", "hourly_days of at least days"),
        (lambda: _latest(parts=Orders.shop, partition=Orders.shop), "parts", "in parts already, by 'shop'"),
        (_parts_of_groups, "parts", "a part is a group"),
        (_log_by_hour, "history", "leave out hourly_days"),
    ],
)
def test_a_wrong_declaration_names_file_name_value_and_remedy(
    declare: Callable[[], None], name: str, remedy: str
) -> None:
    with pytest.raises(DeclarationError) as refused:
        declare()
    assert refused.value.where == __file__
    assert name in refused.value.name
    assert remedy in refused.value.remedy
    assert repr(refused.value.value) in str(refused.value)


def test_a_name_is_declared_once() -> None:
    module = ModuleType("twice")

    class Again(Feed, name="orders", key="k", source=Http(), freshness=FRESH):
        k = Text()

    Again.__module__ = "twice"
    module.Again = Again  # type: ignore[attr-defined]
    with pytest.raises(DeclarationError, match="already taken"):
        Declarations.read([feeds, module])


def test_channels_are_found_by_the_names_that_viewers_use() -> None:
    declarations = Declarations.read([feeds])
    board = declarations.resolve("orders.board")
    north = declarations.resolve("orders.shop_board:north")
    assert board is not None
    assert board.channel is Board
    assert north == ShopBoard.part("north")
    for unknown in ("orders.nope", "orders.board:north", "orders.shop_board", "orders.shop_board:", "", "orders"):
        assert declarations.resolve(unknown) is None


def test_a_channel_with_parts_has_a_twin_that_is_partitioned_and_else_the_same() -> None:
    class Sums(Latest, feed=Orders, window_s=5, windows=3, parts=Orders.shop, title="Sums"):
        orders = count()

    twin = Sums.twin
    assert twin is not None
    assert (twin.name, twin.partition, twin.title) == ("orders.sums_by_shop", "shop", "Sums, by shop")
    assert (twin.window_s, twin.windows, twin.keep, twin.kind) == (5, 3, Sums.keep, "latest")
    assert twin.signature() != Sums.signature()
    assert [str(column) for column in (*Sums.columns().values(), *twin.columns().values())] == [
        "Sums.orders",
        "SumsByShop.orders",
    ]
    Sums.__module__ = "parted"
    parted = ModuleType("parted")
    parted.Sums = Sums  # type: ignore[attr-defined]
    assert Declarations.read([feeds, parted]).resolve("orders.sums_by_shop:north") == twin.part("north")


def test_a_partition_keeps_its_lane_in_every_process() -> None:
    class Wide(Feed, name="wide", key="k", source=Http(), freshness=FRESH, lanes=8, partition="k"):
        k = Text()

    lanes = {Wide.declaration.lane_of(f"k{n}").number for n in range(100)}
    assert lanes == set(range(8))
    assert [Wide.declaration.lane_of(name).number for name in ("EWR", "JFK", "LGA")] == LANES_OF_AIRPORTS


def test_a_channel_says_what_it_keeps_under_load() -> None:
    policies = {channel.__name__: channel.policy for channel in Declarations.read([feeds]).channels.values()}
    assert policies["Board"] == policies["ShopBoard"] == "newest"
    assert policies["ByShop"] == policies["Total"] == policies["Turnover"] == "summarised"
    assert policies["Dear"] == policies["Prices"] == "every"


def test_a_changed_declaration_has_another_signature() -> None:
    def board(rows_max: int) -> str:
        class Changing(Latest, feed=Orders, rows_max=rows_max):
            pass

        return Changing.signature()

    assert board(5) == board(5) != board(6)


def test_a_flag_can_be_a_condition() -> None:
    class Paid(Feed, name="paid", key="k", source=Http(), freshness=FRESH):
        k = Text()
        paid = Flag()

    condition = Paid.paid.equals(True) & Paid.k.one_of("a", "b")
    paid = {"k": "a", "paid": True}
    assert condition.passing([paid, {"k": "c", "paid": True}, {"k": "a"}]) == [paid]
    assert condition.describe() == "paid is yes and k is one of a, b"


def test_a_channel_is_kept_as_long_as_its_feed_unless_it_says_otherwise() -> None:
    class Kept(Feed, name="kept", key="k", source=Http(), freshness=FRESH, history=History(days=3, hourly_days=30)):
        k = Text()

    class Newest(Latest, feed=Kept):
        pass

    class Entries(Log, feed=Kept):
        pass

    class Short(Latest, feed=Kept, history=History(days=1)):
        pass

    assert [channel.history for channel in (Newest, Entries, Short)] == [History(3, 30), History(3), History(1)]
