"""Values by window: the open one beside those that are closed, and what came late into these."""

from headwater import chart, page, row, table, tile
from tests.project.feeds.shop import ByShop, Minute, Minutes

MINUTES = page(
    "Minutes", "/minutes",
    row(
        tile(Minute.turnover, trend=Minutes.turnover, decimals=2),
        tile(ByShop.turnover, key="north", title="Half an hour"),
    ),
    row(chart(Minutes.turnover), chart(Minutes.orders, warn_above=4, bad_above=6)),
    table(ByShop, rows=3),
)
