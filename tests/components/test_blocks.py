"""Each block hands the painters what they need and tells the reader what the number is."""

from __future__ import annotations

import json

import pytest

from components.formula import duration
from headwater import (
    DeclarationError,
    Feed,
    Flag,
    Freshness,
    Http,
    Integer,
    Latest,
    Moment,
    Number,
    Series,
    Text,
    chart,
    count,
    log,
    mean,
    page,
    quantile,
    sum_,
    table,
    tile,
    value,
)
from tests.components import recorded
from tests.components.drawn import every, ids, live, of_class, props
from tests.feeds import Board, ByShop, Dear, Orders, Prices, Total, Turnover


class Shapes(Feed, name="shapes", key="name", source=Http(), freshness=Freshness(1, 5, 20)):
    """A feed with a field of each type."""

    name = Text()
    size = Number(unit="kg", decimals=2, about="with packaging")
    pieces = Integer()
    sound = Flag()
    seen_at = Moment()


class Known(Latest, feed=Shapes):
    """Every shape."""


class Sizes(Series, feed=Shapes, span_s=90):
    """Sizes over time."""

    size = value(Shapes.size)


class Machine(Series, feed=Shapes, window_s=10, span_s=90, title="Weights and pieces"):
    """Sizes by ten seconds."""

    sold = sum_(Shapes.size)
    returned = mean(Shapes.size)
    pieces = count()


def details_of(block: object) -> str:
    (badge,) = of_class(page("P", "/p", block).layout(), "freshness")  # type: ignore[arg-type]
    return "\n".join(f"{term} {words}" for term, words in json.loads(props(badge)["data-facts"]))


def test_a_tile_says_which_value_of_which_row_and_how_it_is_written() -> None:
    shown = tile(ByShop.paid_share, key="north", scale=100, unit="%", decimals=1, warn_below=90, bad_below=80,
                 trend=Turnover.turnover)
    assert live(shown.draw("u"))[0] == {
        "paint": "tile", "channel": "orders.by_shop", "key": "north", "field": "paid_share", "type": "number",
        "decimals": 1, "unit": "%", "scale": 100, "direction": "below",
        "thresholds": [{"at": 90, "level": "warn"}, {"at": 80, "level": "bad"}],
        "trend": {"channel": "orders.turnover", "series": "turnover:north", "span_ms": 60_000, "gap_ms": 10_000,
                  "window_ms": 5_000, "windows": 2},
        "window_ms": 10_000, "windows": 3, "missing": "no values in its window",
    }
    assert live(tile(Shapes.size, of=Known, key="disc").draw("u"))[0]["missing"] == "not in the newest event"
    assert live(tile(Total.orders, missing="closed today").draw("u"))[0]["missing"] == "closed today"


def test_an_ungrouped_aggregate_is_the_row_of_all() -> None:
    assert live(tile(Total.orders).draw("u"))[0]["key"] == "all"


def test_the_painters_nodes_have_data_attributes_and_no_id() -> None:
    drawn = tile(Total.orders, trend=None).draw("u")
    for name in ("data-value", "data-unit", "data-window", "data-change"):
        (node,) = [one for one in every(drawn) if name in props(one)]
        assert "id" not in props(node)


def test_a_chart_draws_a_line_for_each_group_or_for_those_that_are_named() -> None:
    spec = live(chart(Prices.price, names=["north"], span_s=30, bad_above=99).draw("u"))[0]
    assert (spec["by"], spec["names"], spec["span_ms"]) == (True, ["north"], 30_000)
    assert spec["fields"] == [{"field": "price", "label": "Price"}]
    assert spec["thresholds"] == [{"at": 99, "level": "bad"}]
    assert spec["gap_ms"] is None, "a source that may be quiet leaves no gap to be seen"
    assert live(chart(Sizes.size).draw("u"))[0]["gap_ms"] == 20_000


def test_a_chart_carries_no_colour_of_its_own_and_uploads_nothing() -> None:
    (graph,) = [one for one in every(chart(Prices.price).draw("u")) if "figure" in props(one)]
    layout = props(graph)["figure"]["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert layout["uirevision"] == "live", "zoom holds while data flows"
    assert props(graph)["config"]["showSendToCloud"] is False


def test_a_table_keeps_its_rows_by_key_and_formats_by_type() -> None:
    (grid,) = [one for one in every(table(Known).draw("u")) if "columnDefs" in props(one)]
    opening, *defined = props(grid)["columnDefs"]
    assert opening["colId"] == "row-details", "the first cell opens the row"
    columns = {column["field"]: column for column in defined}
    formats = {name: column["valueFormatter"]["function"] for name, column in columns.items()}
    assert props(grid)["getRowId"] == "params.data.id"
    assert "d3.format(',.2f')" in formats["size"]
    assert "d3.format(',.0f')" in formats["pieces"]
    assert "'yes' : 'no'" in formats["sound"]
    assert "moment(params.value)" in formats["seen_at"], "in the time zone in use"
    assert columns["size"]["headerName"] == "Size (kg)"
    assert columns["size"]["type"] == "rightAligned"
    assert columns["size"]["headerTooltip"] == "with packaging"


def test_a_table_holds_still_while_rows_change() -> None:
    (grid,) = [one for one in every(table(Known, sort=Shapes.size, descending=True).draw("u"))
               if "columnDefs" in props(one)]
    options = props(grid)["dashGridOptions"]
    assert options["animateRows"] is False
    assert options["suppressScrollOnNewData"] is True
    assert props(grid)["defaultColDef"]["enableCellChangeFlash"] is True
    assert [column.get("sort") for column in props(grid)["columnDefs"]] == [None, None, "desc", None, None, None]


def test_a_tables_row_is_opened_with_every_field_those_of_the_table_first() -> None:
    spec = live(table(Board, columns=[Orders.price]).draw("u"))[0]["row"]
    others = [name for name in Orders.declaration.fields if name != "price"]
    assert [one["field"] for one in spec["fields"]] == ["price", *others]
    assert {"field": "price", "label": "Price", "type": "number", "decimals": 2, "unit": "EUR"} in spec["fields"]
    assert spec["history_ms"] == 0, "the orders of the tests keep none"
    assert live(table(Known).draw("u"))[0]["row"]["history_ms"] == 7 * 86_400_000


def test_a_tables_quick_filter_belongs_to_its_grid() -> None:
    found = {one["type"]: one for one in ids(table(Board).draw("u")) if isinstance(one, dict)}
    for part in ("table-filter", "live-table"):
        assert (found[part]["uid"], found[part]["channel"]) == ("u", "orders.board")


def test_a_grouped_table_shows_the_group_first() -> None:
    (grid,) = [one for one in every(table(ByShop).draw("u")) if "columnDefs" in props(one)]
    assert props(grid)["columnDefs"][1]["field"] == "shop"


def test_a_log_shows_the_time_of_each_entry_first() -> None:
    spec = live(log(Dear, columns=[Orders.order, Orders.price]).draw("u"))[0]
    assert [(column["field"], column["type"]) for column in spec["columns"]] == [
        ("created_at", "moment"), ("order", "text"), ("price", "number")]
    assert spec["entries_max"] == 4


def test_the_details_say_what_a_number_is() -> None:
    said = details_of(tile(ByShop.turnover, key="north", warn_above=100))
    for fact in (
        "Definition Turnover. Aggregates of each shop over three windows of ten seconds.",
        "Formula sum of Price, over the last 30 s: 3 windows of 10 s; the row of north",
        "Unit EUR", "Limits warning above 100 EUR", "Window last 30 s, moving every 10 s",
        "Source HTTP ingest; feed orders, posted by others", "expected every 1 s, late after 3 s, stale after 10 s",
        "quiet while its source gives signs of life", "Under load a summary of every event",
        "Channel orders.by_shop",
    ):
        assert fact in said
    assert "About" not in said, "what the definition says is not said again"
    said = details_of(tile(Shapes.size, of=Known, key="disc"))
    assert "Definition Size: with packaging\nFormula Size of the newest" in said
    assert "About Every shape." in said


def test_each_kind_of_component_says_by_which_formula_its_values_come() -> None:
    class Sales(Latest, feed=Shapes, by=Shapes.name, window_s=3_600):
        """Sales of the hour."""

        heavy = quantile(Shapes.size, 0.95, where=Shapes.pieces.at_least(2), label="Heavy")
        sound = mean(Shapes.sound)
        sold = count()

    hour = "over each window of 1 h"
    for block, formula in (
        (tile(Sales.heavy, key="disc"), f"p95 of Size, sketch ±1 % where pieces ≥ 2, {hour}; the row of disc"),
        (tile(Sales.sound, key="disc", scale=100), f"share of events with Sound, {hour}; times 100; the row"),
        (table(Sales, columns=[Sales.sold, Shapes.name]), f"Sold: number of events, {hour}\nFormula the other"),
        (tile(Shapes.size, of=Known, key="disc"), "Size of the newest event; at equal times the greater id"),
        (chart(Prices.price), "newest Price, each event by itself, one line for each shop"),
        (log(Dear), "each column as the event says it"),
    ):
        assert f"\nFormula {formula}" in details_of(block)


def test_the_details_say_what_a_channel_keeps_and_what_it_merges_under_load() -> None:
    for block, kept, merged in (
        (tile(Total.orders), "Keeps one row", "in larger steps, the last one is never left out"),
        (table(Board), "Keeps at most 5 rows, those with the newest events", "passed over"),
        (table(ByShop), "Keeps at most 5,000 rows", "a summary of every event"),
        (chart(Prices.price), "Keeps 1 min, at most 2,000 points a line; the oldest leave first", "every event, in"),
        (log(Dear), "Keeps the newest 4 entries", "every event, in order"),
    ):
        said = details_of(block)
        assert f"\n{kept}" in said
        assert merged in said.split("\nUnder load ")[1]


def test_the_details_name_what_is_approximate_and_only_where_something_is() -> None:
    class Percentiles(Latest, feed=Shapes, window_s=60):
        """Sizes of the last minute."""

        median = quantile(Shapes.size, 0.5, label="Median size")
        shapes = count()

    assert "Precision Median size: within 1 % of the true quantile; all else is exact" in details_of(
        tile(Percentiles.shapes)
    )
    assert "Precision" not in details_of(tile(Total.orders))


def test_a_badges_facts_are_one_attribute_and_no_components() -> None:
    drawn = tile(Total.orders).draw("u")
    (facts,) = of_class(drawn, "facts")
    assert not getattr(facts, "children", None)
    assert len(list(every(drawn))) <= 16


def test_a_chart_draws_several_aggregates_of_one_series_each_by_its_name() -> None:
    both = chart(Machine.sold, Machine.returned)
    (spec,) = live(both.draw("u"))
    assert spec["fields"] == [{"field": "sold", "label": "Sold"}, {"field": "returned", "label": "Returned"}]
    assert (both.title, spec["unit"], spec["by"]) == ("Sold and returned", "kg", False)
    (graph,) = [one for one in every(both.draw("u")) if "figure" in props(one)]
    assert props(graph)["figure"]["layout"]["showlegend"] is True
    said = details_of(both)
    assert "Formula Sold: sum of Size, over each window of 10 s" in said
    assert "Formula Returned: mean of Size, over each window of 10 s" in said
    assert chart(Machine.sold, Machine.returned, Machine.pieces, unit="").title == "Weights and pieces"


def test_a_chart_refuses_aggregates_that_share_no_axis_or_stand_twice() -> None:
    with pytest.raises(DeclarationError, match="they share one axis"):
        chart(Machine.sold, Machine.pieces)
    with pytest.raises(DeclarationError, match="stands twice"):
        chart(Machine.sold, Machine.sold)


def test_the_details_name_what_is_left_out_and_what_is_recorded() -> None:
    assert "Only where price ≥ 100" in details_of(log(Dear))
    assert "Source recorded data, replayed: a tape of 1999" in details_of(tile(recorded.Played.songs))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "250 ms"), (5, "5 s"), (90, "90 s"), (60, "1 min"), (3600, "1 h"), (5400, "90 min"), (172_800, "2 d")],
)
def test_a_duration_is_told_in_the_largest_whole_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_table_of_few_rows_has_no_quick_filter_unless_it_is_asked_for() -> None:
    for shown, filters in ((table(Board), 1), (table(Board, rows=5), 0), (table(Board, rows=5, quick_filter=True), 1)):
        assert len(of_class(shown.draw("u"), "quick-filter")) == filters
