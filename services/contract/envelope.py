"""Envelope: what a load measured of it, in `envelope.json` beside `contract.toml`, and what of the promise it shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from services.contract.check import Remark
from services.contract.document import Contract
from services.contract.faults import ContractError, Fault

NAME = "envelope.json"
_FIGURES = (("events_per_s", "events a second"), ("viewers", "viewers"), ("rows", "rows"))
_MEASURED = ("began_at", "envelope", "held", "usable", "reached", "gave_way", "rows", "stages")
"""What a load writes and others read; its counts are for people."""


def envelope_path(contract: Path) -> Path:
    return contract.with_name(NAME)


def read_measured(contract: Path) -> Mapping[str, Any] | None:
    """What the last load wrote, None where there was none. Raises ContractError where it cannot be read."""
    path = envelope_path(contract)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found = {name: raw[name] for name in _MEASURED}
        for name, _ in _FIGURES:
            float(found["envelope"][name])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "remove it, or write it anew by headwater load"
        raise ContractError(path, [Fault(1, NAME, str(error) or type(error).__name__, remedy)]) from error
    return found


def measured_in_words(measured: Mapping[str, Any]) -> str:
    """`1,000 events a second and 500 viewers, by the load of 2026-11-29`; what held, not what was asked."""
    reached = measured["reached"]
    if reached is None:
        return f"nothing of it held, by the load of {measured['began_at'][:10]}"
    return f"{_figures(reached)}, by the load of {measured['began_at'][:10]}"


def check_envelope(contract: Contract, measured: Mapping[str, Any] | None) -> Iterator[Remark]:
    """What a load found that the promised envelope cannot hold, and the nearest that does."""
    envelope = contract.scope.envelope
    if envelope is None or measured is None:
        return
    if not measured["usable"]:
        text = "the machine that loaded was itself too late for its figures; run headwater load from another"
        yield Remark("warn", envelope.line, "envelope", text)
        return
    gave_way, reached = measured["gave_way"], measured["reached"]
    if gave_way is not None:
        nearest = f"the nearest that held is {_assigned(reached)}" if reached else "nothing less was seen to hold"
        text = f"{gave_way['objective']} gave way first, at {_figures(gave_way)} ({gave_way['said']}); {nearest}"
        yield Remark("warn", envelope.line, "envelope", text)
        return
    for name, words in _FIGURES:
        promised, tried = getattr(envelope, name), measured["rows"] if name == "rows" else measured["envelope"][name]
        if name != "rows" and promised > tried:
            text = f"{name} = {promised:g}: a load reached {tried:,g} {words}; run headwater load again"
            yield Remark("warn", envelope.line, "envelope", text)


def _figures(said: Mapping[str, Any]) -> str:
    return f"{said['events_per_s']:,g} events a second and {said['viewers']:,} viewers"


def _assigned(said: Mapping[str, Any]) -> str:
    return f"events_per_s = {said['events_per_s']:g}, viewers = {said['viewers']}"
