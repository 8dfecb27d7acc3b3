"""Gallery: every component that a page can show, live, and one that a team has made by itself."""

from headwater import bar, grid, heat_map, histogram, live_text, page, painted, row, status_list, tile
from services.feeds.flights import Board, ByAirline, ByOrigin, Delays, Flights, LastHour

GALLERY = page(
    "Gallery", "/gallery",
    live_text(
        "In the last simulated hour {departures} flights departed, {share} of them on time; they were {delay} late on "
        "average, and {cancelled} were cancelled.",
        title="Text with live values", departures=LastHour.departures, cancelled=LastHour.cancelled,
        share=tile(LastHour.on_time_share, scale=100, unit="%", decimals=0, warn_below=70, bad_below=40),
        delay=tile(LastHour.mean_delay, warn_above=20, bad_above=40),
    ),
    grid(
        """
        bars   bars   states
        bars   bars   states
        lies   lies   gauge
        """,
        bars=bar(ByAirline.departures, top=10, title="Departures by airline"),
        states=status_list(ByAirline.mean_delay, detail=[ByAirline.departures], warn_above=15, bad_above=30,
                           title="Airlines by delay"),
        lies=histogram(Flights.delay_min, of=Board, bounds=(-20, 120), bins=28, title="Delays of the board's flights"),
        gauge=painted("gauge", LastHour, fields=[LastHour.mean_delay], title="Mean delay, as a gauge",
                      options={"key": "all", "bounds": (0, 60)}),
    ),
    row(
        heat_map(Delays.mean_delay, columns=24, bounds=(0, 60), title="Delay by origin over time"),
        heat_map(ByOrigin.departures, title="Departures by airline and origin"),
    ),
    about="Every component, live.", order=85,
)
