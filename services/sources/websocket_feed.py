"""WebSocket feed: an address that sends records by itself, as JSON in text frames."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from services.sources.reached import Reached
from services.sources.secret import without_secrets
from services.sources.source import Intake
from services.sources.trouble import SourceTrouble, said_by_system

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from services.declare.mapping import SourceMapping

FRAME_MB = 4
_LOOK_S = 0.5
"""So often a source that waits for a frame looks whether it is to stop."""
_ALIVE_EVERY_S = 1.0
_GATHER_MAX = 1_000
_PING_S = 20.0


class WebSocketFeed(Reached):
    """Listens at `address`; sends each of `say` first, in which a subscription is usually asked for.

    A frame holds one record, an array of them, or JSON in which `mapping` finds them. `skip`: records that have these
    values are no events, such as the answer to a subscription or the server's own heartbeat: signs of life. `quiet_s`:
    without a frame for so long it connects anew; the protocol's own pings are a sign of life where that is left out. A
    WebSocket has no position to resume from: what was sent while nobody listened is gone.
    """

    schemes = ("ws", "wss")

    def __init__(
        self,
        address: str,
        *,
        say: Sequence[str] = (),
        skip: Mapping[str, Any] | None = None,
        mapping: SourceMapping | None = None,
        headers: Mapping[str, str] | None = None,
        quiet_s: float | None = None,
        timeout_s: float = 10.0,
        title: str = "",
    ) -> None:
        super().__init__()
        self.address, self.mapping, self.say, self.skip = address, mapping, tuple(say), dict(skip or {})
        self.headers, self.quiet_s, self.timeout_s = dict(headers or {}), quiet_s, timeout_s
        self.title = title or f"{without_secrets(address)}, as it sends"

    def run(self, intake: Intake) -> None:
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

        try:
            with self._connected() as socket:
                for text in self.say:
                    socket.send(self.filled(text))
                self._listen(socket, intake)
        except InvalidStatus as error:
            raise SourceTrouble(f"{error.response.status_code} {error.response.reason_phrase}") from None
        except ConnectionClosed as error:
            said = error.rcvd
            text = f"closed with {said.code} {said.reason}".rstrip() if said else "the connection was cut"
            raise SourceTrouble(text, cause="source_error" if said else "source_silent") from None
        except TimeoutError:
            raise SourceTrouble(f"no connection in {self.timeout_s:g} s", cause="source_silent") from None
        except (OSError, InvalidHandshake) as error:
            raise SourceTrouble(f"no connection: {said_by_system(error)}", cause="source_silent") from None
        except WebSocketException as error:
            raise SourceTrouble(f"{type(error).__name__}: {error}") from None

    def _connected(self) -> ClientConnection:
        from websockets.sync.client import connect

        return connect(
            self.filled(self.address),
            additional_headers={name: self.filled(value) for name, value in self.headers.items()},
            open_timeout=self.timeout_s, close_timeout=1, max_size=FRAME_MB * 1_000_000,
            ping_interval=_PING_S, ping_timeout=_PING_S,
        )  # fmt: skip

    def _listen(self, socket: ClientConnection, intake: Intake) -> None:
        """Until told to stop. While ingestion refuses, nothing is read, and the sender's own socket fills."""
        heard = alive = time.monotonic()
        while not intake.wait(0):
            frames = _gathered(socket)
            now = time.monotonic()
            records = [record for frame in frames for record in self._records(frame)]
            if records:
                intake.accept(records)
            elif frames or (self.quiet_s is None and now - alive >= _ALIVE_EVERY_S):
                intake.alive()
                alive = now
            heard = now if frames else heard
            if self.quiet_s is not None and now - heard > self.quiet_s:
                raise SourceTrouble(f"nothing was sent for {self.quiet_s:g} s", cause="source_silent")

    def _records(self, frame: str | bytes) -> list[Any]:
        try:
            found = orjson.loads(frame)
            records = self.split(found)
        except orjson.JSONDecodeError as error:
            raise SourceTrouble(f"a frame is no JSON: {error}") from None
        except LookupError as error:
            if self._is_skipped(found):
                return []
            raise SourceTrouble(f"a frame has {error}") from None
        return [record for record in records if not self._is_skipped(record)]

    def _is_skipped(self, record: Any) -> bool:
        return (
            bool(self.skip) and isinstance(record, dict)
            and all(record.get(name) == value for name, value in self.skip.items())
        )  # fmt: skip

    def problem(self) -> tuple[str, object, str] | None:
        if self.quiet_s is not None and not 1 <= self.quiet_s <= 86_400:
            return "source.quiet_s", self.quiet_s, "give seconds from 1 to 86400, or leave it out"
        return super().problem()


def _gathered(socket: ClientConnection) -> list[str | bytes]:
    """The next frame, and those that lie there already; none where nothing comes for half a second."""
    frames: list[str | bytes] = []
    wait_s = _LOOK_S
    while len(frames) < _GATHER_MAX:
        try:
            frames.append(socket.recv(timeout=wait_s))
        except TimeoutError:
            break
        wait_s = 0.0
    return frames
