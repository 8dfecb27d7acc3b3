"""Alerts: limits on a channel's values, as a team declares them beside its feeds and pages.

They fire as the thresholds of `contract.toml` do, and its sinks tell of them.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Literal, NoReturn

from services.declare.channels import Channel
from services.declare.columns import Aggregate, Column
from services.declare.error import DeclarationError

Severity = Literal["critical", "major", "minor"]
FOR_S_MAX = 86_400
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Alert:
    """Fires while a value is beyond its one limit for `for_s`; made by `alert()`. `key` is a row or line; None, any."""

    name: str
    channel: type[Channel]
    field: str
    key: str | None
    above: float | None
    below: float | None
    for_s: int
    severity: Severity
    means: str
    declared_at: str


def alert(
    value: Column, *, means: str, of: type[Channel] | None = None, key: str | int | None = None,
    above: float | None = None, below: float | None = None, for_s: int = 0, severity: Severity = "major",
    name: str | None = None,
) -> Alert:  # fmt: skip
    """Declare an alert: `alert(LastMinute.mean_price, above=900, for_s=60, means="prices are beyond what we pay")`.

    `means` says what that is to a viewer, in the alert's text. A field of a feed needs `of=`, a channel that holds it.
    Raises DeclarationError with file, name, value and remedy where it is declared wrongly.
    """
    what = f"alert({value!r})"
    channel = of if of is not None else getattr(value, "owner", None)
    if not (isinstance(channel, type) and issubclass(channel, Channel) and channel.kind != "log"):
        _refuse(what, channel, "give a column of a Latest or Series; a field of a feed needs of=<such a channel>")
    if channel.columns().get(value.name) is not value:
        _refuse(what, channel.name, f"it has no such column; give one of {', '.join(channel.columns())}")
    picks = isinstance(value, Aggregate) and value.function not in ("value", "min", "max")
    shown = value.field if isinstance(value, Aggregate) and not picks and value.field is not None else value
    if shown.value_type not in ("number", "integer", "flag"):
        _refuse(what, shown.value_type, "only numbers have limits; give a Number, an Integer, a Flag or an aggregate")
    if channel.partition is not None:
        _refuse(what, channel.name, "it is in parts; give a whole channel, with key= where one row is meant")
    if (above is None) is (below is None):
        _refuse(what, {"above": above, "below": below}, "give one of above and below; two limits are two alerts")
    if not 0 <= for_s <= FOR_S_MAX:
        _refuse(f"{what}.for_s", for_s, f"give 0 to {FOR_S_MAX} seconds")
    if severity not in ("critical", "major", "minor"):
        _refuse(f"{what}.severity", severity, "give critical, major or minor")
    if not means.strip():
        _refuse(f"{what}.means", means, "say in a few words what that means to a viewer")
    side = "above" if above is not None else "below"
    known = name or "-".join([*channel.name.split("."), value.name, side]).replace("_", "-")[:40].rstrip("-")
    if not _NAME.fullmatch(known):
        _refuse(f"{what}.name", known, "use lower-case letters, digits and -, a letter first, 40 at most")
    limit = None if key is None else str(key)
    return Alert(known, channel, value.name, limit, above, below, int(for_s), severity, means.strip(), _place())


def _place() -> str:
    """File and line of who declares it: the first frame outside of this file."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _refuse(name: str, value: object, remedy: str) -> NoReturn:
    raise DeclarationError(_place(), name, value, remedy)
