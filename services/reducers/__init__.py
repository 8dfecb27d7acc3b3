"""Reducers: fold a lane's events into the state of its channels, one file for each kind of channel."""

from services.declare import Channel
from services.reducers.entries import LogEntries
from services.reducers.points import Points, PointWindows
from services.reducers.reducer import Change, Reducer
from services.reducers.rows import AggregateRows, LatestRows

__all__ = ["Change", "Reducer", "reducer_of"]


def reducer_of(channel: type[Channel]) -> Reducer:
    """An empty reducer of the channel."""
    if channel.kind == "log":
        return LogEntries(channel)
    if channel.kind == "latest":
        return AggregateRows(channel) if channel.aggregates else LatestRows(channel)
    return PointWindows(channel) if channel.window_s is not None else Points(channel)
