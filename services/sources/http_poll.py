"""HTTP poll: an address that answers with JSON, asked again and again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

from services.sources.polled import Polled
from services.sources.secret import without_secrets
from services.sources.source import Intake
from services.sources.trouble import SourceTrouble, said_by_system

if TYPE_CHECKING:
    import requests

    from services.declare.mapping import SourceMapping

ANSWER_MB = 16
_CHUNK_BYTES = 65_536
_PATIENCE_MOST_S = 3_600.0
"""A server that asks for more patience is asked once an hour all the same."""


class HttpPoll(Polled):
    """Asks `address` every `every_s` seconds for a JSON array of records, or for JSON in which `mapping` finds them.

    `headers`: sent with each question; `env:NAME` in them, or in the address, stands for a variable of the environment.
    What did not change (ETag, Last-Modified) is a sign of life and nothing more; `Retry-After` is kept to.
    """

    schemes = ("http", "https")

    def __init__(
        self,
        address: str,
        every_s: float,
        *,
        mapping: SourceMapping | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
        title: str = "",
    ) -> None:
        super().__init__()
        self.address, self.every_s, self.mapping = address, every_s, mapping
        self.headers, self.timeout_s = dict(headers or {}), timeout_s
        self.title = title or f"{without_secrets(address)}, asked every {every_s:g} s"
        self._unchanged: dict[str, str] = {}

    def open(self, intake: Intake) -> None:
        import requests  # not for processes that only read the declaration

        self._session = requests.Session()
        self._session.headers.update({name: self.filled(value) for name, value in self.headers.items()})
        self._asked = self.filled(self.address)

    def shut(self) -> None:
        if session := getattr(self, "_session", None):
            session.close()

    def ask(self, intake: Intake) -> None:
        answer = self._answer(intake)
        if answer is None:
            intake.alive()
            return
        found, unchanged = answer
        intake.accept(self.records_of(found))
        self._unchanged = unchanged  # only now: what was not accepted is asked for again

    def records_of(self, found: Any) -> list[Any]:
        """The records of a JSON answer. Raises SourceTrouble where there are none where they should be."""
        try:
            return self.split(found)
        except LookupError as error:
            raise SourceTrouble(f"the answer has {error}") from None

    def _answer(self, intake: Intake) -> tuple[Any, dict[str, str]] | None:
        """The JSON and what to tell the server so that it need not say the same again; None where nothing changed."""
        import requests

        until = time.monotonic() + self.timeout_s
        silent = f"no answer in {self.timeout_s:g} s"
        try:
            # A redirect is not followed: it could lead a header's secret to another host.
            with self._session.get(
                self._asked, headers=self._unchanged, timeout=self.timeout_s, stream=True, allow_redirects=False
            ) as answer:
                if answer.status_code == HTTPStatus.NOT_MODIFIED:
                    return None
                if answer.status_code != HTTPStatus.OK:
                    raise self.refused(answer, intake.now_ms())
                body = self._body(answer, until, silent)
        except requests.Timeout:
            raise SourceTrouble(silent, cause="source_silent") from None
        except requests.RequestException as error:
            raise SourceTrouble(f"no connection: {said_by_system(error)}", cause="source_silent") from None
        pairs = (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since"))
        unchanged = {ask: answer.headers[told] for told, ask in pairs if told in answer.headers}
        try:
            return orjson.loads(body), unchanged
        except orjson.JSONDecodeError as error:
            raise SourceTrouble(f"the answer is no JSON: {error}") from None

    def refused(self, answer: requests.Response, now_ms: int) -> SourceTrouble:
        """What a status other than 200 means."""
        return _refused(answer, now_ms)

    def _body(self, answer: requests.Response, until: float, silent: str) -> bytes:
        """All of the answer; a server that trickles is no faster than one that is silent."""
        parts, size = [], 0
        for part in answer.iter_content(_CHUNK_BYTES):
            parts.append(part)
            size += len(part)
            if size > ANSWER_MB * 1_000_000:
                raise SourceTrouble(f"the answer is larger than {ANSWER_MB} MB; ask for less of it")
            if time.monotonic() > until:
                raise SourceTrouble(silent, cause="source_silent")
        return b"".join(parts)

    def problem(self) -> tuple[str, object, str] | None:
        if not 0.1 <= self.timeout_s <= 300:
            return "source.timeout_s", self.timeout_s, "give seconds from 0.1 to 300"
        return super().problem()


def _refused(answer: requests.Response, now_ms: int) -> SourceTrouble:
    """What a status other than 200 means; until when it is not asked again, where the server says so."""
    said = f"{answer.status_code} {answer.reason}"
    if answer.is_redirect:
        target = without_secrets(answer.headers["Location"])
        return SourceTrouble(f"{said}, to {target}: a redirect is not followed; give its address")
    wait_s = patience_s(answer.headers.get("Retry-After", ""), now_ms)
    if wait_s is None:
        return SourceTrouble(said)
    until = datetime.fromtimestamp(now_ms / 1000 + wait_s, UTC)
    return SourceTrouble(f"{said} until {until:%H:%M:%S} UTC", again_s=wait_s)


def patience_s(told: str, now_ms: int) -> float | None:
    """Seconds that a `Retry-After` asks for (RFC 9110, 10.2.3: a number or a date); None where it says nothing."""
    try:
        wait_s = float(told) if told.strip().isdigit() else parsedate_to_datetime(told).timestamp() - now_ms / 1000
    except ValueError:
        return None
    return min(max(0.0, wait_s), _PATIENCE_MOST_S)

