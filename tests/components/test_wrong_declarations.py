"""A page that is declared wrongly is refused where it is declared: file and line, name, value and remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater import (
    DeclarationError,
    Feed,
    Freshness,
    Http,
    Latest,
    Text,
    bar,
    chart,
    grid,
    heat_map,
    histogram,
    live_text,
    log,
    page,
    painted,
    row,
    status_list,
    table,
    tile,
)
from tests.components.recorded import Played, Plays
from tests.feeds import Board, ByShop, Dear, Orders, Prices, ShopBoard, Total, Turnover

anything: Any = object()


class Takes(Feed, name="takes", key="name", source=Http(), freshness=Freshness(1, 5, 20)):
    """A feed with a field that an address has another meaning for."""

    name = Text()
    window = Text()


class Taken(Latest, feed=Takes):
    """Everything."""


WRONG: dict[str, tuple[Callable[[], object], str, str]] = {
    "a tile of something else": (lambda: tile(anything), "tile()", "give a column"),
    "a tile of a field alone": (lambda: tile(Orders.price), "tile(Orders.price)", "add of=<a Latest of feed 'orders'>"),
    "a tile of many rows": (lambda: tile(Orders.price, of=Board), "tile(Orders.price)", "add key=<order>"),
    "a tile of many groups": (lambda: tile(ByShop.orders), "tile(ByShop.orders)", "add key=<shop>"),
    "a key of a single row": (lambda: tile(Total.orders, key="A"), "tile(Total.orders)", "leave key out"),
    "a tile of a series": (lambda: tile(Prices.price), "tile(Prices.price)", "use chart()"),
    "a tile of another channel": (
        lambda: tile(Total.orders, of=Board, key="A"), "tile(Total.orders)", "no column of 'orders.board'"),
    "a tile of another feed": (
        lambda: tile(Plays.song, of=Board, key="A"), "tile(Plays.song)", "give one of Orders.order, Orders.shop"),
    "limits on a text": (
        lambda: tile(Orders.shop, of=Board, key="A", warn_above=1), "tile(Orders.shop)", "only numbers have limits"),
    "limits above and below": (
        lambda: tile(Total.orders, warn_above=1, bad_below=0), "thresholds", "above or below, not both"),
    "limits in the wrong order": (lambda: tile(Total.orders, warn_above=9, bad_above=3), "thresholds", "exchange them"),
    "limits below in the wrong order": (
        lambda: tile(Total.orders, warn_below=3, bad_below=9), "thresholds", "exchange them"),
    "a trend of a latest": (
        lambda: tile(Total.orders, trend=Total.dear), "tile(Total.orders).trend", "a trend needs a Series"),
    "a chart of a latest": (lambda: chart(Total.orders), "chart(Total.orders)", "use tile() or table()"),
    "a chart of a field": (lambda: chart(Orders.price), "chart()", "give an aggregate of a Series"),
    "a chart of a group that is none": (
        lambda: chart(Prices.price, of=Turnover), "chart(Prices.price)", "no column of 'orders.turnover'"),
    "a chart of nothing": (chart, "chart()", "give an aggregate of a Series"),
    "a chart of several aggregates by group": (
        lambda: chart(Turnover.turnover, Turnover.turnover), "chart(Turnover.turnover, Turnover.turnover)",
        "give each aggregate its chart"),
    "a chart of more than is kept": (
        lambda: chart(Prices.price, span_s=61), "chart(Prices.price).span_s", "the channel keeps 60 s"),
    "bounds upside down": (
        lambda: chart(Prices.price, bounds=(1, 0)), "chart(Prices.price).bounds", "lower bound first"),
    "bounds of a logarithmic chart": (
        lambda: chart(Prices.price, bounds=(0, 1), logarithmic=True), "chart(Prices.price).bounds", "leave one"),
    "a table of a log": (lambda: table(Dear), "table(Dear)", "use log()"),
    "a table of a series": (lambda: table(Prices), "table(Prices)", "use chart()"),
    "a table of another feed's column": (
        lambda: table(Board, columns=[Plays.song]), "table(Board).columns", "it is no column of 'orders.board'"),
    "a table of no column": (lambda: table(Board, columns=[]), "table(Board).columns", "name at least one"),
    "a table sorted by what is not shown": (
        lambda: table(Board, columns=[Orders.order], sort=Orders.price), "table(Board).sort", "add it to columns"),
    "a table of no row": (lambda: table(Board, rows=0), "table(Board).rows", "give 1 to 100 rows"),
    "a table of no channel": (lambda: table(anything), "table()", "give a channel"),
    "a choice by no field": (
        lambda: page("P", "/p", table(Board), choose=anything), "page('P').choose", "give a field of a feed"),
    "a choice by a number": (
        lambda: page("P", "/p", table(Board), choose=Orders.price), "page('P').choose", "by a Text or an Integer"),
    "a choice that nothing can follow": (
        lambda: page("P", "/p", tile(Total.orders), choose=Orders.shop), "page('P').choose", "with parts=Orders.shop"),
    "a choice by what the address says already": (
        lambda: page("P", "/p", table(Taken), choose=Takes.window), "page('P').choose", "another meaning for 'window'"),
    "a partitioned channel as a whole": (
        lambda: table(ShopBoard), "table(ShopBoard)", "give ShopBoard.part(<shop>)"),
    "a log of a latest": (lambda: log(Board), "log(Board)", "use table() or tile()"),
    "a log of another feed's column": (
        lambda: log(Dear, columns=[Played.songs]), "log(Dear).columns", "it is no column of 'orders.dear'"),
    "a log of more than is kept": (lambda: log(Dear, entries_max=5), "log(Dear).entries_max", "the channel keeps 4"),
    "a bar of a text": (lambda: bar(Orders.shop, of=Board), "bar(Orders.shop)", "a bar needs a Number"),
    "a bar of a series": (lambda: bar(Prices.price), "bar(Prices.price)", "give a Latest, or use chart()"),
    "a bar of a single row": (lambda: bar(Total.orders), "bar(Total.orders)", "show it in a tile()"),
    "a bar of a field alone": (lambda: bar(Orders.price), "bar(Orders.price)", "add of=<a Latest of feed 'orders'>"),
    "more bars than one can see": (lambda: bar(ByShop.orders, top=101), "bar(ByShop.orders).top", "give 1 to 100 bars"),
    "bars named by nothing": (
        lambda: bar(ByShop.orders, label=[]), "bar(ByShop.orders).label", "name at least one column"),
    "bars named by another feed": (
        lambda: bar(ByShop.orders, label=Plays.song), "bar(ByShop.orders).label", "no column of 'orders.by_shop'"),
    "bounds of bars upside down": (
        lambda: bar(ByShop.orders, bounds=(9, 1)), "bar(ByShop.orders).bounds", "lower bound first"),
    "a state that nobody judges": (
        lambda: status_list(ByShop.orders), "status_list(ByShop.orders)", "give limits, for example warn_above"),
    "a text state that nobody judges": (
        lambda: status_list(Orders.note, of=Board), "status_list(Orders.note)", "name values: ok="),
    "limits of a text state": (
        lambda: status_list(Orders.note, of=Board, bad_above=1), "status_list(Orders.note)", "only numbers have"),
    "words of a number": (
        lambda: status_list(ByShop.orders, ok=["5"]), "status_list(ByShop.orders)", "a number has limits"),
    "a word where words are meant": (
        lambda: status_list(Orders.note, of=Board, ok="up"), "status_list(Orders.note).ok", "ok=['up']"),
    "a word with two meanings": (
        lambda: status_list(Orders.note, of=Board, ok=["up"], bad=["up"]), "status_list(Orders.note).bad",
        "named as ok already"),
    "a scale of a text state": (
        lambda: status_list(Orders.note, of=Board, ok=["up"], scale=2), "status_list(Orders.note).scale", "leave it"),
    "no states to see": (
        lambda: status_list(ByShop.orders, bad_above=1, rows=0), "status_list(ByShop.orders).rows", "give 1 to 100"),
    "a heat map of a log": (
        lambda: heat_map(Orders.price, of=Dear), "heat_map(Orders.price)", "give a Series, or a Latest by two fields"),
    "a heat map of rows with one side": (
        lambda: heat_map(ByShop.orders), "heat_map(ByShop.orders)", "its rows need two sides"),
    "a heat map with both sides the same": (
        lambda: heat_map(Orders.price, of=Board, x=Orders.shop, y=Orders.shop), "heat_map(Orders.price).x",
        "give another field"),
    "sides of a heat map over time": (
        lambda: heat_map(Prices.price, x=Orders.shop), "heat_map(Prices.price).x", "a Series is drawn over time"),
    "a heat map of one column": (
        lambda: heat_map(Prices.price, columns=1), "heat_map(Prices.price).columns", "give 2 to 60"),
    "a histogram of texts": (
        lambda: histogram(Orders.shop, of=Board), "histogram(Orders.shop)", "count texts by a channel"),
    "a histogram of one range": (
        lambda: histogram(Orders.price, of=Board, bins=1), "histogram(Orders.price).bins", "give 2 to 60 bins"),
    "a text without values": (lambda: live_text("Hello", title="T"), "live_text()", "put a live value into it"),
    "a text with an unknown value": (
        lambda: live_text("{n} orders", title="T"), "live_text()", "give the value: n="),
    "a text that leaves a value out": (
        lambda: live_text("{n} orders", title="T", n=Total.orders, m=Total.dear), "live_text().m", "add {m}"),
    "a text that formats by itself": (
        lambda: live_text("{n:.2f}", title="T", n=Total.orders), "live_text()", "n=tile(…, decimals=…)"),
    "a text with a loose brace": (
        lambda: live_text("{n", title="T", n=Total.orders), "live_text()", "a brace that is text is doubled"),
    "a text with a trend": (
        lambda: live_text("{n}", title="T", n=tile(ByShop.orders, key="north", trend=Turnover.turnover)),
        "live_text().n", "leave trend= out"),
    "a painter of the house's own page": (lambda: painted("tile", Board), "painted()", "not tile, chart or log"),
    "a painter that is no name": (lambda: painted("my gauge", Board), "painted()", "lower-case letters"),
    "a painter of no channel": (lambda: painted("gauge", anything), "painted('gauge')()", "give a channel"),
    "a painter of another feed's field": (
        lambda: painted("gauge", Board, fields=[Plays.song]), "painted('gauge').fields", "no column of 'orders.board'"),
    "options that are no JSON": (
        lambda: painted("gauge", Board, options={"of": Board}), "painted('gauge').options", "texts, finite numbers"),
    "a painter that is never called": (
        lambda: painted("gauge", Board, every_ms=-1), "painted('gauge').every_ms", "give 0 to 10000 ms"),
    "a grid without blocks": (lambda: grid(""), "grid()", "draw it and name its blocks"),
    "a grid with lines of two lengths": (
        lambda: grid("a a / b", a=table(Board), b=table(Board)), "grid()", "as many names as the others"),
    "a grid with an unknown name": (lambda: grid("a b", a=table(Board)), "grid()", "add b=…"),
    "a grid that leaves a block out": (
        lambda: grid("a", a=table(Board), b=table(Board)), "grid().b", "stands nowhere in the drawing"),
    "a grid with a bent area": (
        lambda: grid("a a / a b", a=table(Board), b=table(Board)), "grid()", "no rectangle"),
    "a grid of something else": (lambda: grid("a", a=anything), "grid().a", "give a tile, chart"),
    "an empty row": (row, "row()", "give at least one block"),
    "a row of something else": (lambda: row(anything), "row()", "give tiles, charts"),
    "a page without blocks": (lambda: page("A", "/a"), "page('A')", "give it at least one block"),
    "a page of something else": (lambda: page("A", "/a", anything), "page('A')", "give rows, grids, tiles"),
    "a page without a title": (lambda: page(" ", "/a", tile(Total.orders)), "page().title", "give the page a title"),
    "a path with a space": (lambda: page("A", "/a b", tile(Total.orders)), "page('A').path", "such as '/orders'"),
    "a path of the server's own": (
        lambda: page("A", "/api/x", tile(Total.orders)), "page('A').path", "these are taken"),
}


@pytest.mark.parametrize("case", WRONG)
def test_it_is_refused_with_file_name_value_and_remedy(case: str) -> None:
    declare, name, remedy = WRONG[case]
    with pytest.raises(DeclarationError) as caught:
        declare()
    error = caught.value
    assert error.where.startswith(__file__ + ":"), "the page's file and line, not the factory's"
    assert error.name == name
    assert remedy in error.remedy
    assert str(error) == f"{error.where}: {error.name}: {error.value!r}: {error.remedy}"


def test_a_chart_of_texts_is_refused() -> None:
    from headwater import Series, value

    class Notes(Series, feed=Orders, span_s=60):
        """The newest note."""

        note = value(Orders.note)

    with pytest.raises(DeclarationError, match="not numeric: draw a Number, Integer or Flag"):
        chart(Notes.note)
