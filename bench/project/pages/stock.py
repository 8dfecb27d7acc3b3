"""The page that a burst is seen on: 20 of 1,000 articles on tiles, all of them in a table."""

from bench.project.feeds.stock import SHOWN, Levels, Stock
from headwater import page, row, table, tile

STOCK = page(
    "Stock", "/stock",
    row(*(tile(Stock.serial, of=Levels, key=key, title=f"Article {key}") for key in SHOWN)),
    table(Levels, columns=[Stock.article, Stock.serial, Stock.place], sort=Stock.article),
)
