"""Load: all channels of the project on one page."""

from bench.growth.project.feeds.load import Course, Entries, Load, Rows, Totals
from headwater import chart, log, page, row, table, tile

LOAD = page(
    "Load", "/load",
    row(*(tile(one, key="line-0") for one in (Totals.readings, Totals.mean_value, Totals.p95_value))),
    row(chart(Course.value), log(Entries, columns=[Load.key, Load.value])),
    table(Rows, columns=[Load.key, Load.value], sort=Load.key),
)
