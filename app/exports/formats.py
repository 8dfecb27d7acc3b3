"""Formats: rows as CSV for a spreadsheet, or as Parquet for analysis; written as they come.

The Parquet library is loaded by the first who asks for such a file, and by no process at start.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, Literal

from app.exports.sheet import Row, Sheet, iso
from app.past import spreadsheet_cell
from services.declare import FieldType

if TYPE_CHECKING:
    from arro3.core import DataType, RecordBatch, Schema

Format = Literal["csv", "parquet"]
MIME: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
UTF8_MARK = "\ufeff"
"""Without it a spreadsheet takes UTF-8 for something else; every other reader passes over it."""
_GROUP_ROWS = 50_000


class WrongValue(ValueError):
    """A value that is not of its column's type; the text names both."""


def write(form: Format, sheet: Sheet, batches: Iterable[Sequence[Row]], sink: IO[bytes]) -> None:
    """Write a whole file, batch by batch. Raises WrongValue."""
    if form == "csv":
        _write_csv(sheet, batches, sink)
    else:
        _write_parquet(sheet, batches, sink)


def _write_csv(sheet: Sheet, batches: Iterable[Sequence[Row]], sink: IO[bytes]) -> None:
    columns = sheet.all_columns
    sink.write((UTF8_MARK + _csv([list(columns)])).encode())
    for batch in batches:
        cells = ([_cell(name, kind, row.get(name)) for name, kind in columns.items()] for row in sheet.stamped(batch))
        sink.write(_csv(cells).encode())


def _csv(lines: Iterable[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue()


def _cell(name: str, kind: FieldType, value: Any) -> Any:
    typed = _typed(name, kind, value)
    if kind == "moment" and typed is not None:
        return iso(typed)
    return spreadsheet_cell(value if kind == "number" else typed)  # 12, not 12.0


def _write_parquet(sheet: Sheet, batches: Iterable[Sequence[Row]], sink: IO[bytes]) -> None:
    from arro3.core import Field, RecordBatchReader, Schema
    from arro3.io import write_parquet

    schema = Schema([Field(name, _arrow_type(kind), nullable=True) for name, kind in sheet.all_columns.items()])
    about = {f"headwater.{name}": text for name, text in sheet.about.items()}
    failed: list[Exception] = []
    reader = RecordBatchReader.from_batches(schema, _record_batches(sheet, schema, batches, failed))
    try:
        write_parquet(
            reader, sink, compression="zstd(3)", max_row_group_size=_GROUP_ROWS, key_value_metadata=about or None
        )
    except Exception as error:
        raise failed[0] if failed else error from None  # what we raised comes back as a text in one of the library's


def _record_batches(
    sheet: Sheet, schema: Schema, batches: Iterable[Sequence[Row]], failed: list[Exception]
) -> Iterator[RecordBatch]:
    try:
        for batch in batches:
            if batch:
                yield _record_batch(sheet, schema, list(sheet.stamped(batch)))
    except Exception as error:
        failed.append(error)
        raise


def _record_batch(sheet: Sheet, schema: Schema, rows: Sequence[Row]) -> RecordBatch:
    from arro3.core import Array, RecordBatch

    arrays = []
    for name, kind in sheet.all_columns.items():
        values = [_typed(name, kind, row.get(name)) for row in rows]
        # a moment is a count of milliseconds first: a date would have to be made of each
        array = Array(values, type=_arrow_type("integer" if kind == "moment" else kind))
        arrays.append(array.cast(_arrow_type(kind)) if kind == "moment" else array)
    return RecordBatch.from_arrays(arrays, schema=schema)


def _arrow_type(kind: FieldType) -> DataType:
    from arro3.core import DataType

    if kind == "moment":
        return DataType.timestamp("ms", tz="UTC")
    return {
        "text": DataType.string, "number": DataType.float64, "integer": DataType.int64, "flag": DataType.bool,
    }[kind]()


def _typed(name: str, kind: FieldType, value: Any) -> Any:
    """The value as its column holds it. Raises WrongValue."""
    if value is None:
        return None
    if kind == "text":
        return value if isinstance(value, str) else str(value)
    if kind == "flag" and isinstance(value, bool):
        return value
    if kind == "number" and isinstance(value, int | float):
        return float(value)
    if kind in ("integer", "moment") and isinstance(value, int | float) and value == int(value):
        return int(value)
    raise WrongValue(f"column {name!r}: {str(value)[:40]!r}: give a value of type {kind}")
