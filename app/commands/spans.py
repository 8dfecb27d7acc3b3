"""Spans: a time as a person writes it on the command line: 30s, 10m, 1h."""

from __future__ import annotations

import re

import click

_SPAN = re.compile(r"^(\d+(?:\.\d+)?)(s|m|h)$")
_UNITS = {"s": 1, "m": 60, "h": 3_600}


def span(_context: click.Context, parameter: click.Parameter, text: str) -> float:
    """Seconds. Raises BadParameter with the remedy."""
    found = _SPAN.match(text)
    if found is None or float(found[1]) <= 0:
        raise click.BadParameter(f"{text!r}: give a time such as 30s, 10m or 1h", param=parameter)
    return float(found[1]) * _UNITS[found[2]]
