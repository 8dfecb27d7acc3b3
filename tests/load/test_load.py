"""Load on real processes: a deployment that holds is brought to its envelope; of one that does not it is said what gave
way first."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.contract.document import Objective
from services.contract.envelope import check_envelope, envelope_path, measured_in_words, read_measured
from services.contract.faults import ContractError
from services.contract.scope import Envelope
from services.load.crowd import Shown
from services.load.history import history_of
from services.load.load import Load, Loaded
from services.load.shape import shape_of
from services.positions import wall_clock
from tests.contract.written import DECLARATIONS, shop, written
from tests.installation import SECRET, Installation
from tests.waiting import wait_until

ORDERS = DECLARATIONS.feeds["orders"]
PAGES = (
    Shown("/", ("orders.everything", "orders.prices", "orders.dear"), (("orders.everything",),)),
    Shown("/total", ("orders.total", "orders.by_shop"), (("orders.total_by_shop:north",),)),
)
STAGING = {"HEADWATER_INGEST_KEYS": f"test:{SECRET}:*,for-staging"}
ENVELOPE = Envelope(events_per_s=120, viewers=12, rows=400)
OBJECTIVES = tuple(one for one in shop().objectives if one.name in ("orders-sent", "orders-painted", "first-value"))


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("loaded"), web_processes=1)
    installation.broker.start()
    for role in ("worker", "web"):
        installation.start_process(role, more=STAGING)
    installation.wait_ready()
    installation.post([{"order": f"o{n % 9}", "shop": "north", "price": n} for n in range(40)])
    wait_until(lambda: len(installation.snapshot("orders.everything")["data"]["rows"]) == 9, what="nine orders")
    yield installation
    installation.stop()


PATIENT = tuple(replace(one, limit=60.0) for one in OBJECTIVES)
"""How fast a test's machine is, is no promise."""


def _loaded(
    staging: Installation, seconds: float, said: list[str], objectives: tuple[Objective, ...] = OBJECTIVES
) -> Loaded:
    history = history_of(staging.url, "", DECLARATIONS, ORDERS, wall_clock())
    shape = shape_of(ORDERS, history)
    load = Load(staging.url, SECRET, "", (shape,), PAGES, objectives, ENVELOPE, seconds, said.append)
    return load.run("2026-11-29T10:00:00Z")


def test_a_deployment_that_holds_is_brought_to_its_envelope_by_viewers_that_behave_like_people(
    staging: Installation, tmp_path: Path
) -> None:
    said: list[str] = []
    found = _loaded(staging, 20.0, said, PATIENT)
    assert found.gave_way is None, (found.gave_way[1], found.own_lag_s)
    assert found.held, found.counts
    assert [one.share for one in found.stages] == [0.25, 0.5, 0.75, 1.0]
    assert found.stages[-1].accepted_per_s > 10, found.counts
    assert len([act for act in found.counts if act.startswith("act: ")]) > 2, found.counts
    assert "gaps" not in found.counts
    assert "rejected" not in found.counts or not found.counts["rejected"]
    assert any(" of 12 viewers" in line for line in said), said
    judged = [{one.held for one in stage.found if one.objective != "first-value"} for stage in found.stages]
    assert judged[0] <= {True, None}, judged  # while the first viewers come there may be nothing of one
    assert all(held == {True} for held in judged[1:]), judged

    contract = shop()
    path = envelope_path(tmp_path / "contract.toml")
    path.write_text(json.dumps(found.as_json()))
    measured = read_measured(tmp_path / "contract.toml")
    assert measured is not None
    assert measured_in_words(measured) == "120 events a second and 12 viewers, by the load of 2026-11-29"
    assert contract.scope.envelope is None


@pytest.mark.alone
def test_of_a_deployment_whose_worker_stands_still_it_is_said_what_gave_way_first(staging: Installation) -> None:
    stopping = threading.Timer(6.0, lambda: staging.signal_tree("worker", signal.SIGSTOP))
    stopping.start()
    try:
        found = _loaded(staging, 40.0, [])
    finally:
        stopping.join()
        staging.signal_tree("worker", signal.SIGCONT)
    assert not found.held
    assert found.gave_way is not None
    stage, first = found.gave_way
    assert first.objective in ("orders-sent", "orders-painted"), found.as_json()
    assert stage is found.stages[-1], "nothing is loaded further once something gave way"
    assert stage.share < 1.0
    assert first.held is False


def _measured(**changes: object) -> dict[str, object]:
    return {
        "began_at": "2026-11-29T10:00:00Z", "envelope": {"events_per_s": 1_000, "viewers": 500, "rows": 400},
        "held": True, "usable": True, "rows": 300, "stages": [], "reached": {"events_per_s": 1_000, "viewers": 500},
        "gave_way": None, **changes,
    }  # fmt: skip


GAVE_WAY = {"objective": "orders-sent", "events_per_s": 750.0, "viewers": 375, "said": "80.0 % of 900 within the limit"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({"usable": False}, ["the machine that loaded was itself too late for its figures"]),
        (
            {"gave_way": GAVE_WAY, "reached": {"events_per_s": 500.0, "viewers": 250}},
            ["gave way first, at 750 events a second and 375 viewers (80.0 % of 900 within the limit); the nearest"],
        ),
        ({"gave_way": GAVE_WAY, "reached": None}, ["nothing less was seen to hold"]),
        (
            {"envelope": {"events_per_s": 100, "viewers": 500, "rows": 400}},
            ["events_per_s = 1000: a load reached 100 events a second; run headwater load again"],
        ),
    ],
)  # fmt: skip
def test_the_check_knows_the_measured_envelope(tmp_path: Path, changes: dict[str, object], told: list[str]) -> None:
    from services.contract.reading import read_contract

    more = "\n[envelope]\nevents_per_s = 1_000\nviewers = 500\nrows = 400\n"
    contract = read_contract(written(tmp_path, more=more), DECLARATIONS)
    remarks = list(check_envelope(contract, _measured(**changes)))
    assert [one.level for one in remarks] == ["warn"] * len(told)
    for remark, text in zip(remarks, told, strict=True):
        assert text in remark.text


def test_a_measured_envelope_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    contract = tmp_path / "contract.toml"
    assert read_measured(contract) is None
    envelope_path(contract).write_text('{"began_at": 1}')
    with pytest.raises(ContractError, match="remove it, or write it anew by headwater load"):
        read_measured(contract)
