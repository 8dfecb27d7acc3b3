"""The frame around the pages, and the callbacks that belong to one app."""

from __future__ import annotations

import dash
import pytest
from dash import Dash
from dash._callback import GLOBAL_CALLBACK_LIST
from pandas import DataFrame

from app.menu import Menu
from app.shell import INDEX, Shell, register_pages, shell_layout
from callbacks import register_all
from components.live import LiveId
from components.page import Page
from components.pause_all import PauseAct
from headwater import page, tile
from services.accounts import OPEN
from services.broker import Paused
from tests.components.drawn import every, ids, of_class, props, texts
from tests.feeds import Total


class NoKeeper:
    """For a reader who may not look after the quarantine."""

    def entries(self) -> None:
        return None

    def act(self, act: str, lane: str, entry: str) -> str:
        return f"not {act} {lane}/{entry}"


class NoPauser:
    """For a reader who may not pause for everybody."""

    def feeds(self) -> dict[str, Paused | None]:
        return {}

    def act(self, act: PauseAct, feed: str) -> str:
        return f"not {act} {feed}"


def register_for_nobody(app: Dash) -> None:
    """Every callback, for a reader who may do nothing with them."""
    register_all(app, lambda _: None, NoKeeper(), NoPauser(), (), lambda _: DataFrame())


PAGES = (page("Home", "/", tile(Total.orders)), page("Other", "/other", tile(Total.orders), about="Another page."))


@pytest.fixture
def made() -> Dash:
    found = Shell("frame", modules=("/m/main.mjs",), menu=Menu(PAGES, lambda: OPEN),
                  use_pages=True, pages_folder="", index_string=INDEX, url_base_pathname="/prefix/")
    register_pages(Menu(PAGES, lambda: OPEN))
    found.layout = shell_layout(PAGES, found.get_relative_path)
    register_for_nobody(found)
    return found


def test_the_navigation_leads_to_every_page_under_the_apps_prefix(made: Dash) -> None:
    links = {texts(one): props(one)["href"] for one in of_class(made.layout, "nav-link")}
    assert links == {"Home": "/prefix/", "Other": "/prefix/other"}


def test_only_these_pages_are_registered(made: Dash) -> None:
    register_pages(Menu(PAGES[:1], lambda: OPEN))
    assert [found["path"] for found in dash.page_registry.values()] == ["/"]
    register_pages(Menu(PAGES, lambda: OPEN))
    titles = [found["title"]() for found in dash.page_registry.values()]
    assert titles == ["Home · Headwater", "Other · Headwater"]


def test_the_frame_holds_the_live_parts_once(made: Dash) -> None:
    found = ids(made.layout)
    assert all(found.count(one) == 1 for one in LiveId)


def test_the_first_thing_to_reach_by_keyboard_leads_to_the_content(made: Dash) -> None:
    first = next(one for one in every(made.layout) if "href" in props(one))
    target = props(first)["href"].removeprefix("#")
    assert target in [props(one).get("id") for one in every(made.layout) if type(one).__name__ == "Main"]


def test_the_banner_is_hidden_until_something_is_wrong_and_what_is_read_out_of_it_stands_beside_it(made: Dash) -> None:
    (banner,) = of_class(made.layout, "banner")
    assert props(banner)["hidden"] is True
    assert "role" not in props(banner), "its figures grow, and each would be read out"
    (told,) = (one for one in every(made.layout) if "data-banner-told" in props(one))
    assert props(told)["role"] == "status"
    assert told not in every(banner), "what is hidden reads nothing out"


def test_the_document_names_the_modules_and_the_channels_of_its_page(made: Dash) -> None:
    document = made.server.test_client().get("/prefix/other").get_data(as_text=True)
    assert '<link rel="modulepreload" href="/m/main.mjs">' in document
    assert '<meta name="headwater-channels" content="[&quot;orders.total&quot;]">' in document
    assert 'content="[]"' in made.server.test_client().get("/prefix/no-such-page").get_data(as_text=True)


def test_the_document_says_its_language() -> None:
    assert '<html lang="en">' in INDEX


def test_callbacks_belong_to_their_app_and_to_no_other(made: Dash) -> None:
    assert GLOBAL_CALLBACK_LIST == []
    assert len(made.callback_map) >= 5


def test_no_callback_of_live_data_runs_on_the_server(made: Dash) -> None:
    on_the_server = [name for name, spec in made.callback_map.items() if spec.get("callback") and "_pages" not in name]
    asked = {"trace-answer.children", "..quarantine-list.children...quarantine-said.children..",
             "..pause-all-list.children...pause-all-said.children.."}
    assert set(on_the_server) == asked  # what somebody asks for by a click


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.title)
def test_a_page_can_be_drawn_without_an_app(one: Page) -> None:
    assert texts(one.layout()).startswith(one.title)
