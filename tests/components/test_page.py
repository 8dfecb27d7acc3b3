"""A page is a few typed lines; its layout follows from them, with no request and no id by hand."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType

import pytest
from dash import html

import app.pages
from components.page import Page, read_pages
from headwater import DeclarationError, chart, log, page, row, table, tile
from services.declare import Declarations
from tests import feeds
from tests.components import recorded
from tests.components.drawn import every, ids, live, of_class, props, texts
from tests.feeds import Board, Dear, Orders, Prices, ShopBoard, Total, Turnover

PAGES = sorted(Path(app.pages.__file__).parent.glob("[a-z]*.py"))


def a_page() -> Page:
    return page(
        "Shop", "/shop",
        row(tile(Total.orders), tile(Orders.price, of=Board, key="A1", trend=Prices.price, trend_of=Prices)),
        row(chart(Turnover.turnover), log(Dear, columns=[Orders.order, Orders.price])),
        table(Board, columns=[Orders.order, Orders.price], sort=Orders.price),
    )


def module_with(**names: object) -> ModuleType:
    module = ModuleType("a_page_module")
    vars(module).update(names)
    return module


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_of_the_demo_is_short_and_imports_only_headwater_and_its_feeds(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert all(name == "headwater" or (name or "").startswith("services.feeds.") for name in imported)
    assert not any(isinstance(node, ast.Import | ast.FunctionDef | ast.Lambda) for node in ast.walk(tree))
    assert len(tree.body) <= 5, "a docstring, headwater's names, the channels of one feed or two, and the page"


def test_a_page_draws_each_block_with_the_badge_of_its_channel() -> None:
    layout = a_page().layout()
    shown = [spec["channel"] for spec in live(layout)]
    badges = [one["channel"] for one in ids(layout) if isinstance(one, dict) and one["type"] == "freshness"]
    assert shown == badges == ["orders.total", "orders.board", "orders.turnover", "orders.dear", "orders.board"]


def test_a_page_knows_each_of_its_channels_once() -> None:
    names = [ref.name for ref in a_page().refs]
    assert names == ["orders.total", "orders.board", "orders.prices", "orders.turnover", "orders.dear"]


def test_a_layout_needs_no_request_and_has_the_same_ids_each_time() -> None:
    first, second = (ids(a_page().layout(q="a query parameter")) for _ in range(2))
    assert first == second
    assert len({str(one) for one in first}) == len(first)


def test_nothing_on_a_page_runs_script_from_an_attribute() -> None:
    for one in every(a_page().layout()):
        assert not [name for name in props(one) if name.lower().startswith("on")]
        assert "javascript:" not in str(props(one).get("href", ""))


def test_recorded_data_is_labelled_on_its_page_and_only_there() -> None:
    label = texts(of_class(page("Songs", "/songs", tile(recorded.Played.songs)).layout(), "recorded")[0])
    assert " ".join(label.split()) == "Recorded data, replayed: a tape of 1999"
    assert of_class(a_page().layout(), "recorded") == []


def test_an_empty_page_of_posted_events_shows_the_command_that_posts_one() -> None:
    hint = texts(of_class(a_page().layout(), "hint")[0])
    assert "curl http://localhost:8050/api/ingest/orders" in hint
    assert '{"order": "hello", "shop": "hello", "price": 1.5}' in hint
    assert of_class(page("Songs", "/songs", tile(recorded.Played.songs)).layout(), "hint") == []


def test_a_page_has_one_heading_and_a_heading_for_each_block() -> None:
    tags = [type(one).__name__ for one in every(a_page().layout())]
    assert (tags.count("H1"), tags.count("H2")) == (1, 5)


def test_dash_components_stand_beside_blocks() -> None:
    drawn = page("Mixed", "/mixed", html.P("as it is"), row(tile(Total.orders), html.P("beside"))).layout()
    assert "as it is" in texts(drawn)
    assert "beside" in texts(drawn)


def test_tiles_that_follow_each_other_share_a_row() -> None:
    drawn = page("Tiles", "/tiles", *(tile(Total.orders) for _ in range(8)), table(Board)).layout()
    (tiles,) = of_class(drawn, "tiles")
    assert props(tiles)["style"] == {"--small": 3, "--usual": 4, "--large": 8}


def test_pages_are_read_in_the_order_of_the_navigation() -> None:
    home, late, early = page("Z", "/", tile(Total.orders)), page("A", "/a", tile(Total.orders), order=90), a_page()
    assert read_pages([module_with(LATE=late, EARLY=early, HOME=home)]) == (home, early, late)


@pytest.mark.parametrize(("path", "title", "what"), [("/shop", "Other", "path"), ("/other", "Shop", "title")])
def test_a_path_or_title_is_taken_only_once(path: str, title: str, what: str) -> None:
    twice = module_with(A=a_page(), B=page(title, path, tile(Total.orders)))
    told = rf"test_page\.py:\d+.*{what}.*already the {what} of the page at .*test_page\.py:\d+; give another"
    with pytest.raises(DeclarationError, match=told):
        read_pages([twice])


def test_a_page_with_a_channel_that_no_feed_file_declares_is_refused() -> None:
    declared = Declarations.read([feeds])
    a_page().check(declared)
    with pytest.raises(DeclarationError, match=r"test_page\.py:\d+.*'plays\.played'.*declare the channel"):
        page("Songs", "/songs", tile(recorded.Played.songs)).check(declared)


def test_a_part_of_a_partitioned_channel_is_subscribed_by_its_name() -> None:
    assert live(page("P", "/p", table(ShopBoard.part("north"))).layout())[0]["channel"] == "orders.shop_board:north"
