"""The command `headwater frame`: a feed's events or a channel's history as a file, for a notebook or a spreadsheet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands import explained, fail

if TYPE_CHECKING:
    from arro3.core import Array
    from pandas import DataFrame, Series

_ENDINGS = (".csv", ".parquet")


@click.command("frame")
@click.argument("name", metavar="CHANNEL")
@click.option("--since", required=True, metavar="TIME", help="How long ago (90s, 1h, 7d), or ISO 8601 with a zone.")
@click.option("--until", default="0s", metavar="TIME", help="The same; now where it is left out.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file .csv or .parquet; else CSV here.")
@explained
def frame_command(name: str, since: str, until: str, out: Path | None) -> None:
    """Write the history of CHANNEL, or the events of a feed, from the archive.

    Asks the database that the environment names; nothing needs to run. What is known to be missing is said.
    """
    from app.frames import frame

    if out is not None and out.suffix not in _ENDINGS:
        fail(f"--out: {str(out)!r}: name a file that ends with .csv or .parquet", 2)
    try:
        found = frame(name, since, until)
    except ValueError as error:
        fail(f"frame: {error}", 2)
    except KeyError as error:
        fail(f"frame: {error.args[0]}", 1)
    for gap in found.attrs["gaps"]:
        click.echo(f"headwater: missing: {gap}", err=True)
    if out is None or out.suffix == ".csv":
        found.to_csv(sys.stdout if out is None else out, index=False, date_format="%Y-%m-%dT%H:%M:%S.%fZ")
    else:
        write_parquet_file(found, out)
    if out is not None:
        click.echo(f"written: {out}, {len(found):,} rows")


def write_parquet_file(frame: DataFrame, out: Path) -> None:
    """Write a DataFrame of ours, its types kept."""
    from arro3.core import Field, RecordBatch, Schema
    from arro3.io import write_parquet

    arrays = {str(name): _array(frame[name]) for name in frame.columns}
    schema = Schema([Field(name, array.type, nullable=True) for name, array in arrays.items()])
    write_parquet(RecordBatch.from_arrays(list(arrays.values()), schema=schema), str(out), compression="zstd(3)")


def _array(column: Series[Any]) -> Array:
    """The column as Arrow has it: what is neither number, flag nor moment is text."""
    from arro3.core import Array, DataType

    kind = str(column.dtype)
    types = {"float64": DataType.float64, "Int64": DataType.int64, "int64": DataType.int64, "boolean": DataType.bool,
             "bool": DataType.bool}
    values = [None if gone else one for one, gone in zip(column.tolist(), column.isna(), strict=True)]
    if kind.startswith("datetime"):  # a count of milliseconds first, which every release of the library takes
        moments = Array([None if one is None else one.value // 1_000_000 for one in values], type=DataType.int64())
        return moments.cast(DataType.timestamp("ms", tz="UTC"))
    if kind in types:
        return Array(values, type=types[kind]())
    return Array([None if one is None else str(one) for one in values], type=DataType.string())
