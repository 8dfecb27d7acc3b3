"""Files: a recording is played as it was, at its speed; a file that grows is followed whatever happens to it."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from headwater import Feed, FileReplay, FileTail, Freshness, Given, GivenTime, Number, SourceMapping, Text
from services.declare import DeclarationError, FeedSpec
from services.sources.source import Source
from services.sources.trouble import SourceTrouble
from tests.services.test_sources import NOW, Collector
from tests.sources.running import Running

RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10, may_be_quiet=True)
BEGUN = datetime(2020, 5, 1, 8, tzinfo=UTC)
TIME = GivenTime("at")
MAPPING = SourceMapping({"place": "station.name", "warm": Given("temp_f", unit="°F")})


def weather(source: Source) -> FeedSpec:
    class Weather(Feed, name="weather", key="place", freshness=RULE, source=source):
        """Readings of weather stations."""

        place = Text()
        warm = Number(unit="°C")

    return Weather.declaration


def readings(count: int) -> list[dict[str, Any]]:
    """One each ten seconds, of a day in 2020; not in the order of time."""
    made = [
        {"at": (BEGUN + timedelta(seconds=10 * number)).isoformat(), "station": {"name": f"s{number}"}, "temp_f": 50,
         "id": "of the recording"}
        for number in range(count)
    ]  # fmt: skip
    return made[::-1]


def played(source: FileReplay, seconds: int) -> list[dict[str, Any]]:
    """What is played in so many seconds, mapped as ingestion maps it."""
    intake = Collector(rounds=seconds, step_ms=1_000)
    source.run(intake)
    read = source.mapping.reader(weather(source)) if source.mapping else None
    assert read is not None
    return [read(record) for record in intake.records]


def test_json_lines_are_played_in_order_at_their_speed_with_their_clock_at_now(tmp_path: Path) -> None:
    file = tmp_path / "weather.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in readings(30)))
    found = played(FileReplay(file, time=TIME, speed=10, lead_s=0, mapping=MAPPING, gap_max_s=5), 12)
    stamps = [event["created_at"] for event in found]
    assert len(found) in (12, 13)
    assert {later - earlier for earlier, later in pairwise(stamps)} <= {1_000, 6_000}
    assert all(NOW <= stamp <= NOW + 12_000 for stamp in stamps)
    assert {event["warm"] for event in found} == {10.0}
    assert len({event["id"] for event in found}) == len(found)
    numbers = [int(event["place"][1:]) for event in found]
    assert all((later - earlier) % 30 == 1 for earlier, later in pairwise(numbers))


def test_csv_and_parquet_are_played_as_the_same_lines_are(tmp_path: Path) -> None:
    rows = [{"at": one["at"], "place": one["station"]["name"], "warm": 10.5} for one in readings(20)]
    with (tmp_path / "weather.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (tmp_path / "weather.ndjson").write_text("".join(json.dumps(one) + "\n" for one in rows))
    types = {"at": DataType.string(), "place": DataType.string(), "warm": DataType.float64()}
    columns = {name: Array([one[name] for one in rows], type=kind) for name, kind in types.items()}
    write_parquet(Table.from_pydict(columns), tmp_path / "weather.parquet")
    files = [tmp_path / f"weather.{kind}" for kind in ("csv", "ndjson", "parquet")]
    by_kind = [played(FileReplay(file, time=TIME, speed=10, lead_s=100), 5) for file in files]
    assert len(by_kind[0]) >= 10
    assert by_kind[0] == by_kind[1] == by_kind[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "0 records"), ('{"at": "noon"}\n', "record 1: at: 'noon'; send ISO 8601"), ("{", "give a JSON object")],
)
def test_a_recording_that_cannot_be_played_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "weather.jsonl"
    file.write_text(text)
    with pytest.raises(SourceTrouble, match=said):
        FileReplay(file, time=TIME).run(Collector(rounds=1))


def tail(path: Path, **more: Any) -> FeedSpec:
    return weather(FileTail(path, **more))


def line(place: str) -> str:
    return json.dumps({"place": place, "warm": 20}) + "\n"


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_whole_lines_become_events_and_another_worker_goes_on_behind_them(broker_url: str, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text(line("a") + line("b") + '{"place": "c",')
    with Running(broker_url, tail(file)) as running:
        running.wait_for(2)
        append(file, ' "warm": 1}\nno json\n')
        running.wait_for(3)
        running.wait_rejected("wrong_type")
        assert running.until_alive(running.alive_at())
    append(file, line("d"))
    with Running(broker_url, tail(file), worker="worker-2") as running:
        running.wait_for(4)
        assert running.values("place") == ["a", "b", "c", "d"]
        assert running.duplicates() == 0
        assert running.told == []


def test_a_rotation_loses_no_line_of_the_old_file_nor_of_the_new(broker_url: str, tmp_path: Path) -> None:
    file, old = tmp_path / "log.jsonl", tmp_path / "log.jsonl.1"
    file.write_text(line("a"))
    with Running(broker_url, tail(file)) as running:
        running.wait_for(1)
        with file.open("a") as writer:  # which goes on with the file that it has open
            file.rename(old)
            writer.write(line("b"))
            writer.flush()
            file.write_text(line("c"))
            running.wait_for(3)
        append(file, line("d"))
        running.wait_for(4)
        assert running.values("place") == ["a", "b", "c", "d"]
    append(file, line("e"))
    file.replace(old)
    file.write_text(line("f"))  # rotated while nobody looked: the rest of the old one lies beside it
    with Running(broker_url, tail(file), worker="worker-2") as running:
        running.wait_for(6)
        assert running.values("place") == ["a", "b", "c", "d", "e", "f"]
        assert running.told == []


def test_a_file_that_was_emptied_is_read_anew_also_where_it_grew_beyond_the_place(
    broker_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text(line("a"))
    with Running(broker_url, tail(file)) as running:
        running.wait_for(1)
        os.truncate(file, 0)
        append(file, line("b"))
        running.wait_for(2)
        with file.open("r+") as writer:
            writer.truncate(0)
            writer.write(line("longer than before") + line("c"))
        running.wait_for(4)
        assert running.values("place") == ["a", "b", "longer than before", "c"]


def test_lines_of_a_file_that_is_gone_for_good_are_told_as_lost(broker_url: str, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text(line("a"))
    with Running(broker_url, tail(file)) as running:
        running.wait_for(1)
    file.unlink()
    with Running(broker_url, tail(file), worker="worker-2") as running:
        running.wait_told("source_silent", "no file")
        file.write_text(line("another"))
        running.wait_told("source_error", "log.jsonl was replaced")
        running.wait_for(2)
        assert running.values("place") == ["a", "another"]


def test_csv_has_its_fields_from_the_first_line_and_may_begin_with_what_comes(broker_url: str, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text('place,warm\n"before, long ago",1\n')
    with Running(broker_url, tail(file, from_now=True)) as running:
        assert running.until_alive(running.alive_at())
        append(file, '"after, now",2.5\n')
        running.wait_for(1)
        assert running.values("place", "warm") == [("after, now", 2.5)]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (FileReplay("a.txt", time=TIME), r"ends with \.csv"),
        (FileReplay("a.csv", time=GivenTime("at", zone="Nowhere/No")), "IANA"),
        (FileReplay("a.csv", time=TIME, speed=0), "a factor above 0"),
        (FileReplay("a.csv", time=TIME), "the whole path"),
        (FileTail("log.jsonl"), "the whole path"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_at_its_declaration(source: Source, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        weather(source)
