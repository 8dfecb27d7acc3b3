"""Sign-in by an identity provider: a real one lets its people in, with the roles of its words; nothing else does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from app.factory import Web, create_app
from app.loading import DEMO, Project
from app.provider_sign_in import STALE
from app.settings import Settings
from services.accounts.audit import Audit
from services.accounts.provider import Client, Provider, ProviderError, words_of
from services.accounts.register import Register
from services.database import Database
from services.embedded import EmbeddedBroker
from tests.app.signing import asking, migrated, sign_in, word_of
from tests.identity_provider import CLIENT, SECRET, IdentityProvider, identity_provider
from tests.ports import free_port

pytestmark = pytest.mark.usefixtures("broker_url")  # which empties the broker: nobody tried to sign in before

BACK = "http://localhost/sign-in/oidc/back"


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    people = {"eve": ["desk-members"], "wes": [], "sam": ["desk-members"], "ann": ["admins"], "dan": []}
    with identity_provider(BACK, **people) as made:
        yield made


@pytest.fixture(scope="module")
def settings(
    shared_broker: EmbeddedBroker, provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    made = known_to(provider.issuer, shared_broker.url, tmp_path_factory.mktemp("provider"))
    migrated(made, ann="desk")
    return made


@pytest.fixture(scope="module")
def web(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    made = create_app(settings, by_claims(tmp_path_factory.mktemp("roles")))
    yield made
    made.stop()


def known_to(issuer: str, broker_url: str, folder: Path) -> Settings:
    return asking(
        broker_url, folder, oidc_issuer=issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET,
        oidc_scopes="openid profile email groups",
    )  # fmt: skip


def by_claims(folder: Path) -> Project:
    """The demo, with roles that the provider's groups give."""
    file = folder / "roles.toml"
    file.write_text(
        '[roles.desk]\nchannels = ["flights.*"]\nclaims = ["desk-members"]\n[roles.admin]\nclaims = ["admins"]\n'
    )
    return replace(DEMO, roles=file)


def begun(client: FlaskClient, following: str = "/") -> str:
    """Where the button leads."""
    answer = client.get(f"/sign-in/oidc?next={following}")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def come_back(client: FlaskClient, url: str) -> tuple[int, str]:
    """Status, and where it leads or what it says."""
    parts = urlsplit(url)
    answer = client.get(f"{parts.path}?{parts.query}")
    return answer.status_code, answer.headers.get("Location") or answer.text


def refusals(settings: Settings) -> list[str]:
    database = Database(settings.database_address)
    entries = Audit(database).entries(what="sign_in_refused")
    database.close()
    return [one.detail for one in entries]


def test_who_signs_in_at_the_provider_comes_to_where_he_wanted_with_the_roles_of_its_words(
    client: FlaskClient, settings: Settings, provider: IdentityProvider
) -> None:
    page = client.get("/sign-in?next=/host").text
    assert "Sign in with 127.0.0.1" in page
    assert "/sign-in/oidc?next=/host" in page
    leads = begun(client, "/host")
    asked = parse_qs(urlsplit(leads).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len(asked["nonce"][0]) == len(asked["state"][0]) == 64
    assert come_back(client, provider.sign_in(leads, "eve")) == (303, "/host")
    assert client.get("/api/session").get_json() == {"principal": "eve", "roles": ["desk"]}
    database = Database(settings.database_address)
    acts = [(one.what, one.detail) for one in Audit(database).entries(who="eve")]
    database.close()
    assert acts == [
        ("account_added", f"by {provider.issuer}, roles desk"), ("signed_in", f"by {provider.issuer}"),
    ]  # fmt: skip

    out = client.post("/sign-out", data={"form": word_of(client, "/sign-out")})
    assert client.get("/api/session").status_code == 401
    gone = client.get(out.headers["Location"]).text
    assert "You are signed out" in gone
    assert f"{provider.issuer}oauth/end_session?client_id={CLIENT}" in gone, "a provider goes on knowing its people"


def test_other_words_at_the_next_sign_in_are_other_roles(
    web: Web, client: FlaskClient, provider: IdentityProvider
) -> None:
    assert come_back(client, provider.sign_in(begun(client), "sam"))[0] == 303
    provider.groups("desk-members", ["eve"])
    again = web.server.test_client()
    assert come_back(again, provider.sign_in(begun(again), "sam")) == (303, "/")
    assert again.get("/api/session").get_json()["roles"] == []
    web.sessions.look()  # as it does twice a second
    assert client.get("/api/session").get_json()["roles"] == [], "what is open follows"


def test_nobody_is_led_elsewhere_after_it(client: FlaskClient, provider: IdentityProvider) -> None:
    assert come_back(client, provider.sign_in(begun(client, "//evil.example"), "eve")) == (303, "/")


def test_an_answer_counts_once_and_in_the_browser_that_asked(
    web: Web, client: FlaskClient, settings: Settings, provider: IdentityProvider
) -> None:
    other = web.server.test_client()
    back = provider.sign_in(begun(client), "eve")
    begun(other)
    status, said = come_back(other, back)
    assert (status, STALE in said) == (403, True), "another browser"
    back = provider.sign_in(begun(client), "eve")
    assert come_back(client, back)[0] == 303
    client.delete_cookie("headwater")
    status, said = come_back(client, back)
    assert (status, STALE in said) == (403, True), "a second time"
    for path in ("/sign-in/oidc/back", "/sign-in/oidc/back?state=forged&code=forged"):
        assert come_back(client, path)[0] == 403
    assert client.get("/api/session").status_code == 401
    assert refusals(settings)[-1] == STALE


def test_an_answer_to_another_question_lets_nobody_in(client: FlaskClient, provider: IdentityProvider) -> None:
    nonce = parse_qs(urlsplit(leads := begun(client)).query)["nonce"][0]
    status, said = come_back(client, provider.sign_in(leads.replace(nonce, "n" * 64), "eve"))
    assert status == 403
    assert "is not for this sign-in (nonce). Sign in again." in said
    challenge = parse_qs(urlsplit(leads := begun(client)).query)["code_challenge"][0]
    status, said = come_back(client, provider.sign_in(leads.replace(challenge, "c" * 43), "eve"))
    assert status == 502
    assert "does not take its code" in said
    back = provider.sign_in(begun(client), "eve")
    status, said = come_back(client, back.partition("&iss=")[0])
    assert status == 403
    assert "did not come from" in said
    assert client.get("/api/session").status_code == 401


def test_a_token_for_another_application_lets_nobody_in(client: FlaskClient, provider: IdentityProvider) -> None:
    provider.audience("another")
    status, said = come_back(client, provider.sign_in(begun(client), "eve"))
    provider.audience(CLIENT)
    assert status == 403
    assert "HEADWATER_OIDC_CLIENT_ID must be the one known there" in said


def test_a_token_of_another_time_lets_nobody_in(provider: IdentityProvider) -> None:
    known = Client(provider.issuer, CLIENT, SECRET)
    for days, told in (
        (30, "has expired. Sign in again; if it stays so, its clock and ours differ."),
        (-30, "not valid yet"),
    ):
        at = Provider(known, lambda days=days: time.time() + days * 86_400)  # type: ignore[misc]
        back = provider.sign_in(at.ask("s" * 43, "n" * 43, "v" * 43, BACK), "eve")
        code = parse_qs(urlsplit(back).query)["code"][0]
        with pytest.raises(ProviderError, match=told):
            at.vouched(code, "n" * 43, "v" * 43, BACK, provider.issuer)


def test_who_is_refused_there_or_disabled_here_is_told_what_to_do(
    client: FlaskClient, web: Web, settings: Settings, provider: IdentityProvider
) -> None:
    state = parse_qs(urlsplit(begun(client)).query)["state"][0]
    status, said = come_back(client, f"{BACK}?state={state}&error=access_denied&error_description=<b>no</b>")
    assert status == 403
    assert "did not let you in" in said
    assert "<b>no" not in said
    status, said = come_back(client, provider.sign_in(begun(client), "ann"))
    assert status == 403, "a local account of that name is somebody else's"
    assert "another account" in said
    assert sign_in(client, "ann").status_code == 303, "and goes on as it was"
    assert come_back(again := web.server.test_client(), provider.sign_in(begun(again), "dan"))[0] == 303
    database = Database(settings.database_address)
    Register(database).disable("dan", who="tests")
    database.close()
    web.sessions.look()  # as it does twice a second
    again = web.server.test_client()
    status, said = come_back(again, provider.sign_in(begun(again), "dan"))
    assert status == 403
    assert "it is disabled. Ask an administrator." in said


def test_a_provider_that_is_down_or_another_costs_only_its_own_sign_in(
    provider: IdentityProvider, broker_url: str, tmp_path: Path
) -> None:
    for number, (issuer, status, told) in enumerate([
        (f"http://127.0.0.1:{free_port()}", 503, "does not answer. Try again in a minute, or sign in with a password."),
        (provider.issuer.rstrip("/"), 502, "HEADWATER_OIDC_ISSUER must be written like that"),
    ]):  # fmt: skip
        made = known_to(issuer, broker_url, tmp_path / str(number))
        migrated(made, ann="admin")
        web = create_app(made)
        try:
            client = web.server.test_client()
            answer = client.get("/sign-in/oidc")
            assert answer.status_code == status
            assert told in answer.text
            assert 'name="password"' in answer.text
            assert sign_in(client, "ann").status_code == 303
        finally:
            web.stop()


def test_words_of_a_claim_within_another_are_found_by_dots() -> None:
    claims = {"groups": "a b", "realm_access": {"roles": ["c", 1]}, "x.y": ["d"], "n": 5}
    found = [words_of(claims, one) for one in ("groups", "realm_access.roles", "x.y", "n", "no.such")]
    assert found == [("a", "b"), ("c",), ("d",), (), ()]
