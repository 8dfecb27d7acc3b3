"""Callback bodies: what a browser sends to run a Dash callback, checked before Dash reads it, as anybody can forge one.

Dash looks up whatever names it is given, and answers 500 where they lead nowhere. Here a body must ask for a callback
that there is, with the inputs that it declares; what is still wrong with it is the sender's fault and is told so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import dash
import flask
import orjson
import structlog
import werkzeug
from dash import Dash
from dash.exceptions import PreventUpdate
from flask import Response, request
from werkzeug.exceptions import HTTPException

from app.answers import refusal

DEPTH_MAX = 64
"""How deep a body may be nested: figures and layouts, which callbacks hand on, stay far below."""
ROUTE = "_dash-update-component"
_LIBRARIES = tuple(str(Path(one.__file__ or "").parent) for one in (dash, flask, werkzeug))

log = structlog.get_logger("web")


class WrongBody(ValueError):
    """The body is not one that our own pages send."""


def guard_callbacks(app: Dash) -> None:
    """Put the checks before the route by which Dash runs callbacks on the server."""
    server, endpoint = app.server, f"{app.config.routes_pathname_prefix}{ROUTE}"
    run = server.view_functions[endpoint]

    def checked(*given: Any, **named: Any) -> Any:
        try:
            check_body(request.get_data(), app.callback_map)
            return run(*given, **named)
        except WrongBody as fault:
            return _refused(str(fault))
        except (HTTPException, PreventUpdate):
            raise
        except Exception as error:
            if not _is_of_a_library(error.__traceback__):
                raise  # a callback's own fault: Flask logs it, and tells nobody more than that there was one
            log.warning("callback body refused", error=repr(error)[:200])
            return _refused("its values are not those that this callback takes")

    server.view_functions[endpoint] = checked


def check_body(raw: bytes, callbacks: Mapping[str, Any]) -> None:
    """Raises WrongBody where a body does not fit a callback that the server runs."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise WrongBody(f"not JSON: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        raise WrongBody("send an object with output, inputs and changedPropIds")
    if _is_deeper_than(body, DEPTH_MAX):
        raise WrongBody(f"nested deeper than {DEPTH_MAX}")
    callback = callbacks.get(body["output"])
    if callback is None or "callback" not in callback:
        raise WrongBody("no callback has this output")
    for part in ("inputs", "state"):
        _check_dependencies(part, body.get(part, []), callback.get(part, ()))
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(one, str) for one in changed):
        raise WrongBody("changedPropIds: send a list of texts")
    if not isinstance(body.get("outputs", []), list | dict):
        raise WrongBody("outputs: send a list or an object")


def _check_dependencies(part: str, given: Any, declared: Sequence[Mapping[str, Any]]) -> None:
    if not isinstance(given, list) or len(given) != len(declared):
        raise WrongBody(f"{part}: this callback takes {len(declared)}")
    for one, wanted in zip(given, declared, strict=True):
        many = one if isinstance(one, list) else [one]  # a pattern stands for any number of components
        if not all(isinstance(each, dict) and "id" in each and each.get("property") == wanted["property"]
                   for each in many):
            raise WrongBody(f"{part}: {wanted['id']}.{wanted['property']} is missing")
        plain = not str(wanted["id"]).startswith("{")
        if plain and any(each["id"] != wanted["id"] for each in many):
            raise WrongBody(f"{part}: {wanted['id']}.{wanted['property']} is missing")


def _is_deeper_than(value: Any, limit: int) -> bool:
    """Level by level: a recursion would itself be what a deep body is sent for."""
    level = [value]
    for _ in range(limit):
        level = [
            inner for one in level if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _is_of_a_library(trace: TracebackType | None) -> bool:
    """Whether an error came up in Dash while it read the body: no callback's own line had a part in it."""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file != __file__ and not file.startswith(_LIBRARIES):
            return False
        trace = trace.tb_next
    return True


def _refused(detail: str) -> Response:
    return refusal(400, "bad_callback", detail)
