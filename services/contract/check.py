"""Check: what the declared system cannot hold of what was promised, with the figure and the nearest target that holds.

A contract that cannot be read does not come here; its faults are `reading`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.contract.alerting import LogSink, Sink, SmtpSink, WebhookSink
from services.contract.document import PROBE_EVERY_S, Contract, Objective
from services.contract.sentences import percent, seconds
from services.declare import Declarations, Freshness, is_of_clients

Measured = Callable[[Objective], float | None]
"""The limit that the objective's share would just have held lately: its p95 for 95 %; None where nothing is known."""
FRAME_S = 1 / 60
"""An animation frame: what is painted waits for the next one."""
_PERIOD_DAYS = {"month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True, slots=True)
class Remark:
    """One line of the check. `fail`: the contract must not be used like this; `warn`: it will be broken."""

    level: Literal["warn", "fail"]
    line: int
    name: str
    text: str

    def line_of(self, path: Path) -> str:
        """The remark with its place in the file."""
        return f"{path}:{self.line}: {self.name}: {self.text}"


def check_contract(
    contract: Contract,
    declarations: Declarations,
    *,
    tick_ms: int,
    environment: Mapping[str, str],
    measured: Measured | None = None,
    tested: Collection[str] | None = None,
) -> Iterator[Remark]:
    """All remarks in the order of the file.

    `tested`: names of the sinks that a test reached, None where nobody looked; `environment` holds the sinks' secrets.
    """
    for objective in contract.objectives:
        for text in _doubts(contract, objective, declarations, tick_ms / 1000, measured):
            yield Remark("warn", objective.line, objective.name, text)
    yield from _monitoring(contract, tested)
    yield from _sinks(contract, environment)
    yield from _reporting(contract)


def _doubts(
    contract: Contract, objective: Objective, declarations: Declarations, tick_s: float, measured: Measured | None
) -> Iterator[str]:
    if objective.kind in ("freshness", "update_interval"):
        yield from _against_interval(objective, declarations, tick_s)
    if objective.kind == "latency":
        yield from _against_tick(objective, tick_s)
    if objective.kind == "availability":
        yield from _against_probes(contract, objective)
    if measured is not None and (lately := measured(objective)) is not None and lately > objective.limit:
        yield (
            f"{_limit(objective)}: lately {percent(objective.share)} were within {_amount(objective, lately)}; "
            f"the nearest target that holds is {_limit(objective, _rounded_up(lately))}"
        )


def _against_interval(objective: Objective, declarations: Declarations, tick_s: float) -> Iterator[str]:
    """Between two events a value grows old: no younger than the source's interval, and a tick until it is committed."""
    slowest = max(_rules(objective, declarations), key=lambda one: one[1].expected_every_s, default=None)
    if slowest is None:
        return
    channel, rule = slowest
    least = rule.expected_every_s + tick_s
    if objective.limit < least:
        yield (
            f"{_limit(objective)}: {channel} has an event every {seconds(rule.expected_every_s)} and a tick takes "
            f"{seconds(tick_s)}, so at most {percent(_floor(objective.limit / least))} can hold; "
            f"the nearest target that holds is {_limit(objective, _rounded_up(least))}"
        )


def _rules(objective: Objective, declarations: Declarations) -> list[tuple[str, Freshness]]:
    """The freshness rules of the objective's channel; for all channels, of those that may not be quiet."""
    if objective.channel is not None:
        return [(objective.channel, declarations.channels[objective.channel].freshness)]
    rules = [(name, one.freshness) for name, one in declarations.channels.items() if is_of_clients(name)]
    return [(name, rule) for name, rule in rules if not rule.may_be_quiet]


def _against_tick(objective: Objective, tick_s: float) -> Iterator[str]:
    """Under load an event waits for a tick, and where it is painted for an animation frame."""
    painted = objective.point == "browser"
    least, waits = (tick_s + FRAME_S, "a tick and a frame") if painted else (tick_s, "a tick")
    if objective.limit < least:
        yield (
            f"{_limit(objective)}: {waits} alone may take {seconds(round(least, 3))}; "
            f"the nearest target that holds is {_limit(objective, _rounded_up(least))}"
        )


def _against_probes(contract: Contract, objective: Objective) -> Iterator[str]:
    """A share that less than one probe of the window would break cannot be told from the whole."""
    days = objective.window_days or min(_PERIOD_DAYS[contract.period], (contract.ends - contract.begins).days + 1)
    probes = int(days * 86_400 / PROBE_EVERY_S)
    finest = 1 - 1 / probes
    if objective.share > finest:
        yield (
            f"{percent(objective.share)}: the {probes:,} probes of {days:g} days cannot show it, a single missed one "
            f"is {percent(_floor(finest))}; the nearest target that holds is target_percent = {100 * _floor(finest):g}"
        )


def _monitoring(contract: Contract, tested: Collection[str] | None) -> Iterator[Remark]:
    if contract.support.monitoring != "proactive":
        return
    reaching = [sink for sink in contract.alerting.sinks if not isinstance(sink, LogSink)]
    if not reaching:
        yield Remark(
            "fail", 1, "support.monitoring", "proactive, but no sink reaches anybody; declare a webhook or mail"
        )
    elif tested is not None and not {sink.name for sink in reaching} & set(tested):
        names = ", ".join(sink.name for sink in reaching)
        text = f"proactive, but no test ever reached a sink ({names}); run headwater alerts test"
        yield Remark("fail", reaching[0].line, "support.monitoring", text)


def _sinks(contract: Contract, environment: Mapping[str, str]) -> Iterator[Remark]:
    for sink in contract.alerting.sinks:
        for variable in variables_of(sink):
            if not environment.get(variable):
                yield Remark(
                    "warn", sink.line, f"sink {sink.name}", f"{variable} is not set; nothing can be sent by it"
                )


def variables_of(sink: Sink) -> tuple[str, ...]:
    """The environment variables that hold the sink's secrets."""
    if isinstance(sink, WebhookSink):
        return (sink.url_env,)
    if isinstance(sink, SmtpSink):
        return tuple(variable for variable in (sink.user_env, sink.password_env) if variable)
    return ()


def _reporting(contract: Contract) -> Iterator[Remark]:
    reporting = contract.reporting
    if not reporting.sinks:
        yield Remark("warn", reporting.line, "report.sinks", "reports are made and sent to nobody; name a sink")
    if reporting.raw_days < (needed := _PERIOD_DAYS[contract.period]):
        text = f"raw samples are kept for {reporting.raw_days} days, a {contract.period} has up to {needed}; give more"
        yield Remark("warn", reporting.line, "report.raw_days", f"{text}, or no report can be computed again")


def _limit(objective: Objective, limit: float | None = None) -> str:
    value = objective.limit if limit is None else limit
    return f"within_events = {value:.0f}" if objective.kind == "backlog" else f"within_s = {value:g}"


def _amount(objective: Objective, value: float) -> str:
    return f"{value:,.0f} events" if objective.kind == "backlog" else seconds(round(value, 3))


def _rounded_up(value: float) -> float:
    """The value with two significant digits, never less than it: 1.016 becomes 1.1."""
    digit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(round(value / digit, 9)) * digit:.12g}")


def _floor(share: float) -> float:
    return math.floor(share * 1e5) / 1e5
