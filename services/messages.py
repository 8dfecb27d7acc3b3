"""Messages: the frames between gateway and viewer, version 1 of the protocol, and the close codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

import orjson

from services.declare import Keep, Kind
from services.positions import Position, Times

PROTOCOL = 1
DEPTH_LIMIT = 16
CHANNELS_LIMIT = 200
WAIT_LIMIT_S = 25
HUSH_LIMIT_S = 310

ErrorCode = Literal["forbidden", "unknown_channel", "bad_message", "too_many"]


class Close(Enum):
    """Why a socket is closed: (code, reason, whether the viewer comes back by itself)."""

    NORMAL = (1000, "bye", True)
    RESTART = (1012, "restarting, reconnect with jitter", True)
    UNSUPPORTED = (1003, "text frames only", False)
    PROTOCOL_ERROR = (1002, "protocol error", False)
    BAD_TEXT = (1007, "text is not UTF-8", False)
    TOO_BIG = (1009, "message too big", False)
    INTERNAL = (1011, "internal error, reconnect", True)
    FULL = (1013, "full, reconnect later", True)
    GAP = (4000, "gap or silence", True)
    BAD_MESSAGE = (4400, "bad message", False)
    SIGNED_OUT = (4401, "not signed in", False)
    FORBIDDEN = (4403, "not allowed any more", False)
    TOO_SLOW = (4408, "too slow", True)
    TOO_MANY = (4429, "too many connections", True)

    @property
    def code(self) -> int:
        return self.value[0]

    @property
    def reason(self) -> str:
        return self.value[1]

    @property
    def retried(self) -> bool:
        return self.value[2]


class BadMessage(ValueError):
    """A viewer's message that the protocol does not know; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """The whole wanted set: a position asks to recover, None for a snapshot."""

    channels: Mapping[str, Position | None]


@dataclass(frozen=True, slots=True)
class Changes:
    """A long poll: as `Subscribe`, answered at once with what is newer, else within `wait_s`.

    `heartbeat`: the answer ends with a heartbeat even where there is nothing else.
    """

    channels: Mapping[str, Position | None]
    wait_s: float
    heartbeat: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """A viewer's clock, to be sent back as it came."""

    t: float


@dataclass(frozen=True, slots=True)
class Hush:
    """For so long the viewer wants to hear nothing, not even a ping: it measures how long the link may idle."""

    for_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """Telemetry of one viewer, as sent; its reader checks it."""

    body: Mapping[str, Any]


def _read_object(text: str | bytes) -> dict[str, Any]:
    try:
        raw = orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise BadMessage(f"not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise BadMessage(f"expected an object, got {type(raw).__name__}")
    if depth(raw) > DEPTH_LIMIT:
        raise BadMessage(f"nested deeper than {DEPTH_LIMIT}")
    return raw


def read_viewer_message(text: str | bytes) -> Subscribe | Ping | Hush | Report:
    """Parse one message of a viewer. Raises BadMessage with what is wrong."""
    raw = _read_object(text)
    match raw.get("op"):
        case "subscribe":
            return read_subscription(raw)
        case "ping":
            if isinstance(raw.get("t"), int | float):
                return Ping(raw["t"])
            raise BadMessage(f"ping: t is {raw.get('t')!r}; send a number")
        case "hush":
            return Hush(_read_seconds(raw.get("for_s"), "for_s", HUSH_LIMIT_S))
        case "report":
            return Report(raw)
        case op:
            raise BadMessage(f"op is {op!r}; send subscribe, ping, hush or report")


def read_subscription(raw: Mapping[str, Any]) -> Subscribe:
    """The wanted set of a subscribe message or a long poll's body. Raises BadMessage."""
    channels = raw.get("channels")
    if not isinstance(channels, dict):
        raise BadMessage("subscribe: channels is missing; send an object of channel names to positions or null")
    if len(channels) > CHANNELS_LIMIT:
        raise BadMessage(f"subscribe: {len(channels)} channels; send at most {CHANNELS_LIMIT}")
    return Subscribe({name: _read_position(name, position) for name, position in channels.items()})


def read_changes(text: str | bytes) -> Changes:
    """A long poll's body. Raises BadMessage."""
    raw = _read_object(text)
    wait_s, heartbeat = raw.get("wait_s", WAIT_LIMIT_S), raw.get("heartbeat", False)
    wait_s = _read_seconds(wait_s, "wait_s", WAIT_LIMIT_S)
    if not isinstance(heartbeat, bool):
        raise BadMessage(f"heartbeat is {heartbeat!r}; send true or false")
    return Changes(read_subscription(raw).channels, wait_s, heartbeat)


def _read_seconds(found: Any, name: str, limit_s: float) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= limit_s:
        raise BadMessage(f"{name} is {found!r}; send a number from 0 to {limit_s}")
    return found


def _read_position(name: str, raw: Any) -> Position | None:
    if raw is None:
        return None
    if isinstance(raw, dict) and isinstance(raw.get("epoch"), str) and type(raw.get("seq")) is int:
        return Position(raw["epoch"], raw["seq"])
    raise BadMessage(f"subscribe: channel {name!r}: position {raw!r}; send null or an epoch and a seq")


def depth(raw: Any) -> int:
    """How deeply lists and objects are nested; 0 for a plain value. Iterative: depth cannot exhaust the stack."""
    deepest, level = 0, [raw]
    while level := [item for item in level if isinstance(item, dict | list)]:
        deepest += 1
        if deepest > 1_000:
            return deepest
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return deepest


def hello(*, server_time: int, heartbeat_s: float, viewer: str) -> bytes:
    """The first frame on a socket."""
    return orjson.dumps(
        {"op": "hello", "protocol": PROTOCOL, "server_time": server_time, "heartbeat_s": heartbeat_s, "viewer": viewer}
    )


def snapshot(
    channel: str, kind: Kind, position: Position, data: Mapping[str, Any], times: Times | None, keep: Keep, *, sent: int
) -> bytes:
    """State at a position. `times` is empty for a channel that has had no event yet."""
    stages = {} if times is None else times.as_json()
    return orjson.dumps(
        {
            "op": "snapshot",
            "channel": channel,
            "kind": kind,
            "epoch": position.epoch,
            "seq": position.seq,
            "keep": keep.as_json(),
            "data": data,
            "times": {**stages, "sent": sent},
        }
    )


def delta(
    channel: str, epoch: str, after: int, seq: int, data: bytes, times: Times, *, sent: int, merged: int = 1
) -> bytes:
    """Changes from `after` to `seq`; `data` is JSON already, so that the commit's encoding is the only one."""
    head = orjson.dumps({"op": "delta", "channel": channel, "epoch": epoch, "after": after, "seq": seq})
    extra = b"" if merged == 1 else b',"merged":%d' % merged
    stages = orjson.dumps({**times.as_json(), "sent": sent})
    return b"".join((head[:-1], extra, b',"data":', data, b',"times":', stages, b"}"))


def heartbeat(*, server_time: int, channels: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Where each channel stands, and how fresh it is."""
    return orjson.dumps({"op": "heartbeat", "server_time": server_time, "channels": channels})


def pong(t: float, *, server_time: int) -> bytes:
    """The answer to a ping, with the server's time for the viewer's clock offset."""
    return orjson.dumps({"op": "pong", "t": t, "server_time": server_time})


def error(code: ErrorCode, detail: str, channel: str | None = None) -> bytes:
    """A refusal that leaves the socket open."""
    named = {} if channel is None else {"channel": channel}
    return orjson.dumps({"op": "error", "code": code, **named, "detail": detail})


def unknown_channel(name: str) -> bytes:
    """The answer for a channel that does not exist, and for one that this viewer may not know."""
    return error("unknown_channel", f"there is no channel {name!r}", name)


def changes(frames: Sequence[bytes]) -> bytes:
    """A long poll's answer: a list of frames."""
    return b"[" + b",".join(frames) + b"]"
