"""What docs/alerts.md says is what the code does."""

from __future__ import annotations

import re

from app.alerting import LOOK_EVERY_S, WEB_PATIENCE_MS
from app.cli import main
from app.commands.alerts import alerts
from app.commands.incidents import incidents
from app.doctor.declared import TESTED_WITHIN_MS
from services.alerts.alert import ABANDONED_MS
from services.alerts.builtin import HANDOVER_MS, LOSS_SHOWN_MS, STARTING_MS
from services.alerts.channels import KEYS as CHANNEL_KEYS
from services.alerts.objectives import KEYS as OBJECTIVE_KEYS
from services.alerts.outbox import FIRST_PAUSE_MS, GIVEN_UP_MS, PAUSE_MAX_MS
from services.alerts.rule import by_web, everywhere, in_sight
from services.alerts.sight import BACKLOG_LIMIT_MS
from services.alerts.sinks import IMPLICIT_TLS_PORT
from services.alerts.telling import CALM_MS
from services.alerts.watch import RESOLVED_AFTER_MS
from services.contract.alerting import DEFAULT_BURN
from services.measurement.ledger import SETTLED_AFTER_MS
from tests.codebase.sources import ROOT

DOCUMENT = (ROOT / "docs/alerts.md").read_text()
FLAT = " ".join(DOCUMENT.split())


def test_every_key_that_may_fire_is_documented() -> None:
    beginnings = {key.partition(":")[0] for rule in (*everywhere(), *by_web(), *in_sight()) for key in rule.keys}
    beginnings |= {key.rstrip(":") for key in (*CHANNEL_KEYS, *OBJECTIVE_KEYS)} | {"archive-gap"}
    assert {key.partition(":")[0] for key in re.findall(r"^\| `([a-z-]+:[^`]+)`", DOCUMENT, re.MULTILINE)} == beginnings


def test_every_command_is_documented() -> None:
    named = set(re.findall(r"headwater (alerts|incidents) ([a-z]+)", DOCUMENT))
    ours = {("alerts", name) for name in alerts.commands} | {("incidents", name) for name in incidents.commands}
    assert named == ours
    assert {"alerts", "incidents"} <= set(main.commands)


def test_every_figure_is_that_of_the_code() -> None:
    for said in (
        f"no worker has led a lane for {HANDOVER_MS // 1000} s",
        f"an event waits for more than {BACKLOG_LIMIT_MS // 1000} s",
        f"told for {LOSS_SHOWN_MS // 60_000} min",
        f"settled, {SETTLED_AFTER_MS // 1000} s after they are over",
        f"looks every {LOOK_EVERY_S:g} s",
        f"nobody has seen it for {ABANDONED_MS // 1000} s",
        f"says nothing of lanes for {STARTING_MS // 1000} s",
        f"stayed calm for {RESOLVED_AFTER_MS // 60_000} min",
        f"over for {'a minute' if CALM_MS == 60_000 else '?'}",
        f"tried again after {FIRST_PAUSE_MS // 1000} s",
        f"at most {PAUSE_MAX_MS // 60_000} min, for {'a day' if GIVEN_UP_MS == 86_400_000 else '?'}",
        f"not sent within {WEB_PATIENCE_MS // 1000} s",
        f"at port {IMPLICIT_TLS_PORT}",
        f"within {TESTED_WITHIN_MS // 86_400_000} days",
    ):
        assert said in FLAT, said


def test_the_default_burn_rules_are_those_of_the_document() -> None:
    for rule in DEFAULT_BURN:
        assert f"{rule.rate:g} over {_span(rule.long_s)} and {_span(rule.short_s)} ({rule.severity})" in FLAT


def _span(seconds: int) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds // 60} min"
