"""The shop's page: one component of each kind."""

from headwater import chart, log, page, row, table, tile
from tests.project.feeds.shop import Dear, Everything, Orders, Prices, Total

SHOP = page(
    "Shop",
    "/",
    row(tile(Total.orders), tile(Total.turnover, decimals=2)),
    row(chart(Prices.price), log(Dear, columns=[Orders.order, Orders.price])),
    table(Everything, columns=[Orders.order, Orders.shop, Orders.price, Orders.note], sort=Orders.order),
)
