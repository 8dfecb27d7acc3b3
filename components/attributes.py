"""Attributes: `data-*` and `aria-*` as keyword arguments of a Dash component."""

from __future__ import annotations

from typing import Any


def data(**values: str) -> dict[str, Any]:
    """`data(trend="")` is the attribute `data-trend=""`."""
    return {f"data-{name.replace('_', '-')}": value for name, value in values.items()}


def aria(**values: str) -> dict[str, Any]:
    """`aria(hidden="true")` is the attribute `aria-hidden="true"`."""
    return {f"aria-{name}": value for name, value in values.items()}
