"""Key ring: the ingest keys as one web process holds them, so that no request waits for the database.

What the database says is read twice a second, so that a key that is added or revoked counts everywhere within a second;
when keys were used is written by the same thread, each at most once a minute. While the database is away the keys that
are known go on: nothing can be revoked then, either.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable

import structlog

from services.accounts.key_register import SECRET, KeyRegister, hash_of
from services.accounts.keys import IngestKeys
from services.accounts.principal import Principal
from services.database import DatabaseDown
from services.positions import Clock, wall_clock

READ_EVERY_S = 0.5
ASK_AGAIN_S = 0.25
"""A key that is not known may have been added just now: so often at most the database is asked for it at once."""
USES_EVERY_MS = 60_000
REFUSED_MAX = 100
"""Ids of refused keys that wait to be written: anybody can make up any number."""
_NO_HASH = hash_of("")

log = structlog.get_logger("keys")


class KeyRing:
    """The keys of one process: `fixed` ones of the environment, and those of the register. Safe from any thread."""

    def __init__(
        self,
        fixed: IngestKeys,
        register: KeyRegister,
        *,
        clock: Clock = wall_clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fixed, self._register, self._clock, self._monotonic = fixed, register, clock, monotonic
        self._known: dict[str, tuple[str, Principal]] | None = None
        self._used: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._written: dict[str, int] = {}
        self._refused: dict[str, int] = {}
        self._refused_told: dict[str, int] = {}
        self._reading, self._asked_at, self._trouble = threading.Lock(), float("-inf"), ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keys", daemon=True)

    def start(self) -> None:
        """Keep up with the database from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is still to be written, as far as the database lets us at once."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def holder(self, secret: str) -> Principal | None:
        """The principal of a secret, or None. Raises DatabaseDown where the keys could not be read yet.

        Compared in constant time; a key that does not exist takes as long as one that does.
        """
        if (fixed := self._fixed.holder(secret)) is not None:
            self._note(f"env:{fixed.name}", fixed.name)
            return fixed
        form = SECRET.match(secret)
        if form is None:
            return None
        key_id = form.group(1)
        if self._known is None or key_id not in self._known:
            self._ask_at_once()
        known = self._known or {}
        stored, principal = known.get(key_id, (_NO_HASH, None))
        if not hmac.compare_digest(stored, hash_of(secret)) or principal is None:
            if len(self._refused) < REFUSED_MAX:
                self._refused[key_id] = self._clock()
            return None
        self._note(key_id, principal.name)
        return principal

    def _note(self, key: str, name: str) -> None:
        """Two stores into dictionaries: all that a request pays for "last used"."""
        self._used[key] = self._clock()
        self._names[key] = name

    # Beside the requests -------------------------------------------------------------------------

    def _ask_at_once(self) -> None:
        with self._reading:
            if self._monotonic() - self._asked_at >= ASK_AGAIN_S or self._known is None:
                self._read()

    def read(self) -> None:
        """Take over what the database says now. Raises DatabaseDown, and then knows what it knew."""
        with self._reading:
            self._read()

    def _read(self) -> None:
        self._asked_at = self._monotonic()
        found = self._register.live()
        self._known = {key.id: (key.hash, Principal(key.name, feeds=key.feeds)) for key in found}

    def write_uses(self) -> None:
        """Write when keys were used, those of which nothing was written for a minute. Raises DatabaseDown."""
        now = self._clock()
        due = {
            key: at
            for key, at in list(self._used.items())
            if at > self._written.get(key, 0) and now - self._written.get(key, 0) >= USES_EVERY_MS
        }
        if due:
            self._register.note_uses(due, self._names)
            self._written.update(due)
        self._write_refused(now)

    def _write_refused(self, now: int) -> None:
        """Which keys were refused, each at most once a minute. Raises DatabaseDown."""
        told = {key: at for key, at in self._refused_told.items() if now - at < USES_EVERY_MS}
        due = [key for key in list(self._refused) if key not in told]
        self._refused_told = told
        if due:
            self._register.note_refused(due)
            self._refused_told |= dict.fromkeys(due, now)
        self._refused.clear()

    def _run(self) -> None:
        while not self._stopping.wait(READ_EVERY_S):
            self._step(self.read, self.write_uses)
        self._written.clear()
        self._step(self.write_uses)

    def _step(self, *tasks: Callable[[], None]) -> None:
        try:
            for task in tasks:
                task()
        except DatabaseDown as down:
            self._tell_trouble(str(down))
        else:
            self._tell_trouble("")

    def _tell_trouble(self, reason: str) -> None:
        """Once when it begins and once when it ends."""
        if reason and not self._trouble:
            log.warning("keys not read, those known go on", error=reason)
        elif self._trouble and not reason:
            log.info("keys read again")
        self._trouble = reason
