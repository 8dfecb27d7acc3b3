"""OpenSLO: the export is valid by the specification's rules, says what was promised, and names what it leaves out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
import yaml

from app.loading import DEMO, load_contract, load_declarations
from services.contract.document import Contract
from services.contract.openslo import documents, inexpressible, text
from tests.app.running import headwater
from tests.contract.written import shop

SCHEMA = json.loads(Path(__file__).with_name("openslo.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def _demo() -> Contract:
    contract = load_contract(load_declarations(DEMO), DEMO)
    assert contract is not None
    return contract


def _faults(document: Any) -> list[str]:
    return [f"{document['metadata']['name']}: {error.json_path}: {error.message}" for error in
            VALIDATOR.iter_errors(document)]  # fmt: skip


@pytest.mark.parametrize("contract", [_demo(), shop(), replace(shop(), zone=ZoneInfo("UTC"), period="quarter")])
def test_every_document_is_valid_also_after_its_way_through_yaml(contract: Contract) -> None:
    read = list(yaml.safe_load_all(text(contract)))
    assert read == list(documents(contract))
    assert [fault for document in read for fault in _faults(document)] == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("metadata", "name"), "Orders Sent"),
        (("spec", "objectives", 0, "target"), 1.0),
        (("spec", "timeWindow", 0, "duration"), "a month"),
        (("spec", "timeWindow", 0, "calendar", "timeZone"), "UTC"),
        (("spec", "budgetingMethod"), "Timeslices"),
        (("spec", "description"), "x" * 1_051),
        (("spec", "indicator", "spec", "ratioMetric", "bad"), {"metricSource": {"spec": {}}}),
        (("spec", "indicatorRef"), "other"),
    ],
)
def test_the_rules_refuse_what_the_specification_refuses(place: tuple[Any, ...], value: object) -> None:
    slo = next(one for one in documents(shop()) if one["kind"] == "SLO")
    holder: Any = slo
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = value
    assert _faults(slo)


def test_an_objective_keeps_its_target_window_and_sentence() -> None:
    exported = {one["metadata"]["name"]: one for one in documents(_demo()) if one["kind"] == "SLO"}
    assert set(exported) == {objective.name for objective in _demo().objectives}
    rolling, calendar = exported["availability"]["spec"], exported["gateway-latency"]["spec"]
    assert rolling["objectives"][0]["target"] == 0.995
    assert rolling["timeWindow"] == [{"duration": "30d", "isRolling": True}]
    assert calendar["timeWindow"][0]["duration"] == "1M"
    assert calendar["timeWindow"][0]["calendar"] == {"startTime": "2026-01-01 00:00:00", "timeZone": "Europe/Berlin"}
    assert calendar["description"].startswith("95 % of valid events within 2.0 s of receipt, measured at the gateway")
    good = calendar["indicator"]["spec"]["ratioMetric"]["good"]["metricSource"]["spec"]
    assert (good["count"], good["within_s"], good["measured_at"]) == ("good", 2.0, "gateway")


def test_every_name_that_is_referred_to_is_there() -> None:
    found = list(documents(shop()))
    names = {(one["kind"], one["metadata"]["name"]) for one in found}
    for one in found:
        spec = one["spec"]
        wanted = [("AlertPolicy", name) for name in spec.get("alertPolicies", [])]
        wanted += [("AlertCondition", each["conditionRef"]) for each in spec.get("conditions", [])]
        wanted += [("AlertNotificationTarget", each["targetRef"]) for each in spec.get("notificationTargets", [])]
        wanted += [("Service", spec["service"])] if one["kind"] == "SLO" else []
        assert set(wanted) <= names


def test_what_cannot_be_expressed_is_named() -> None:
    left = inexpressible(shop())
    for named in (
        "exclusions as rules (force_majeure, hotfix, maintenance, third_party, upstream, viewer_network)",
        "the tolerated exception of orders-painted: 30 min, the yearly stock count",
        "the second window of burn-14-4-over-1h: over 5m as well",
        "the threshold turnover-low, on orders.total",
        "severity critical: response in 15 min, resolution in 240",
    ):
        assert any(line.startswith(named) for line in left), named


def test_the_command_prints_documents_and_says_what_they_leave_out() -> None:
    ended = headwater("contract", "openslo")
    assert ended.returncode == 0, ended.stderr
    assert list(yaml.safe_load_all(ended.stdout)) == list(documents(_demo()))
    assert "# OpenSLO v1 has no words for:\n#   exclusions as rules" in ended.stdout
