"""Orders of a shop, posted by HTTP; late after three seconds, stale after six."""

from headwater import Feed, Freshness, Http, Latest, Log, Number, Series, Text, count, sum_, value


class Orders(
    Feed,
    name="orders",
    key="order",
    source=Http(),
    freshness=Freshness(expected_every_s=1, late_after_s=3, stale_after_s=6, may_be_quiet=True),
    lateness_s=3600,
):
    """Orders as they come."""

    order = Text(label="Order")
    shop = Text(label="Shop")
    price = Number(unit="EUR", decimals=2, label="Price")
    note = Text(label="Note", required=False, max_length=4_000)


class Everything(Latest, feed=Orders, title="Orders"):
    """Each order's newest event."""


class Total(Latest, feed=Orders, window_s=3600, windows=2, parts=Orders.shop, title="This hour and the one before"):
    """Orders of this hour and the one before; two windows, so that no test meets the turn of the hour."""

    orders = count(label="Orders")
    turnover = sum_(Orders.price, label="Turnover")


class Prices(Series, feed=Orders, by=Orders.shop, span_s=600, title="Prices"):
    """Every price."""

    price = value(Orders.price, label="Price")


class Dear(Log, feed=Orders, where=Orders.price.at_least(100), entries_max=20, title="Dear orders"):
    """Orders of 100 EUR and more."""


class Minute(Latest, feed=Orders, window_s=60, title="This minute"):
    """Orders of the minute that is open."""

    orders = count(label="Orders")
    turnover = sum_(Orders.price, label="Turnover")


class Minutes(Series, feed=Orders, window_s=60, span_s=1_800, parts=Orders.shop, title="By minute"):
    """Orders of each minute."""

    orders = count(label="Orders")
    turnover = sum_(Orders.price, label="Turnover")


class ByShop(Latest, feed=Orders, by=Orders.shop, window_s=60, windows=30, title="By shop"):
    """The last half hour of each shop."""

    orders = count(label="Orders")
    turnover = sum_(Orders.price, label="Turnover")
