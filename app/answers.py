"""Answers: how the HTTP API says yes and no; each refusal has a code and a remedy."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, redirect


def json_answer(body: Any, status: int = 200, **headers: str) -> Response:
    """A JSON response that no cache keeps."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    answer = Response(raw, status, mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    for name, value in headers.items():
        answer.headers[name.replace("_", "-")] = value
    return answer


def refusal(status: int, code: str, detail: str, **headers: str) -> Response:
    """An error as every route gives it: `{"error": code, "detail": what is wrong and what to do}`."""
    return json_answer({"error": code, "detail": detail}, status, **headers)


def see(path: str) -> Response:
    """Go there, by GET."""
    answer: Response = redirect(path, 303, Response)  # type: ignore[assignment]
    answer.headers["Cache-Control"] = "no-store"
    return answer
