"""The doctor's look at the identity provider: a real one, asked as a sign-in would ask it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.doctor.identity import Vouching
from app.loading import DEMO, Project
from app.settings import Settings
from tests.app.doctor.said import found, passes
from tests.identity_provider import CLIENT, SECRET, IdentityProvider, identity_provider
from tests.ports import free_port

REDIRECT = "http://127.0.0.1:8050/sign-in/oidc/back"


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with identity_provider(REDIRECT, ann=["desk-members"]) as made:
        yield made


def asked(issuer: str, secret: str = SECRET, **more: str) -> Settings:
    return Settings(oidc_issuer=issuer, oidc_client_id=CLIENT, oidc_client_secret=secret, **more)


def project_with(folder: Path, roles: str) -> Project:
    (folder / "roles.toml").write_text(roles)
    return replace(DEMO, roles=folder / "roles.toml")


def test_one_that_knows_this_application_passes_and_its_redirect_is_named(
    provider: IdentityProvider, tmp_path: Path
) -> None:
    project = project_with(tmp_path, '[roles.desk]\nchannels = ["flights.*"]\nclaims = ["desk-members"]\n')
    scopes = {"oidc_scopes": "openid profile email groups"}
    known, claims = passes(Vouching(asked(provider.issuer, **scopes), project))
    assert known.endswith(f"its redirect must be {REDIRECT}")
    assert claims == "groups gives desk"


def test_a_secret_that_it_does_not_know_fails_and_is_not_shown(provider: IdentityProvider) -> None:
    wrong = "not the secret of the provider"
    finding = found(Vouching(asked(provider.issuer, wrong)))
    assert "does not know this application" in finding.text
    assert "HEADWATER_OIDC_CLIENT_SECRET" in finding.remedy
    assert wrong not in finding.line()


def test_an_issuer_that_is_written_otherwise_or_does_not_answer_fails(provider: IdentityProvider) -> None:
    assert "calls itself" in found(Vouching(asked(provider.issuer.rstrip("/")))).text
    away = found(Vouching(asked(f"http://127.0.0.1:{free_port()}")))
    assert "does not answer" in away.text


def test_a_scope_that_it_does_not_have_and_roles_without_claims_warn(provider: IdentityProvider) -> None:
    said = list(Vouching(asked(provider.issuer, oidc_scopes="openid moods")).look())
    warned = {one.subject: one for one in said if one.level == "warn"}
    assert warned["identity provider"].text.endswith("does not name the scopes moods")
    assert "roles.toml" in warned["claims"].remedy


def test_without_one_people_sign_in_by_local_accounts() -> None:
    assert passes(Vouching(Settings(sign_in=True))) == ["none: people sign in by local accounts (headwater users)"]
    assert list(Vouching(Settings()).look()) == []
