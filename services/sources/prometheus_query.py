"""Prometheus query: the samples that an expression has now, by the HTTP API that Prometheus and its kin speak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from services.sources.http_poll import HttpPoll
from services.sources.secret import without_secrets
from services.sources.trouble import SourceTrouble

if TYPE_CHECKING:
    import requests

    from services.declare.mapping import SourceMapping
    from services.sources.source import Intake

_QUERY = "/api/v1/query"
_OWN = frozenset({"id", "created_at", "value", "metric"})
_ERROR_BYTES = 4_096


class PrometheusQuery(HttpPoll):
    """Asks the server at `address` every `every_s` seconds for `query`, an expression in PromQL.

    Each sample of an instant vector is a record: its labels, `metric` (its name, where it has one), `value`, and
    `created_at`, the time of the evaluation. A label that is called like one of these is `label_<name>`. What is not a
    number (NaN, infinite) is refused by ingestion as `not_finite`, and counted. An expression that has no samples is a
    sign of life. Any server with this API will do: Thanos, Mimir, VictoriaMetrics.
    """

    def __init__(
        self,
        address: str,
        query: str,
        every_s: float,
        *,
        mapping: SourceMapping | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
        title: str = "",
    ) -> None:
        title = title or f"{query[:60]}, asked of {without_secrets(address)} every {every_s:g} s"
        super().__init__(
            address, every_s, mapping=mapping, headers=headers, timeout_s=timeout_s, title=title
        )
        self.query = query

    def open(self, intake: Intake) -> None:
        super().open(intake)
        question = urlencode({"query": self.query, "timeout": f"{self.timeout_s:g}s"})
        self._asked = f"{self._asked.rstrip('/')}{_QUERY}?{question}"

    def records_of(self, found: Any) -> list[Any]:
        data = found.get("data") if isinstance(found, dict) and found.get("status") == "success" else None
        if not isinstance(data, dict):
            raise SourceTrouble(f"no answer of a Prometheus; give its address without {_QUERY}")
        if data.get("resultType") not in ("vector", "scalar"):
            kind = data.get("resultType")
            raise SourceTrouble(f"the expression is a {kind}; give one that is a number at a time, such as rate(…)")
        samples = data["result"] if data["resultType"] == "vector" else [{"metric": {}, "value": data["result"]}]
        return [dict(_record(sample)) for sample in samples]

    def refused(self, answer: requests.Response, now_ms: int) -> SourceTrouble:
        """What the server says of an expression that it cannot evaluate."""
        if answer.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
            try:
                said = orjson.loads(next(answer.iter_content(_ERROR_BYTES), b""))
                return SourceTrouble(f"{said['errorType']}: {said['error']}")
            except (orjson.JSONDecodeError, KeyError, TypeError):
                pass
        return super().refused(answer, now_ms)

    def problem(self) -> tuple[str, object, str] | None:
        if not self.query.strip():
            return "source.query", self.query, "give an expression in PromQL"
        return super().problem()


def _record(sample: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    labels: Mapping[str, str] = sample["metric"]
    at_s, text = sample["value"]
    created_at = round(float(at_s) * 1000)
    series = ",".join(f"{name}={labels[name]}" for name in sorted(labels))
    yield "id", f"{series}/{created_at}"
    yield "created_at", created_at
    yield "value", float(text)
    for name, value in labels.items():
        yield "metric" if name == "__name__" else f"label_{name}" if name in _OWN else name, value
