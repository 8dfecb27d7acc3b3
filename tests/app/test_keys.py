"""Ingest keys over HTTP and by command: added, used, limited, rotated and revoked while web processes run."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from app.cli import main
from app.factory import create_app
from app.settings import Settings
from services.embedded import EmbeddedBroker
from tests.app.conftest import KEY
from tests.app.running import Running, running
from tests.waiting import wait_until

EVENT = json.dumps({"name": "a", "value": 1}).encode()
REVOKED_WITHIN_S = 2.0


def post(web: Running, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    return web.get("/api/ingest/signals", headers, EVENT)[0]


def keys(*arguments: str, data: str, **variables: str) -> Result:
    """The command, in this process: starting another for each costs more than all the rest."""
    return CliRunner().invoke(main, ["keys", *arguments], env={"HEADWATER_DATA": data, **variables})


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(tmp_path / "data")


def test_a_key_is_added_used_seen_and_revoked_in_every_web_process_within_two_seconds(
    own_broker: EmbeddedBroker, tmp_path: Path, data: str
) -> None:
    added = keys("add", "plant", "--feeds", "signals", "--by", "ada", data=data)
    assert added.exit_code == 0, added.stderr
    secret = added.stdout.strip()
    assert secret not in added.stderr
    with ExitStack() as stack:
        webs = [
            stack.enter_context(running("web", tmp_path, REDIS_URL=own_broker.url, HEADWATER_DATA=data))
            for _ in range(2)
        ]
        for web in webs:
            wait_until(lambda web=web: web.get("/healthz")[0] == 200, what="the web process")
            assert post(web, secret) == 202
        listed = wait_until(lambda: _used(data), what="the last use")
        assert secret not in listed
        revoked = keys("revoke", "plant", "--by", "ada", data=data)
        since = time.monotonic()
        assert revoked.exit_code == 0, revoked.stderr
        waiting = list(webs)
        while waiting:
            waiting = [web for web in waiting if post(web, secret) != 401]
            assert time.monotonic() - since < REVOKED_WITHIN_S, f"{len(waiting)} processes still take it"
        assert "Traceback" not in webs[0].output + webs[1].output
        assert secret not in webs[0].output + webs[1].output


def _used(data: str) -> str:
    listed = keys("list", data=data, HEADWATER_INGEST_KEYS=f"first:{KEY}:*")
    assert listed.exit_code == 0, listed.stderr
    assert "first  *  of HEADWATER_INGEST_KEYS  never used" in listed.stdout
    assert KEY not in listed.stdout
    return listed.stdout if "plant  signals  live" in listed.stdout and "last used 20" in listed.stdout else ""


def test_a_third_key_and_an_undeclared_feed_are_refused_in_one_line(data: str) -> None:
    wrong = keys("add", "plant", "--feeds", "signal", data=data)
    assert wrong.exit_code == 1
    assert "'signal': no such feed; name some of" in wrong.stderr
    for _ in range(2):
        assert keys("add", "plant", "--feeds", "sig*", data=data).exit_code == 0
    third = keys("add", "plant", "--feeds", "signals", data=data)
    assert third.exit_code == 1
    assert len(third.stderr.splitlines()) == 1
    assert "headwater keys revoke" in third.stderr
    assert not third.stdout


def test_a_key_that_posts_more_than_it_may_is_told_to_wait(broker_url: str, tmp_path: Path) -> None:
    held = (f"all:{KEY}:*", "other:fedcba9876543210:*")
    made = create_app(Settings(redis_url=broker_url, data=tmp_path, ingest_keys=held, key_events_per_s=10))
    client: FlaskClient = made.server.test_client()
    headers = {"Authorization": f"Bearer {KEY}"}
    lines = b"\n".join(EVENT for _ in range(1_000))
    kind = "application/x-ndjson"
    assert client.post("/api/ingest/signals", data=lines, content_type=kind, headers=headers).status_code == 202
    for _ in range(2):
        answer = client.post("/api/ingest/signals", data=EVENT, content_type=kind, headers=headers)
        assert answer.status_code == 429
        assert answer.get_json()["error"] == "key_limit"
        assert 50 < int(answer.headers["Retry-After"]) <= 100
    other = {"Authorization": "Bearer fedcba9876543210"}
    assert client.post("/api/ingest/signals", data=EVENT, content_type=kind, headers=other).status_code == 202
    made.stop()
