"""Framing: every page tells the browser whose pages may frame it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.factory import create_app
from app.framing import directive
from app.settings import Settings


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("", "frame-ancestors 'self'"),
        ("none", "frame-ancestors 'none'"),
        ("'self' https://*.Example.com:8443", "frame-ancestors 'self' https://*.example.com:8443"),
    ],
)
def test_the_setting_is_the_rule_on_every_page_beside_its_own(tmp_path: Path, given: str, rule: str) -> None:
    more = {"frame_ancestors": given} if given else {}
    web = create_app(Settings(redis_url="redis://127.0.0.1:1", data=tmp_path, **more))  # type: ignore[arg-type]
    try:
        client = web.server.test_client()
        assert client.get("/").headers["Content-Security-Policy"] == rule
        assert client.get("/status").headers["Content-Security-Policy"].endswith(f"; {rule}")
        assert "Content-Security-Policy" not in client.get("/healthz").headers
    finally:
        web.stop()


def test_words_are_quoted_and_origins_are_not() -> None:
    assert directive(("self", "https://a.example.com")) == "frame-ancestors 'self' https://a.example.com"
