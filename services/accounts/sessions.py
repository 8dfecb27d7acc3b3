"""Sessions: who is signed in, kept in the broker under the hash of an identifier that only the browser has.

A session ends when it is not used for `idle_s`, after `lasts_s` in any case, when its account is disabled or gets
another password, and when its owner signs out. In between its principal has the roles that the account has now.

Where nobody asks for sign-in (this machine's own people, open mode), the first account changes that: from then on it is
asked for, and who came in before is let in no more.

Each process remembers who asked lately, so that a request costs nobody a round trip, and looks twice a second whether
anything changed; a viewer's socket is asked again then, by `generation` and `renewed` (see `grants`).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from weakref import WeakValueDictionary

import structlog

from services.accounts.principal import OPEN, Principal
from services.accounts.register import Account, Register
from services.accounts.roles import Roles
from services.broker import Broker, BrokerDown
from services.database import DatabaseBehind, DatabaseDown
from services.positions import Clock, wall_clock

LOOK_EVERY_S = 0.5
REMEMBERED_MS = 15_000
REMEMBERED_MAX = 5_000
KNOWN_IN_OUTAGE_MS = 600_000
"""So long an outage of broker or database signs nobody out: the page must be there to tell of it."""
USED_EVERY_MS = 30_000
IDENTIFIER_BYTES = 32

log = structlog.get_logger("accounts")


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lasts: unused, and at all, in seconds."""

    idle_s: int = 12 * 3_600
    lasts_s: int = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. `form` is the word that its forms must carry; `mark` is the account's, when it began."""

    account: str
    began_at: int
    form: str
    mark: int


@dataclass(slots=True)
class _Remembered:
    session: Session
    principal: Principal
    read_at: int
    used_at: int


class Sessions:
    """The sessions of an installation, as one process knows them. Safe to use from several threads."""

    def __init__(
        self, broker: Broker, register: Register, roles: Roles, lifetimes: Lifetimes | None = None,
        clock: Clock = wall_clock, *, asked_for: bool = True,
    ) -> None:  # fmt: skip
        self._broker, self._register, self._roles, self._clock = broker, register, roles, clock
        self.is_open = not asked_for
        """Whether everybody may come in without signing in, as there is no account yet."""
        self.lifetimes = lifetimes or Lifetimes()
        self._remembered: dict[str, _Remembered] = {}
        self._watched: WeakValueDictionary[str, Principal] = WeakValueDictionary()
        self._renewed: dict[str, Principal | None] = {}
        self._changes, self._seen, self._reviewed_at, self._lock = -1, 0, 0, threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.generation = 0
        """As `Grants` has it: another number after every change that this process has taken in."""

    # Whoever asks ------------------------------------------------------------------------------

    def begin(self, account: Account) -> str:
        """A new session; returns what the browser keeps. Raises BrokerDown."""
        identifier, form = secrets.token_urlsafe(IDENTIFIER_BYTES), secrets.token_urlsafe(IDENTIFIER_BYTES)
        session = Session(account.name, self._clock(), form, account.changed_at)
        self._broker.put_session(name_of(identifier), json.dumps(asdict(session)).encode(), self.lifetimes.idle_s)
        return identifier

    def end(self, identifier: str) -> None:
        """Sign out, here and wherever the session is open. Raises BrokerDown."""
        name = name_of(identifier)
        with self._lock:
            self._remembered.pop(name, None)
        self._broker.drop_session(name)

    def principal(self, identifier: str) -> Principal | None:
        """Who it is, None where nobody is signed in by it. Raises BrokerDown or DatabaseDown."""
        found = self._look_up(identifier)
        return None if found is None else found.principal

    def form(self, identifier: str) -> str:
        """The word that forms of this session carry, '' where there is no session."""
        found = self._look_up(identifier)
        return "" if found is None else found.session.form

    def _look_up(self, identifier: str) -> _Remembered | None:
        if not 20 <= len(identifier) <= 100:
            return None
        name, now = name_of(identifier), self._clock()
        with self._lock:
            known = self._remembered.get(name)
        if known is not None and now - known.read_at < REMEMBERED_MS and self._lives(known.session, now):
            return self._used(name, known, now)
        while True:
            with self._lock:
                seen = self._seen
            try:
                changes, held = self._read([name])
            except (BrokerDown, DatabaseDown):
                if known is not None and now - known.read_at < KNOWN_IN_OUTAGE_MS and self._lives(known.session, now):
                    return known
                raise
            found = held.get(name)
            with self._lock:
                if changes < self._seen != seen:  # what was read is older than what has become known meanwhile; a
                    continue  # number that was lower from the beginning is that of a broker which came back empty
                if found is None:
                    self._remembered.pop(name, None)
                    return None
                remembered = self._remember(name, *found, now)
            return self._used(name, remembered, now)

    def _remember(self, name: str, session: Session, principal: Principal, now: int) -> _Remembered:
        former = self._remembered.pop(name, None)
        watched = self._watched.get(name)  # sockets hold it already
        if watched == principal:
            principal = watched
        elif watched is not None:  # a request saw the change before the look did, which compares with what is watched
            self._renewed = {**self._renewed, name: principal}
            self.generation += 1
        made = self._remembered[name] = _Remembered(session, principal, now, 0 if former is None else former.used_at)
        self._watched[name] = principal
        if len(self._remembered) > REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        return made

    def _used(self, name: str, known: _Remembered, now: int) -> _Remembered:
        if now - known.used_at >= USED_EVERY_MS:
            known.used_at = now
            self._broker.use_sessions([name], self._left_s(known.session, now))
        return known

    # What is true now --------------------------------------------------------------------------

    def _read(self, names: Iterable[str]) -> tuple[int, dict[str, tuple[Session, Principal]]]:
        """The sessions of these names that hold, with their principals, and how many changes there had been before."""
        names = list(names)
        changes, bodies = self._broker.read_sessions(names)
        sessions = {name: Session(**json.loads(body)) for name, body in zip(names, bodies, strict=True) if body}
        accounts = self._register.named({one.account for one in sessions.values()}) if sessions else {}
        now, held = self._clock(), dict[str, tuple[Session, Principal]]()
        for name, session in sessions.items():
            account = accounts.get(session.account)
            if account is not None and _holds(session, account) and self._lives(session, now):
                held[name] = session, self._roles.principal(account.name, account.roles, name)
        return changes, held

    def _lives(self, session: Session, now: int) -> bool:
        return now < session.began_at + 1_000 * self.lifetimes.lasts_s

    def _left_s(self, session: Session, now: int) -> int:
        rest_s = (session.began_at - now) // 1_000 + self.lifetimes.lasts_s
        return max(1, min(self.lifetimes.idle_s, rest_s))

    # As `Grants` -------------------------------------------------------------------------------

    def renewed(self, principal: Principal) -> Principal | None:
        """The principal with its present roles, None where it is signed out. Asks nobody."""
        if principal == OPEN:
            return principal if self.is_open else None
        return self._renewed.get(principal.session, principal) if principal.session else principal

    def start(self) -> None:
        """Begin to look for changes; once a process."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="grants", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(2)

    def _watch(self) -> None:
        told = False  # once when it begins, and once when it is over
        while not self._stopping.is_set():
            try:
                self.look()
            except (BrokerDown, DatabaseDown) as error:
                if not told:
                    log.warning("grants not read, they stay as they were", error=str(error))
                told = True
            else:
                if told:
                    log.info("grants read again")
                told = False
            self._stopping.wait(LOOK_EVERY_S)

    def look(self) -> None:
        """Take in what changed since the last look, and what ran out. Raises BrokerDown or DatabaseDown."""
        if self.is_open and not self._has_accounts():
            return
        if self.is_open:
            self.is_open = False
            self.generation += 1
            log.info("there is an account: sign-in is asked for from now on")
        changes, now = self._broker.grants_changes(), self._clock()
        due = now - self._reviewed_at >= USED_EVERY_MS
        if changes == self._changes and not due:
            return
        with self._lock:
            self._seen, watched = changes, dict(self._watched)
        _, held = self._read(watched)
        if due:  # a page that is open is in use
            for name in held:
                self._broker.use_sessions([name], self._left_s(held[name][0], now))
        self._take_in(watched, {name: held[name][1] if name in held else None for name in watched})
        self._changes, self._reviewed_at = changes, now

    def _has_accounts(self) -> bool:
        try:
            return self._register.any()
        except DatabaseBehind:
            return False  # there is no such table yet

    def _take_in(self, watched: dict[str, Principal], fresh: dict[str, Principal | None]) -> None:
        changed = {name for name, principal in fresh.items() if principal != watched[name]}
        with self._lock:
            for name in changed:
                self._remembered.pop(name, None)
            self._renewed = {name: fresh[name] if name in changed else watched[name] for name in watched}
            self._watched.update({name: kept for name, kept in self._renewed.items() if kept is not None})
        if changed:
            self.generation += 1


def name_of(identifier: str) -> str:
    """The name under which a session is kept: whoever reads the broker cannot take it over."""
    return hashlib.sha256(identifier.encode()).hexdigest()


def _holds(session: Session, account: Account) -> bool:
    return not account.disabled_at and session.mark == account.changed_at
