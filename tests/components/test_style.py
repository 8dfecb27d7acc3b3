"""One design: both themes define the same colours, each readable on its ground (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.theme import GRID_THEME

STYLE = (Path(__file__).parents[2] / "assets" / "style.css").read_text()
_COLOUR = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6});")


def tokens(selector: str) -> dict[str, str]:
    """The colours that a theme's block defines."""
    found = re.search(re.escape(selector) + r" \{(.*?)\n\}", STYLE, re.DOTALL)
    assert found is not None, selector
    return dict(_COLOUR.findall(found[1]))


THEMES = {"light": tokens(":root"), "dark": tokens(':root[data-theme="dark"]')}


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_both_themes_define_the_same_colours() -> None:
    assert set(THEMES["light"]) == set(THEMES["dark"])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("text", ["text", "muted", "accent", "ok", "warn", "bad", "quiet"])
def test_texts_are_readable_on_every_ground(theme: str, text: str) -> None:
    colours = THEMES[theme]
    for ground in ("bg", "surface", "raised", "hover"):
        assert contrast(colours[text], colours[ground]) >= 4.5, ground


@pytest.mark.parametrize("theme", THEMES)
def test_lines_of_charts_and_edges_of_controls_stand_out(theme: str) -> None:
    colours = THEMES[theme]
    for name in [*(f"series-{n}" for n in range(1, 9)), "line-strong"]:
        assert contrast(colours[name], colours["surface"]) >= 3.0, name


@pytest.mark.parametrize("theme", THEMES)
def test_texts_are_readable_on_washes_and_on_changed_cells(theme: str) -> None:
    colours = THEMES[theme]
    for ground in ("warn-wash", "bad-wash", "note-wash", "flash", "selected"):
        assert contrast(colours["text"], colours[ground]) >= 4.5, ground


def test_no_colour_stands_outside_of_the_tokens() -> None:
    rules = STYLE[STYLE.index("/* Ground */") :]
    assert re.findall(r"#[0-9a-f]{3,8}\b(?!\w)", rules) == []


def test_every_state_has_a_shape_of_its_own() -> None:
    for state in ("quiet", "late", "stale", "offline"):
        rule = re.search(rf'data-state="{state}"[^{{]*\.dot \{{([^}}]*)\}}', STYLE)
        assert rule is not None, state
        assert re.search(r"border|clip-path", rule[1]), state


def test_motion_stops_for_those_who_ask_for_less() -> None:
    assert "@media (prefers-reduced-motion: reduce)" in STYLE


def test_the_grid_takes_its_colours_from_the_tokens() -> None:
    named = set(re.findall(r"var\(--([a-z0-9-]+)\)", GRID_THEME))
    assert named <= set(THEMES["light"])
    assert "#" not in GRID_THEME
