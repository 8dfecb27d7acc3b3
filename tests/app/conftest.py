"""The web app for tests: made by the factory over a real broker, asked through Flask's own client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.factory import Web, create_app
from app.settings import Settings

KEY = "0123456789abcdef"
FLIGHTS_KEY = "fedcba9876543210"


@pytest.fixture
def settings(broker_url: str, tmp_path: Path) -> Settings:
    keys = (f"all:{KEY}:*", f"press:{FLIGHTS_KEY}:flights")
    return Settings(redis_url=broker_url, data=tmp_path, ingest_keys=keys, ingest_body_mb=1)


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    made = create_app(settings)
    yield made
    made.stop()


@pytest.fixture
def client(web: Web) -> FlaskClient:
    return web.server.test_client()
