"""Thresholds: limits on values of channels, as the contract declares them, and channels without events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.alerts.finding import Finding
from services.alerts.sight import Sight
from services.alerts.wording import figure, moment
from services.contract.alerting import ThresholdRule
from services.declare import Channel, Column, Kind
from services.state import Data


@dataclass(frozen=True, slots=True)
class Reading:
    """A channel as a threshold sees it: its newest value by row or line, and its newest event's time (0 for none).

    `may_be_quiet`: its declaration says that no event is no trouble.
    """

    title: str
    label: str
    unit: str
    values: Mapping[str, float]
    event_at: int
    may_be_quiet: bool = False


def values_of(kind: Kind, data: Data, field: str) -> dict[str, float]:
    """The newest value of a column, by row of a latest or by line of a series; absent ones are left out."""
    if kind == "latest":
        found = {key: row.get(field) for key, row in data["rows"].items()}
    else:
        lines = {name.partition(":"): points for name, points in data["points"].items()}
        found = {group: points[-1][1] for (name, _, group), points in lines.items() if name == field}
    return {key: float(value) for key, value in found.items() if isinstance(value, int | float)}


def reading_of(channel: type[Channel], column: Column, data: Data, event_at: int) -> Reading:
    """A channel's state as a threshold on that column sees it."""
    values = values_of(channel.kind, data, column.name)
    return Reading(channel.title, column.label, column.unit, values, event_at, channel.freshness.may_be_quiet)


class Thresholds:
    """Holds channels against their limits; remembers since when each is beyond its own."""

    def __init__(self, declared: Sequence[ThresholdRule], no_data_after_s: int) -> None:
        self._declared, self._no_data_after_ms = declared, 1_000 * no_data_after_s
        self._since: dict[str, int] = {}
        self._started_at = 0

    def look(self, readings: Mapping[str, Reading], sight: Sight) -> Iterator[Finding]:
        """Findings by threshold; `readings` by the threshold's name, one that could not be read is left out."""
        self._started_at = self._started_at or sight.at
        for threshold in self._declared:
            if (reading := readings.get(threshold.name)) is not None:
                yield from self._beyond(threshold, reading, sight)
                yield from self._silent(threshold, reading, sight)

    def _beyond(self, threshold: ThresholdRule, reading: Reading, sight: Sight) -> Iterator[Finding]:
        key, value = worst_value(threshold, reading)
        if value is None or not is_beyond(threshold, value):
            self._since.pop(threshold.name, None)
            return
        since = self._since.setdefault(threshold.name, sight.at)
        yield self._finding(threshold, f"threshold:{threshold.name}", since, threshold.for_s * 1_000, (
            f"{reading.label} of {reading.title}{f' ({key})' if key else ''} {_limit(threshold, reading.unit)}, now "
            f"{figure(value)}: {sight.effect(threshold.channel, since, threshold.means)}"
        ))  # fmt: skip

    def _silent(self, threshold: ThresholdRule, reading: Reading, sight: Sight) -> Iterator[Finding]:
        since = reading.event_at or self._started_at
        if reading.may_be_quiet or not self._no_data_after_ms or sight.at - since < self._no_data_after_ms:
            return
        yield self._finding(threshold, f"no-event:{threshold.name}", since, 0, (
            f"{reading.title}: no event since {moment(since, sight)}, so {reading.label.lower()} is not known; "
            f"{sight.audience()}"
        ))  # fmt: skip

    def _finding(self, threshold: ThresholdRule, key: str, since: int, for_ms: int, text: str) -> Finding:
        return Finding(
            key, f"threshold:{threshold.name}", threshold.severity, "unknown", text, since, for_ms,
            channel=threshold.channel,
        )  # fmt: skip


def worst_value(threshold: ThresholdRule, reading: Reading) -> tuple[str, float | None]:
    """The row or line that is furthest beyond the limit, or nearest to it, and its value."""
    watched = {key: value for key, value in reading.values.items() if threshold.key in (None, key)}
    if not watched:
        return "", None
    furthest = max if threshold.above is not None else min
    return furthest(sorted(watched.items()), key=lambda one: one[1])


def is_beyond(threshold: ThresholdRule, value: float) -> bool:
    """Whether the value is on the wrong side of the limit; at the limit it is not."""
    if threshold.above is not None:
        return value > threshold.above
    return threshold.below is not None and value < threshold.below


def _limit(threshold: ThresholdRule, unit: str) -> str:
    limit, side = (threshold.above, "over") if threshold.above is not None else (threshold.below, "under")
    return f"{side} {figure(limit or 0.0)}{f' {unit}' if unit else ''}"
