"""Signals: named values that anything may post by HTTP; the shortest way to see an event of one's own."""

from headwater import Feed, Freshness, Http, Latest, Log, Number, Series, Text, count, mean, quantile, value


class Signals(
    Feed,
    name="signals",
    key="name",
    source=Http("posted to /api/ingest/signals"),
    freshness=Freshness(expected_every_s=60, late_after_s=300, stale_after_s=86_400, may_be_quiet=True),
):
    """One reading of a named value, with a text if there is something to say."""

    name = Text(label="Name")
    value = Number(decimals=2, label="Value")
    text = Text(label="Text", required=False, max_length=500)


class Newest(Latest, feed=Signals, rows_max=1_000, title="Newest values"):
    """The newest value of each name."""


class Values(Series, feed=Signals, by=Signals.name, span_s=600, title="Values over time"):
    """Every value, ten minutes."""

    value = value(Signals.value, label="Value")


class LastMinute(Latest, feed=Signals, window_s=5, windows=12, title="Last minute"):
    """All signals of the last minute before the newest one."""

    signals = count(label="Signals")
    mean_value = mean(Signals.value, decimals=2, label="Mean")
    p95_value = quantile(Signals.value, 0.95, decimals=2, label="95 in 100 under")


class Entries(Log, feed=Signals, entries_max=100, title="Signals as they came"):
    """Every signal, newest last."""
