"""Recorded: what `GET /api/channels/<channel>/recorded` answers: the frames of a past interval, to replay them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response
from sqlalchemy import Connection

from app.answers import json_answer, refusal
from app.past import DAY_MS, Busy, Turns, read_time
from services.archive.recomputing import can_recompute, read_recomputed
from services.archive.recording import Recording, read_recorded, recorded_from
from services.database import Database
from services.declare import ChannelRef
from services.positions import Position

DEFAULT_MS = 60_000
SKEW_MS = 10_000
"""A viewer's clock may be so far ahead and still ask for what is now."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is wanted: frames from `since` up to, but without, `until`; `after` is the position that is known.

    Where both are one, it is the state alone.
    """

    since: int
    until: int
    after: Position | None

    @classmethod
    def read(cls, asked: Mapping[str, str], now: int) -> Question:
        """From a request's arguments; a minute where no end is named. Raises ValueError with the remedy."""
        if "since" not in asked:
            raise ValueError("since: missing; give the time at which the replay begins")
        since = read_time("since", asked["since"])
        until = read_time("until", asked["until"]) if "until" in asked else since + DEFAULT_MS
        if since > until:
            raise ValueError(f"since: {since} is after until: {until}; give an earlier since")
        if since > now + SKEW_MS:
            raise ValueError(f"since: {since} is in the future; give an earlier since")
        return cls(since, max(since, min(now, until)), _read_position(asked["after"]) if asked.get("after") else None)


def _read_position(text: str) -> Position:
    epoch, _, seq = text.rpartition(":")
    if not epoch or not seq.isdecimal():
        raise ValueError(f"after: {text[:40]!r}: give <epoch>:<seq>, or leave it out")
    return Position(epoch, int(seq))


def answer_recorded(
    database: Database, turns: Turns, ref: ChannelRef, asked: Mapping[str, str], now: int, head: Position | None
) -> Response:
    """The answer for a channel that one may see the history of, and that stands at `head`. Raises DatabaseDown."""
    try:
        question = Question.read(asked, now)
    except ValueError as error:
        return refusal(400, "bad_interval", str(error))
    try:
        with turns.one(), database.reading() as connection:
            found = _recording(connection, ref, question, head)
    except Busy:
        return refusal(503, "busy", "others read the archive: ask again", Retry_After="1")
    days = max(ref.channel.history.days, ref.channel.feed.history.days)
    return json_answer({
        "channel": ref.name, "recorded": ref.channel.feed.source.recorded, "how": found.how, "since": question.since,
        "until": question.until, "kept_since": now - int(days * DAY_MS), "complete_until": found.complete_until,
        "frames": found.frames, "gaps": found.gaps,
    })


def _recording(connection: Connection, ref: ChannelRef, question: Question, head: Position | None) -> Recording:
    """The recorded frames; before the first of them, or where there are none, recomputed ones."""
    since, until = question.since, question.until
    begin = recorded_from(connection, ref)
    if begin is not None and begin <= since:
        return read_recorded(connection, ref, since, until, question.after, head=head)
    if can_recompute(connection, ref, begin):
        return read_recomputed(connection, ref, since, until if begin is None else min(until, begin))
    found = read_recorded(connection, ref, since, until, head=head)
    return found if begin is not None else Recording("none", found.frames, found.gaps, found.complete_until)
