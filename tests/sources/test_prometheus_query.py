"""Prometheus query: what a real Prometheus answers becomes events."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from headwater import Feed, Freshness, Number, PrometheusQuery, SourceMapping, Text
from services.declare import DeclarationError, FeedSpec
from services.leash import leashed
from tests.ports import free_port
from tests.sources.programs import environment, program
from tests.sources.running import Running
from tests.waiting import wait_until

SCRAPES = 'prometheus_http_requests_total{handler="/metrics"}'
RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10, may_be_quiet=True)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that scrapes itself twice a second; its address."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    config = f"""
scrape_configs:
  - job_name: self
    scrape_interval: 500ms
    scrape_timeout: 400ms
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
    (folder / "prometheus.yml").write_text(config)
    command = [
        program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(leashed(command), env=environment(), stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    wait_until(lambda: _has_samples(address, folder), what=f"a sample of Prometheus; log: {folder}/log")
    yield address
    process.kill()
    process.wait(10)


def _has_samples(address: str, folder: Path) -> bool:
    try:
        found = requests.get(f"{address}/api/v1/query", params={"query": SCRAPES}, timeout=2).json()
    except requests.RequestException:
        return False
    return bool(found["data"]["result"])


def gauges(source: PrometheusQuery) -> FeedSpec:
    class Gauges(Feed, name="gauges", key="job", freshness=RULE, source=source):
        """What Prometheus knows."""

        job = Text()
        instance = Text(required=False)
        metric = Text(required=False)
        value = Number()

    return Gauges.declaration


def test_each_sample_of_a_vector_is_an_event_with_its_labels(broker_url: str, prometheus: str) -> None:
    with Running(broker_url, gauges(PrometheusQuery(prometheus, "up", every_s=0.2))) as running:
        found = running.wait_for(2)
        assert {(event["metric"], event["job"], event["value"]) for event in found} == {("up", "self", 1.0)}
        assert found[0]["instance"] == prometheus.removeprefix("http://")
        assert len({event["id"] for event in found}) == len(found)
        assert found[0]["id"].startswith("__name__=up,instance=127.0.0.1:")


def test_an_aggregate_is_mapped_and_a_scalar_is_one_record(broker_url: str, prometheus: str) -> None:
    by_job = PrometheusQuery(
        prometheus, f"count by (job) ({SCRAPES})", 60, mapping=SourceMapping({"instance": "job"})
    )
    with Running(broker_url, gauges(by_job)) as running:
        [event] = running.wait_for(1)
        assert (event["job"], event["instance"]) == ("self", "self")
        assert event["value"] >= 1
    named = PrometheusQuery(prometheus, "vector(2.5)", 60, mapping=SourceMapping({"job": "value"}, parse=True))
    with Running(broker_url, gauges(named), worker="worker-2") as running:
        assert running.wait_for(2)[-1]["value"] == 2.5


def test_what_is_no_number_is_refused_and_counted_and_no_samples_are_a_sign_of_life(
    broker_url: str, prometheus: str
) -> None:
    with Running(broker_url, gauges(PrometheusQuery(prometheus, "up / 0 * 0", 0.2))) as running:
        wait_until(lambda: "not_finite" in running.rejection(), what="a rejection")
        assert running.events() == []
    with Running(broker_url, gauges(PrometheusQuery(prometheus, "no_such_metric", 0.2)), worker="worker-2") as running:
        before = running.alive_at()
        wait_until(lambda: running.alive_at() > before, what="a sign of life")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sum by (", "bad_data: "),
        ("up[1m]", "the expression is a matrix"),
        ('label_replace(up, "job", "a", "instance", "(")', "execution"),
    ],
)
def test_what_prometheus_says_of_an_expression_is_told(
    broker_url: str, prometheus: str, query: str, said: str
) -> None:
    with Running(broker_url, gauges(PrometheusQuery(prometheus, query, 60))) as running:
        running.wait_told("source_error", said)


def test_a_query_that_cannot_be_meant_is_refused_at_its_declaration() -> None:
    with pytest.raises(DeclarationError, match="give an expression"):
        gauges(PrometheusQuery("http://prometheus:9090", " ", 5))
