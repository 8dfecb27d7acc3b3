"""Sign-in: nobody passes without it, nothing tells which accounts there are, no other site can do it for somebody."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.doors import next_path
from app.factory import Web, create_app
from app.loading import DEMO, in_development
from app.settings import Settings
from app.sign_in import EXPIRED, WRONG
from services.accounts import OPEN
from services.accounts.attempts import PER_ACCOUNT, PER_ADDRESS
from services.accounts.audit import Audit
from services.accounts.register import Register
from services.database import Database
from services.embedded import EmbeddedBroker
from tests.app.signing import HERE, PASSWORD, asking, migrated, sign_in, signed_in, word_of
from tests.app.test_doors import UPGRADE
from tests.app.test_matrix import opening

pytestmark = pytest.mark.usefixtures("broker_url")  # which empties the broker: nobody tried to sign in before

SECURE = "https://ops.example.com"


@pytest.fixture(scope="module")
def settings(shared_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("sign-in")
    made = asking(shared_broker.url, folder, origins=(SECURE,), metrics_key="0123456789abcdef")
    migrated(made, ann="desk", bob="desk", root="admin", carl="desk", dora="desk")
    return made


@pytest.fixture(scope="module")
def web(settings: Settings) -> Iterator[Web]:
    made = create_app(settings)
    yield made
    made.stop()


def acts(settings: Settings, *subjects: str) -> list[tuple[str, str, str]]:
    database = Database(settings.database_address)
    entries = Audit(database).entries()
    database.close()
    return [(one.what, one.who, one.subject) for one in entries if one.address != "command" and one.subject in subjects]


def test_without_a_session_pages_lead_to_the_sign_in_and_programs_are_told_401(client: FlaskClient) -> None:
    answer = client.get("/host?window=1h")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?next=/host%3Fwindow%3D1h")
    assert client.get("/").headers["Location"] == "/sign-in"
    for path in ("/api/session", "/api/channels", "/_dash-layout", "/_dash-dependencies", "/_reload-hash", "/metrics"):
        assert client.get(path).status_code == 401, path
    for path in ("/api/changes", "/_dash-update-component", "/api/report"):
        assert client.post(path, json={}).status_code == 401, path
    assert client.get("/live", headers=UPGRADE).status_code == 401
    assert client.get("/live", headers={**UPGRADE, "Origin": "http://evil.example"}).status_code == 403
    for path in ("/healthz", "/status", "/sign-in", "/assets/style.css"):
        with client.get(path) as answer:
            assert answer.status_code == 200, path
    assert client.post("/api/ingest/flights", json=[]).status_code == 401, "a key is asked for"
    assert client.get("/metrics", headers={"Authorization": "Bearer 0123456789abcdef"}).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer 0123456789abcdee"}).status_code == 401


def test_who_signs_in_comes_to_where_he_wanted_and_his_cookie_is_kept_from_scripts(
    client: FlaskClient, settings: Settings
) -> None:
    answer = sign_in(client, "Bob ", next="/host?window=1h")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/host?window=1h")
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("headwater="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    session = client.get("/api/session")
    assert session.get_json() == {"principal": "bob", "roles": ["desk"]}
    assert session.headers["Cache-Control"] == "no-store"
    assert client.get("/sign-in").headers["Location"] == "/", "he is signed in"
    assert "desk" in client.get("/sign-out").text
    assert client.get("/metrics").status_code == 403
    assert acts(settings, "bob") == [("signed_in", "bob", "bob")]


def test_over_https_the_cookies_belong_to_this_host_alone_and_one_of_plain_http_opens_nothing(
    web: Web, client: FlaskClient
) -> None:
    answer = sign_in(client, "ann", base=SECURE)
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("__Host-headwater="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert client.get("/api/session", base_url=SECURE).status_code == 200
    value = cookie.partition("=")[2].partition(";")[0]
    other = web.server.test_client()
    other.set_cookie("headwater", value, domain="ops.example.com")
    assert other.get("/api/session", base_url=SECURE).status_code == 401


def test_without_encryption_nobody_signs_in_from_another_machine(broker_url: str, tmp_path: Path) -> None:
    settings = asking(broker_url, tmp_path, origins=("http://ops.example.com",))
    migrated(settings)
    web = create_app(settings)
    try:
        answer = web.server.test_client().get("/sign-in", base_url="http://ops.example.com")
        assert (answer.status_code, answer.get_json()["error"]) == (403, "not_encrypted")
    finally:
        web.stop()


def test_no_other_site_can_sign_somebody_in_or_out(client: FlaskClient, web: Web) -> None:
    said = {"name": "ann", "password": PASSWORD}
    without = client.post("/sign-in", data=said)
    assert without.status_code == 403
    assert EXPIRED in without.text
    assert client.post("/sign-in", data={**said, "form": "x" * 43}).status_code == 403
    word = word_of(client)
    foreign = client.post("/sign-in", data={**said, "form": word}, headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    assert web.server.test_client().post("/sign-in", data={**said, "form": word}).status_code == 403, "another browser"

    ann = signed_in(web, "ann")
    ann.post("/sign-out")
    ann.post("/sign-out", data={"form": "x" * 43})
    assert ann.get("/sign-out", headers={"Origin": "http://evil.example"}).status_code == 200
    assert ann.get("/api/session").status_code == 200, "still signed in"
    out = ann.post("/sign-out", data={"form": word_of(ann, "/sign-out")})
    assert out.headers["Location"] == "/sign-in?out=1"
    assert ann.get("/api/session").status_code == 401
    assert "You are signed out" in ann.get(out.headers["Location"]).text


class SlowBody(io.BytesIO):
    """A body in the middle of which something happens."""

    def __init__(self, body: bytes, meanwhile: Callable[[], None]) -> None:
        super().__init__(body)
        self._meanwhile = meanwhile

    def readinto(self, buffer: Any, /) -> int:
        self._meanwhile()
        return super().readinto(buffer)


def test_a_callback_whose_body_comes_slowly_is_asked_again_who_sends_it(web: Web, settings: Settings) -> None:
    dora, asked = signed_in(web, "dora"), json.dumps(opening("/host")).encode()

    def send(meanwhile: Callable[[], None]) -> int:
        body = SlowBody(asked, meanwhile)
        return dora.post(
            "/_dash-update-component", input_stream=body, content_length=len(asked), content_type="application/json"
        ).status_code

    def disable() -> None:
        database = Database(settings.database_address)
        Register(database).disable("dora", who="tests")
        database.close()
        web.broker.tell_grants_changed()
        web.sessions.look()  # as it does twice a second

    assert send(lambda: None) == 200
    assert send(disable) == 401


def test_a_session_that_is_taken_along_ends_with_the_next_sign_in(web: Web) -> None:
    browser = signed_in(web, "ann")
    cookie = browser.get_cookie("headwater")
    assert cookie is not None
    thief = web.server.test_client()
    thief.set_cookie("headwater", cookie.value)
    assert thief.get("/api/session").status_code == 200
    browser.delete_cookie("headwater-form")
    assert browser.post("/sign-out", data={"form": word_of(browser, "/sign-out")}).status_code == 303
    assert thief.get("/api/session").status_code == 401


def test_wrong_words_are_answered_alike_and_recorded_and_too_many_are_refused_in_every_process(
    client: FlaskClient, settings: Settings
) -> None:
    wrong, unknown = sign_in(client, "carl", "not the password"), sign_in(client, "nobody", "not the password")
    assert wrong.status_code == unknown.status_code == 401
    assert WRONG in wrong.text
    assert WRONG in unknown.text
    another = create_app(settings)
    other = another.server.test_client()
    for number in range(1, PER_ACCOUNT):
        assert sign_in((client, other)[number % 2], "carl", "not the password").status_code == 401
    refused = sign_in(other, "carl")
    assert refused.status_code == 429, "even with the right one"
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert "Try again in 15 minutes" in refused.text
    assert sign_in(other, "root").status_code == 303, "another account is not touched by it"
    another.stop()
    found = acts(settings, "carl", "nobody")
    assert found[:2] == [("sign_in_refused", "", "carl"), ("sign_in_refused", "", "nobody")]
    assert len(found) == PER_ACCOUNT + 2


def test_one_address_may_not_try_account_after_account(client: FlaskClient, web: Web) -> None:
    for _ in range(PER_ADDRESS):
        web.broker.count_attempt(["address:192.0.2.7/32"], 900)

    def answer_to(address: str) -> int:
        said = {"form": word_of(client, base=SECURE), "name": "ann", "password": PASSWORD}
        answer = client.post("/sign-in", data=said, base_url=SECURE, environ_base={"REMOTE_ADDR": address})
        return answer.status_code

    assert answer_to("192.0.2.7") == 429
    assert answer_to("192.0.2.8") == 303


@pytest.mark.parametrize(
    "wanted",
    [
        "", "host", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "/a\\b",
        "/\t/evil", "/\n/evil", " /host", "/ho st", "javascript:alert(1)", "/sign-in", "/sign-out", "/api/session",
        "/_dash-layout", "/" + "x" * 1_000, "///evil.example", "/\x00",
    ],
)  # fmt: skip
def test_after_sign_in_nobody_is_led_elsewhere(wanted: str) -> None:
    assert next_path(wanted) == "/"


@pytest.mark.parametrize("wanted", ["/", "/host", "/host?window=1h&compare=1d", "/explore?of=flights.board%3AEWR#x"])
def test_after_sign_in_a_page_of_ours_is_shown_as_it_was_asked_for(wanted: str) -> None:
    assert next_path(wanted) == wanted


def test_sign_in_is_asked_for_where_others_come_in_or_accounts_are(broker_url: str, tmp_path: Path) -> None:
    def asks(*, developing: bool = False, **more: object) -> bool:
        project = in_development(DEMO) if developing else DEMO
        web = create_app(Settings(redis_url=broker_url, data=tmp_path, **more), project)  # type: ignore[arg-type]
        status = web.server.test_client().get("/api/session", base_url=HERE).status_code
        web.stop()
        return status != 200

    assert not asks(), "this machine's own people, and nobody has an account"
    assert asks(host="0.0.0.0")
    assert asks(host="0.0.0.0", insecure=True)
    assert asks(origins=(HERE, "https://ops.example.com")), "a proxy on this machine"
    assert asks(public_url="https://ops.example.com")
    assert asks(sign_in=True)
    assert asks(project=tmp_path), "a team's own project that serves"
    assert not asks(project=tmp_path, developing=True)
    assert asks(project=tmp_path, developing=True, host="0.0.0.0")
    migrated(Settings(redis_url=broker_url, data=tmp_path), ann="admin")
    assert asks(), "there is an account"


def test_until_there_is_an_account_nobody_signs_in_or_out_and_then_everybody_must(
    broker_url: str, tmp_path: Path
) -> None:
    settings = Settings(redis_url=broker_url, data=tmp_path)
    web = create_app(settings)
    client = web.server.test_client()
    try:
        for path in ("/sign-in", "/sign-in?next=/host", "/sign-out"):
            answer = client.get(path, base_url=HERE)
            assert (answer.status_code, answer.headers["Location"]) == (303, path.partition("next=")[2] or "/")
        assert client.post("/sign-in", data={"name": "ann"}, base_url=HERE).status_code == 303
        assert client.post("/sign-out", base_url=HERE).status_code == 303
        web.sessions.look()  # as it does twice a second
        migrated(settings)
        web.sessions.look()
        assert client.get("/api/session", base_url=HERE).status_code == 200, "nobody has an account yet"
        assert web.sessions.renewed(OPEN) is OPEN
        database = Database(settings.database_address)
        Register(database).add("ann", PASSWORD, ["admin"], who="tests")
        database.close()
        before = web.sessions.generation
        web.sessions.look()
        assert web.sessions.generation == before + 1, "what is open is asked again"
        assert web.sessions.renewed(OPEN) is None
        assert client.get("/api/session", base_url=HERE).status_code == 401
        assert sign_in(client, "ann").status_code == 303
    finally:
        web.stop()
