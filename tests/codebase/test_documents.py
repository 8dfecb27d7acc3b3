"""Documents: what they say of settings, commands and targets is what there is."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from typing import get_args

import pytest
import yaml

from app.cli import main
from app.factory import Web, create_app
from app.metrics import COUNTERS, GAUGES, LANE_COUNTERS, exposition
from app.settings import Settings, entries, markdown_table
from services.archive.batch import Reason as GapReason
from services.database.tables import METADATA
from services.declare import Lane
from services.events import Reason
from services.freshness import Cause, Progress
from services.messages import Close
from services.sheets import Stage
from services.telemetry import Measurement, Telemetry
from tests.codebase.sources import ROOT, python_files
from tests.pictures.__main__ import FIRST_PAGE, PICTURES

README = (ROOT / "README.md").read_text()
PROTOCOL = (ROOT / "docs/protocol.md").read_text()
OPERATING = (ROOT / "docs/operating.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split())


@pytest.fixture
def web(broker_url: str) -> Iterator[Web]:
    made = create_app(Settings(redis_url=broker_url))
    yield made
    made.stop()


def test_the_readme_holds_the_table_of_settings() -> None:
    assert markdown_table() in README, "run: .venv/bin/headwater settings --markdown"


def test_every_variable_in_the_readme_is_a_setting() -> None:
    known = {entry.variable for entry in entries()}
    assert set(re.findall(r"HEADWATER_[A-Z_]+", README)) <= known


def test_every_command_in_the_readme_exists() -> None:
    named = set(re.findall(r"`headwater ([a-z]+)", README))
    assert named
    assert named <= set(main.commands)


def test_every_make_target_in_the_readme_exists() -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert {"run", "test"} <= named <= TARGETS


def test_every_make_target_has_a_rule() -> None:
    assert {target for target in TARGETS if not re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)} == set()


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / ".ci").iterdir()))
def test_every_script_can_be_run(name: str) -> None:
    assert os.access(ROOT / ".ci" / name, os.X_OK)


def test_every_picture_is_there_and_taken_by_the_project() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(pictures/(\w+)\.png\)", (ROOT / "docs/components.md").read_text())
    shown += re.findall(r"!\[[^\]]+\]\(docs/pictures/(\w+)\.png\)", README)
    taken = {path.stem for path in (ROOT / "docs/pictures").glob("*.png")}
    assert set(shown) == taken == {*PICTURES, FIRST_PAGE}, "run: make pictures"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt"])
def test_every_locked_package_has_hashes_and_no_registry_is_named(name: str) -> None:
    lock = (ROOT / name).read_text()
    pinned = re.findall(r"^[a-z0-9][a-z0-9._-]*==", lock, re.MULTILINE)
    assert len(pinned) > 40
    assert len(re.findall(r"==[^\n]*\\\n    --hash=sha256:", lock)) == len(pinned)
    assert "://" not in lock
    assert "--index" not in lock


def test_the_lock_holds_every_dependency_with_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    lock = (ROOT / "requirements.txt").read_text()
    for dependency in project["dependencies"]:
        name = re.split(r"[\[<>=;]", dependency)[0]
        assert re.search(rf"^{name}==", lock, re.MULTILINE), name
        line = next(line for line in text.splitlines() if f'"{dependency}"' in line)
        above = text.splitlines()[text.splitlines().index(line) - 1]
        assert "#" in line.rpartition('"')[2] or above.lstrip().startswith("#"), name


def test_the_protocol_holds_every_close_code_of_a_viewers_concern_and_whether_it_comes_back() -> None:
    table = dict(re.findall(r"^\| ([\d, ]+) \|[^|]*\| (yes|no)", PROTOCOL, re.MULTILINE))
    documented = {int(code): back == "yes" for codes, back in table.items() for code in codes.split(", ")}
    ours = {close.code: close.retried for close in Close if close.code >= 4000 or close in (Close.RESTART, Close.FULL)}
    assert {code: back for code, back in documented.items() if code != 1001} == ours


def test_the_protocol_holds_every_rejection_reason_and_cause() -> None:
    assert {reason for reason in get_args(Reason) if f"`{reason}`" not in PROTOCOL} == set()
    assert {cause for cause in get_args(Cause) if f"`{cause}`" not in PROTOCOL} == set()


def test_the_protocol_holds_every_route(web: Web) -> None:
    routes = set(re.findall(r"^\| `(?:GET|POST) ([^`]+)`", PROTOCOL, re.MULTILINE))
    served = {re.sub(r"<(?:\w+:)?(\w+)>", "<>", rule.rule) for rule in web.server.url_map.iter_rules()}
    named = {re.sub(r"<\w+>", "<>", route) for route in routes}
    assert {route for route in named if route not in served} == set()
    ours = {rule for rule in served if rule.startswith("/api/") or rule in ("/healthz", "/readyz", "/metrics")}
    assert ours <= named


def test_every_metric_is_documented_and_has_a_meaning() -> None:
    counted, measured = set(), set()
    for path in python_files("app", "services"):
        counted |= set(re.findall(r'\.count\("([a-z_]+)"', path.read_text()))
        measured |= set(re.findall(r'\.gauge\("([a-z_]+)"', path.read_text()))
    assert counted <= set(COUNTERS)
    assert measured <= set(GAUGES)
    names = {
        *(f"headwater_{name}_total" for name in COUNTERS), *(f"headwater_{name}" for name in GAUGES),
        *(f"headwater_lane_{name}_total" for name in LANE_COUNTERS), "headwater_stage_seconds",
        "headwater_broker_memory_share",
        "headwater_lane_backlog_events", "headwater_lane_unarchived_events",
        "headwater_lane_progress_age_seconds",
    }
    assert set(re.findall(r"^\| `(headwater_[a-z_]+)`", OPERATING, re.MULTILINE)) == names


def test_every_metric_of_the_dashboard_and_the_alert_rules_is_exposed() -> None:
    telemetry = Telemetry("web-1", "web")
    for name in COUNTERS:
        telemetry.count(name)
    for name in GAUGES:
        telemetry.gauge(name, 1)
    telemetry.observe("created_to_painted", 0.1)
    page = exposition([Measurement.decoded(telemetry.payload())], {Lane("flights", 0): Progress("e", 1, 1)}, 0.5, 2)
    exposed = set(re.findall(r"^(headwater_[a-z_]+){", page, re.MULTILINE))
    for name in ("grafana.json", "alerts.yml"):
        text = (ROOT / "docs/monitoring" / name).read_text()
        used = set(re.findall(r"\bheadwater_[a-z_]+", text))
        assert len(used) > 10
        assert used <= exposed, name
    alerts = yaml.safe_load((ROOT / "docs/monitoring/alerts.yml").read_text())["groups"][0]["rules"]
    assert all(rule["annotations"].keys() == {"summary", "description"} for rule in alerts)
    panels = json.loads((ROOT / "docs/monitoring/grafana.json").read_text())["panels"]
    assert all(panel["description"] and panel["targets"] for panel in panels)


def test_every_stage_that_is_measured_is_documented() -> None:
    measured = (ROOT / "docs/measurement.md").read_text()
    assert {stage for stage in get_args(Stage) if f"`{stage}`" not in measured} == set()


def test_every_key_in_the_broker_is_documented() -> None:
    source = "".join(path.read_text() for path in (ROOT / "services/broker").glob("*.py"))
    suffixes = set(re.findall(r'(?:key|\)) \+ "([a-z:]+)"', source)) | set(re.findall(r'base \+ "(:[a-z]+)"', source))
    keys = re.findall(r"`(hw:[^`]+)`", OPERATING)
    assert suffixes
    assert {one for one in suffixes if one != "c:" and not any(key.endswith(one) for key in keys)} == set()


def test_every_sentence_on_overload_names_a_test_that_exists() -> None:
    named = re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", (ROOT / "docs/overload.md").read_text())
    assert len(named) > 15
    missing = [
        (path, name) for path, name in named
        if not (ROOT / path).exists() or (name and f"def {name}(" not in (ROOT / path).read_text())
    ]
    assert missing == []


def test_the_archives_document_holds_every_table_and_every_reason_of_a_gap() -> None:
    text = (ROOT / "docs/archive.md").read_text()
    tables = {name for name in METADATA.tables if name.startswith("archive_")}
    assert {name for name in (*tables, *get_args(GapReason)) if f"`{name}`" not in text} == set()
