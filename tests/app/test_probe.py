"""The probe: takes the whole path of a running system from outside, and sees a worker that is stuck."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.measurement.probing import Prober
from tests.app.running import headwater
from tests.installation import SECRET, Installation


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    running = Installation(tmp_path_factory.mktemp("probed"), web_processes=1)
    running.start()
    yield running
    running.stop()


def test_a_probe_goes_through_every_lane_and_tells_which_worker_committed_it(installation: Installation) -> None:
    prober = Prober(installation.url, SECRET, "here")
    lanes = prober.lanes()
    assert "probe.0" in lanes
    assert len(lanes) > 1
    for _ in range(2):  # the second round by the same connections
        samples = prober.round(lanes)
        assert [sample.lane for sample in samples] == lanes
        assert all(sample.took_s is not None and not sample.fault for sample in samples), samples
        assert {bool(sample.worker) for sample in samples if sample.lane != "probe.0"} == {True}
    prober.close()


def test_a_worker_that_is_stuck_is_seen_and_so_is_its_return(installation: Installation) -> None:
    prober = Prober(installation.url, SECRET, "here", within_s=1.0)
    lanes = prober.lanes()
    prober.round(lanes)
    installation.signal_tree("worker", signal.SIGSTOP)
    try:
        stuck = prober.round(lanes)
    finally:
        installation.signal_tree("worker", signal.SIGCONT)
    assert {(sample.took_s, sample.fault) for sample in stuck} == {(None, "no answer within 1 s")}
    patient = Prober(installation.url, SECRET, "here", within_s=15.0)
    assert all(sample.took_s is not None for sample in patient.round(lanes))
    for one in (prober, patient):
        one.close()


def test_a_key_that_may_not_probe_and_a_server_that_is_not_there_are_told_in_the_samples(
    installation: Installation,
) -> None:
    (sample,) = Prober(installation.url, "not-a-key-of-theirs", "here").round(["probe.0"])
    assert "ingest answered 401" in sample.fault
    (sample,) = Prober("http://127.0.0.1:9", SECRET, "here").round(["probe.0"])
    assert sample.took_s is None
    assert "ConnectionRefusedError" in sample.fault


def test_the_command_probes_a_system_from_elsewhere(installation: Installation, tmp_path: Path) -> None:
    there = {"HEADWATER_PROBE_KEY": SECRET, "HEADWATER_DATA": str(tmp_path)}
    done = headwater("probe", installation.url, **there)
    assert done.returncode == 0, done.stderr
    assert "probe.0" in done.stdout
    assert " ms" in done.stdout
    lost = headwater("probe", "http://127.0.0.1:9", **there)
    assert lost.returncode == 1
    assert "check the address" in lost.stderr
    keyless = headwater("probe", installation.url, HEADWATER_DATA=str(tmp_path))
    assert keyless.returncode == 2
    assert "HEADWATER_PROBE_KEY" in keyless.stderr
