"""The doctor's check of what the feeds' sources take from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.doctor import sources
from app.doctor.sources import SourcesEquipped
from app.loading import Project
from headwater import HttpPoll, Kafka, Mqtt, SqlPoll, WebSocketFeed
from tests.app.doctor.said import found, passes

FEEDS = '''"""Two feeds that need the environment."""

from headwater import Feed, Freshness, GitHubSignature, Http, Mqtt, Text

RULE = Freshness(1, 2, 3)


class Machines(
    Feed, name="machines", key="machine", freshness=RULE,
    source=Mqtt("mqtt://me:env:PLANT_PASSWORD@plant", ["a/+"], client="c"),
):
    """Of a plant."""

    machine = Text()


class Pushes(
    Feed, name="pushes", key="repository", freshness=RULE,
    source=Http(signed=GitHubSignature(["env:HOOK", "env:HOOK_BEFORE"])),
):
    """Of a service."""

    repository = Text()
'''


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for part in ("feeds", "pages"):
        (tmp_path / part).mkdir()
    (tmp_path / "feeds/two.py").write_text(FEEDS)
    return Project.at(tmp_path)


def test_a_variable_that_is_not_set_fails_with_its_feed_and_its_name(project: Project) -> None:
    told = found(SourcesEquipped(project, {"HOOK": "a"}))
    assert told.text == "feed machines: PLANT_PASSWORD: not set"
    assert "set it" in told.remedy
    told = found(SourcesEquipped(project, {"PLANT_PASSWORD": "a"}))
    assert told.text == "feed pushes: HOOK, HOOK_BEFORE: not set"
    passes(SourcesEquipped(project, {"PLANT_PASSWORD": "a", "HOOK": "a"}))


def test_a_client_that_is_not_installed_fails(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "find_spec", lambda name: None)
    told = found(SourcesEquipped(project, {"PLANT_PASSWORD": "a", "HOOK": "a"}))
    assert "pip install 'headwater[mqtt]'" in told.remedy


def test_every_place_of_a_declaration_may_name_a_variable() -> None:
    assert HttpPoll("http://a/?key=env:A", 5, headers={"X": "Bearer env:B"}).variables == ("A", "B")
    assert WebSocketFeed("ws://a", say=["env:C"]).variables == ("C",)
    assert Kafka("env:D", ["t"], group="g", options={"sasl.password": "env:E"}).variables == ("D", "E")
    assert Mqtt("mqtt://a", ["t"], client="c").variables == ()
    assert SqlPoll("env:F", "SELECT 1", 5, mark="a", tie="b").variables == ("F",)
