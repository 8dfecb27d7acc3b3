"""File replay: recorded records of a file, played again and again with their clock shifted to now."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from services.declare.mapping import SourceMapping, steps_of, taken
from services.declare.stamps import GivenTime
from services.samples.reading import SampleUnreadable, read_file
from services.sources.replay import Recording, Replay
from services.sources.trouble import SourceTrouble

RECORDS_MAX = 1_000_000
SUFFIXES = (".csv", ".json", ".jsonl", ".ndjson", ".parquet")


class FileReplay(Replay):
    """Plays the records of a CSV, Parquet or JSON-lines file in order of `time`, `speed` times as fast, for ever.

    An event's `created_at` is the moment at which it is played; what other times a record holds stay as they are. No
    pause lasts longer than `gap_max_s`. `lead_s` of it are played at once at the start, so that a page opens full. The
    feed is labelled as recorded data wherever it is shown.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        time: GivenTime,
        speed: float = 1.0,
        gap_max_s: float = 60.0,
        lead_s: float = 60.0,
        mapping: SourceMapping | None = None,
        title: str = "",
    ) -> None:
        self.path, self.time, self.speed, self.gap_max_s = Path(path), time, speed, gap_max_s
        super().__init__(title or f"{self.path.name}, replayed at {speed:g}×", lead_s=lead_s)
        # the record's own id and time are of the recording, and come again in each loop
        self.mapping = replace(mapping or SourceMapping(), id=None, created_at=None, base="recorded")
        self._records: list[Any] = []

    def recording(self) -> Recording:
        try:
            rows = list(chain.from_iterable(read_file(self.path)))
        except SampleUnreadable as error:
            raise SourceTrouble(str(error)) from None
        if not 0 < len(rows) <= RECORDS_MAX:
            raise SourceTrouble(f"{self.path.name}: {len(rows):,} records; give a file of 1 to {RECORDS_MAX:,}")
        path = steps_of(self.time.path)
        timed = sorted(((self._moment(number, taken(row, path)), number) for number, row in enumerate(rows, 1)))
        self._records = [rows[number - 1] for _, number in timed]
        return Recording.of([at / 1000 for at, _ in timed], self.speed, self.gap_max_s)

    def _moment(self, number: int, value: Any) -> int:
        try:
            return value if type(value) is int and not self.time.unit else self.time.moment(value)
        except ValueError as error:
            raise SourceTrouble(f"{self.path.name}: record {number}: {self.time.path}: {error}") from None

    def record(self, row: int) -> dict[str, Any]:
        return {"recorded": self._records[row]}

    def problem(self) -> tuple[str, object, str] | None:
        if self.path.suffix not in SUFFIXES:
            return "source.path", str(self.path), f"give a file that ends with {', '.join(SUFFIXES)}"
        if problem := self.time.problem():
            return "source.time", self.time, problem
        if not 0 < self.speed <= 1_000_000:
            return "source.speed", self.speed, "give a factor above 0"
        if self.gap_max_s <= 0 or self.lead_s < 0:
            return "source.gap_max_s", self.gap_max_s, "give gap_max_s above 0 and lead_s from 0"
        if not self.path.is_absolute():  # which folder a process starts in is nobody's promise
            return "source.path", str(self.path), "give the whole path, such as Path(__file__).parent / 'x.csv'"
        return None
