"""The page on which event → paint is measured: 20 tiles, 2 charts of 4 × 600 points, a table of 500 rows."""

from bench.project.feeds.plant import GAUGES, Flows, Gauges, Heats, Plant, Readings
from headwater import chart, page, row, table, tile

PLANT = page(
    "Plant", "/",
    row(*(tile(Plant.serial, of=Gauges, key=key, title=f"Gauge {key}") for key in GAUGES)),
    row(chart(Flows.reading), chart(Heats.reading)),
    table(Readings, columns=[Plant.meter, Plant.serial, Plant.value, Plant.status], sort=Plant.meter),
)
