"""Flights: a replayed year of departures from New York, as an operations desk would watch it."""

from headwater import chart, log, page, row, table, tile
from services.feeds.flights import Board, Delays, Flights, Hourly, LastHour, LongDelays

FLIGHTS = page(
    "Flights", "/",
    row(
        tile(LastHour.departures, trend=Hourly.departures),
        tile(LastHour.on_time_share, trend=Hourly.on_time_share, scale=100, unit="%", decimals=1, warn_below=70),
        tile(LastHour.mean_delay, trend=Hourly.mean_delay, warn_above=20, bad_above=40),
        tile(LastHour.cancelled, trend=Hourly.cancelled, warn_above=10),
        tile(LastHour.worst_delay),
    ),
    row(
        chart(Delays.mean_delay),
        log(LongDelays, columns=[Flights.flight, Flights.origin, Flights.destination_name, Flights.delay_min]),
    ),
    table(Board, columns=[
        Flights.scheduled, Flights.flight, Flights.airline, Flights.origin, Flights.destination,
        Flights.destination_name, Flights.status, Flights.delay_min, Flights.simulated_at,
    ], sort=Flights.simulated_at, descending=True),
    choose=Flights.origin,
)
