"""Probe: the feed that is in every system, through which the path is tried from end to end.

A probe names a lane. It goes through that lane's stream with a mark, which no channel folds; once the lane's worker
has committed it, an answer comes through this feed's own lane to the channel `probe.answers`.
"""

from __future__ import annotations

from typing import Literal

from services.declare.channels import Latest
from services.declare.columns import Text
from services.declare.feeds import Feed, Freshness, History
from services.sources.source import Http

Mark = Literal["probe", "acceptance", "load"]
"""Why an event that is no client's is on a client's stream."""
PROBE_FEED = "probe"
CONTRACT_FEED = "contract"
"""The feed that says how the contract stands, in every project that has one."""


class Probe(
    Feed,
    name=PROBE_FEED,
    key="name",
    source=Http("probes of the whole path"),
    freshness=Freshness(expected_every_s=10, late_after_s=30, stale_after_s=60, may_be_quiet=True),
    history=History(days=0),
):
    """One try of one lane."""

    name = Text(about="lane and place")
    lane = Text()
    place = Text(about="where it was sent from")
    token = Text(about="names this try")
    worker = Text(required=False, about="who committed it")


class Answers(Latest, feed=Probe, rows_max=1_000, evict_after_s=3_600, title="Probes"):
    """The last try of each lane, from each place."""


def is_built_in(name: str) -> bool:
    """Whether a feed or channel of that name is ours, so that no client's figure counts it."""
    return name.partition(".")[0] == PROBE_FEED


def is_of_clients(name: str) -> bool:
    """Whether a feed or channel of that name counts for "all channels": how the contract stands is no part of it."""
    return name.partition(".")[0] not in (PROBE_FEED, CONTRACT_FEED)
