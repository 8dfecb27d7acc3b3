"""Headers: every answer tells the browser what it may do with it, and who may frame it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.factory import create_app
from app.framing import directive
from app.headers import NOTHING, POLICY
from app.settings import Settings

PAGES = ("/", "/explore", "/status", "/no-such-page")
OTHERS = ("/healthz", "/api/session", "/api/nothing", "/_dash-layout", "/assets/style.css", "/_favicon.ico")


def _client(folder: Path, **more: object) -> tuple[FlaskClient, object]:
    web = create_app(Settings(redis_url="redis://127.0.0.1:1", data=folder, **more))  # type: ignore[arg-type]
    return web.server.test_client(), web


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    made, web = _client(tmp_path_factory.mktemp("headers"))
    yield made
    web.stop()  # type: ignore[attr-defined]


def _directives(policy: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in policy.split(";"))}


@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
def test_every_answer_says_how_far_it_may_be_trusted(client: FlaskClient, path: str) -> None:
    headers = client.get(path, buffered=True).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in headers
    assert POLICY in headers
    assert headers["Cache-Control"], "a cache asks, or keeps what has a fingerprint"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_no_script_that_is_not_ours(client: FlaskClient, path: str) -> None:
    answer = client.get(path, buffered=True)
    rules = _directives(answer.headers[POLICY])
    scripts = rules.get("script-src", ["'none'"])
    assert rules["default-src"] == ["'none'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "'strict-dynamic'", "*", "https:", "data:"} & {
        *scripts
    }
    assert all(re.fullmatch(r"'self'|'none'|'sha256-[A-Za-z0-9+/]{43}='", one) for one in scripts)
    assert rules["frame-ancestors"] == ["'self'"]
    if "script-src" in rules:
        assert rules["object-src"] == rules["base-uri"] == ["'none'"]
        assert len(scripts) >= 2, "Dash's own lines are known by their hash"
    assert answer.headers["Cache-Control"] == "no-store"
    assert " onload=" not in answer.text, "no handler in an attribute"
    assert "javascript:" not in answer.text, "no script in an address"


@pytest.mark.parametrize("path", OTHERS)
def test_what_is_no_page_may_do_nothing_even_if_it_is_shown_as_one(client: FlaskClient, path: str) -> None:
    assert client.get(path, buffered=True).headers[POLICY] == NOTHING


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("none", "frame-ancestors 'none'"),
        ("'self' https://*.Example.com:8443", "frame-ancestors 'self' https://*.example.com:8443"),
    ],
)
def test_the_setting_says_who_may_frame_a_page(tmp_path: Path, given: str, rule: str) -> None:
    client, web = _client(tmp_path, frame_ancestors=given)
    try:
        for path in ("/", "/status"):
            assert client.get(path, buffered=True).headers[POLICY].endswith(f"; {rule}")
    finally:
        web.stop()  # type: ignore[attr-defined]


def test_words_are_quoted_and_origins_are_not() -> None:
    assert directive(("self", "https://a.example.com")) == "frame-ancestors 'self' https://a.example.com"
