"""Feeds for tests: small, and with every kind of channel."""

from __future__ import annotations

from headwater import (
    Feed,
    Flag,
    Freshness,
    History,
    Http,
    Integer,
    Latest,
    Log,
    Number,
    Series,
    Text,
    count,
    maximum,
    mean,
    minimum,
    quantile,
    rate,
    sum_,
    value,
)


class Orders(
    Feed,
    name="orders",
    key="order",
    source=Http(),
    lateness_s=3600,
    freshness=Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10, may_be_quiet=True),
    history=History(days=0),
):
    """Orders as they come."""

    order = Text()
    shop = Text()
    price = Number(unit="EUR", decimals=2)
    pieces = Integer(required=False)
    paid = Flag(required=False)
    note = Text(required=False)


class Board(Latest, feed=Orders, rows_max=5):
    """The five orders that changed last."""


class Everything(Latest, feed=Orders):
    """Each order's newest event."""


class Recent(Latest, feed=Orders, evict_after_s=10):
    """Orders of the last ten seconds."""


class ByShop(Latest, feed=Orders, by=Orders.shop, window_s=10, windows=3):
    """Aggregates of each shop over three windows of ten seconds."""

    orders = count()
    per_s = rate()
    turnover = sum_(Orders.price)
    mean_price = mean(Orders.price)
    least = minimum(Orders.price)
    most = maximum(Orders.price)
    median = quantile(Orders.price, 0.5)
    paid_share = mean(Orders.paid)
    last_price = value(Orders.price)


class Total(Latest, feed=Orders, window_s=10):
    """All shops together, the open window."""

    orders = count()
    dear = count(where=Orders.price.at_least(100))


class Prices(Series, feed=Orders, by=Orders.shop, span_s=60):
    """Every price, a minute."""

    price = value(Orders.price)


class Turnover(Series, feed=Orders, by=Orders.shop, window_s=5, windows=2, span_s=60):
    """Turnover of ten seconds, every five."""

    turnover = sum_(Orders.price)
    orders = count()


class Dear(Log, feed=Orders, where=Orders.price.at_least(100), entries_max=4):
    """The last four dear orders."""


class ShopBoard(Latest, feed=Orders, partition=Orders.shop, partitions_max=3):
    """Each shop's own orders."""
