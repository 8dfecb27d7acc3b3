"""The bundle: the browser's modules in one file, with the addresses and names that they had."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.bundle import BUNDLE, bundled

LIVE = Path(__file__).parents[2] / "assets" / "live"
NODES = "export const A = 1;\nexport function make() { return A; }\n"
TILE = "import { make, A as first } from './nodes.mjs';\nexport class Tile { made = make() + first; }\n"


def test_each_module_takes_its_names_out_of_the_bundle() -> None:
    made = bundled({"nodes.mjs": NODES, "tile.mjs": TILE})
    assert sorted(made) == [BUNDLE, "nodes.mjs", "tile.mjs"]
    assert "export const { A, make } = take('nodes.mjs');" in made["nodes.mjs"]
    assert "const { make, A: first } = take('nodes.mjs');" in made[BUNDLE]
    assert "return { Tile };" in made[BUNDLE]
    assert made[BUNDLE].count("import ") == 0


def test_what_exports_nothing_is_run_all_the_same() -> None:
    assert bundled({"begin.mjs": "window.begun = true;\n"})["begin.mjs"].endswith("\ntake('begin.mjs');\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nodes from './nodes.mjs';\n", "import nodes from"),
        ("import { make } from 'lodash';\n", "import { make } from"),
        ("export default 1;\n", "'export default 1;'"),
        ("export let count = 0;\n", "'export let count = 0;'"),
        ("import { none } from './nodes.mjs';\n", "nodes.mjs exports no none"),
        ("import { make } from './away.mjs';\n", "away.mjs exports no make"),
    ],
)
def test_what_the_bundle_does_not_know_is_refused_with_its_module(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"assets/live/tile\.mjs: .*{re.escape(said)}"):
        bundled({"nodes.mjs": NODES, "tile.mjs": text})


def test_modules_that_import_one_another_are_refused() -> None:
    circle = {"a.mjs": "import { b } from './b.mjs';\nexport const a = 1;\n",
              "b.mjs": "import { a } from './a.mjs';\nexport const b = 2;\n", "c.mjs": NODES}
    with pytest.raises(ValueError, match=r"a\.mjs, b\.mjs import one another in a circle"):
        bundled(circle)


def test_a_statement_of_the_browsers_modules_exports_one_name() -> None:
    texts = {path.name: path.read_text() for path in LIVE.glob("*.mjs")}
    several = re.compile(r"^export const [\w$]+ = (?:[\d_.]+|'[^']*'|\{[^}]*\}), [\w$]+ =", re.MULTILINE)
    assert {name: several.findall(text) for name, text in texts.items() if several.search(text)} == {}
    assert bundled(texts)[BUNDLE].count("export ") == 1
