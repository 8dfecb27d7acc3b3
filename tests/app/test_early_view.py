"""The page as plain HTML in its own document."""

from dash import dcc, html

from app.early_view import early_view
from app.menu import Menu
from app.shell import INDEX, Shell, register_pages, shell_layout
from components.choice import chooser
from headwater import chart, log, page, tile
from services.accounts import OPEN
from tests.components.test_shell import PAGES, register_for_nobody
from tests.feeds import Dear, Orders, Prices, Total


def _document(path: str) -> str:
    made = Shell("early", modules=("/m/early.mjs", "/m/main.mjs"), menu=Menu(PAGES, lambda: OPEN), use_pages=True,
                 pages_folder="", index_string=INDEX)
    register_pages(Menu(PAGES, lambda: OPEN))
    made.layout = shell_layout(PAGES, made.get_relative_path)
    register_for_nobody(made)
    return made.server.test_client().get(path).get_data(as_text=True)


def test_a_document_holds_its_page_before_dash_has_drawn_it() -> None:
    document = _document("/other")
    early, _, after = document.partition('<div id="react-entry-point">')
    assert "Another page." in early
    assert '<script type="module" async src="/m/early.mjs"></script>' in after


def test_a_path_without_a_page_has_no_early_view() -> None:
    assert 'id="early"' not in _document("/no-such-page")


def test_the_list_of_a_choice_says_what_it_will_say_before_anything_is_chosen() -> None:
    for must, words in ((False, "All shops"), (True, "Choose shop")):
        view = early_view(chooser(Orders.shop, [chart(Prices.price)], must_choose=must), html.Div())
        assert f"><option>{words}</option></select>" in view


def test_nothing_of_the_early_view_is_taken_for_dashs_own() -> None:
    drawn = page("All", "/all", tile(Total.orders), chart(Prices.price), log(Dear, columns=[Orders.order]))
    view = early_view(shell_layout(PAGES, str), drawn.layout())
    assert "data-early=" in view
    assert "data-live=" not in view
    assert "data-page=" not in view
    assert view.count(" id=") == 1


def test_texts_and_attributes_are_escaped() -> None:
    view = early_view(html.Div('<b>"', title='"><script>'), html.Div())
    assert view == '<div id="early" inert><div title="&quot;&gt;&lt;script&gt;">&lt;b&gt;&quot;</div></div>'


def test_what_works_only_with_dash_is_an_empty_box_of_its_class_or_nothing() -> None:
    parts = html.Div([dcc.Graph(className="graph"), dcc.Store(id="some"), dcc.Link("Home", href="/", className="link")])
    view = early_view(parts, html.Div())
    assert '<div class="graph"></div><a' in view
    assert ">Home</a>" in view


def test_styles_are_written_as_style_sheets_write_them() -> None:
    view = early_view(html.Div(style={"--rows": 5, "maxHeight": "3px"}), html.Div())
    assert 'style="--rows:5;max-height:3px"' in view
