"""Watching: what the browser refuses a page by its policy, and whether a script from outside ever ran."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.journeys.browser import Viewer

_LISTEN = """
window.refused = [];
window.canary = () => { sessionStorage.setItem('canary', 'it ran at ' + location.href); };
document.addEventListener('securitypolicyviolation', (event) => window.refused.push(
  `${location.pathname}: ${event.effectiveDirective}: ${event.blockedURI} ${event.sourceFile} ${event.sample}`));
"""
_FOUND = "return [...window.refused, sessionStorage.getItem('canary')].filter(Boolean)"
_PLANTED = """
const markup = '<img src="/none" onerror="canary()"><a href="javascript:canary()">x</a>';
document.body.insertAdjacentHTML('beforeend', markup);
document.body.lastElementChild.click();
const script = document.createElement('script');
script.textContent = 'canary()';
document.body.append(script);
"""


@contextmanager
def watched(viewer: Viewer) -> Iterator[Viewer]:
    """The browser with a watch on every document that it opens."""
    told = viewer.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _LISTEN})
    yield viewer
    viewer.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", told)


def found(viewer: Viewer) -> list[str]:
    """What was refused since the document was opened, and where a script from outside ran."""
    seen: list[str] = viewer.run(_FOUND)
    return seen


def plant(viewer: Viewer) -> None:
    """Do what an attacker would who got markup into the page, in three ways; a driver's own eval is let through."""
    viewer.run(_PLANTED)
