"""File tail: lines that are appended to a file, through its rotations and truncations."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import orjson

from services.declare.mapping import SourceMapping
from services.sources.source import Intake, Source
from services.sources.trouble import SourceTrouble

_LOOK_S = 0.25
_READ_BYTES = 1_000_000
_HEAD_BYTES = 1_024
_GRACE = 4
"""Looks without a line after which a file that lost its name is left: its writer may still hold it open."""


class FileTail(Source):
    """Follows the file at `path`: JSON lines, or CSV where its name ends so. Each whole line is a record.

    From the file's beginning at the first start, or from its end where `from_now`; from the last line that was accepted
    afterwards. A file that was moved away and made anew is read to its end first, also under its new name beside the
    old one; one that was emptied is read anew. An event's id is made of file, place and line, where `mapping` makes no
    other. A file that did not grow is a sign of life as long as it is there.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        from_now: bool = False,
        mapping: SourceMapping | None = None,
        title: str = "",
    ) -> None:
        self.path, self.from_now = Path(path), from_now
        self.title = title or f"lines of {self.path.name}"
        self._is_csv = self.path.suffix == ".csv"
        mapping = mapping or SourceMapping(parse=self._is_csv)
        self.mapping = mapping if mapping.id is not None else replace(mapping, id="line.id")
        self.place = str(self.path)

    def run(self, intake: Intake) -> None:
        followed = self._opened(intake)
        looks = 0
        try:
            while True:
                if followed.was_emptied():
                    followed, looks = followed.anew(), 0
                lines = followed.lines(_READ_BYTES)
                looks = 0 if lines else looks + 1
                if lines:
                    intake.accept(list(self._records(followed, lines)), followed.position())
                elif looks >= _GRACE and self._is_another(followed):
                    followed.close()
                    followed, looks = _Followed(self.path), 0
                elif looks % _GRACE == 1:
                    intake.alive()
                if intake.wait(0 if lines else _LOOK_S):
                    return
        finally:
            followed.close()

    def _opened(self, intake: Intake) -> _Followed:
        """The file in which the last accepted line stood, behind it; the present one at the first start."""
        kept = intake.position()
        if kept is None:
            return _Followed(self.path, at_end=self.from_now)
        place: dict[str, Any] = orjson.loads(kept)
        candidates = [self.path, *sorted(self.path.parent.glob(f"{self.path.name}*"))]
        for path in candidates:
            found = _Followed(path) if path.is_file() else None
            if found is not None and found.resumed(place):
                return found
            if found is not None:
                found.close()
        fresh = _Followed(self.path)
        intake.accept([], fresh.position())
        fresh.close()
        raise SourceTrouble(
            f"{self.path.name} was replaced, and the former file is not beside it: lines of it after byte "
            f"{place['at']:,} were not read", again_s=0.0,
        )  # fmt: skip

    def _is_another(self, followed: _Followed) -> bool:
        """Whether another file has the name now."""
        try:
            return self.path.stat().st_ino != followed.number
        except FileNotFoundError:
            return False  # between the two steps of a rotation
        except OSError as error:
            raise SourceTrouble(f"{self.path.name}: {error.strerror}") from None

    def _records(self, followed: _Followed, lines: list[tuple[int, bytes]]) -> Iterator[Any]:
        for at, line in lines:
            if line.strip():
                name = sha256(b"%d %d " % (followed.number, at) + line).hexdigest()[:32]
                yield _with_id(self._record(followed, line), name)

    def _record(self, followed: _Followed, line: bytes) -> Any:
        text = line.decode("utf-8", "replace")
        if self._is_csv:
            return dict(zip(followed.header, next(csv.reader([text])), strict=False))
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError:
            return text[:200]  # refused by ingestion, and counted there

    def problem(self) -> tuple[str, object, str] | None:
        if not self.path.is_absolute():
            return "source.path", str(self.path), "give the whole path, such as Path(__file__).parent / 'x.jsonl'"
        return None


def _with_id(record: Any, name: str) -> Any:
    return {**record, "line": {"id": name}} if isinstance(record, dict) else record


class _Followed:
    """One file that is read: where its next line begins, and how its beginning looks, by which it is known again."""

    def __init__(self, path: Path, *, at_end: bool = False) -> None:
        try:
            self._file: IO[bytes] = path.open("rb")
        except FileNotFoundError:
            raise SourceTrouble(f"no file {path}", cause="source_silent") from None
        except OSError as error:
            raise SourceTrouble(f"{path.name}: {error.strerror}") from None
        self.number = os.fstat(self._file.fileno()).st_ino
        self._is_csv = path.suffix == ".csv" or ".csv." in path.name
        self.header: list[str] = []
        self.at = 0
        if at_end:
            self._go_on_at(self._file.seek(0, 2))
        self._seen = self._beginning()

    def lines(self, most: int) -> list[tuple[int, bytes]]:
        """The next whole lines with the places at which they begin; none where there is none yet."""
        self._file.seek(self.at)
        chunk = self._file.read(most)
        whole, newline, _ = chunk.rpartition(b"\n")
        if not newline:
            if len(chunk) == most:
                raise SourceTrouble(f"a line of more than {most:,} bytes at byte {self.at:,}")
            return []
        found, at = [], self.at
        for line in whole.split(b"\n"):
            found.append((at, line.rstrip(b"\r")))
            at += len(line) + 1
        if self._is_csv and self.at == 0:
            found = found[1:]
            self._read_header()
        self.at = at
        self._seen = self._beginning()
        return found

    def _read_header(self) -> None:
        if self._is_csv:
            self._file.seek(0)
            first = self._file.readline().decode("utf-8-sig", "replace").rstrip("\r\n")
            self.header = next(csv.reader([first]), [])

    def position(self) -> str:
        """The place behind the last line, with what the file is known by."""
        length, head = self._seen
        return orjson.dumps({"at": self.at, "length": length, "head": head}).decode()

    def resumed(self, place: dict[str, Any]) -> bool:
        """Go on at a place; False where the file is another one."""
        size = self._file.seek(0, 2)
        if size < place["at"] or self._head(place["length"]) != place["head"]:
            return False
        self._go_on_at(place["at"])
        self._seen = self._beginning()
        return True

    def _go_on_at(self, at: int) -> None:
        self.at = at
        self._read_header()

    def _beginning(self) -> tuple[int, str]:
        """How many of the bytes that were read are remembered, and their hash."""
        length = min(self.at, _HEAD_BYTES)
        return length, self._head(length)

    def was_emptied(self) -> bool:
        """Whether it is shorter than what was read of it, or does not begin any more as it did."""
        length, head = self._seen
        return self._file.seek(0, 2) < self.at or self._head(length) != head

    def anew(self) -> _Followed:
        """The same file from its beginning."""
        self.at, self.header, self._seen = 0, [], (0, self._head(0))
        return self

    def _head(self, length: int) -> str:
        self._file.seek(0)
        return sha256(self._file.read(length)).hexdigest()[:16]

    def close(self) -> None:
        self._file.close()

