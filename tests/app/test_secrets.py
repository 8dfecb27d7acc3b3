"""Secrets: whatever fails, none of them stands in a log, an answer, a figure or what a command says.

Each secret is a canary: a text that is found nowhere else. Who adds a setting that is a secret gives it one here.
"""

from __future__ import annotations

import base64
import logging
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.cli import main
from app.factory import Web, create_app
from app.settings import Settings, SettingsError, entries, read_settings
from services.database import Database
from services.embedded import EmbeddedBroker
from tests.app.running import ROOT, environment
from tests.app.signing import asking, migrated
from tests.identity_provider import CLIENT, identity_provider
from tests.ports import free_port
from tests.waiting import wait_until

CANARY = re.compile(r"canary[-\w]*")
NOWHERE = "127.0.0.1:1"
KEY = "canary-key-0123456789"
SECRETS = {
    "REDIS_URL": f"redis://canary-user:canary-redis@{NOWHERE}/0",
    "DATABASE_URL": f"postgresql://hw:canary-database@{NOWHERE}/hw",
    "HEADWATER_INGEST_KEYS": f"press:{KEY}:orders",
    "HEADWATER_PROBE_KEY": "canary-probe-0123456789",
    "HEADWATER_METRICS_KEY": "canary-metrics-0123456789",
    "HEADWATER_OIDC_CLIENT_SECRET": "canary-provider-0123456789",
}
"""A value that can be used, for each setting that is a secret."""
VARIABLES = {"SHOP_CHAT_URL": f"http://{NOWHERE}/canary-hook", "SHOP_DEAD_MAN_URL": f"http://{NOWHERE}/canary-beat"}
"""Secrets that the test project's contract names."""
HEADERS = (
    {"Authorization": f"Bearer {KEY}"},
    {"Authorization": "Bearer canary-unknown-0123456789"},
    {"Authorization": "Bearer hw_canaryaa_" + 43 * "c"},
    {"Authorization": "Basic " + base64.b64encode(b"canary:canary").decode()},
    {"Cookie": "session=canary-session; __Host-session=canary-session"},
)
PATHS = ("/", "/readyz", "/metrics", "/api/session", "/api/channels", "/api/nope", "/live", "/status", "/api/explore")


def canaries(text: str) -> set[str]:
    """What of the secrets stands in a text, plain or as a Basic header has it."""
    encoded = base64.b64encode(b"canary:canary").decode()
    return set(CANARY.findall(text)) | ({encoded} if encoded in text else set())


def test_every_setting_that_is_a_secret_has_a_canary() -> None:
    assert {entry.variable for entry in entries() if entry.secret} <= SECRETS.keys()


# Commands -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ["doctor"], ["check"], ["release"], ["settings"], ["web"], ["worker"], ["audit"], ["keys", "list"],
        ["keys", "add", "press", "--feeds", "flights"], ["forget", "flights", "EWR"], ["quarantine", "list"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_command_says_a_secret(command: list[str], tmp_path: Path) -> None:
    given = {**SECRETS, **VARIABLES, "HEADWATER_DATA": str(tmp_path)}
    if command[0] in ("web", "worker"):  # these would stay: with a wrong value beside them they do not start
        given["PORT"] = "none"
    answer = CliRunner().invoke(main, command, env=given)
    assert canaries(answer.output + str(answer.exception)) == set()


@pytest.mark.parametrize("variable", sorted(SECRETS))
def test_a_secret_that_cannot_be_used_is_not_quoted(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "canary wrong canary")
    try:
        told = repr(read_settings())
    except SettingsError as error:
        told = str(error)
    assert variable in told or "Settings(" in told
    assert canaries(told) == set()


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://{NOWHERE}/hw?user=hw&password=canary", f"postgresql://hw:canary%40x@{NOWHERE}/hw",
        f"postgresql://hw:canary@{NOWHERE}/hw?sslpassword=canary",
    ],
)  # fmt: skip
def test_a_databases_password_is_hidden_wherever_its_url_holds_it(url: str) -> None:
    assert canaries(Database(url).address) == set()


@pytest.mark.parametrize(
    "url", [f"redis://{NOWHERE}/0?password=canary", f"redis://:canary@x@{NOWHERE}", "unix://hw:canary@/nowhere/at.all"]
)
def test_a_brokers_password_is_hidden_wherever_its_url_holds_it(url: str) -> None:
    from services.broker import Broker, BrokerDown

    broker = Broker(url)
    with pytest.raises(BrokerDown) as down:
        broker.server()
    assert canaries(str(down.value)) == set()


# Processes ----------------------------------------------------------------------------------------


class Process:
    """A process of the test project that is given every secret, and may get nowhere with them."""

    def __init__(self, role: str, folder: Path, secrets: Mapping[str, str]) -> None:
        self.port, self._log = free_port(), folder / f"{role}.log"
        variables = {
            **VARIABLES, **secrets, "PORT": str(self.port), "HEADWATER_DATA": str(folder), "WEB_CONCURRENCY": "1",
            "HEADWATER_LOG_LEVEL": "debug",
        }  # fmt: skip
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.project", role], cwd=ROOT, env=environment(**variables), stdout=log,
                stderr=log,
            )  # fmt: skip

    @property
    def output(self) -> str:
        return self._log.read_text()

    def ask(self, path: str, headers: Mapping[str, str], body: bytes | None = None) -> str:
        """Headers and body of the answer, whatever its status."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, headers=dict(headers))
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return f"{answer.status} {answer.headers} {answer.read().decode(errors='replace')}"
        except urllib.error.HTTPError as refused:
            with refused:
                return f"{refused.code} {refused.headers} {refused.read().decode(errors='replace')}"
        except OSError as nobody:
            return f"0 {nobody}"

    def end(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return self.output


@pytest.mark.parametrize("broker", ["away", "refuses us"])
def test_no_process_tells_a_secret_while_broker_and_database_fail(
    broker: str, own_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    secrets = dict(SECRETS)
    if broker == "refuses us":
        secrets["REDIS_URL"] = own_broker.url.replace("unix://", "unix://hw:canary-redis@")
    web, worker = Process("web", tmp_path, secrets), Process("worker", tmp_path, secrets)
    try:
        wait_until(lambda: web.ask("/healthz", {}).startswith("200"), 90, what="the web process")
        answers = [web.ask(path, headers) for path in PATHS for headers in HEADERS]
        event = b'{"order": "o1", "shop": "north", "price": 1}'
        kind = {"Content-Type": "application/json"}
        posted = [web.ask("/api/ingest/orders", {**headers, **kind}, event) for headers in HEADERS]
        assert [answer[:3] for answer in posted[:3]] == ["503", "401", "503"], "down, unknown, not to be told"
        wait_until(lambda: "broker" in worker.output, what="the worker's trouble")
        wait_until(lambda: "database is waited for" in worker.output, what="the archive's trouble")
    finally:
        told = web.end() + worker.end()
    assert canaries("".join(answers) + "".join(posted)) == set()
    assert canaries(told) == set()


def test_an_error_of_our_own_logs_no_header_and_answers_with_none(
    web: Web, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Any:
        raise RuntimeError("planted")

    web.server.add_url_rule("/api/planted", view_func=fail)
    with caplog.at_level(logging.DEBUG):
        for headers in HEADERS:
            answer = client.get("/api/planted", headers=headers)
            assert answer.status_code == 500
            assert canaries(answer.text) == set()
    assert "planted" in caplog.text
    assert canaries(caplog.text) == set()


def test_an_identity_provider_that_refuses_us_is_told_of_without_our_secret(
    broker_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = SECRETS["HEADWATER_OIDC_CLIENT_SECRET"]
    with identity_provider("http://localhost/sign-in/oidc/back", eve=[]) as provider:
        settings = asking(
            broker_url, tmp_path, oidc_issuer=provider.issuer, oidc_client_id=CLIENT, oidc_client_secret=secret
        )
        migrated(settings)
        made = create_app(settings)
        client = made.server.test_client()
        with caplog.at_level(logging.DEBUG):
            leads = client.get("/sign-in/oidc").headers["Location"]
            back = urlsplit(provider.sign_in(leads, "eve"))
            answer = client.get(f"{back.path}?{back.query}")
        made.stop()
    assert answer.status_code in (502, 503), "the provider does not know us by that secret"
    told = leads + answer.text + str(answer.headers) + caplog.text
    assert canaries(told) == set()
    assert base64.b64encode(f"{CLIENT}:{secret}".encode()).decode() not in told


def test_metrics_of_a_system_at_work_hold_no_secret(broker_url: str, tmp_path: Path) -> None:
    keys = (f"press:{KEY}:*",)
    made = create_app(Settings(redis_url=broker_url, data=tmp_path, ingest_keys=keys, probe_key=KEY))
    client = made.server.test_client()
    headers = {"Authorization": f"Bearer {KEY}"}
    assert client.post("/api/ingest/signals", json={"name": "a", "value": 1}, headers=headers).status_code == 202
    for path in ("/metrics", "/readyz", "/api/channels", "/status"):
        assert canaries(client.get(path).text) == set()
    made.stop()
