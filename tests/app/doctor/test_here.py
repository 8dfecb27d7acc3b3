"""The doctor's checks of this machine and its settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.doctor.certificate import Certificate, certificates
from app.doctor.entrance import Origins, Router, Secrets
from app.doctor.place import DatabaseAnswers, DataDirectory, Disk, Lasting, Port
from app.loading import DEMO
from app.settings import Settings
from services.database import Database, migrate
from services.embedded import EmbeddedBroker
from tests.app.doctor.certified import Authority, TlsServer
from tests.app.doctor.said import found, passes
from tests.app.running import headwater
from tests.ports import free_port
from tests.postgres import Postgres

PUBLIC = "https://ops.example.com"


def test_a_directory_that_cannot_be_made_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in found(DataDirectory(tmp_path / "file" / "data")).text
    passes(DataDirectory(tmp_path / "data"))


def test_a_key_that_others_may_read_fails(tmp_path: Path) -> None:
    (tmp_path / "ingest.key").write_text("key")
    (tmp_path / "ingest.key").chmod(0o644)
    assert "chmod 600" in found(DataDirectory(tmp_path)).remedy


def test_a_disk_that_fills_warns_and_fails(tmp_path: Path) -> None:
    assert "are free" in found(Disk(tmp_path, warn_mb=1e12), "warn").text
    assert "keep less history" in found(Disk(tmp_path, fail_mb=1e12)).remedy


def test_a_port_that_is_taken_warns(tmp_path: Path, own_broker: EmbeddedBroker) -> None:
    with TlsServer(Authority(tmp_path).sign("localhost")) as taken:
        assert "is in use" in found(Port(Settings(port=taken.port)), "warn").text
    passes(Port(Settings(port=taken.port)))


def test_history_on_a_platforms_disk_fails() -> None:
    assert "DATABASE_URL: not set" in found(Lasting(Settings(host="0.0.0.0", insecure=True), DEMO)).text
    assert list(Lasting(Settings(), DEMO).look()) == []


def test_a_database_that_is_down_fails_and_one_that_is_behind_warns(tmp_path: Path) -> None:
    server = Postgres()
    server.start()
    url = server.create()
    assert "this release needs" in found(DatabaseAnswers(url), "warn").text
    database = Database(url)
    migrate(database)
    database.close()
    passes(DatabaseAnswers(url))
    assert "will be slow" in found(DatabaseAnswers(url, slow_s=0.0), "warn").text
    server.stop()
    findings = list(DatabaseAnswers(url).look())
    assert [one.level for one in findings] == ["fail"]
    assert "start it, or correct DATABASE_URL" in findings[0].text
    server.close()


def test_an_origin_that_would_get_no_socket_fails() -> None:
    finding = found(Origins(Settings(public_url=PUBLIC, origins=("https://other.example",))))
    assert finding.remedy == f"add {PUBLIC}"
    assert "HEADWATER_ORIGINS" in found(Origins(Settings(public_url=PUBLIC)), "warn").remedy
    assert "not encrypted" in found(Origins(Settings(origins=("http://ops.example.com",))), "warn").text
    assert passes(Origins(Settings(public_url=PUBLIC, origins=(PUBLIC,)))) == [f"pages of {PUBLIC}"]


@pytest.mark.parametrize("keys", [("press:0123456789abcdef:flights",), ("press:aaaaaaaaaaaaaaaabbbb:flights",)])
def test_a_secret_that_can_be_guessed_fails_and_is_not_shown(keys: tuple[str, ...]) -> None:
    finding = found(Secrets(Settings(ingest_keys=keys)))
    assert "ingest key press: a secret that can be guessed" in finding.text
    assert keys[0].split(":")[1] not in finding.line()


def test_two_keys_with_one_secret_fail() -> None:
    keys = ("one:kz8Qw3vT1mXr7LpN:flights", "two:kz8Qw3vT1mXr7LpN:host")
    assert "the same secret" in found(Secrets(Settings(ingest_keys=keys))).text
    passes(Secrets(Settings(ingest_keys=keys[:1])))


def test_open_to_a_network_warns() -> None:
    assert "everybody who reaches" in found(Secrets(Settings(host="0.0.0.0", insecure=True)), "warn").text


def test_a_proxy_that_nobody_believes_fails_and_one_that_nobody_can_reach_warns() -> None:
    assert "HEADWATER_PROXIES" in found(Router(Settings(public_url=PUBLIC))).remedy
    assert passes(Router(Settings(public_url=PUBLIC, proxies=1))) == [
        "what the proxy before this server says of address and encryption is believed"
    ]
    assert "only this machine" in found(Router(Settings(proxies=1)), "warn").text
    assert "is not believed" in passes(Router(Settings()))[0]


def test_a_router_whose_viewers_share_an_address_warns() -> None:
    plain = {"public_url": "http://ops.example.com", "insecure": True}
    assert "HEADWATER_VIEWERS_PER_ADDRESS=0" in found(Router(Settings(**plain)), "warn").remedy
    passes(Router(Settings(**plain, viewers_per_address=0)))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"metrics_key": "changeme-changeme"}, "HEADWATER_METRICS_KEY"),
        ({"redis_url": "rediss://:password@broker.example:6380"}, "the password in REDIS_URL"),
        ({"database_url": "postgresql://headwater:secret@database.example/headwater"}, "the password in DATABASE_URL"),
        (
            {"oidc_issuer": "https://id.example.com", "oidc_client_id": "headwater", "oidc_client_secret": "example"},
            "HEADWATER_OIDC_CLIENT_SECRET",
        ),
    ],
)
def test_every_secret_of_the_settings_is_looked_at(given: dict[str, str], named: str) -> None:
    assert found(Secrets(Settings(**given))).text == f"{named}: a secret that can be guessed"


def test_a_password_on_this_machine_and_a_long_one_elsewhere_pass() -> None:
    passes(Secrets(Settings(redis_url="redis://:password@127.0.0.1:6379")))
    strong = Settings(redis_url="rediss://:kz8Qw3vT1mXr7LpN@broker.example:6380")
    assert passes(Secrets(strong)) == ["0 ingest keys in the settings, the password in REDIS_URL"]


@pytest.mark.parametrize(
    ("name", "until_days", "trusted", "level", "text"),
    [
        ("localhost", 90, True, "ok", "holds until"),
        ("localhost", 10, True, "warn", "10 days"),
        ("localhost", -1, True, "fail", "expired"),
        ("localhost", 90, False, "fail", "unable to get local issuer"),
        ("elsewhere.example", 90, True, "fail", "not valid for 'localhost'"),
    ],
)
def test_a_certificate_is_judged_by_age_name_and_authority(
    tmp_path: Path, name: str, until_days: int, trusted: bool, level: str, text: str
) -> None:
    authority = Authority(tmp_path)
    trust = str(authority.file) if trusted else None
    with TlsServer(authority.sign(name, until_days=until_days)) as server:
        finding = found(Certificate("localhost", server.port, authorities=trust), level)
        assert text in finding.text
        if level == "fail":
            assert found(Certificate("localhost", server.port, authorities=trust, must=False), "warn").remedy


def test_the_brokers_certificate_is_judged_by_the_authority_that_the_settings_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with TlsServer(authority.sign("localhost")) as server:
        url = f"rediss://localhost:{server.port}"
        for named in (str(authority.file), authority.file.read_text()):
            (named_one,) = certificates(Settings(redis_url=url, redis_tls_ca=named))
            passes(named_one)
        (unknown,) = certificates(Settings(redis_url=url))
        assert found(unknown).remedy.endswith("or name its authority by REDIS_TLS_CA")
        (unverified,) = certificates(Settings(redis_url=url, redis_tls_verify="none"))
        assert found(unverified, "warn").remedy


def test_where_nothing_speaks_tls_that_is_told() -> None:
    assert "no TLS" in found(Certificate("127.0.0.1", 1)).text


def test_the_whole_examination_comes_as_json_with_exit_code_1_where_something_failed(
    own_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    given = {"HEADWATER_DATA": str(tmp_path), "HEADWATER_INGEST_KEYS": "press:0123456789abcdef:flights"}
    ended = headwater("doctor", "--json", REDIS_URL=own_broker.url, PORT=str(free_port()), **given)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    said = json.loads(ended.stdout)
    assert said["fail"] == 1
    assert {one["subject"] for one in said["findings"]} >= {
        "settings", "declarations", "contract", "data", "origins", "router", "secrets", "disk", "port", "broker",
        "broker memory", "broker room",
        "broker connections", "persistence", "workers", "clock", "database",
    }
