"""Transport: what is not encrypted is served to this machine alone, and a proxy is believed only when told to."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brotli
import pytest
from flask.testing import FlaskClient

from app.factory import create_app
from app.headers import HSTS
from app.server import gunicorn_settings
from app.settings import Settings
from app.transport import WARNING

HERE, ELSEWHERE = "127.0.0.1", "203.0.113.9"
OPS = "ops.example.com"
READ: dict[str, Any] = {"identity": bytes, "gzip": gzip.decompress, "br": brotli.decompress}
TOLD = {"X-Forwarded-For": ELSEWHERE, "X-Forwarded-Proto": "https"}


@contextmanager
def served(folder: Path, **more: object) -> Iterator[FlaskClient]:
    given: dict[str, Any] = {"data": folder, "origins": (f"https://{OPS}",), **more}
    settings = Settings(redis_url="redis://127.0.0.1:1", **given)
    web = create_app(settings)
    try:
        yield web.server.test_client()
    finally:
        web.stop()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A web process that was told of no proxy."""
    with served(tmp_path_factory.mktemp("alone")) as client:
        yield client


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A web process behind one proxy."""
    with served(tmp_path_factory.mktemp("behind"), proxies=1) as client:
        yield client


def status(client: FlaskClient, peer: str, host: str, path: str = "/healthz", **headers: str) -> int:
    given = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = client.get(path, headers=given, environ_overrides={"REMOTE_ADDR": peer})
    if answer.status_code == 403:
        assert answer.get_json()["error"] == "not_encrypted", answer.text
    return answer.status_code


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_served_plain(alone: FlaskClient, peer: str) -> None:
    assert status(alone, peer, "localhost:8050") == 200


@pytest.mark.parametrize(
    ("peer", "host"), [(ELSEWHERE, OPS), (ELSEWHERE, "127.0.0.1:8050"), ("10.0.0.7", OPS), (HERE, OPS)]
)
@pytest.mark.parametrize("path", ["/", "/healthz", "/api/channels", "/live", "/assets/style.css", "/status"])
def test_a_plain_request_from_elsewhere_is_refused_with_the_reason(
    alone: FlaskClient, peer: str, host: str, path: str
) -> None:
    assert status(alone, peer, host, path) == 403


def test_who_writes_a_proxys_headers_is_not_believed_without_a_setting(alone: FlaskClient) -> None:
    assert status(alone, ELSEWHERE, OPS, **TOLD) == 403
    refused = alone.get("/healthz", headers={"Host": "127.0.0.1:8050", **TOLD})
    assert "HEADWATER_PROXIES" in refused.get_json()["detail"], "a proxy on this machine that nobody told us of"
    assert gunicorn_settings(Settings())["forwarded_allow_ips"] == "", "nor by the web server itself"


def test_behind_a_proxy_encrypted_is_served_and_plain_is_not(behind: FlaskClient) -> None:
    assert status(behind, "10.1.1.1", OPS, **TOLD) == 200
    assert status(behind, "10.1.1.1", OPS, X_Forwarded_For=ELSEWHERE, X_Forwarded_Proto="http") == 403
    assert status(behind, "10.1.1.1", OPS) == 403, "past the proxy"
    assert status(behind, HERE, "127.0.0.1:8050") == 200, "this machine's own health check"


def test_only_the_last_proxys_word_counts(behind: FlaskClient) -> None:
    forged = {"X-Forwarded-For": f"127.0.0.1, {ELSEWHERE}", "X-Forwarded-Proto": "https, http"}
    assert status(behind, "10.1.1.1", "127.0.0.1:8050", **forged) == 403


def test_an_encrypted_answer_binds_the_browser_to_encryption_and_a_plain_one_does_not(behind: FlaskClient) -> None:
    answer = behind.get("/healthz", headers={"Host": OPS, **TOLD})
    assert answer.headers["Strict-Transport-Security"] == HSTS
    assert int(HSTS.split("=")[1].split(";")[0]) >= 31_536_000
    assert "includeSubDomains" in HSTS
    assert "Strict-Transport-Security" not in behind.get("/healthz").headers


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br"])
def test_a_private_network_without_encryption_warns_on_every_page(tmp_path: Path, encoding: str) -> None:
    with served(tmp_path, insecure=True) as client:
        assert status(client, "10.0.0.7", "10.0.0.9:8050") == 200
        for path in ("/", "/explore", "/status"):
            asked = {"Host": "10.0.0.9:8050", "Accept-Encoding": encoding}
            page = client.get(path, follow_redirects=True, headers=asked)
            read = READ[page.headers.get("Content-Encoding", "identity")]
            assert WARNING in read(page.get_data()).decode(), path
