"""Webhooks: what GitHub or Stripe would send is taken by its signature, and nothing else without a key."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.factory import create_app
from app.loading import Project
from app.settings import Settings
from headwater import Feed, Text
from services.broker import Broker
from services.declare import DeclarationError, Lane
from services.positions import wall_clock
from services.sources.signature import BadSignature, GitHubSignature, Signature, StripeSignature
from services.sources.source import Http
from tests.app.conftest import KEY
from tests.services.test_mapping import RULE

FEEDS = '''"""Webhooks of two services."""

from headwater import (
    Feed, Freshness, GitHubSignature, Given, GivenTime, Http, Number, SourceMapping, StripeSignature, Text,
)

RULE = Freshness(expected_every_s=60, late_after_s=600, stale_after_s=3600, may_be_quiet=True)


class Pushes(
    Feed, name="pushes", key="repository", freshness=RULE,
    source=Http(
        "GitHub", signed=GitHubSignature(["env:GITHUB_SECRET", "env:GITHUB_SECRET_BEFORE"]),
        mapping=SourceMapping(
            {"repository": "repository.full_name", "kind": "webhook.event"}, id="webhook.delivery"
        ),
    ),
):
    """Deliveries of GitHub."""

    repository = Text()
    kind = Text()


class Charges(
    Feed, name="charges", key="customer", freshness=RULE,
    source=Http(
        "Stripe", signed=StripeSignature(["env:STRIPE_SECRET"]),
        mapping=SourceMapping(
            {"customer": "data.object.customer", "amount": Given("data.object.amount", factor=0.01)},
            id="id", created_at=GivenTime("created", unit="s"),
        ),
    ),
):
    """Charges as Stripe tells them."""

    customer = Text()
    amount = Number(unit="EUR")
'''
NEW = "new secret"
PUSH = {"ref": "refs/heads/main", "repository": {"full_name": "acme/site"}}
# The example of docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation".
GITHUB_SECRET, GITHUB_BODY = "It's a Secret to Everybody", b"Hello, World!"
GITHUB_SIGNATURE = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


@pytest.fixture
def client(
    broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FlaskClient]:
    monkeypatch.setenv("GITHUB_SECRET", "new secret")
    monkeypatch.setenv("GITHUB_SECRET_BEFORE", "old secret")
    monkeypatch.setenv("STRIPE_SECRET", "whsec_of_stripe")
    (tmp_path / "team/feeds").mkdir(parents=True)
    (tmp_path / "team/pages").mkdir()
    (tmp_path / "team/feeds/hooks.py").write_text(FEEDS)
    made = create_app(
        Settings(redis_url=broker_url, data=tmp_path, ingest_keys=(f"all:{KEY}:*",), ingest_body_mb=1),
        Project.at(tmp_path / "team"),
    )
    yield made.server.test_client()
    made.stop()


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def github(client: FlaskClient, body: bytes, secret: str = NEW, **more: str) -> TestResponse:
    headers = {
        "X-Hub-Signature-256": f"sha256={signature(secret, body)}", "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "72d3162e-cc78", **{name.replace("_", "-"): value for name, value in more.items()},
    }  # fmt: skip
    return client.post("/api/ingest/pushes", data=body, content_type="application/json", headers=headers)


def stripe(client: FlaskClient, body: bytes, at_s: float, *secrets: str) -> TestResponse:
    stamp = int(at_s)
    signed = [f"v1={signature(secret, f'{stamp}.'.encode() + body)}" for secret in secrets or ("whsec_of_stripe",)]
    headers = {"Stripe-Signature": ",".join([f"t={stamp}", *signed, "v0=ignored"])}
    return client.post("/api/ingest/charges", data=body, content_type="application/json", headers=headers)


def accepted(broker_url: str, feed: str) -> list[dict[str, Any]]:
    broker = Broker(broker_url)
    found = [event for entry in broker.read_entries(Lane(feed, 0), "0-0", 100) for event in json.loads(entry.events)]
    broker.close()
    return found


def test_a_signed_delivery_is_taken_once_and_mapped_with_what_its_headers_say(
    client: FlaskClient, broker_url: str
) -> None:
    body = json.dumps(PUSH).encode()
    assert github(client, body).status_code == 202
    assert github(client, body).get_json()["duplicates"] == 1  # delivered once more
    [event] = accepted(broker_url, "pushes")
    assert (event["id"], event["repository"], event["kind"]) == ("72d3162e-cc78", "acme/site", "push")


def test_two_secrets_hold_while_one_replaces_the_other_and_a_third_does_not(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps(PUSH).encode()
    assert github(client, body, "old secret").status_code == 202
    assert github(client, body, "another secret").status_code == 401
    monkeypatch.delenv("GITHUB_SECRET_BEFORE")
    assert github(client, body, "old secret").status_code == 401
    assert github(client, body).status_code == 202
    monkeypatch.delenv("GITHUB_SECRET")
    refused = github(client, body)
    assert (refused.status_code, refused.get_json()["error"]) == (503, "no_secret")
    assert "GITHUB" not in refused.text


def test_a_changed_body_no_signature_and_another_header_are_refused(client: FlaskClient, broker_url: str) -> None:
    body = json.dumps(PUSH).encode()
    changed = body.replace(b"acme", b"evil")
    assert github(client, changed, X_Hub_Signature_256=f"sha256={signature('new secret', body)}").status_code == 401
    assert github(client, body, X_Hub_Signature_256=f"sha1={signature('new secret', body)}").status_code == 401
    assert github(client, body, X_Hub_Signature_256="").status_code == 401
    assert github(client, body, Authorization="Bearer unknown").status_code == 401
    assert github(client, body, Headwater_Mark="load").status_code == 403
    plain = client.post("/api/ingest/pushes", data=body, content_type="application/json")
    assert (plain.status_code, plain.get_json()["error"]) == (401, "bad_signature")
    assert accepted(broker_url, "pushes") == []


def test_the_signature_is_of_the_body_as_it_was_sent_and_a_key_holder_needs_none(client: FlaskClient) -> None:
    packed = gzip.compress(json.dumps(PUSH).encode())
    assert github(client, packed, Content_Encoding="gzip").status_code == 202
    posted = client.post(
        "/api/ingest/pushes", json={**PUSH, "webhook": {"event": "push", "delivery": "by hand"}},
        headers={"Authorization": f"Bearer {KEY}"},
    )  # fmt: skip
    assert posted.get_json()["accepted"] == 1


def test_a_webhook_opens_no_other_feed(client: FlaskClient) -> None:
    body = json.dumps(PUSH).encode()
    headers = {"X-Hub-Signature-256": f"sha256={signature('new secret', body)}"}
    for feed in ("charges", "probe", "nothing"):
        answer = client.post(f"/api/ingest/{feed}", data=body, content_type="application/json", headers=headers)
        assert answer.status_code == 401, feed


def test_a_stripe_event_is_taken_within_its_tolerance_and_not_from_a_recording(
    client: FlaskClient, broker_url: str
) -> None:
    now_s = wall_clock() / 1000
    charge = {"id": "evt_1", "created": int(now_s) - 2, "data": {"object": {"customer": "cus_1", "amount": 1_999}}}
    body = json.dumps(charge).encode()
    assert stripe(client, body, now_s).status_code == 202
    assert stripe(client, body, now_s, "a former secret", "whsec_of_stripe").get_json()["duplicates"] == 1
    for at_s in (now_s - 320, now_s + 320):
        assert stripe(client, body, at_s).status_code == 401
    assert stripe(client, body, now_s, "a former secret").status_code == 401
    [event] = accepted(broker_url, "charges")
    assert (event["customer"], event["amount"], event["created_at"]) == ("cus_1", 19.99, 1_000 * charge["created"])


def test_githubs_own_example_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", GITHUB_SECRET)
    signed = GitHubSignature(["env:HOOK"])
    signed.check({"X-Hub-Signature-256": f"sha256={GITHUB_SIGNATURE}"}, GITHUB_BODY, 0)
    with pytest.raises(BadSignature):
        signed.check({"X-Hub-Signature-256": f"sha256={GITHUB_SIGNATURE}"}, GITHUB_BODY + b"!", 0)


@given(header=st.text(max_size=60), name=st.sampled_from(["X-Hub-Signature-256", "Stripe-Signature"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_the_header_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, header: str, name: str
) -> None:
    monkeypatch.setenv("HOOK", "a secret")
    for signed in (GitHubSignature(["env:HOOK"]), StripeSignature(["env:HOOK"])):
        for given_header in (header, f"sha256={header}", f"t=1,v1={header}"):
            with pytest.raises(BadSignature):
                signed.check({name: given_header}, b"{}", 1_000)


@pytest.mark.parametrize(
    ("signed", "said"),
    [
        (GitHubSignature([]), "give one, or two"),
        (GitHubSignature(["env:A", "env:B", "env:C"]), "give one, or two"),
        (GitHubSignature(["hunter22"]), "a secret stands in the file"),
        (StripeSignature(["env:A"], tolerance_s=0), "tolerance_s from 1"),
    ],
)
def test_a_signature_that_cannot_be_meant_is_refused_at_its_declaration(signed: Signature, said: str) -> None:
    with pytest.raises(DeclarationError, match=said) as refused:
        gates_of(Http(signed=signed))
    assert "hunter22" not in str(refused.value)


def gates_of(source: Http) -> None:
    """Any feed with that source."""

    class Gates(Feed, name="gates", key="flight", freshness=RULE, source=source):
        """Gates."""

        flight = Text()
