"""On screen: a channel as a DataFrame, as whoever sends a request has it on the screen.

A browser tells the position at which it shows each channel. The values are never taken from it: they are read here, at
that position, by whoever may see them. What is told may be forged: it chooses a position, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import orjson
from flask import abort, request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from app.answers import refusal
from app.past import Busy, Turns
from services.accounts import Action
from services.archive.frames import state_frame
from services.archive.recording import read_recorded, state_at
from services.broker import Broker
from services.database import Database, DatabaseDown
from services.declare import ChannelRef
from services.gateway.gateway import Gateway
from services.positions import Position
from services.state import Data

if TYPE_CHECKING:
    from pandas import DataFrame

TOLD = "screen"
"""The field of a callback's body in which `assets/live/screen.mjs` tells positions."""
_NUMBER = Field(ge=0, lt=2**53)


class _Position(BaseModel):
    """Where a live or paused channel stands on the screen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    epoch: str = Field(max_length=64)
    seq: int = _NUMBER


class _Past(BaseModel):
    """The past time that is replayed, in ms."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    at: int = _NUMBER


_SCREEN = TypeAdapter(dict[str, _Position | _Past])


@dataclass(frozen=True, slots=True)
class _Held:
    """What a channel is at a position."""

    data: Data
    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class OnScreen:
    """The channels of whoever sends the request at hand."""

    gateway: Gateway
    broker: Broker
    database: Database
    may: Callable[[], Callable[[Action, str], bool]]
    turns: Turns

    def frame(self, ref: ChannelRef) -> DataFrame:
        """The channel as it is on the screen, as it is now where it is not on it, or where that is no longer known.

        `attrs` say which it is: `channel`, and `position` with epoch and seq.
        Refuses the request of who may not see the channel, and one that tells what no page of ours tells.
        """
        may = self.may()
        if not may("view", ref.name):
            abort(refusal(404, "unknown_callback", "no such callback on the pages that you may see"))
        told, history = _told(ref.name), bool(ref.channel.history.days) and may("history", ref.name)
        if isinstance(told, _Past) and history:
            held = self._past(ref, told.at)
        else:
            held = self._held(ref, None if isinstance(told, _Past) else told, history)
        made = state_frame(ref, held.data)
        made.attrs |= {"channel": ref.name, "position": {"epoch": held.epoch, "seq": held.seq}}
        return made

    def _held(self, ref: ChannelRef, told: _Position | None, history: bool) -> _Held:
        now = _of_frame(orjson.loads(self.gateway.snapshot(ref)))
        if told is None or (told.epoch, told.seq) == (now.epoch, now.seq):
            return now
        if not history and not self._is_recent(ref, told, now):
            return now  # what was shown minutes ago is history, whoever says that he shows it still
        if told.seq == 0 and told.epoch != now.epoch:
            return now  # every channel began empty: that tells no epoch from one that never was
        position = Position(told.epoch, told.seq)
        try:
            with self.turns.one(), self.database.reading() as connection:
                data = state_at(connection, ref, position, lambda after: self.broker.read_range(ref, after))
        except Busy:
            _refuse_busy()
        except DatabaseDown:
            return now  # the live path does without
        return now if data is None else _Held(data, position.epoch, position.seq)

    def _is_recent(self, ref: ChannelRef, told: _Position, now: _Held) -> bool:
        """Whether the way from there to now is still with the broker, which is two minutes at most."""
        held = self.broker.read_range(ref, max(told.seq - 1, 0))
        return told.epoch == now.epoch and bool(held) and held[0].seq <= told.seq + 1

    def _past(self, ref: ChannelRef, at: int) -> _Held:
        try:
            with self.turns.one(), self.database.reading() as connection:
                frame = read_recorded(connection, ref, at, at).frames[0]
        except Busy:
            _refuse_busy()
        return _of_frame({**frame, "data": orjson.loads(orjson.dumps(frame["data"]))})


def _refuse_busy() -> NoReturn:
    abort(refusal(503, "busy", "others read the archive: ask again", Retry_After="1"))


def _of_frame(frame: dict[str, Any]) -> _Held:
    return _Held(frame["data"], frame["epoch"] or "", frame["seq"])


def _told(name: str) -> _Position | _Past | None:
    """Where the channel is shown; None where it is not, or no page told."""
    body = request.get_json(silent=True)
    try:
        return _SCREEN.validate_python(body.get(TOLD, {}) if isinstance(body, dict) else {}).get(name)
    except ValidationError:
        abort(refusal(400, "bad_callback", "what is told of the screen is not what our pages tell; load the page anew"))
