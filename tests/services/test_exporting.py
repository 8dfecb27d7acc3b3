"""Exporting: a client computes the same figures from the raw samples on its own machine, or sees that they differ."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from app.loading import load_contract, load_declarations
from services.contract.document import Contract
from services.contract.intervals import Declared, shares
from services.database import Database
from services.measurement.collecting import Closer
from services.measurement.exporting import ExportError, export, verify
from services.measurement.kept import HOUR_MS, Kept, closes_at
from services.measurement.ledger import Ledger
from services.sheets import MINUTE_MS
from tests.services.measured import START, objective, own, probe, sheet, viewed

OBJECTIVES = (
    objective("latency", "gateway", excluding=("maintenance",)),
    objective("latency", "browser", name="painted", excluding=("viewer_network", "maintenance")),
    objective("availability", "probe", channel=None),
    objective("freshness", "browser", limit=3.0),
)
MAINTENANCE = Declared(
    "maintenance", "maintenance", "sunday", START + 90_000, START + 600_000, "updates", "A. Person", "counts"
)
UNTIL = START + 2 * HOUR_MS
NOW = UNTIL + 2 * HOUR_MS


def contract() -> Contract:
    found = load_contract(load_declarations())
    assert found is not None
    return replace(found, objectives=OBJECTIVES)


def exported(database: Database, path: Path, spans: Sequence[Declared] = (MAINTENANCE,)) -> Path:
    """Two hours, one of them closed, with gaps, as a file."""
    kept = Kept(database)
    for at in (START + n * MINUTE_MS for n in range(120) if n % 7 != 3):
        slow = 0.3 + (at // MINUTE_MS % 5) * 0.37
        lines = own(ingested_to_sent=[0.1, slow]) | viewed("created_to_painted", [slow, 0.7], [0.11], [1.2])
        lines |= viewed("painted_less_network", [0.3, 0.7], [0.11], [1.2]) | viewed(
            "event_age", [1.0] * 50 + [slow * 3]
        )
        kept.add_sheets([(at + MINUTE_MS, sheet("web", lines, at).encoded())])
        kept.add_probes([probe(0.25, at + 10), probe(None, at + 20)], at + MINUTE_MS)
    Closer(kept, OBJECTIVES, 30, lambda: closes_at(START)).step()
    ledger = Ledger(kept, rolled_up=kept, intervals=lambda one, at: shares(one, spans, at), clock=lambda: NOW)
    export(path, contract(), kept, ledger, spans, START, UNTIL, NOW)
    return path


def changed(path: Path, old: bytes, new: bytes) -> Path:
    text = gzip.decompress(path.read_bytes())
    assert old in text
    path.write_bytes(gzip.compress(text.replace(old, new, 1)))
    return path


def test_every_figure_comes_out_of_the_raw_samples_to_the_digit(database: Database, tmp_path: Path) -> None:
    found = verify(exported(database, tmp_path / "raw.gz"))
    assert found.holds
    assert {one.objective.name for one in found.objectives} == {one.name for one in OBJECTIVES}
    latency = found.objectives[0].computed
    assert latency.minutes == 120
    assert latency.no_data_minutes == 17
    assert 0 < latency.excluded["maintenance"] < 20
    assert latency.share is not None
    assert latency.share < 1


def test_the_same_data_make_the_same_file(database: Database, tmp_path: Path) -> None:
    first = exported(database, tmp_path / "first.gz")
    second = exported(database, tmp_path / "second.gz")
    assert first.read_bytes() == second.read_bytes()


def test_a_figure_that_was_made_better_is_seen(database: Database, tmp_path: Path) -> None:
    path = exported(database, tmp_path / "raw.gz")
    head = orjson.loads(gzip.decompress(path.read_bytes()).splitlines()[0])
    good = head["figures"]["latency"]["good"]
    name = b'"latency":{"excluded":'
    text = gzip.decompress(path.read_bytes())
    start = text.index(name)
    tampered = text[start:].replace(b'"good":%s' % orjson.dumps(good), b'"good":%s' % orjson.dumps(good + 1), 1)
    path.write_bytes(gzip.compress(text[:start] + tampered))
    found = verify(path)
    assert [one.objective.name for one in found.objectives if not one.holds] == ["latency"]


def test_samples_that_were_taken_away_are_seen(database: Database, tmp_path: Path) -> None:
    path = exported(database, tmp_path / "raw.gz")
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:1] + lines[30:])))
    assert not verify(path).holds


def test_a_file_that_is_none_or_of_another_method_says_so(database: Database, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gz"
    broken.write_bytes(b"not a file of ours")
    with pytest.raises(ExportError, match="give a file that `headwater contract export-raw` made"):
        verify(broken)
    other = changed(exported(database, tmp_path / "raw.gz"), b'"method":1', b'"method":99')
    with pytest.raises(ExportError, match="method 99; this release reads format 1, method 1"):
        verify(other)
