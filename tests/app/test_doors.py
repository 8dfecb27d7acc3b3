"""Doors: only this machine's pages come in while everybody may read."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.doors import Doors
from app.settings import Settings

UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8050", "localhost:8050", "[::1]:8050"])
def test_this_machines_names_are_let_in(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8050", "10.0.0.7:8050", "localhost.evil"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/api/channels", "/live", "/assets/style.css"])
def test_a_page_that_points_its_own_name_at_this_machine_is_refused(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert answer.get_json()["error"] == "forbidden_host"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:8051", "file://", ""])
def test_a_socket_of_another_sites_page_is_refused_before_the_upgrade(client: FlaskClient, origin: str) -> None:
    answer = client.get("/live", headers={**UPGRADE, "Host": "localhost:8050", "Origin": origin})
    assert answer.status_code == 403
    assert answer.get_json()["error"] == "forbidden_origin"


def test_the_sockets_address_without_an_upgrade_is_426(client: FlaskClient) -> None:
    assert client.get("/live").status_code == 426


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "127.0.0.1:8050", True),
        ("http://127.0.0.1:8050", "127.0.0.1:8050", True),
        ("http://localhost:8050", "127.0.0.1:8050", False),
    ],
)
def test_without_a_list_only_the_pages_own_origin_may_open_a_socket(
    origin: str | None, host: str, allowed: bool
) -> None:
    assert Doors(Settings()).origin_allowed(origin, host) is allowed


def test_a_list_of_origins_opens_their_hosts_and_no_others() -> None:
    doors = Doors(Settings(origins=("https://ops.example.com",)))
    assert doors.host_allowed("ops.example.com")
    assert doors.origin_allowed("https://ops.example.com", "127.0.0.1:8050")
    assert not doors.host_allowed("other.example.com")
    assert not doors.origin_allowed("http://ops.example.com", "ops.example.com")


def test_on_a_private_network_any_host_is_let_in_but_no_foreign_page() -> None:
    doors = Doors(Settings(insecure=True))
    assert doors.host_allowed("10.0.0.7:8050")
    assert doors.origin_allowed("http://10.0.0.7:8050", "10.0.0.7:8050")
    assert not doors.origin_allowed("http://evil.example", "10.0.0.7:8050")
