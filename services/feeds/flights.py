"""Flights: departures from New York's three airports, recorded in 2013 and replayed as if now.

At 60× a minute of wall time is an hour of the recording: windows of 60 s are simulated hours.
"""

from headwater import (
    Feed,
    Flag,
    Freshness,
    History,
    Integer,
    Latest,
    Log,
    Moment,
    Number,
    Series,
    Text,
    count,
    maximum,
    mean,
    quantile,
)
from services.sources.flights import FlightsReplay


class Flights(
    Feed,
    name="flights",
    key="leg",
    source=FlightsReplay(),
    freshness=Freshness(expected_every_s=3, late_after_s=10, stale_after_s=30, may_be_quiet=True),
):
    """What happens to a flight: scheduled, departed, cancelled, arrived."""

    leg = Text(about="flight, day and origin: unique in the recording")
    flight = Text(label="Flight", about="carrier and number")
    carrier = Text(label="Carrier")
    airline = Text(label="Airline")
    origin = Text(label="From")
    destination = Text(label="To")
    destination_name = Text(label="Destination")
    status = Text(label="Status", about="scheduled, departed, cancelled or arrived")
    delay_min = Number(
        unit="min", decimals=0, label="Delay", required=False, about="departure delay; once arrived, arrival delay"
    )
    on_time = Flag(label="On time", required=False, about="departed less than 15 minutes late")
    distance_mi = Integer(unit="mi", label="Distance")
    scheduled = Text(label="Scheduled", about="departure by the airport's clock, month-day hour:minute of 2013")
    simulated_at = Moment(label="Recorded at", about="the event's time in the recording")


DEPARTED = Flights.status.equals("departed")
CANCELLED = Flights.status.equals("cancelled")
ARRIVED = Flights.status.equals("arrived")


class Board(Latest, feed=Flights, rows_max=400, parts=Flights.origin, title="Departures"):
    """Each flight's newest event, the 400 flights that moved last."""


class LastHour(Latest, feed=Flights, window_s=5, windows=12, parts=Flights.origin, title="Last simulated hour"):
    """The last 60 s of wall time, a simulated hour, in steps of 5 s."""

    departures = count(where=DEPARTED, label="Departures")
    on_time_share = mean(Flights.on_time, where=DEPARTED, label="On time", about="share departed < 15 min late")
    mean_delay = mean(Flights.delay_min, where=DEPARTED, decimals=1, label="Mean delay")
    p90_delay = quantile(Flights.delay_min, 0.9, where=DEPARTED, decimals=0, label="Delay, 9 in 10 under")
    worst_delay = maximum(Flights.delay_min, where=DEPARTED, decimals=0, label="Worst delay")
    cancelled = count(where=CANCELLED, label="Cancelled")
    arrivals = count(where=ARRIVED, label="Arrivals")


# a week in full, and by hour as far back as a chart can look
KEPT = History(days=7, hourly_days=61)


class Hourly(
    Series, feed=Flights, window_s=5, windows=12, span_s=600, parts=Flights.origin, title="By simulated hour",
    history=KEPT,
):  # fmt: skip
    """The same as LastHour, every 5 s over the last ten minutes: the trend under each tile."""

    departures = count(where=DEPARTED, label="Departures")
    on_time_share = mean(Flights.on_time, where=DEPARTED, label="On time")
    mean_delay = mean(Flights.delay_min, where=DEPARTED, decimals=1, label="Mean delay")
    cancelled = count(where=CANCELLED, label="Cancelled")


class Delays(
    Series, feed=Flights, by=Flights.origin, window_s=5, windows=12, span_s=600, title="Delay by origin", history=KEPT
):  # fmt: skip
    """Mean departure delay of the last simulated hour, by airport of origin."""

    mean_delay = mean(Flights.delay_min, where=DEPARTED, decimals=1, label="Mean delay")


class ByAirline(Latest, feed=Flights, by=Flights.airline, window_s=5, windows=24, title="Airlines"):
    """Each airline's last two simulated hours."""

    departures = count(where=DEPARTED, label="Departures")
    mean_delay = mean(Flights.delay_min, where=DEPARTED, decimals=1, label="Mean delay")


class ByOrigin(
    Latest, feed=Flights, by=(Flights.airline, Flights.origin), window_s=5, windows=24,
    title="Airlines by origin",
):  # fmt: skip
    """The same, by airport as well."""

    departures = count(where=DEPARTED, label="Departures")


class LongDelays(
    Log, feed=Flights, where=DEPARTED & Flights.delay_min.at_least(60), parts=Flights.origin, entries_max=100
):  # fmt: skip
    """Departures an hour late or more."""
