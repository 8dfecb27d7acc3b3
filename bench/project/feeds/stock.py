"""Stock: 1,000 articles whose levels change all at once, as after a nightly import."""

from headwater import Feed, Freshness, History, Http, Integer, Latest, Text

ARTICLES = tuple(f"a{number:04d}" for number in range(1_000))
SHOWN = ARTICLES[::50]


class Stock(
    Feed, name="stock", key="article", source=Http(), history=History(days=0),
    freshness=Freshness(expected_every_s=60, late_after_s=60, stale_after_s=600, may_be_quiet=True),
):
    """The level of one article."""

    article = Text(label="Article")
    serial = Integer(label="Serial")
    place = Text(label="Place")


class Levels(Latest, feed=Stock, rows_max=1_000, title="Articles"):
    """The newest level of each article."""
