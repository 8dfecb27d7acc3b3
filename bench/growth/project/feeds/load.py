"""Load: readings posted by HTTP, as many keys, partitions and points as the stand's sizes say."""

from bench.growth.sizes import Sizes
from headwater import Feed, Freshness, Http, Latest, Log, Number, Series, Text, count, mean, quantile

SIZES = Sizes.here()


class Load(
    Feed, name="load", key="key", source=Http(),
    freshness=Freshness(expected_every_s=60, late_after_s=3600, stale_after_s=86_400, may_be_quiet=True),
):
    """One reading of one key."""

    key = Text()
    part = Text()
    line = Text()
    value = Number(decimals=0)


class Rows(Latest, feed=Load, rows_max=SIZES.rows):
    """The newest reading of each key."""


class Totals(Latest, feed=Load, by=Load.line, window_s=5, windows=12):
    """The last minute, by line."""

    readings = count()
    mean_value = mean(Load.value)
    p95_value = quantile(Load.value, 0.95)


class Course(Series, feed=Load, by=Load.line, window_s=1, span_s=86_400, points_max=SIZES.points):
    """One point a second of each line."""

    value = mean(Load.value)


class Entries(Log, feed=Load, entries_max=100):
    """The newest readings."""


class Parts(Latest, feed=Load, partition=Load.part, by=Load.part, window_s=5, windows=12, partitions_max=1_000):
    """The last minute of one partition."""

    readings = count()
    mean_value = mean(Load.value)


CHANNELS = ("load.rows", "load.totals", "load.course", "load.entries", "load.parts:part-0")
