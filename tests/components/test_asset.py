"""A picture of a team's own: a page names it, and a browser gets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.factory import create_app
from app.loading import Project, load_declarations, load_pages
from app.settings import Settings
from services.declare import DeclarationError
from tests.components.drawn import every, props

PAGE = '''"""Logo."""

from dash import html
from headwater import asset, page

LOGO = page("Logo", "/logo", html.Img(src=asset("{name}"), alt="Ours"))
'''
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1"/></svg>'


def _team(folder: Path, name: str) -> Project:
    for path, text in {"pages/logo.py": PAGE.format(name=name), "assets/signs/our logo.svg": SVG}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "feeds").mkdir()
    return Project.at(folder)


def test_a_picture_of_the_projects_is_shown_and_kept_as_long_as_it_is_the_same(
    tmp_path: Path, broker_url: str
) -> None:
    project = _team(tmp_path / "team", "signs/our logo.svg")
    (page,) = (one for one in load_pages(load_declarations(project), project) if one.path == "/logo")
    (source,) = (props(one)["src"] for one in every(page.layout()) if "src" in props(one))
    assert source.startswith("/assets/project/signs/our%20logo.svg?m=")
    web = create_app(Settings(redis_url=broker_url, data=tmp_path / "data"), project)
    answer = web.server.test_client().get(source)
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "image/svg+xml", SVG)
    assert answer.cache_control.max_age == 31_536_000
    for other in ("nothing.svg", "signs", "../pages/logo.py", "%2e%2e/pages/logo.py"):
        assert web.server.test_client().get(f"/assets/project/{other}").status_code == 404
    web.stop()


@pytest.mark.parametrize("name", ["nothing.svg", "signs", "../pages/logo.py", "/etc/hostname"])
def test_a_file_that_is_not_among_the_assets_is_refused_where_it_is_named(tmp_path: Path, name: str) -> None:
    project = _team(tmp_path / "team", name)
    with pytest.raises(DeclarationError, match=r"pages/logo\.py:6: asset\(\): .* there is no such file in .*/assets; "):
        load_pages(load_declarations(project), project)
