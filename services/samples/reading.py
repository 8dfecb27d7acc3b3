"""Reading: the records of a file: a JSON array, a JSON object on each line, CSV or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

_BATCH = 1_000


class SampleUnreadable(Exception):
    """A sample that cannot be read: the file, what is wrong, and the remedy."""


def read_file(path: Path) -> Iterator[list[Any]]:
    """The records in batches. Raises SampleUnreadable."""
    try:
        if path.suffix == ".csv":
            yield from _csv(path)
        elif path.suffix == ".parquet":
            yield from _parquet(path)
        else:
            yield from _json(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SampleUnreadable(f"{path}: {error}; give a file of JSON, NDJSON, CSV or Parquet") from error


def _json(path: Path) -> Iterator[list[Any]]:
    text = path.read_bytes()
    if text.lstrip()[:1] == b"[":
        try:
            yield orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise SampleUnreadable(f"{path}: {error}; give a JSON array, or an object on each line") from error
        return
    batch: list[Any] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            batch.append(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            raise SampleUnreadable(f"{path}:{number}: {error}; give a JSON object on each line") from error
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _csv(path: Path) -> Iterator[list[Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        batch: list[Any] = []
        for row in csv.DictReader(file):
            batch.append({name: _typed(value) for name, value in row.items() if name is not None})
            if len(batch) == _BATCH:
                yield batch
                batch = []
        yield batch


def _typed(text: str | None) -> Any:
    """What a cell holds: CSV knows texts alone."""
    if text is None or not text:
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text[0] == "0" and text[1:2].isdigit():  # a code such as 007 is no number
        return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _parquet(path: Path) -> Iterator[list[Any]]:
    from arro3.io import read_parquet

    try:
        for batch in read_parquet(str(path)):
            names = batch.schema.names
            columns = [batch.column(number).to_pylist() for number in range(batch.num_columns)]
            yield [dict(zip(names, map(_plain, row), strict=True)) for row in zip(*columns, strict=True)]
    except Exception as error:
        raise SampleUnreadable(f"{path}: {error}; give a Parquet file") from error


def _plain(value: Any) -> Any:
    """As JSON would hold it: a time in milliseconds, a decimal as a number."""
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    return float(value) if isinstance(value, Decimal) else value
