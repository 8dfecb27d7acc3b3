"""The demo, for journeys: the product's own flights, which can be stopped, and what SQL over its archive has of them.

No code of the product reads the archive here: what a page shows is held against the events themselves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from services.accounts.register import Register
from services.database import Database, migrate
from tests.installation import Installation
from tests.waiting import wait_until

PASSWORD = "correct horse battery"
ACCOUNTS = {"dora": "desk", "quentin": "queens-ops"}
WINDOW_MS, WINDOWS, SPAN_MS = 5_000, 12, 600_000
ENDLESS = 1 << 60
_OF_FLIGHTS = """
    with flights as (
        select id, created_at, created_at / :window as w, body ->> '$.leg' as leg, body ->> '$.flight' as flight,
            body ->> '$.origin' as origin, body ->> '$.status' as status, body ->> '$.delay_min' as delay,
            body ->> '$.on_time' as on_time, body ->> '$.destination_name' as destination
        from archive_events where feed = 'flights' and entry_at <= :until
    ), chosen as (select * from flights where :origin = '' or origin = :origin)
"""
_TILES = """
    select count(*) filter (where status = 'departed'), 100 * avg(on_time) filter (where status = 'departed'),
        avg(delay) filter (where status = 'departed'), count(*) filter (where status = 'cancelled'),
        max(delay) filter (where status = 'departed')
    from chosen where w > (select max(w) from chosen) - :windows
"""
_ROWS = """
    select leg, status, delay from (
        select *, row_number() over (partition by leg order by created_at desc, id desc) as age from chosen
    ) where age = 1 order by created_at desc, id desc limit 400
"""
_LONG = """
    select flight, destination, delay from chosen where status = 'departed' and delay >= 60
    order by created_at desc, id desc limit 100
"""
_COURSE = """
    , newest(w) as (select max(w) from flights),
    windows(w) as (
        select (w * :window - :span + :window - 1) / :window from newest
        union all select windows.w + 1 from windows, newest where windows.w < newest.w
    )
    select windows.w * :window, origin, avg(delay) filter (where status = 'departed') as mean
    from windows join chosen on chosen.w between windows.w - :windows + 1 and windows.w
    group by windows.w, origin having mean is not null order by windows.w
"""


class Demo(Installation):
    """The demo, signed in to, with a worker that has no sources: these are run apart, and what they play stands still
    where they are ended."""

    program = "app.cli"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, web_processes=1, forked=True)
        (folder / "data").mkdir()
        self._path = folder / "data" / "headwater.db"
        database = Database(f"sqlite:///{self._path}")
        migrate(database)
        register = Register(database)
        for name, role in ACCOUNTS.items():
            register.add(name, PASSWORD, [role], who="tests")
        database.close()

    def start(self) -> None:
        self.broker.start()
        self.start_process("worker", "--only", "processor,archive")
        self.start_process("web", more={"HEADWATER_SIGN_IN": "1"})
        self.wait_ready()

    def play(self, events: int) -> None:
        """Let so many flights' events come at least, then none."""
        before = self.events
        self.start_process("worker", "--only", "sources", name="sources")
        wait_until(lambda: self.events >= before + events, what=f"{events} more events in the archive")
        self.end_process("sources", 15)

    def ask(self, query: str, **values: Any) -> list[Any]:
        """What SQL over the archive answers."""
        with closing(sqlite3.connect(self._path)) as database:
            return database.execute(query, values).fetchall()

    @property
    def events(self) -> int:
        """How many of the flights' events are archived."""
        found: int = self.ask("select count(*) from archive_events where feed = 'flights'")[0][0]
        return found

    def position(self, channel: str) -> int:
        """The newest archived delta of a channel."""
        newest = "select coalesce(max(seq), 0) from archive_deltas where channel = :name"
        found: int = self.ask(newest, name=channel)[0][0]
        return found

    def _flights(self, query: str, origin: str, until: int) -> list[Any]:
        known = {"window": WINDOW_MS, "windows": WINDOWS, "span": SPAN_MS, "origin": origin, "until": until}
        return self.ask(_OF_FLIGHTS + query, **known)

    def tiles(self, origin: str, until: int = ENDLESS) -> Sequence[float | None]:
        """Departures, share on time, mean delay, cancelled, worst delay of the last simulated hour."""
        found: Sequence[float | None] = self._flights(_TILES, origin, until)[0]
        return found

    def rows(self, origin: str, until: int = ENDLESS) -> dict[str, Any]:
        """Status and delay of each flight on the board."""
        return {leg: [status, delay] for leg, status, delay in self._flights(_ROWS, origin, until)}

    def long_delays(self, origin: str, until: int = ENDLESS) -> list[Any]:
        """Flight, destination and delay, newest first."""
        return [list(one) for one in self._flights(_LONG, origin, until)]

    def course(self, origin: str, until: int = ENDLESS) -> dict[str, list[Any]]:
        """The mean delay by airport: [time, value] where there is a value."""
        lines: dict[str, list[Any]] = {}
        for at, name, delay in self._flights(_COURSE, origin, until):
            lines.setdefault(name, []).append([at, delay])
        return lines
