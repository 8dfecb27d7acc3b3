"""Sensors: readings of 1,000 sensors; a channel of each kind, three quantile sketches among them."""

from headwater import (
    Feed,
    Freshness,
    History,
    Http,
    Latest,
    Log,
    Number,
    Series,
    Text,
    count,
    maximum,
    mean,
    quantile,
    rate,
)


class Sensors(
    Feed, name="sensors", key="sensor", source=Http(), lateness_s=5, history=History(days=0),
    freshness=Freshness(expected_every_s=60, late_after_s=60, stale_after_s=600, may_be_quiet=True),
):
    """One reading of one sensor."""

    sensor = Text(label="Sensor")
    site = Text(label="Site")
    value = Number(decimals=2, label="Value")
    status = Text(label="Status")


class Newest(Latest, feed=Sensors, rows_max=1_000):
    """The newest reading of each sensor."""


class LastMinute(Latest, feed=Sensors, window_s=5, windows=12):
    """All sensors over a minute, in steps of five seconds."""

    readings = count()
    per_s = rate()
    mean_value = mean(Sensors.value)
    worst = maximum(Sensors.value)
    median = quantile(Sensors.value, 0.5)
    p95 = quantile(Sensors.value, 0.95)


class BySite(Series, feed=Sensors, by=Sensors.site, window_s=1, span_s=60):
    """Each site by the second."""

    readings = count()
    mean_value = mean(Sensors.value)
    p95 = quantile(Sensors.value, 0.95)


class Alarms(Log, feed=Sensors, where=Sensors.status.equals("alarm"), entries_max=100):
    """The last hundred alarms."""
