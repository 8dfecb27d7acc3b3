"""Pausing for everybody: who may do it with which feeds, what everybody is told, and what the audit log keeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.doors import Doors
from app.factory import Web
from app.loading import load_declarations, load_roles
from app.pause_all import PauseAll
from app.settings import Settings
from callbacks.pause_all import answered
from services.accounts.audit import Audit
from services.broker import Paused
from services.database import Database, migrate
from tests.components.drawn import texts

AT = 1_700_000_000_000


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    made = Database(settings.database_address)
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def pausing(web: Web, settings: Settings, database: Database) -> Iterator[PauseAll]:
    with web.server.test_request_context("/operations"):
        yield PauseAll(web.broker, load_declarations(), Doors(settings), Audit(database), lambda: AT)


def as_role(monkeypatch: pytest.MonkeyPatch, *roles: str) -> None:
    """From now on somebody with these roles of roles.toml asks."""
    principal = load_roles(load_declarations()).principal("ann", roles)
    monkeypatch.setattr(Doors, "principal", lambda self: principal)


def test_one_pauses_and_resumes_and_both_are_in_the_audit_log(pausing: PauseAll, database: Database) -> None:
    assert pausing.act("pause", "signals") == "Paused signals for everybody."
    assert pausing.feeds()["signals"] == Paused("open", AT)
    assert pausing.act("pause", "signals") == "signals is paused already."
    assert pausing.act("resume", "signals") == "Resumed signals for everybody."
    assert pausing.act("resume", "signals") == "signals is live already."
    assert set(pausing.feeds().values()) == {None}
    kept = [(entry.what, entry.subject, entry.who) for entry in Audit(database).entries()][:3]
    assert kept == [
        ("feed_paused", "signals", "open"), ("feed_paused", "signals", "open"), ("feed_resumed", "signals", "open"),
    ]


@pytest.mark.parametrize(
    ("roles", "feeds"),
    [
        (["desk"], ["flights", "signals"]),  # whose actions name pause-all
        (["wall"], []),  # who may look only
        (["client"], []),
        (["ewr-ops"], []),  # a part is not a feed
        ([], []),
    ],
)
def test_who_may_do_it_is_what_the_roles_say(
    pausing: PauseAll, monkeypatch: pytest.MonkeyPatch, roles: list[str], feeds: list[str]
) -> None:
    as_role(monkeypatch, *roles)
    assert list(pausing.feeds()) == feeds
    for feed in {"flights", "host", "nothing"} - set(feeds):
        assert "no feed" in pausing.act("pause", feed)
        assert pausing.broker.paused([feed]) == {}


def test_a_forged_click_does_nothing(pausing: PauseAll, monkeypatch: pytest.MonkeyPatch) -> None:
    as_role(monkeypatch, "wall")
    for clicked in ({"act": "pause", "feed": "flights"}, {"act": "drop", "feed": ["x"]}, "pause", 7, None):
        drawn, _ = answered(clicked, pausing)
        assert "None of your roles" in texts(drawn)
    assert pausing.broker.paused(["flights"]) == {}


def test_the_list_says_how_each_feed_stands_and_what_its_button_does(pausing: PauseAll) -> None:
    pausing.act("pause", "flights")
    drawn, said = answered({"act": "pause", "feed": "signals"}, pausing)
    words = texts(drawn)
    assert said == "Paused signals for everybody."
    assert "paused by open since 22:13:20 UTC" in words
    for word in ("live", "Pause", "Resume"):
        assert word in words
