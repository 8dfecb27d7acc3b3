"""Spans and moments as a person writes them on the command line: 30s, 10m, 1h; 2026-06-01T22:00."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from services.contract.document import Contract

_SPAN = re.compile(r"^(\d+(?:\.\d+)?)(s|m|h)$")
_UNITS = {"s": 1, "m": 60, "h": 3_600}


def span(_context: click.Context, parameter: click.Parameter, text: str) -> float:
    """Seconds. Raises BadParameter with the remedy."""
    found = _SPAN.match(text)
    if found is None or float(found[1]) <= 0:
        raise click.BadParameter(f"{text!r}: give a time such as 30s, 10m or 1h", param=parameter)
    return float(found[1]) * _UNITS[found[2]]


def moment_in(contract: Contract, text: str) -> int:
    """Milliseconds since the epoch; a time is in the contract's zone, unless it carries an offset.

    Raises BadParameter with the remedy.
    """
    from services.contract.moments import moment

    try:
        typed = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: give a time such as 2026-06-01T22:00") from None
    return moment(contract.zone, typed) if typed.tzinfo is None else round(1_000 * typed.timestamp())
