"""Sinks against real servers: what arrives there, and what is said where it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from services.alerts.message import Attachment, Message
from services.alerts.sinks import SinkError, sender_of, slack_shaped
from services.contract.alerting import LogSink, WebhookSink
from tests.alerts.servers import hook_server, mail_server
from tests.ports import free_port

MESSAGE = Message(
    "Critical, incident 12: lane flights.0 has no worker",
    ("lane flights.0 has no worker: live tiles stand still for 42 viewers since 14:03",),
    {"Severity": "critical", "Since": "2026-07-01 14:03"},
    "critical",
)


def test_a_webhook_gets_the_json_that_slack_reads() -> None:
    with hook_server() as server:
        sender_of(server.sink(), {"CHAT_URL": server.url}).send(MESSAGE, "incident-12-1")
    (body,) = server.bodies
    assert body["text"] == MESSAGE.subject
    (attachment,) = body["attachments"]
    assert attachment["text"] == MESSAGE.lines[0]
    assert attachment["color"] == "#b3261e"
    assert {"title": "Severity", "value": "critical", "short": True} in attachment["fields"]
    assert server.references == ["incident-12-1"]


def test_what_means_something_to_slack_is_escaped() -> None:
    shaped = slack_shaped(Message("a < b & c", ("<!channel>",)))
    assert shaped["text"] == "a &lt; b &amp; c"
    assert shaped["attachments"][0]["text"] == "&lt;!channel&gt;"


def test_a_webhook_that_refuses_says_its_status_and_never_its_url() -> None:
    with hook_server(fails=1, status=404) as server, pytest.raises(SinkError) as refused:
        sender_of(server.sink(), {"CHAT_URL": server.url}).send(MESSAGE, "1")
    assert str(refused.value) == "webhook 'chat': answered 404 ok; check the URL in CHAT_URL"


def test_a_webhook_that_is_too_busy_says_when_to_come_back() -> None:
    with hook_server(fails=1, status=429, headers={"Retry-After": "30"}) as server, pytest.raises(SinkError) as busy:
        sender_of(server.sink(), {"CHAT_URL": server.url}).send(MESSAGE, "1")
    assert busy.value.retry_after_s == 30.0


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/secret", "not-a-secret-url", "http://[secret"])
def test_a_webhook_that_nobody_answers_keeps_its_url_to_itself(url: str) -> None:
    sink = WebhookSink("chat", "CHAT_URL", "minor", 1)
    with pytest.raises(SinkError) as failed:
        sender_of(sink, {"CHAT_URL": url.format(port=free_port())}).send(MESSAGE, "1")
    assert "secret" not in str(failed.value)
    assert "CHAT_URL" in str(failed.value)


def test_what_a_webhook_answers_is_told_without_its_path() -> None:
    with hook_server(fails=1, status=404) as server:
        server.says = 9 * b"no hook at /hook/secret?token=canary, "
        with pytest.raises(SinkError, match="answered 404 no hook at …") as failed:
            sender_of(server.sink(), {"CHAT_URL": f"{server.url}?token=canary"}).send(MESSAGE, "1")
    assert "secret" not in str(failed.value)
    assert "canary" not in str(failed.value)


def test_mail_carries_subject_text_facts_and_attachments() -> None:
    report = Attachment("report.pdf", "application/pdf", b"%PDF-1.4")
    message = Message(MESSAGE.subject, MESSAGE.lines, MESSAGE.facts, MESSAGE.severity, (report,))
    with mail_server() as server:
        sender_of(server.sink(), {}).send(message, "incident-12-1")
    (letter,) = server.letters
    assert letter["Subject"] == MESSAGE.subject
    assert letter["To"] == "ops@example.org"
    assert letter["Message-ID"] == "<incident-12-1@headwater>"
    body = letter.get_body()
    assert body is not None
    assert body.get_content().splitlines()[0] == MESSAGE.lines[0]
    assert [part.get_content() for part in letter.iter_attachments()] == [b"%PDF-1.4"]


def test_mail_that_is_refused_says_what_the_server_answered() -> None:
    with mail_server(fails=1) as server, pytest.raises(SinkError, match="answered 451"):
        sender_of(server.sink(), {}).send(MESSAGE, "1")


def test_mail_is_not_sent_in_the_clear_where_the_contract_says_starttls() -> None:
    with mail_server() as server:
        safe = replace(server.sink(), starttls=True)
        with pytest.raises(SinkError, match="STARTTLS"):
            sender_of(safe, {}).send(MESSAGE, "1")
    assert server.letters == []


def test_the_log_holds_the_subject_and_every_line() -> None:
    with capture_logs() as lines:
        sender_of(LogSink("log", "minor", 1), {}).send(MESSAGE, "incident-12-1")
    assert lines[0]["log_level"] == "warning"
    assert lines[0]["subject"] == MESSAGE.subject
    assert lines[0]["lines"] == list(MESSAGE.lines)


def test_a_sink_whose_variable_is_not_set_names_it() -> None:
    with pytest.raises(SinkError, match="sink 'chat': the variable CHAT_URL is not set"):
        sender_of(WebhookSink("chat", "CHAT_URL", "minor", 1), {})
