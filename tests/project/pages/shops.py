"""One shop alone: by parts of a channel, by lines, by rows and entries, and two tiles that cannot."""

from headwater import chart, log, page, row, table, tile
from tests.project.feeds.shop import ByShop, Dear, Everything, Minute, Minutes, Orders, Prices, Total

SHOPS = page(
    "Shops", "/shops",
    row(
        tile(Total.orders, trend=Minutes.orders), tile(Total.turnover, decimals=2), tile(Minute.orders, title="Minute"),
        tile(ByShop.turnover, key="north", title="North alone"),
    ),
    row(chart(Minutes.turnover), chart(Prices.price), log(Dear, columns=[Orders.order, Orders.shop, Orders.price])),
    table(Everything, columns=[Orders.order, Orders.shop, Orders.price], sort=Orders.order),
    choose=Orders.shop,
)
