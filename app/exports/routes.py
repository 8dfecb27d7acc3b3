"""Routes: `/api/channels/<channel>/export`: what a viewer shows, what the channel is now, or what it was.

What a viewer shows it sends itself, with its position: only so is the file what was on the screen, also while it is
paused or filtered. The present state and an interval come from the server's own.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

import orjson
from flask import Request, Response
from pydantic import BaseModel, ValidationError

from app.answers import refusal
from app.exports.formats import MIME, Format, write
from app.exports.outlet import Outlet, Sink
from app.exports.sheet import Row, Sheet, Stamp, file_name, now_columns, past_columns, rows_of
from app.past import Question
from services.archive.reading import gaps_past
from services.archive.stretches import Reach, reach, stretches
from services.database import Database
from services.declare import ChannelRef
from services.gateway.gateway import Gateway
from services.positions import Clock

AT_ONCE = 2
"""Intervals that a web process exports at the same time: each holds a thread and a connection to the database."""
RETRY_S = 5
SHOWN_BYTES_MAX = 16 * 1024 * 1024
ROWS_AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True)
class Exports:
    """The answers of the route, with what they need."""

    gateway: Gateway
    database: Database
    clock: Clock
    places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))

    def of_shown(self, ref: ChannelRef, request: Request) -> Response:
        """A file of the rows that a viewer shows, stamped with the position that it is at."""
        if (request.content_length or 0) > SHOWN_BYTES_MAX:
            return refusal(413, "too_large", f"at most {SHOWN_BYTES_MAX} bytes; export the channel or an interval")
        request.max_content_length = SHOWN_BYTES_MAX
        try:
            shown = orjson.loads(request.get_data())
            form, sheet, rows = _read_shown(ref, shown, self.clock())
            return _whole(form, sheet, rows)
        except ValueError as error:
            return refusal(400, "bad_export", str(error))

    def of_now(self, ref: ChannelRef, asked: Mapping[str, str]) -> Response:
        """A file of the channel's present state. Raises BrokerDown."""
        try:
            form = _format(asked)
        except ValueError as error:
            return refusal(400, "bad_export", str(error))
        frame = orjson.loads(self.gateway.snapshot(ref))
        event_at = (frame.get("times") or {}).get("created", [None, None])[1]
        stamp = Stamp.of(ref, frame["epoch"] or None, frame["seq"], event_at or None, self.clock())
        return _whole(form, Sheet(now_columns(ref.channel), stamp), rows_of(ref.channel.kind, frame["data"]))

    def of_past(self, ref: ChannelRef, asked: Mapping[str, str], allowed: Callable[[], bool]) -> Response:
        """A file of an interval from the archive, handed over while it is read, and as long as it is `allowed`.

        Raises DatabaseDown.
        """
        now = self.clock()
        try:
            form = _format(asked)
            question = Question.read({name: asked[name] for name in ("since", "until") if name in asked}, now)
        except ValueError as error:
            return refusal(400, "bad_interval", str(error))
        if not ref.channel.history.days:
            return refusal(404, "no_history", f"channel {ref.name!r} keeps none; declare history=History(days=...)")
        if not self.places.acquire(blocking=False):
            detail = f"{AT_ONCE} exports are under way in this process; come again"
            return refusal(429, "exports_busy", detail, Retry_After=str(RETRY_S))
        try:
            with self.database.reading() as connection:
                found = reach(connection, ref, question.until)
                missing = gaps_past(connection, ref.channel.feed.name, question.since, question.until, ref.name)
            sheet = _past_sheet(ref, question, found, missing, now)
            outlet = Outlet(
                self._producing(ref, question, form, sheet), framed=asked.get("progress") == "1",
                ended=self.places.release, allowed=allowed,
            )
        except BaseException:
            self.places.release()
            raise
        answer = Response(outlet, 200, content_type=MIME[form])
        answer.call_on_close(outlet.close)
        name = file_name(sheet.stamp, form, (question.since, question.until))
        return _as_file(answer, name, {"Headwater-Gaps": str(len(missing))})

    def _producing(
        self, ref: ChannelRef, question: Question, form: Format, sheet: Sheet
    ) -> Callable[[Sink], None]:
        def produce(sink: Sink) -> None:
            with self.database.reading() as connection:
                def batches() -> Iterator[Sequence[Row]]:
                    for piece in stretches(connection, ref, question.since, question.until):
                        for first in range(0, len(piece.rows), ROWS_AT_A_TIME):
                            batch = piece.rows[first : first + ROWS_AT_A_TIME]
                            yield batch
                            sink.note(len(batch), sink.until)
                        sink.note(0, piece.until)

                write(form, sheet, batches(), cast(Any, sink))

        return produce


class _Position(BaseModel):
    epoch: str | None = None
    seq: int | None = None


class _Shown(BaseModel):
    """What a viewer shows: rows of the channel's columns, at a position, the newest event's time; whether that is of
    now, or of `shown_at`, the time at which the page is paused or that a replay shows."""

    format: Format = "csv"
    columns: list[str] | None = None
    rows: list[dict[str, Any]]
    position: _Position | None = None
    created_at: int | None = None
    shown: Literal["live", "paused", "replay"] = "live"
    shown_at: int | None = None


def _format(asked: Mapping[str, Any]) -> Format:
    form = asked.get("format", "csv")
    if form not in get_args(Format):
        raise ValueError(f"format: {str(form)[:40]!r}: give one of {', '.join(get_args(Format))}")
    return cast(Format, form)


def _read_shown(ref: ChannelRef, shown: Any, now: int) -> tuple[Format, Sheet, Sequence[Row]]:
    """What a viewer says it shows. Raises ValueError with the remedy."""
    known = now_columns(ref.channel)
    try:
        said = _Shown.model_validate(shown)
    except ValidationError as error:
        fault = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}") from error
    names = said.columns or list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"columns: {unknown[:3]}: {ref.name!r} has {', '.join(known)}")
    position = said.position or _Position()
    stamp = Stamp.of(ref, position.epoch, position.seq, said.created_at, now, said.shown, said.shown_at)
    return said.format, Sheet({name: known[name] for name in names}, stamp), said.rows


def _past_sheet(
    ref: ChannelRef, question: Question, found: Reach | None, missing: Sequence[Row], now: int
) -> Sheet:
    position = None if found is None else found.position
    stamp = Stamp.of(
        ref, None if position is None else position.epoch, None if position is None else position.seq,
        None if found is None else found.at, now, "archive", question.until,
    )
    about = {"since": str(question.since), "until": str(question.until), "gaps": orjson.dumps(list(missing)).decode()}
    return Sheet(past_columns(ref.channel), stamp, about)


def _whole(form: Format, sheet: Sheet, rows: Sequence[Row]) -> Response:
    """A file that is short enough to be made at once. Raises WrongValue."""
    body = io.BytesIO()
    write(form, sheet, [rows], body)
    answer = Response(body.getvalue(), 200, content_type=MIME[form])
    return _as_file(answer, file_name(sheet.stamp, form), {"Headwater-Rows": str(len(rows))})


def _as_file(answer: Response, name: str, told: Mapping[str, str]) -> Response:
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"', **told}
    for header, text in headers.items():
        answer.headers[header] = text
    return answer
