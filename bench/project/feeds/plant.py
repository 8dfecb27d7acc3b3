"""Plant: readings of 500 meters; 20 of them stand on tiles, 8 are drawn, all are rows of a table.

`serial` counts the events of a run, so that a bench knows on the screen which event it sees.
"""

from headwater import Feed, Freshness, History, Http, Integer, Latest, Number, Series, Text, value

METERS = tuple(f"m{number:03d}" for number in range(500))
GAUGES = METERS[::25]
FLOWS, HEATS = METERS[1:101:25], METERS[2:102:25]
POINTS = 600


class Plant(
    Feed, name="plant", key="meter", source=Http(), lateness_s=900, history=History(days=0),
    freshness=Freshness(expected_every_s=60, late_after_s=60, stale_after_s=600, may_be_quiet=True),
):
    """One reading of one meter."""

    meter = Text(label="Meter")
    group = Text(label="Group")
    serial = Integer(label="Serial")
    value = Number(decimals=2, label="Value")
    status = Text(label="Status")


class Readings(Latest, feed=Plant, rows_max=1_000, title="Meters"):
    """The newest reading of each meter."""


class Gauges(Latest, feed=Plant, where=Plant.group.equals("gauge"), rows_max=100, title="Gauges"):
    """The newest reading of each meter that stands on a tile."""


class Flows(
    Series, feed=Plant, where=Plant.group.equals("flow"), by=Plant.meter, span_s=600, points_max=POINTS, title="Flows"
):
    """Every reading of four meters."""

    reading = value(Plant.value, label="Flow")


class Heats(
    Series, feed=Plant, where=Plant.group.equals("heat"), by=Plant.meter, span_s=600, points_max=POINTS, title="Heats"
):
    """Every reading of four others."""

    reading = value(Plant.value, label="Heat")
