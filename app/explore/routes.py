"""Routes: `GET /api/explore` answers a question from the archive, as JSON for the page or as a file to take away.

The work goes on in a thread of its own while the answer tells how far it is; it takes its turn at the archive stretch
by stretch, so that neither the live path nor another reader waits for it, and ends when whoever asked is gone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast, get_args

import orjson
from flask import Flask, Response, request
from sqlalchemy import Connection

from app.answers import refusal
from app.doors import Doors
from app.explore.question import Question, read_question
from app.explore.sources import Source
from app.explore.words import decimals_of, unit_of, value_in_words
from app.exports.formats import MIME, Format, write
from app.exports.outlet import Outlet, Sink
from app.exports.sheet import Row, Sheet, Stamp, file_name
from app.past import Busy, Turns
from components.freshness import feed_in_words
from services.accounts import Action, can
from services.accounts.audit import Audit
from services.archive.aggregating import Aggregation, TooMany
from services.archive.exploring import Answer, Interval, archived_until, explore
from services.broker import Broker, BrokerDown
from services.database import Database
from services.declare import Declarations, FeedSpec, FieldType
from services.positions import Clock

AT_ONCE = 2
"""Questions that a web process works on at a time: each holds a thread."""
RETRY_S = 5
LINES_MAX = 20
"""Lines that a chart can show; the groups with most events get one."""
PATIENCE_S, TURN_EVERY_S = 30.0, 0.2
NO_GROUP = "(none)"
WHOLE = "all"


@dataclass(frozen=True, slots=True)
class Explore:
    """The route with what it needs. `turns` are those of everybody who reads the archive in this process."""

    declarations: Declarations
    doors: Doors
    database: Database
    broker: Broker
    turns: Turns
    clock: Clock
    audit: Audit
    places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))

    def register(self, server: Flask) -> None:
        server.add_url_rule("/api/explore", view_func=self.explore)

    def explore(self) -> Response:
        """The answer to a question, or what is wrong with it. Raises DatabaseDown."""
        principal = self.doors.principal()
        if principal is None:
            return refusal(401, "not_signed_in", "sign in first")
        now, asked = self.clock(), request.args
        form = asked.get("format", "json")
        if form not in ("json", *get_args(Format)):
            return refusal(400, "bad_question", f"format: {form[:40]!r}: give one of json, csv, parquet")
        question = read_question(asked, self.declarations, lambda action, name: can(principal, action, name), now)
        if question.problems:
            unknown = question.source is None
            status, code = (404, "unknown_source") if unknown else (400, "bad_question")
            return refusal(status, code, "; ".join(map(str, question.problems)))
        if question.source is None:
            return refusal(400, "bad_question", "of: '': name a channel or a feed")
        if question.is_declared:
            detail = f"show: 'declared': {question.source.name} is live: /api/channels has its snapshot and history"
            return refusal(400, "bad_question", detail)
        if form != "json":
            if not can(principal, "export", question.source.name):
                detail = f"of: {question.source.name!r}: nothing of that name to take away"
                return refusal(404, "unknown_source", detail)
            if not self.doors.is_open:
                self.audit.record(
                    "exported", who=principal.name, subject=question.source.name, address=request.remote_addr or "",
                    detail=f"explore, {form}",
                )
        allowed = self.doors.still_may(question.source.name, *_needed(question.source, form))
        return self._answer(question, form, now, allowed, framed=asked.get("progress") == "1")

    def _answer(
        self, question: Question, form: str, now: int, allowed: Callable[[], bool], *, framed: bool
    ) -> Response:
        assert question.source is not None
        if not self.places.acquire(blocking=False):
            detail = f"{AT_ONCE} questions are being answered in this process; come again"
            return refusal(429, "explore_busy", detail, Retry_After=str(RETRY_S))
        try:
            interval, as_of = question.interval(now), self._as_of(question.source.feed, now)
            outlet = Outlet(self._producing(question, interval, as_of, form, now), framed=framed,
                            ended=self.places.release, allowed=allowed)
        except BaseException:
            self.places.release()
            raise
        kind = "application/json" if form == "json" else MIME[cast(Format, form)]
        answer = Response(outlet, 200, content_type=kind)
        answer.call_on_close(outlet.close)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Headwater-Interval"] = f"{interval.since} {interval.until}"
        if form != "json":
            name = file_name(_stamp(question, None, now), form, (interval.since, min(interval.until, as_of)))
            answer.headers["Content-Disposition"] = f'attachment; filename="explore-{name}"'
        return answer

    def _producing(self, question: Question, interval: Interval, as_of: int, form: str, now: int) -> Any:
        asked = question.aggregation()

        def produce(sink: Sink) -> None:
            def note(events: int, read_ms: int) -> None:
                sink.note(events, interval.since + read_ms)

            try:
                answer = explore(self._reading, asked, interval, as_of, note=note)
            except TooMany:
                if form != "json":
                    raise ValueError(_too_many(asked)) from None
                sink.write(orjson.dumps({"refused": _too_many(asked)}))
                return
            if form == "json":
                sink.write(orjson.dumps(_as_json(question, answer)))
            else:
                sheet = Sheet(_columns(asked), _stamp(question, answer, now), _about(question, answer))
                write(cast(Format, form), sheet, [_rows(question, answer)], cast(Any, sink))

        return produce

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A turn at the archive, waited for, and a transaction in it."""
        with ExitStack() as stack:
            until = time.monotonic() + PATIENCE_S
            while True:
                try:
                    stack.enter_context(self.turns.one())
                    break
                except Busy:
                    if time.monotonic() > until:
                        raise Busy("others read the archive: ask again") from None
                    time.sleep(TURN_EVERY_S)
            yield stack.enter_context(self.database.reading())

    def _as_of(self, feed: FeedSpec, now: int) -> int:
        """Up to when the archive has everything that was accepted. Raises DatabaseDown."""
        try:
            lanes = self.broker.lane_progress(feed.all_lanes()).values()
        except BrokerDown:
            with self._reading() as connection:
                return min(now, archived_until(connection, feed))
        return min([now, *(lane.unarchived_since or lane.at for lane in lanes if lane.unarchived)])


def _needed(source: Source, form: str) -> tuple[Action, ...]:
    """What whoever asks must be allowed until the last of the answer is handed over."""
    seen: tuple[Action, ...] = ("history",) if source.ref is None else ("view", "history")
    return seen if form == "json" else (*seen, "export")


def _too_many(asked: Aggregation) -> str:
    by = "" if asked.by is None else asked.by.name
    return f"by: {by!r}: it has too many values in this interval; choose another field, or a shorter interval"


def _name(asked: Aggregation, group: str | None) -> str:
    return WHOLE if asked.by is None else NO_GROUP if group is None else group


def _as_json(question: Question, answer: Answer) -> dict[str, Any]:
    asked, interval = answer.asked, answer.interval
    groups = answer.by_events()
    assert question.source is not None
    return {
        "of": question.source.name, "label": value_in_words(asked), "unit": unit_of(asked),
        "decimals": decimals_of(asked), "by": None if asked.by is None else asked.by.label,
        "since": interval.since, "until": answer.end, "step_ms": interval.step_ms, "as_of": answer.as_of,
        "begin": answer.begin, "reached": answer.reached, "open": answer.is_open, "newest": answer.newest,
        "silence": answer.longest_silence,
        "kept_ms": int(86_400_000 * asked.feed.history.days), "gaps": answer.gaps,
        "events": sum(found.events for found in answer.groups.values()),
        "lines": {_name(asked, group): answer.line(group) for group in groups[:LINES_MAX]},
        "groups": [[_name(asked, group), answer.total(group), answer.groups[group].events] for group in groups],
    }


def _value_column(asked: Aggregation) -> str:
    if asked.field is None:
        return asked.function if asked.function == "rate" else "events"
    rank = f"p{100 * asked.q:g}".replace(".", "_")
    return f"{rank if asked.function == 'quantile' else asked.function}_{asked.field.name}"


def _group_column(asked: Aggregation) -> str | None:
    if asked.by is None:
        return None
    taken = ("events", "window_start", "window_end", _value_column(asked))
    return f"{asked.by.name}_group" if asked.by.name in taken else asked.by.name


def _columns(asked: Aggregation) -> dict[str, FieldType]:
    group = _group_column(asked)
    named: dict[str, FieldType] = {} if group is None else {group: "text"}
    times: dict[str, FieldType] = {"window_start": "moment", "window_end": "moment"}
    return {**times, **named, _value_column(asked): "number", "events": "integer"}


def _rows(question: Question, answer: Answer) -> list[Row]:
    """A row for each window and group of a chart, or for each group over the whole interval."""
    asked, interval = answer.asked, answer.interval
    rows: list[Row] = []
    for group in answer.by_events():
        named = {} if asked.by is None else {str(_group_column(asked)): group}
        if question.form == "table":
            whole = {_value_column(asked): answer.total(group), "events": answer.groups[group].events}
            rows.append({"window_start": answer.begin, "window_end": answer.end, **named, **whole})
            continue
        for start, value in answer.line(group):
            window, offset = divmod(int(start or 0) - interval.since, interval.step_ms)
            if offset:
                continue  # a gap of the drawing
            found = answer.windows.get((window, group))
            told = {_value_column(asked): value, "events": 0 if found is None else found.events}
            rows.append({"window_start": start, "window_end": interval.end(window), **named, **told})
    return rows


def _stamp(question: Question, answer: Answer | None, now: int) -> Stamp:
    """Of an answer there is no position: its rows say of which time they are."""
    assert question.source is not None
    newest = None if answer is None or answer.newest is None else min(answer.newest, answer.end)
    age = None if newest is None else max(0, now - newest)
    as_of = now if answer is None else answer.as_of
    return Stamp(question.source.name, None, None, age, now, feed_in_words(question.source.feed), "archive", as_of)


def _about(question: Question, answer: Answer) -> dict[str, str]:
    told = {f"asked.{name}": text for name, text in question.asked().items()}
    return {**told, "as_of": str(answer.as_of), "reached": str(answer.reached),
            "gaps": orjson.dumps(list(answer.gaps)).decode()}
