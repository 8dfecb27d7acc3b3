"""Feeds for tests of personal fields: visits of people, in every kind of channel, and rooms that are channels each."""

from __future__ import annotations

from headwater import (
    Feed,
    Freshness,
    History,
    Http,
    Latest,
    Log,
    Number,
    Series,
    Text,
    count,
    maximum,
    sum_,
    value,
)

RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10, may_be_quiet=True)


class Visits(Feed, name="visits", key="visitor", source=Http(), freshness=RULE, lateness_s=3600):
    """Who looked at what."""

    visitor = Text(personal=True)
    mail = Text(personal=True, required=False)
    page = Text()
    spent = Number(personal=True, required=False)


class Visitors(Latest, feed=Visits):
    """Each visitor's last visit."""


class Pages(Latest, feed=Visits, by=Visits.page):
    """The last visit of each page."""


class Totals(Latest, feed=Visits, by=Visits.visitor, window_s=60):
    """What each visitor spent."""

    visits = count()
    spent = sum_(Visits.spent)
    most = maximum(Visits.spent)
    mail = value(Visits.mail)


class Sums(Latest, feed=Visits, by=Visits.page, window_s=60):
    """What was spent on each page, by all together."""

    visits = count()
    spent = sum_(Visits.spent)


class Course(Series, feed=Visits, by=(Visits.page, Visits.visitor), span_s=600):
    """What each visitor spent on each page."""

    spent = value(Visits.spent)


class Minutes(Series, feed=Visits, by=Visits.visitor, window_s=60, span_s=600):
    """What each visitor spent, by minute."""

    spent = sum_(Visits.spent)


class Last(Log, feed=Visits, entries_max=50):
    """The last visits."""


class OfPage(Latest, feed=Visits, partition=Visits.page, partitions_max=2):
    """Each page's visitors."""


class Rooms(
    Feed, name="rooms", key="room", source=Http(), freshness=RULE, lanes=2, partition="room", history=History(days=7)
):
    """A channel for each room."""

    room = Text()
    degrees = Number()


class Room(Latest, feed=Rooms, partition=Rooms.room):
    """One room."""


class Members(
    Feed, name="members", key="number", source=Http(), freshness=RULE, history=History(days=7, personal_days=1)
):
    """Members by a number that is not personal, whose names are kept for a day."""

    number = Text()
    name = Text(personal=True)
    age = Number(personal=True, required=False)


class Member(Latest, feed=Members, history=History(days=7, hourly_days=30)):
    """Each member's last entry."""


class Ages(Series, feed=Members, by=Members.number, span_s=600):
    """Each member's age, as told."""

    age = value(Members.age)
