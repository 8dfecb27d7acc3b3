"""Ingest body: reads what was posted into records, without trusting its size, encoding or syntax."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from flask import Request

JSON_TYPES = frozenset({"application/json"})
NDJSON_TYPES = frozenset({"application/x-ndjson", "application/ndjson"})
_GZIP_WINDOW = 31
_TOO_DEEP: list[Any] = []
for _ in range(20):
    _TOO_DEEP = [_TOO_DEEP]
"""Stands for a record that no parser can hold: validation refuses it as `too_deep`, with its index."""


class BodyError(ValueError):
    """The body cannot be read: carries the status, a code and the remedy."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


def read_records(
    request: Request, limit_bytes: int, check: Callable[[bytes], None] | None = None
) -> tuple[list[Any], int]:
    """The records of a request, not yet validated, and its size inflated. Raises BodyError with 400, 413 or 415.

    `check` is given the body as it was sent, before anything of it is read.
    """
    kind = request.mimetype
    if kind not in JSON_TYPES | NDJSON_TYPES:
        raise BodyError(415, "unsupported_type", f"{kind or 'no content type'}: send application/json or x-ndjson")
    body = _read(request, limit_bytes, check)
    if kind in NDJSON_TYPES:
        return _parse_lines(body.splitlines()), len(body)
    parsed = _parse(body, "")
    return (parsed if isinstance(parsed, list) and parsed is not _TOO_DEEP else [parsed]), len(body)


def _read(request: Request, limit_bytes: int, check: Callable[[bytes], None] | None) -> bytes:
    too_large = BodyError(413, "too_large", f"more than {limit_bytes:,} bytes; send fewer events in one request")
    if (request.content_length or 0) > limit_bytes:
        raise too_large
    request.max_content_length = limit_bytes + 1
    raw = request.stream.read(limit_bytes + 1)
    if len(raw) > limit_bytes:
        raise too_large
    if check is not None:
        check(raw)
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return raw
    if encoding != "gzip":
        raise BodyError(415, "unsupported_encoding", f"{encoding}: send the body as it is, or compressed by gzip")
    return _inflate(raw, limit_bytes, too_large)


def _inflate(raw: bytes, limit_bytes: int, too_large: BodyError) -> bytes:
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        body = inflater.decompress(raw, limit_bytes + 1)
    except zlib.error as error:
        raise BodyError(400, "unreadable", f"not gzip: {error}") from None
    if len(body) > limit_bytes:
        raise too_large
    if not inflater.eof:
        raise BodyError(400, "unreadable", "the gzip stream ends early; send it whole")
    return body


def _parse_lines(lines: Sequence[bytes]) -> list[Any]:
    """A record of each line that is not blank; where one is not plain JSON, each by itself, to name it."""
    try:
        return list(map(orjson.loads, filter(bytes.strip, lines)))
    except orjson.JSONDecodeError:
        return [_parse(line, f"line {number}: ") for number, line in enumerate(lines, 1) if line.strip()]


def _parse(text: bytes, where: str) -> Any:
    """One JSON text. What Python's parser takes and orjson does not (NaN, lone surrogates) is left to validation."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        try:
            return json.loads(text)
        except RecursionError:
            return _TOO_DEEP
        except ValueError:
            raise BodyError(400, "unreadable", f"{where}not JSON: {error}") from None
