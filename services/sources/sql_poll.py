"""SQL poll: rows of a database that are new or changed since the last one that was accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.declare.mapping import SourceMapping
from services.sources.marks import Mark
from services.sources.polled import Polled
from services.sources.secret import without_secrets
from services.sources.source import Intake
from services.sources.trouble import SourceTrouble

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Select, Subquery

_NOT_LET_IN = ("authentication", "password", "permission", "access denied", "login failed")


class SqlPoll(Polled):
    """Asks a database every `every_s` seconds for rows beyond the last one, by any URL that SQLAlchemy opens.

    `query`: a SELECT without ORDER BY and LIMIT. `mark`: its column that only grows, such as `changed_at`; `tie`: one
    that tells rows with the same mark apart. A row in which either is null is not read. `overlap`: seconds (or units of
    a number) before the last mark that are looked at again, for rows whose transaction was committed late: at least as
    long as the longest one takes. `since`: where the first start begins; all there is where it is left out.

    An event's id is made of mark and tie, so a row that changes is a new event and one that is read again is none.
    """

    def __init__(
        self,
        address: str,
        query: str,
        every_s: float,
        *,
        mark: str,
        tie: str,
        overlap: float = 0.0,
        since: Any = None,
        batch: int = 1_000,
        mapping: SourceMapping | None = None,
        timeout_s: float = 30.0,
        title: str = "",
    ) -> None:
        super().__init__()
        self.address, self.query, self.every_s, self.mark, self.tie = address, query, every_s, mark, tie
        self.overlap, self.since, self.batch, self.timeout_s = overlap, since, batch, timeout_s
        mapping = mapping or SourceMapping()
        self.mapping = mapping if mapping.id is not None else replace(mapping, id=(mark, tie))
        self.title = title or f"{without_secrets(address)}, rows beyond {mark} every {every_s:g} s"
        self.place = sha256(repr((query, mark, tie)).encode()).hexdigest()[:16]
        self._at: Mark | None = None
        self._sent: dict[tuple[Any, Any], None] = {}
        self._engine: Engine | None = None

    def open(self, intake: Intake) -> None:
        from sqlalchemy import create_engine, make_url
        from sqlalchemy.exc import SQLAlchemyError

        from services.database.database import driver_url

        kept, self._sent = intake.position(), {}
        self._at = Mark.read(kept) if kept else None if self.since is None else Mark(self.since, None)
        try:
            url = make_url(driver_url(self.filled(self.address)))
            if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
                raise SourceTrouble(f"no file {url.database!r}; SQLite would make an empty one")
            waiting = {"connect_timeout": round(self.timeout_s)} if url.get_backend_name() == "postgresql" else {}
            self._engine = create_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=True, connect_args=waiting)
        except (SQLAlchemyError, ImportError) as error:
            raise SourceTrouble(f"{type(error).__name__}: {_first_line(error)}; give a URL that SQLAlchemy opens, and "
                                "install its driver") from None

    def shut(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def ask(self, intake: Intake) -> None:
        from sqlalchemy.exc import DBAPIError, SQLAlchemyError

        assert self._engine is not None
        connected = False
        try:
            with self._engine.connect() as connection:
                connected = True
                self._limit_time(connection)
                self._read(connection, intake)
        except DBAPIError as error:
            text = _first_line(error.orig or error)
            let_in = not any(sign in text.lower() for sign in _NOT_LET_IN)
            cut_off = error.connection_invalidated or not connected
            raise SourceTrouble(text, cause="source_silent" if cut_off and let_in else "source_error") from None
        except SQLAlchemyError as error:
            raise SourceTrouble(f"{type(error).__name__}: {_first_line(error)}") from None

    def _limit_time(self, connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {round(1_000 * self.timeout_s)}")

    def _read(self, connection: Connection, intake: Intake) -> None:
        """All rows beyond, batch by batch; the position moves with what was accepted, and never back."""
        begin = self._beginning()
        found_any = False
        while True:
            rows = [dict(row._mapping) for row in connection.execute(self._question(begin))]
            if not rows:
                break
            last = begin = Mark(rows[-1][self.mark], rows[-1][self.tie])
            fresh = [row for row in rows if (row[self.mark], row[self.tie]) not in self._sent]
            if fresh:
                found_any = True
                if self._at is None or self._at.tie is None or _beyond(last, self._at):
                    self._at = last
                intake.accept([dict(_plain(row)) for row in fresh], self._position(self._at))
                self._remember(rows)
            if len(rows) < self.batch or intake.wait(0):
                break
        if not found_any:
            intake.alive()

    def _beginning(self) -> Mark | None:
        """Where the next question begins: beyond the last row, or so much before it that late ones are seen."""
        if self._at is None or not self.overlap or self._at.tie is None:
            return self._at
        floor = self._at.back(self.overlap)
        self._sent = {key: None for key in self._sent if key[0] >= floor}
        return Mark(floor, None)

    def _remember(self, rows: list[dict[str, Any]]) -> None:
        if self.overlap:
            self._sent |= {(row[self.mark], row[self.tie]): None for row in rows}

    def _position(self, at: Mark) -> str:
        try:
            return at.in_text()
        except ValueError as error:
            raise SourceTrouble(f"{self.mark}, {self.tie}: {error}") from None

    def _question(self, begin: Mark | None) -> Select[Any]:
        """The rows beyond a mark, in order. With no tie known all of the mark's own rows are among them."""
        from sqlalchemy import and_, column, literal_column, or_, select, text

        question = text(self.query.strip().rstrip(";"))
        inner: Subquery = question.columns(column(self.mark), column(self.tie)).subquery("r")
        mark, tie = inner.c[self.mark], inner.c[self.tie]
        wanted: Select[Any] = select(literal_column("*")).select_from(inner).where(mark.is_not(None), tie.is_not(None))
        if begin is not None and begin.tie is None:
            wanted = wanted.where(mark >= begin.mark)
        elif begin is not None:
            wanted = wanted.where(or_(mark > begin.mark, and_(mark == begin.mark, tie > begin.tie)))
        return wanted.order_by(mark, tie).limit(self.batch)

    def problem(self) -> tuple[str, object, str] | None:
        first = self.query.strip().partition(" ")[0].lower()
        if first not in ("select", "with"):
            return "source.query", self.query[:60], "give a SELECT"
        if not self.mark or not self.tie or self.mark == self.tie:
            remedy = "name two columns of the query: one that grows, one that tells apart"
            return "source.mark", (self.mark, self.tie), remedy
        if self.overlap < 0:
            return "source.overlap", self.overlap, "give seconds or units from 0"
        if not 1 <= self.batch <= 5_000:
            return "source.batch", self.batch, "give rows from 1 to 5000"
        return super().problem()


def _beyond(one: Mark, other: Mark) -> bool:
    return (one.mark, one.tie) > (other.mark, other.tie)


def _plain(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A row as a record holds it; times are left to the mapping, which knows their zone."""
    for name, value in row.items():
        if isinstance(value, Decimal):
            yield name, int(value) if value.as_tuple().exponent == 0 else float(value)
        elif isinstance(value, UUID) or (isinstance(value, date) and not isinstance(value, datetime)):
            yield name, str(value)
        elif not isinstance(value, bytes | memoryview):
            yield name, value


def _first_line(error: BaseException) -> str:
    """What the database said, without the statement and its values."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
