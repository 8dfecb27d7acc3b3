"""Over HTTP: what a sender and a load balancer are told while the broker runs full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient

from app.factory import create_app
from app.settings import Settings
from services.embedded import EmbeddedBroker
from tests.app.conftest import KEY

HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def client(own_broker: EmbeddedBroker, tmp_path: Path) -> Iterator[FlaskClient]:
    made = create_app(Settings(redis_url=own_broker.url, data=tmp_path, ingest_keys=(f"all:{KEY}:*",)))
    yield made.server.test_client()
    made.stop()


def configure(broker: EmbeddedBroker, name: str, value: object) -> None:
    server = redis.Redis.from_url(broker.url)
    server.config_set(name, value)
    server.close()


def used_memory(broker: EmbeddedBroker) -> int:
    server = redis.Redis.from_url(broker.url)
    used: int = server.info("memory")["used_memory"]
    server.close()
    return used


def test_a_sender_is_told_to_come_again_later(own_broker: EmbeddedBroker, client: FlaskClient) -> None:
    configure(own_broker, "maxmemory", int(used_memory(own_broker) / 0.9))
    answer = client.post("/api/ingest/signals", json={"name": "a", "value": 1}, headers=HEADERS)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "memory" in answer.get_json()["detail"]


def test_a_full_broker_is_not_ready(own_broker: EmbeddedBroker, client: FlaskClient) -> None:
    configure(own_broker, "maxmemory", int(used_memory(own_broker) / 0.9))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "raise maxmemory" in answer.get_json()["checks"]["broker"]


def test_a_broker_that_may_drop_data_is_not_ready(own_broker: EmbeddedBroker, client: FlaskClient) -> None:
    configure(own_broker, "maxmemory-policy", "allkeys-lru")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "noeviction" in answer.get_json()["checks"]["broker"]
