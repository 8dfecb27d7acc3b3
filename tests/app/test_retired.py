"""Retired: a feed, channel or page is processed and shown no more, its past is read, and old links lead on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from app.factory import Web, create_app
from app.loading import Project, in_development, load_declarations, load_pages
from app.settings import Settings
from services.archive.archiver import Archiver
from services.archive.frames import read_frame
from services.database import Database, migrate
from services.ingestion import Ingestion
from services.processor import Processor
from services.telemetry import Telemetry
from tests.app.conftest import KEY
from tests.components.drawn import texts

FEED = '''"""{title}."""

from headwater import Feed, Freshness, Http, Latest, Log, Number, Retired, Text


class {title}(Feed, name="{name}", key="item", source=Http(), freshness=Freshness(1, 5, 20)):
    """One of them."""

    item = Text()
    value = Number()
    {feed}


class Newest(Latest, feed={title}):
    """The newest of each."""

    {channel}


class Entries(Log, feed={title}):
    """All of them."""
'''
PAGE = '''"""Pages."""

from headwater import Retired, page, table

from ..feeds.stocks import Newest, Stocks

OLD = page("Old", "/old", retired=Retired(since="2026-11-01", successor="/new"))
GONE = page("Gone", "/gone", retired=Retired(since="2026-11-01"))
NEW = page("New", "/new", table(Newest, columns=[Stocks.item]))
'''


class Team:
    """A project whose files are written anew between releases; each release loads them under a name of its own."""

    def __init__(self, folder: Path, broker_url: str) -> None:
        self._folder, self._releases = folder, 0
        self.settings = Settings(redis_url=broker_url, data=folder / "data", ingest_keys=(f"all:{KEY}:*",))
        self.settings.data.mkdir(parents=True)
        self.database = Database(self.settings.database_address)
        migrate(self.database)

    def release(self, *, prices: str | None, feed: str = "", channel: str = "") -> Project:
        """The files as of now, as a project; `prices` None takes that feed out."""
        self._releases += 1
        folder = self._folder / f"release-{self._releases}"
        for part in ("feeds", "pages"):
            (folder / part).mkdir(parents=True)
        (folder / "feeds" / "stocks.py").write_text(FEED.format(title="Stocks", name="stocks", feed="", channel=""))
        if prices is not None:
            text = FEED.format(title="Prices", name="prices", feed=feed, channel=channel)
            (folder / "feeds" / "prices.py").write_text(text)
        (folder / "pages" / "all.py").write_text(PAGE)
        return Project.at(folder)

    def work(self, project: Project, **posted: float) -> None:
        """What a worker of that release does with one event of each feed."""
        web = create_app(self.settings, project)
        declarations, telemetry = load_declarations(project), Telemetry("test", "worker")
        ingestion = Ingestion(web.broker, declarations, telemetry)
        for name, value in posted.items():
            ingestion.accept(declarations.feeds[name], [{"item": "a", "value": value}])
        processor = Processor(web.broker, declarations, telemetry, worker="w")
        processor.drain()
        Archiver(web.broker, self.database, declarations, telemetry, worker="w").drain()
        processor.hand_over()
        web.stop()

    def keys(self, feed: str) -> list[str]:
        """The keys that hold a feed's values; those of leases come and go."""
        with redis.Redis.from_url(self.settings.redis_url) as client:
            found: Any = client.keys(f"hw:{{{feed}.0}}:*")
        names = (key.decode() for key in found)
        return sorted(name for name in names if ":c:" in name or name.endswith(":events"))


@pytest.fixture
def team(tmp_path: Path, broker_url: str) -> Iterator[Team]:
    made = Team(tmp_path, broker_url)
    yield made
    made.database.close()


RETIRED = 'retired = Retired(since="2026-11-01", successor="stocks")'
GET = "/api/channels/prices.newest"


def _asked(web: Web, path: str, body: Any = None) -> tuple[int, Any]:
    client, headers = web.server.test_client(), {"Authorization": f"Bearer {KEY}"}
    answer = client.get(path) if body is None else client.post(path, json=body, headers=headers)
    return answer.status_code, answer.get_json()


def test_a_retired_feed_takes_nothing_is_shown_nowhere_and_its_past_is_read(team: Team) -> None:
    team.work(team.release(prices=""), prices=1.5, stocks=7.0)
    before = team.keys("prices")
    project = team.release(prices="", feed=RETIRED)
    team.work(project, stocks=8.0)
    declarations = load_declarations(project)
    assert "prices" not in declarations.feeds
    assert {lane.feed for lane in declarations.lanes()} == {"stocks", "operations", "probe"}
    web = create_app(team.settings, project)
    status, told = _asked(web, "/api/ingest/prices", {"item": "a", "value": 2.0})
    assert (status, told["error"]) == (410, "retired")
    assert told["detail"] == "feed 'prices' is retired since 2026-11-01; its successor is stocks"
    status, told = _asked(web, f"{GET}/snapshot")
    assert (status, told["error"], told["since"], told["successor"]) == (410, "retired", "2026-11-01", "stocks")
    status, told = _asked(web, f"{GET}/history")
    assert (status, [row["value"] for row in told["rows"]]) == (200, [1.5])
    assert read_frame(team.database, declarations, "prices", "1h", 2**52).value.tolist() == [1.5]
    listed = {one["name"] for one in _asked(web, "/api/channels")[1]["channels"]}
    assert "prices.newest" not in listed
    assert team.keys("prices") == before
    web.stop()


def test_a_retired_channel_is_not_folded_while_the_others_of_its_feed_are(team: Team) -> None:
    team.work(team.release(prices=""), prices=1.5)
    project = team.release(prices="", channel='retired = Retired(since="2026-11-01", successor="prices.entries")')
    team.work(project, prices=2.5)
    web = create_app(team.settings, project)
    entries = _asked(web, "/api/channels/prices.entries/snapshot")[1]["data"]["entries"]
    assert [one["value"] for one in entries] == [1.5, 2.5]
    status, told = _asked(web, f"{GET}/snapshot")
    assert (status, told["successor"]) == (410, "prices.entries")
    rows = _asked(web, f"{GET}/history")[1]["rows"]
    assert [row["value"] for row in rows] == [1.5]
    web.stop()
    assert any("c:prices.newest" in key for key in team.keys("prices"))


def test_a_later_removal_takes_its_keys_out_of_the_broker_and_a_file_that_is_missing_by_mistake_does_not(
    team: Team,
) -> None:
    team.work(team.release(prices=""), prices=1.5, stocks=7.0)
    team.work(team.release(prices=None))
    assert team.keys("prices"), "it was not retired: the file may be there again tomorrow"
    team.work(team.release(prices="", feed=RETIRED))
    assert team.keys("prices")
    team.work(team.release(prices=""))
    team.work(team.release(prices=None))
    assert team.keys("prices"), "it was taken back into use meanwhile"
    team.work(team.release(prices="", feed=RETIRED))
    stocks = team.keys("stocks")
    team.work(team.release(prices=None))
    assert team.keys("prices") == []
    assert team.keys("stocks") == stocks
    rows = read_frame(team.database, load_declarations(team.release(prices="", feed=RETIRED)), "prices", "1h", 2**52)
    assert rows.value.tolist() == [1.5], "what is archived stays as long as it is kept"


def test_an_old_link_leads_to_the_page_that_took_its_place(team: Team) -> None:
    project = team.release(prices="")
    web = create_app(team.settings, project)
    client = web.server.test_client()
    answer = client.get("/old?item=a")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/new")
    assert client.get("/gone").status_code == 200
    home = client.get("/new").text
    assert 'href="/gone"' not in home
    assert 'href="/old"' not in home
    pages = {page.path: page for page in load_pages(load_declarations(project), project)}
    assert "This page is retired since 2026-11-01." in texts(pages["/gone"].layout())
    web.stop()


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        ("pages/all.py", 'successor="/new"', 'successor="/nwe"', "page('Old').retired: '/nwe': no page has this path"),
        ("pages/all.py", 'since="2026-11-01")', 'since="November")', "all.py:8: Retired.since: 'November': give a day"),
        ("feeds/stocks.py", '"""The newest of each."""', '"""N."""\n    retired = Retired("2026-11-01", "x.y")',
         "page 'New': 'stocks.newest': retired since 2026-11-01; its successor is x.y"),
    ],
)
def test_what_leads_nowhere_and_what_shows_the_retired_is_told(
    team: Team, file: str, before: str, after: str, told: str
) -> None:
    project = team.release(prices="")
    assert project.folder is not None
    path = project.folder / file
    path.write_text(path.read_text().replace(before, after))
    given = in_development(project)
    load_pages(load_declarations(given), given)
    assert any(told in fault for fault in given.faults or ()), list(given.faults or ())
