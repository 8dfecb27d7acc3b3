"""Phrases: keys, properties and values of the statement in plain words, the same in clauses and change requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.contract.statement import JOINED

_UNITS = {
    "_percent": " %", "_minutes_a_month": " min a month", "_minutes": " min", "_hours": " h", "_days": " days",
    "_ms": " ms", "_per_s": " a second", "_s": " s",
}  # fmt: skip
_THINGS = {"third_party": "third party", "force_majeure": "force majeure", "viewer_network": "viewer network"}
_SILENT = ("exclusions", "contract")
"""What only holds other things together is left out of a thing's name."""


def thing_in_words(key: str) -> str:
    """`channel board of feed flights`: the innermost first."""
    parts = key.split(JOINED)
    named = [part for part in parts if part not in _SILENT] or parts
    return " of ".join(_THINGS.get(part, part).replace("_", " ", 1) if " " not in part else _named(part)
                       for part in reversed(named))  # fmt: skip


def _named(part: str) -> str:
    kind, _, name = part.partition(" ")
    return f"{_THINGS.get(kind, kind)} {name}"


def label_of(name: str) -> str:
    """A property's name without its unit: `within` for `within_s`."""
    unit = _unit(name)
    return name.removesuffix(unit).replace("_", " ") if unit else name.replace("_", " ")


def value_in_words(name: str, value: Any) -> str:
    """A value with the unit that its property's name holds."""
    if value is None:
        return "not said"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        said = [f"{label_of(part)} {value_in_words(part, one)}" for part, one in value.items() if one is not None]
        return ", ".join(said) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(value_in_words("", one) for one in value) or "none"
    if isinstance(value, int | float):
        return f"{_figure(value)}{_UNITS.get(_unit(name), '')}"
    return str(value) or "none"


def _unit(name: str) -> str:
    return next((unit for unit in _UNITS if name.endswith(unit)), "")


def _figure(value: float) -> str:
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return text if float(text.replace(",", "")) == value else repr(value)
