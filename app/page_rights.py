"""Page rights: the first page is one that one may see, and a callback of a component that one may not see is not run.

The body names the components that a callback reads and writes, and can be forged: ids of pages that one may not open,
values that no page ever showed. What a callback of Dash's own pages is asked for, it finds in the menu alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, Response, request

from app.answers import refusal, see
from app.doors import SIGN_OUT_PATH
from app.menu import Menu

PATH = "/_dash-update-component"


def guard_pages(server: Flask, menu: Menu, refuse_again: Callable[[], Response | None]) -> None:
    """Lead to the first page that whoever asks may see; refuse callbacks of components that he may not see."""

    def refuse() -> Response | None:
        if request.path == "/" and menu.page("/") is None:
            found = [page for page in menu.pages() if page.retired is None]
            return see(found[0].path if found else SIGN_OUT_PATH)  # there stands that he has no role
        if request.path != PATH or request.method != "POST":
            return _led_on(menu) if request.method == "GET" else None
        body = _body()
        if (refused := refuse_again()) is not None:
            return refused
        if not isinstance(body, dict) or menu.forbidden(_named(body)):
            return refusal(404, "unknown_callback", "no such callback on the pages that you may see")
        return None

    server.before_request(refuse)


def _led_on(menu: Menu) -> Response | None:
    """From a page that is retired to the one that took its place; who asks for anything else is not looked at."""
    if not any(page.retired is not None and page.path == request.path for page in menu.all):
        return None
    page = menu.page(request.path)
    successor = "" if page is None or page.retired is None else page.retired.successor
    return see(successor) if successor else None


def _body() -> Any:
    """What was posted; None where it is no JSON, or nested without end."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def _named(body: dict[str, Any]) -> Iterator[Any]:
    """Every id in the body, however deep: a list of one pattern holds several."""
    waiting: list[Any] = [body.get(part) for part in ("outputs", "inputs", "state")]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict) and isinstance(one.get("id"), str | dict):
            yield one["id"]
    for text in (body.get("output"), *(body.get("changedPropIds") or ())):
        if isinstance(text, str):
            yield from (part.rpartition(".")[0] for part in text.strip(".").split("..."))
