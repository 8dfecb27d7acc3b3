"""Development: a file that is saved is loaded anew, and one that is wrong is told, and takes no other page down."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.faults import pages_in
from app.loading import Project, forgiving, in_development, load_declarations, load_pages
from app.reloading import SavedFiles, release_of
from services.declare import DeclarationError
from tests.app.running import headwater
from tests.components.drawn import texts

FEED = '''"""{title}."""

from headwater import Feed, Freshness, Http, Latest, Number, Text


class {title}(Feed, name="{name}", key="item", source=Http(), freshness=Freshness(1, 5, 20)):
    """One of them."""

    item = Text()
    value = Number()


class Newest(Latest, feed={title}):
    """The newest of each."""
'''
PAGE = '''"""{title}."""

from headwater import page, table

from ..feeds.{name} import {title}, Newest

PAGE = page(
    "{title}", "/{name}",
    table(Newest, columns=[{title}.item]),
)
'''


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A team's folder of two feeds, each with its page."""
    folder = tmp_path / "weather"
    for name in ("prices", "stocks"):
        for part, text in (("feeds", FEED), ("pages", PAGE)):
            path = folder / part / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(name=name, title=name.capitalize()))
    return folder


def _shown(folder: Path) -> tuple[list[str], list[str]]:
    """Paths of the pages that are there, and what is told to be wrong."""
    project = in_development(Project.at(folder))
    pages = load_pages(load_declarations(project), project)
    return [page.path for page in pages if page.blocks], list(project.faults or ())


def test_a_page_that_is_wrong_is_told_with_file_line_value_and_remedy_and_leaves_the_others(team: Path) -> None:
    wrong = team / "pages" / "prices.py"
    wrong.write_text(wrong.read_text().replace("Prices.item", "Prices.itme"))
    paths, told = _shown(team)
    assert "/stocks" in paths
    assert "/prices" not in paths
    (fault,) = told
    assert fault.startswith(f"{wrong}:9: pages.prices: 'table(Newest, columns=[Prices.itme]),': AttributeError: ")
    assert fault.endswith("did you mean item? correct the line, or remove the file")
    with pytest.raises(DeclarationError, match=r"pages/prices\.py:9: pages\.prices: .*did you mean item\?"):
        project = Project.at(team)
        load_pages(load_declarations(project), project)


def test_in_the_place_of_a_page_that_is_left_out_stands_what_is_wrong(team: Path) -> None:
    (team / "feeds" / "prices.py").write_text(FEED.format(name="prices", title="Prices").replace("Number()", "Number("))
    project = in_development(Project.at(team))
    assert project.faults is not None
    pages = {page.path: page for page in load_pages(load_declarations(project), project)}
    assert set(project.faults.left_out) == {team / part / "prices.py" for part in ("feeds", "pages")}
    said = texts(pages["/prices"].layout())
    assert "feeds/prices.py:10: feeds.prices: 'value = Number(': SyntaxError: '(' was never closed" in said
    assert len(list(project.faults)) == 1, "told once, though two files are left out"
    assert [block.ref.name for block in pages["/stocks"].blocks] == ["stocks.newest"]


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        ("feeds/prices.py", "Freshness(1, 5, 20)", "Freshness(9, 5, 20)", "feeds/prices.py:6: Prices.freshness: "),
        ("feeds/stocks.py", 'name="stocks"', 'name="prices"', "feeds/stocks.py: Stocks.name: 'prices': already taken"),
        ("pages/stocks.py", '"/stocks"', '"/prices"', "pages/stocks.py:7: page('Stocks').path: '/prices': already the"),
        ("pages/stocks.py", "from headwater import", "from headwater import chrat,", "did you mean chart?"),
        ("pages/stocks.py", "table(", "tabel(", "did you mean table?"),
        ("contract.toml", "", "[contract]\nnom = 1\n", "contract.toml:2: contract.nom: "),
        ("roles.toml", "", '[roles]\ndesk = "price.*"\n', "roles.toml:2: roles.desk: 'price.*': no channel or feed"),
    ],
)
def test_whatever_file_is_wrong_something_is_still_shown(
    team: Path, file: str, before: str, after: str, said: str
) -> None:
    path = team / file
    path.write_text(path.read_text().replace(before, after, 1) if before else after)
    paths, told = _shown(team)
    assert {"/prices", "/stocks"}.intersection(paths)
    assert any(f"{team}/{said}" in one or said in one for one in told), told


def test_a_check_names_every_file_that_is_wrong(team: Path, tmp_path: Path) -> None:
    (team / "feeds" / "prices.py").write_text("class")
    page = team / "pages" / "stocks.py"
    page.write_text(page.read_text().replace("Stocks.item", "Stocks.itme"))
    (team / "roles.toml").write_text('[roles]\ndesk = "stock.*"\n')
    (team / "contract.toml").write_text("[contract]\nnom = 1\n")
    said = headwater("check", HEADWATER_PROJECT=str(team), HEADWATER_DATA=str(tmp_path / "data"))
    assert said.returncode == 1
    failed = [line for line in said.stdout.splitlines() if line.startswith("fail")]
    for file in ("feeds/prices.py:1", "pages/stocks.py:9", "roles.toml:2", "contract.toml:2"):
        assert any(f"{team}/{file}: " in line for line in failed), (file, said.stdout)


def test_what_is_saved_is_named_once_it_stays_as_it_is_and_makes_another_release(team: Path) -> None:
    project = forgiving(Project.at(team))
    files, before = SavedFiles(project), release_of(project)
    assert files.saved() == files.saved() == []
    page, made = team / "pages" / "prices.py", team / "feeds" / "oil.py"
    page.write_text(page.read_text() + "\n")
    made.write_text("")
    (team / "pages" / "__pycache__").mkdir(exist_ok=True)
    (team / "pages" / "__pycache__" / "prices.py").write_text("")
    (team / "notes.txt").write_text("no file of the project")
    assert files.saved() == []
    assert files.saved() == [made, page]
    assert files.saved() == []
    assert release_of(project) != before
    assert (files.of_worker(made), files.of_worker(page)) == (True, False)
    made.unlink()
    files.saved()
    assert files.saved() == [made]


def test_the_pages_of_a_file_that_cannot_be_read_as_python_are_known_by_its_text(tmp_path: Path) -> None:
    file = tmp_path / "two.py"
    file.write_text('A = page("One", "/one", tile(\nB = page(\n    \'Two\', \'/two/more\',\n')
    assert pages_in(file) == [("One", "/one"), ("Two", "/two/more")]
    assert pages_in(tmp_path / "none.py") == []
