"""Key register: ingest keys in the database: who may post which feeds, who added them, when they were used last.

A secret is shown once and never stored. It is `hw_<id>_<256 random bits>`: the id finds the row, and the row holds the
SHA-256 of the whole. A slow, salted hash as for passwords would guard against guessing; 256 random bits cannot be
guessed, so that it would only cost every request milliseconds (OWASP Password Storage Cheat Sheet is about what people
choose). The id is no secret, so that a list and a log may name a key by it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, text, update

from services.accounts.audit import Audit
from services.accounts.keys import STAGING
from services.database import Database, insert_new
from services.database.tables.accounts import audit
from services.database.tables.keys import ingest_key_uses, ingest_keys
from services.positions import Clock, wall_clock

LIVE_MAX = 2
"""Keys of one name at a time: the one in use, and the one that takes its place."""
DAY_MS = 86_400_000
NAME = re.compile(r"^[a-z0-9_-]{1,40}$")
FEEDS = re.compile(r"^[a-z0-9_*]{1,80}$")
SECRET = re.compile(r"^hw_([a-z2-7]{8})_[A-Za-z0-9_-]{43}$")
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_LOCK = 4_813_948
"""Names the advisory lock of PostgreSQL under which keys are added; any number that nobody else uses."""


class KeyRefused(ValueError):
    """A key that cannot be added or revoked as asked; the text names the remedy."""


@dataclass(frozen=True, slots=True)
class Key:
    """An ingest key without its secret. Times are milliseconds since the Unix epoch; 0 is never."""

    id: str
    name: str
    hash: str
    feeds: tuple[str, ...]
    added_at: int
    added_by: str
    revoked_at: int
    last_used_at: int = 0


def hash_of(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class KeyRegister:
    """The keys of one database. Everything may raise DatabaseDown."""

    def __init__(self, database: Database, clock: Clock = wall_clock) -> None:
        self._database, self._clock, self._audit = database, clock, Audit(database, clock)

    def add(self, name: str, feeds: Sequence[str], by: str, *, staging: bool = False) -> tuple[Key, str]:
        """A new key with its secret, which nobody can be told again; `staging` lets it load this deployment and hold
        its sources. Raises KeyRefused."""
        if not NAME.match(name):
            raise KeyRefused(f"name: {name[:60]!r}: use 1 to 40 lower-case letters, digits, - or _")
        for feed in feeds or [""]:
            if not FEEDS.match(feed):
                raise KeyRefused(f"feeds: {feed[:60]!r}: give names of feeds, or patterns such as flights_*")
        feeds = [*feeds, *([STAGING] if staging else [])]
        key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(8))
        secret = f"hw_{key_id}_{secrets.token_urlsafe(32)}"
        key = Key(key_id, name, hash_of(secret), tuple(feeds), self._clock(), by, 0)
        with self._database.writing() as connection:
            self._only_one_adds(connection)
            self._check_room(connection, name)
            row = {"id": key.id, "name": name, "hash": key.hash, "feeds": ",".join(feeds), "added_at": key.added_at}
            connection.execute(insert(ingest_keys).values(**row, added_by=by, revoked_at=0))
            self._audit.record_in(connection, "key_added", who=by, subject=_named(key), detail=",".join(feeds))
        return key, secret

    def _only_one_adds(self, connection: Connection) -> None:
        """Two who add at once would each find room for one: SQLite has one writer anyway."""
        if not self._database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})

    @staticmethod
    def _check_room(connection: Connection, name: str) -> None:
        table = ingest_keys.c
        live = connection.execute(
            select(table.id).where(table.name == name, table.revoked_at == 0).order_by(table.added_at, table.id)
        ).all()
        if len(live) >= LIVE_MAX:
            ids = " and ".join(row.id for row in live)
            oldest = live[0].id
            raise KeyRefused(
                f"key {name!r}: {LIVE_MAX} are live, {ids}; move senders to the newer one, then"
                f" `headwater keys revoke {oldest}`"
            )

    def all(self) -> list[Key]:
        """All keys that were ever added, by name and age, with their last use."""
        wanted = select(ingest_keys, func.coalesce(ingest_key_uses.c.last_used_at, 0).label("last_used_at"))
        joined = wanted.select_from(ingest_keys.outerjoin(ingest_key_uses, ingest_key_uses.c.key == ingest_keys.c.id))
        with self._database.reading() as connection:
            rows = connection.execute(joined.order_by(ingest_keys.c.name, ingest_keys.c.added_at)).all()
        return [
            Key(r.id, r.name, r.hash, tuple(r.feeds.split(",")), r.added_at, r.added_by, r.revoked_at, r.last_used_at)
            for r in rows
        ]

    def live(self) -> list[Key]:
        """The keys that may be used; their last use is not asked for. Of a file that nobody made yet there is none."""
        if self._database.absent:
            return []
        with self._database.reading() as connection:
            rows = connection.execute(select(ingest_keys).where(ingest_keys.c.revoked_at == 0)).all()
        return [Key(r.id, r.name, r.hash, tuple(r.feeds.split(",")), r.added_at, r.added_by, 0) for r in rows]

    def revoke(self, named: str, by: str) -> Key:
        """From now on the key is worth nothing. `named` is its id, or a name of which one key is live.

        Raises KeyRefused where none is meant, or two.
        """
        found = [key for key in self.all() if named in (key.id, key.name)]
        live = [key for key in found if not key.revoked_at]
        if not live:
            already = f"; {found[-1].id} is revoked already" if found else ""
            raise KeyRefused(f"key {named[:60]!r}: no live key of that id or name{already}; see `headwater keys list`")
        if len(live) > 1:
            raise KeyRefused(f"key {named!r}: two are live; name one by its id: {live[0].id} (older) or {live[1].id}")
        key, now = live[0], self._clock()
        with self._database.writing() as connection:
            table = ingest_keys.c
            connection.execute(
                update(ingest_keys).where(table.id == key.id, table.revoked_at == 0).values(revoked_at=now)
            )
            self._audit.record_in(connection, "key_revoked", who=by, subject=_named(key))
        return key

    # Uses ----------------------------------------------------------------------------------------

    def note_uses(self, uses: Mapping[str, int], names: Mapping[str, str]) -> None:
        """Keys were used at these times; the first use of a day (UTC) is an entry of the audit log.

        Whichever process tells first of a day moves the row over midnight, and only that one records it.
        """
        table = ingest_key_uses.c
        with self._database.writing() as connection:
            for key, at in uses.items():
                midnight = at - at % DAY_MS
                row = insert_new(connection, ingest_key_uses).values(key=key, last_used_at=at).returning(table.key)
                is_first = bool(connection.execute(row).all())
                if not is_first:
                    moved = update(ingest_key_uses).where(table.key == key, table.last_used_at < midnight)
                    is_first = connection.execute(moved.values(last_used_at=at)).rowcount == 1
                    later = update(ingest_key_uses).where(table.key == key, table.last_used_at < at)
                    connection.execute(later.values(last_used_at=at))
                if is_first:
                    self._audit.record_in(
                        connection, "key_used", who=names[key], subject=key, address="", detail="first use of the day"
                    )

    def note_refused(self, keys: Iterable[str]) -> None:
        """Somebody came with a key that is revoked, or with its id and another secret: an entry a day (UTC) for each.

        Ids that no key ever had are anybody's to make up: of these nothing is kept.
        """
        if self._database.absent:
            return
        now, table = self._clock(), ingest_keys.c
        with self._database.writing() as connection:
            for row in connection.execute(select(table.id, table.name).where(table.id.in_(list(keys)))).all():
                subject = f"{row.name} {row.id}"
                today = (audit.c.what == "key_refused", audit.c.subject == subject, audit.c.at >= now - now % DAY_MS)
                if connection.execute(select(audit.c.id).where(*today).limit(1)).first() is None:
                    self._audit.record_in(
                        connection, "key_refused", who="", subject=subject, address="", detail="first time of the day"
                    )

    def last_uses(self) -> dict[str, int]:
        """When each key was used last, those of the environment included, as `env:<name>`."""
        with self._database.reading() as connection:
            rows = connection.execute(select(ingest_key_uses)).all()
        return {row.key: row.last_used_at for row in rows}


def _named(key: Key) -> str:
    return f"{key.name} {key.id}"
