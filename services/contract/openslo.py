"""OpenSLO: the contract's objectives as documents of OpenSLO v1, and what that format has no words for.

Source: the OpenSLO specification, version `openslo/v1`. Each objective is an SLO with a ratio of good to total, which
is what the ledger counts; alert policies carry the burn rates. What stays out is named, never dropped silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

import yaml

from services.contract.alerting import BurnRule, LogSink, Sink, SmtpSink
from services.contract.document import Contract, Objective, Severity
from services.contract.sentences import sentence

Document = dict[str, Any]
VERSION = "openslo/v1"
SOURCE = "headwater"
DESCRIPTION_MAX = 1_050
_ORDER: tuple[Severity, ...] = ("critical", "major", "minor")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))
_PERIODS = {"month": "1M", "quarter": "1Q", "year": "1Y"}
_ZONES = {"UTC": "Etc/UTC", "GMT": "Etc/GMT"}
"""The specification asks for an area and a place."""


def documents(contract: Contract) -> Iterator[Document]:
    """The contract as OpenSLO documents: service, source, sinks, burn rates, objectives."""
    yield _document("Service", _service(contract), contract.name, {"description": _cut(_about(contract))})
    yield _document(
        "DataSource", SOURCE, "Headwater", {"type": "Headwater", "connectionDetails": {"ledger": "minutes"}}
    )
    for sink in contract.alerting.sinks:
        yield _target(sink)
    for rule in contract.alerting.burn:
        yield _condition(rule)
        if sinks := _told(contract, rule.severity):
            yield _policy(rule, sinks)
    for objective in contract.objectives:
        yield _slo(contract, objective)


def text(contract: Contract) -> str:
    """The documents as YAML, with what cannot be expressed above them."""
    left = "".join(f"#   {line}\n" for line in inexpressible(contract))
    head = f"# {contract.name}, exported from contract.toml.\n# OpenSLO v1 has no words for:\n{left}"
    body: str = yaml.safe_dump_all(documents(contract), sort_keys=False, allow_unicode=True, explicit_start=True)
    return head + body


def inexpressible(contract: Contract) -> list[str]:
    """What the export leaves out, each in a line."""
    return [line for line in (*_of_objectives(contract), *_of_alerts(contract), *_of_the_rest(contract)) if line]


def _of_objectives(contract: Contract) -> Iterator[str]:
    kinds = sorted({kind for one in contract.objectives for kind in one.excluding})
    yield f"exclusions as rules ({', '.join(kinds)}): good and total are counted after them" if kinds else ""
    yield "a minute without data, which counts as bad"
    for one in contract.objectives:
        if one.tolerated_minutes:
            yield f"the tolerated exception of {one.name}: {one.tolerated_minutes} min, {one.exception}"


def _of_alerts(contract: Contract) -> Iterator[str]:
    for rule in contract.alerting.burn:
        yield f"the second window of {_named(rule)}: over {_duration(rule.short_s)} as well"
        if not _told(contract, rule.severity):
            yield f"{_named(rule)} as a policy: no sink takes {rule.severity}"
    yield f"the least number of events for a burn rate: {contract.alerting.minimum_events}"
    yield f"no data as a time: {contract.alerting.no_data_after_s} s"
    for threshold in contract.alerting.threshold:
        yield f"the threshold {threshold.name}, on {threshold.channel}"
    yield "the heartbeat to an outside address" if contract.alerting.dead_man else ""


def _of_the_rest(contract: Contract) -> Iterator[str]:
    yield f"the parties beyond their names, and the contract's last day ({contract.ends})"
    yield f"support hours, holidays and {contract.support.monitoring} monitoring"
    for rule in contract.severities:
        response, resolution = rule.response_s // 60, rule.resolution_s // 60
        yield f"severity {rule.severity}: response in {response} min, resolution in {resolution} min"
    yield f"when reports are sent, and raw samples being kept for {contract.reporting.raw_days} days"


def _document(kind: str, name: str, title: str, spec: Document, **metadata: Any) -> Document:
    about = {"name": name, "displayName": title, **metadata}
    return {"apiVersion": VERSION, "kind": kind, "metadata": about, "spec": spec}


def _service(contract: Contract) -> str:
    return re.sub(r"[^a-z0-9]+", "-", contract.name.lower()).strip("-")[:63].strip("-") or "service"


def _about(contract: Contract) -> str:
    binds = "binding" if contract.phase == "production" else "measured and reported, not binding"
    return (
        f"{contract.provider.name} for {contract.client.name}, {contract.begins} to {contract.ends}, phase "
        f"{contract.phase}: {binds}"
    )


def _slo(contract: Contract, objective: Objective) -> Document:
    title = objective.name.replace("-", " ").capitalize()
    spec: Document = {
        "description": _cut(sentence(objective)),
        "service": _service(contract),
        "indicator": {"metadata": {"name": objective.name, "displayName": title}, "spec": _indicator(objective)},
        "timeWindow": [_window(contract, objective)],
        "budgetingMethod": "Occurrences",
        "objectives": [{"displayName": title, "target": objective.share}],
    }
    if policies := [_named(rule) for rule in contract.alerting.burn if _told(contract, rule.severity)]:
        spec["alertPolicies"] = policies
    labels = {"kind": objective.kind, "owner": objective.owner, "phase": contract.phase}
    notes = {"headwater-breach": objective.breach, "headwater-degraded": objective.degraded}
    notes["headwater-binding"] = "yes" if objective.binding else "no"
    return _document("SLO", objective.name, title, spec, labels=labels, annotations=notes)


def _indicator(objective: Objective) -> Document:
    def counted(what: str) -> Document:
        spec = {"objective": objective.name, "count": what, "kind": objective.kind, "measured_at": objective.point}
        spec |= {} if objective.channel is None else {"channel": objective.channel}
        limit = "within_events" if objective.kind == "backlog" else "within_s"
        return {
            "metricSource": {"metricSourceRef": SOURCE, "type": "Headwater", "spec": {**spec, limit: objective.limit}}
        }

    return {"ratioMetric": {"counter": False, "good": counted("good"), "total": counted("total")}}


def _window(contract: Contract, objective: Objective) -> Document:
    if objective.window_days is not None:
        return {"duration": f"{objective.window_days}d", "isRolling": True}
    begins = datetime.combine(contract.begins, time(0))
    zone = _ZONES.get(contract.zone.key, contract.zone.key)
    calendar = {"startTime": f"{begins:%Y-%m-%d %H:%M:%S}", "timeZone": zone}
    return {"duration": _PERIODS[contract.period], "calendar": calendar, "isRolling": False}


def _target(sink: Sink) -> Document:
    if isinstance(sink, SmtpSink):
        return _document("AlertNotificationTarget", sink.name, sink.name, {"target": "email"})
    target = "log" if isinstance(sink, LogSink) else "web-hook"
    return _document("AlertNotificationTarget", sink.name, sink.name, {"target": target})


def _condition(rule: BurnRule) -> Document:
    condition = {
        "kind": "burnrate",
        "op": "gte",
        "threshold": rule.rate,
        "lookbackWindow": _duration(rule.long_s),
        "alertAfter": "1m",
    }
    about = f"The budget burns {rule.rate:g} times too fast over {_duration(rule.long_s)}"
    spec = {"description": about, "severity": rule.severity, "condition": condition}
    return _document("AlertCondition", f"{_named(rule)}-condition", about, spec)


def _policy(rule: BurnRule, sinks: list[str]) -> Document:
    spec = {
        "alertWhenNoData": True,
        "alertWhenResolved": True,
        "alertWhenBreaching": True,
        "conditions": [{"conditionRef": f"{_named(rule)}-condition"}],
        "notificationTargets": [{"targetRef": name} for name in sinks],
    }
    return _document("AlertPolicy", _named(rule), f"Burn rate {rule.rate:g}", spec)


def _told(contract: Contract, severity: Severity) -> list[str]:
    """The sinks that are told of that severity."""
    return [sink.name for sink in contract.alerting.sinks if _ORDER.index(severity) <= _ORDER.index(sink.least)]


def _named(rule: BurnRule) -> str:
    return f"burn-{rule.rate:g}-over-{_duration(rule.long_s)}".replace(".", "-")


def _duration(seconds: int) -> str:
    """The shorthand of the specification; what is no whole minute is rounded up."""
    for length, unit in _UNITS:
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{-(-seconds // 60)}m"


def _cut(words: str) -> str:
    return words if len(words) <= DESCRIPTION_MAX else words[: DESCRIPTION_MAX - 1] + "…"
