"""Two feeds, and channels that are functions of theirs: a join, a ratio over it, and one of a series and a log."""

from __future__ import annotations

from typing import Any

from headwater import Derived, Feed, Freshness, Http, Latest, Log, Number, Series, Text, value

RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10)


class Prices(Feed, name="prices", key="item", source=Http(), freshness=RULE):
    """What things are sold for."""

    item = Text()
    price = Number()


class Costs(Feed, name="costs", key="item", source=Http(), freshness=Freshness(10, 60, 300)):
    """What they cost."""

    item = Text()
    cost = Number()


class Price(Latest, feed=Prices, rows_max=5):
    """The newest price of each."""


class Course(Series, feed=Prices, by=Prices.item, span_s=600):
    """Every price."""

    price = value(Prices.price)


class Dear(Log, feed=Prices, where=Prices.price.at_least(50), entries_max=5):
    """Dear ones."""


class Cost(Latest, feed=Costs):
    """The newest cost of each."""


class Margin(Derived, name="margin", of=[Price, Cost], key="item"):
    """What is earned of each, in percent."""

    item = Text()
    percent = Number(unit="%", decimals=1)
    note = Text(required=False)

    @staticmethod
    def rows(prices: dict[str, Any], costs: dict[str, Any]) -> list[dict[str, Any]]:
        if any(one["price"] == 666 for one in prices.values()):
            raise ArithmeticError("the number of the beast")
        return [
            {"item": item, "percent": 100 * (row["price"] - costs[item]["cost"]) / row["price"],
             "note": "loss" if row["price"] < costs[item]["cost"] else None}
            for item, row in prices.items() if item in costs and row["price"]
        ]


class Summary(Derived, name="summary", of=["margin.now", "prices.course", "prices.dear"], key="what", freshness=RULE):
    """Of all of them."""

    what = Text()
    number = Number()

    @staticmethod
    def rows(margin: dict[str, Any], course: dict[str, Any], dear: list[Any]) -> list[dict[str, Any]]:
        return [
            {"what": "losses", "number": sum(row["percent"] < 0 for row in margin.values())},
            {"what": "points", "number": sum(map(len, course.values()))},
            {"what": "dear", "number": len(dear)},
        ]
