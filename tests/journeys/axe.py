"""axe-core in the open page: what it finds against WCAG 2.2 AA and the best practices."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from tests.journeys.browser import Viewer

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """
const [run, done] = [arguments[0], arguments[arguments.length - 1]];
axe.run(document, { resultTypes: ['violations'], runOnly: run }).then(
  ({ violations }) => done(violations.flatMap(({ id, impact, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${impact} ${id}: ${target.join(' ')}: ${failureSummary.split('\\n').slice(1, 3).join(' ').trim()}`))),
  (error) => done([`axe failed: ${error}`]))
"""


@cache
def _script() -> str:
    """The rules' own file: the package that brings it is for another driver."""
    return (files("axe_playwright_python") / "axe.min.js").read_text()


def faults(viewer: Viewer, *rules: str) -> list[str]:
    """Every fault as impact, rule, place and reason; of all rules, or of the named ones."""
    if not viewer.run("return 'axe' in window"):
        viewer.run(_script())
    run = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": TAGS}
    viewer.driver.set_script_timeout(60)
    found: list[str] = viewer.driver.execute_async_script(_RUN, run)
    return found


def faults_in_both_themes(viewer: Viewer) -> list[str]:
    """All rules in one theme, and those of colours in the other."""
    viewer.run("document.documentElement.dataset.theme = 'light'")
    light = faults(viewer)
    viewer.run("document.documentElement.dataset.theme = 'dark'")
    return [*light, *(f"dark: {one}" for one in faults(viewer, "color-contrast", "link-in-text-block"))]
