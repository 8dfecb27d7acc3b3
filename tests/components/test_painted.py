"""Painted components hand their painter what it needs, follow a choice, and stand where a page puts them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from components.page import Page
from components.painted import OWN_PAINTERS
from headwater import (
    DeclarationError,
    Latest,
    Log,
    Series,
    bar,
    count,
    grid,
    heat_map,
    histogram,
    live_text,
    page,
    painted,
    row,
    status_list,
    sum_,
    table,
    tile,
    value,
)
from services.declare import Declarations
from tests.components.drawn import every, live, of_class, props
from tests.feeds import Board, ByShop, Dear, Orders, Prices, Total, Turnover

PAINTERS = Path(__file__).parents[2] / "assets/live/painters.mjs"


class Matrix(Latest, feed=Orders, by=(Orders.shop, Orders.note), window_s=10):
    """Orders by shop and note."""

    orders = count()


class Whole(Latest, feed=Orders, window_s=10, parts=Orders.shop):
    """All orders, and those of each shop."""

    orders = count()


class Sums(Latest, feed=Orders, window_s=10, parts=Orders.shop):
    """All turnover, and that of each shop."""

    turnover = sum_(Orders.price)


class Course(Series, feed=Orders, window_s=7, span_s=60):
    """Turnover of each seven seconds."""

    turnover = sum_(Orders.price)


class Rows(Series, feed=Orders, by=Orders.shop, span_s=30):
    """Prices of each shop."""

    price = value(Orders.price)


class Few(Log, feed=Orders, entries_max=10):
    """The newest ten."""


def options_of(block: object) -> dict[str, object]:
    found: dict[str, object] = live(block.draw("u"))[0]["options"]  # type: ignore[attr-defined]
    return found


def facts_of(block: object) -> str:
    (badge,) = of_class(block.draw("u"), "freshness")  # type: ignore[attr-defined]
    return "\n".join(f"{term} {words}" for term, words in json.loads(props(badge)["data-facts"]))


def test_every_painter_of_the_house_is_known_to_both_languages() -> None:
    found = re.search(r"export const OWN = \{(.*?)\};", PAINTERS.read_text())
    assert found is not None
    assert {one.partition(":")[0].strip() for one in found[1].split(",")} == OWN_PAINTERS


def test_a_painter_is_told_the_channel_its_columns_and_its_options() -> None:
    spec = live(painted("gauge", Board, fields=[Orders.price], options={"most": 9}, also=[Total]).draw("u"))[0]
    assert spec == {
        "paint": "gauge", "channel": "orders.board", "also": ["orders.total"], "every_ms": 100,
        "options": {"most": 9}, "title": "The five orders that changed last",
        "fields": [{"field": "price", "label": "Price", "type": "number", "decimals": 2, "unit": "EUR"}],
    }


def test_its_nodes_are_left_to_its_painter() -> None:
    drawn = painted("gauge", Board).draw("u")
    (place,) = [one for one in every(drawn) if "data-place" in props(one)]
    assert not props(place).get("children")
    assert "id" not in props(place)
    assert len(of_class(drawn, "freshness")) == 1


def test_a_bar_is_called_by_what_tells_rows_apart_unless_a_label_is_named() -> None:
    assert options_of(bar(ByShop.orders))["label"] == ["shop"]
    assert options_of(bar(Orders.price, of=Board))["label"] == ["order"]
    shown = options_of(bar(ByShop.paid_share, label=ByShop.turnover, top=3, scale=100, unit="%", warn_below=90))
    assert (shown["label"], shown["top"], shown["unit"], shown["direction"]) == (["turnover"], 3, "%", "below")
    assert shown["thresholds"] == [{"at": 90, "level": "warn"}]


def test_a_bar_says_what_it_shows_of_all_rows() -> None:
    said = facts_of(bar(ByShop.turnover, top=3))
    assert "Shows the 3 greatest of all rows; rows without a value have no bar" in said
    assert "Formula sum of Price, over the last 30 s" in said
    assert "Unit EUR" in said


def test_a_status_list_says_which_words_are_good_and_which_are_bad() -> None:
    block = status_list(Orders.note, of=Board, ok=["up"], bad=["down", "lost"], detail=[Orders.price])
    assert options_of(block)["words"] == {"up": "ok", "down": "bad", "lost": "bad"}
    assert "States up: fine; down, lost: bad; any other: unknown" in facts_of(block)
    assert [one["field"] for one in live(block.draw("u"))[0]["fields"]] == ["order", "note", "price"]
    assert "Limits bad above 5" in facts_of(status_list(ByShop.orders, bad_above=5))


def test_a_flag_can_be_judged_by_its_words() -> None:
    assert options_of(status_list(Orders.paid, of=Board, ok=["yes"], bad=["no"]))["words"] == {"yes": "ok", "no": "bad"}


def test_a_heat_map_over_time_has_steps_of_whole_windows() -> None:
    assert options_of(heat_map(Course.turnover, columns=4))["step_ms"] == 21_000
    assert options_of(heat_map(Rows.price, columns=10))["step_ms"] == 3_000
    assert "Cells the newest value in each step of 21 s" in facts_of(heat_map(Course.turnover, columns=4))


def test_a_heat_map_of_rows_that_are_grouped_by_two_fields_needs_no_sides() -> None:
    shown = options_of(heat_map(Matrix.orders))
    assert (shown["y"]["field"], shown["x"]["field"]) == ("shop", "note")  # type: ignore[index]
    assert options_of(heat_map(Orders.price, of=Board, x=Orders.shop, y=Orders.order))["x"]["field"] == "shop"  # type: ignore[index]


@pytest.mark.parametrize(("of", "noun"), [(Board, "rows"), (Dear, "entries"), (None, "points")])
def test_a_histogram_counts_rows_entries_or_points(of: type[Latest] | None, noun: str) -> None:
    block = histogram(Orders.price, of=of) if of is not None else histogram(Prices.price)
    assert options_of(block)["noun"] == noun
    assert f"Formula number of {noun} by value" in facts_of(block)


def test_a_text_is_cut_into_its_words_and_its_values() -> None:
    block = live_text("{n} orders {{here}}, {north} of north", title="Text", n=Total.orders,
                      north=tile(ByShop.orders, key="north", warn_above=3))
    first, words, second, last = options_of(block)["parts"]  # type: ignore[misc]
    assert (words, last) == (" orders {here}, ", " of north")
    assert (first["of"], first["key"], second["of"], second["key"]) == (0, "all", 1, "north")
    assert second["thresholds"] == [{"at": 3, "level": "warn"}]
    assert [ref.name for ref in block.refs] == ["orders.total", "orders.by_shop"]
    assert "the row of north" in facts_of(block)


def test_a_text_follows_a_choice_with_all_of_its_channels_or_not_at_all() -> None:
    both = live_text("{n}, {sum}", title="T", n=Whole.orders, sum=Sums.turnover)
    assert both.following(Orders.shop) == {"channel": "orders.whole_by_shop", "also": ["orders.sums_by_shop"]}
    assert live_text("{n}, {dear}", title="T", n=Whole.orders, dear=Total.dear).following(Orders.shop) is None
    shown = page("P", "/p", both, choose=Orders.shop)
    assert {ref.name for ref in shown.shown("north")} == {"orders.whole_by_shop:north", "orders.sums_by_shop:north"}


def test_what_has_rows_of_the_chosen_field_leaves_out_the_others() -> None:
    for block in (bar(ByShop.orders), status_list(ByShop.orders, bad_above=1), histogram(Orders.price, of=Few)):
        assert block.following(Orders.shop) == {"rows": True}
    for block in (heat_map(Turnover.turnover), histogram(Prices.price)):
        assert block.following(Orders.shop) == {"groups": True}, "the chosen line alone"


def test_a_page_refuses_a_painter_that_nobody_wrote() -> None:
    import tests.feeds

    declared = Declarations.read([tests.feeds])
    shown = page("P", "/p", painted("gauge", Board))
    shown.check(declared, {"gauge"})
    with pytest.raises(DeclarationError, match=r"write painters/gauge\.mjs beside the folder of the pages") as caught:
        shown.check(declared, {"dial"})
    assert caught.value.where.startswith(f"{__file__}:")
    assert "dial" in caught.value.remedy


def test_a_grid_is_drawn_in_names_and_draws_each_block_once() -> None:
    shown = page("P", "/p", grid("a a b / a a . ", a=bar(ByShop.orders), b=tile(Total.orders)), row(table(Board)))
    (drawn,) = of_class(shown.layout(), "areas")
    assert props(drawn)["style"] == {"--areas": '"a a b" "a a ."', "--across": 3}
    assert [props(one)["style"]["--area"] for one in of_class(drawn, "area")] == ["a", "b"]
    assert [type(block).__name__ for block in shown.blocks] == ["Painted", "Tile", "Table"]


def test_blocks_in_a_grid_follow_the_choice_of_their_page() -> None:
    shown = page("P", "/p", grid("a", a=bar(ByShop.orders)), choose=Orders.shop)
    assert isinstance(shown, Page)
    assert [block.choose for block in shown.blocks] == [Orders.shop]
