"""Sinks: how a message leaves the house: a webhook, mail, the log. Each sends once and raises where it failed.

Retrying is the courier's. A secret never stands in an error: it goes to the log and the database.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import structlog

from services.alerts.message import Message
from services.contract.alerting import LogSink, Sink, SmtpSink, WebhookSink
from services.contract.document import Severity

TIMEOUT_S = 10.0
IMPLICIT_TLS_PORT = 465
"""Encrypted from the first byte (RFC 8314)."""
COLOURS: dict[Severity | None, str] = {"critical": "#b3261e", "major": "#c77700", "minor": "#b59b00", None: "#2e7d32"}

log = structlog.get_logger("alerts")


class SinkError(Exception):
    """A message was not delivered; the text says which sink, what it answered and what to do.

    `retry_after_s` is how long the other side asks to be left alone, 0 where it does not.
    """

    def __init__(self, text: str, retry_after_s: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class Sender(Protocol):
    """One sink, ready to send."""

    def send(self, message: Message, reference: str) -> None:
        """Send once; `reference` is the same each time that a message is tried again. Raises SinkError."""


class WebhookSender:
    """Posts the JSON that Slack's incoming webhooks read, and that Mattermost and others read too.

    Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    """

    def __init__(self, sink: WebhookSink, url: str) -> None:
        self._sink, self._url = sink, url

    def send(self, message: Message, reference: str) -> None:
        try:
            answer = requests.post(
                self._url, json=slack_shaped(message), timeout=TIMEOUT_S, allow_redirects=False,
                headers={"Idempotency-Key": reference},
            )  # fmt: skip
        except (requests.RequestException, ValueError) as error:  # their texts quote the url
            raise SinkError(self._explained(type(error).__name__)) from None
        if not 200 <= answer.status_code < 300:
            said = self._hidden(answer.text)[:100]
            raise SinkError(self._explained(f"answered {answer.status_code} {said}".strip()), _retry_after(answer))

    def _hidden(self, text: str) -> str:
        """What the other side says, without the URL, whose path alone lets anybody post."""
        parts = urlsplit(self._url)
        for secret in (self._url, f"{parts.path}?{parts.query}", parts.path, parts.query):
            if len(secret) > 1:
                text = text.replace(secret, "…")
        return text

    def _explained(self, what: str) -> str:
        return f"webhook {self._sink.name!r}: {what}; check the URL in {self._sink.url_env}"


def _retry_after(answer: requests.Response) -> float:
    seconds = answer.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else 0.0


def slack_shaped(message: Message) -> dict[str, Any]:
    """The message as an incoming webhook takes it; `text` stands in notifications, the attachment is read."""
    facts = {_escaped(name): _escaped(value) for name, value in message.facts.items()}
    return {
        "text": _escaped(message.subject),
        "attachments": [
            {
                "color": COLOURS[message.severity],
                "fallback": _escaped(message.subject),
                "text": _escaped("\n".join(message.lines)),
                "fields": [{"title": name, "value": value, "short": True} for name, value in facts.items()],
            }
        ],
    }


def _escaped(text: str) -> str:
    """The three characters that mean something to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class SmtpSender:
    """Sends mail in plain text, encrypted where the contract says `starttls`, and always at port 465."""

    def __init__(self, sink: SmtpSink, user: str, password: str) -> None:
        self._sink, self._user, self._password = sink, user, password

    def send(self, message: Message, reference: str) -> None:
        try:
            with self._connected() as server:
                if self._user:
                    server.login(self._user, self._password)
                refused = server.send_message(mail(message, self._sink, reference))
        except (smtplib.SMTPException, OSError) as error:
            reason = _reason(error)
            hidden = reason.replace(self._password, "…") if self._password else reason
            raise SinkError(self._explained(hidden)) from None
        if refused:
            raise SinkError(self._explained(f"refused for {', '.join(sorted(refused))}"))

    def _connected(self) -> smtplib.SMTP:
        sink = self._sink
        if sink.port == IMPLICIT_TLS_PORT:
            return smtplib.SMTP_SSL(sink.host, sink.port, timeout=TIMEOUT_S, context=ssl.create_default_context())
        server = smtplib.SMTP(sink.host, sink.port, timeout=TIMEOUT_S)
        if sink.starttls:
            try:
                server.starttls(context=ssl.create_default_context())
            except (smtplib.SMTPException, OSError):
                server.close()
                raise
        return server

    def _explained(self, what: str) -> str:
        return f"mail {self._sink.name!r}: {self._sink.host}:{self._sink.port}: {what}"


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return f"answered {error.smtp_code} {text}"
    return f"{type(error).__name__}: {error}"


def mail(message: Message, sink: SmtpSink, reference: str) -> EmailMessage:
    """The message as mail; a mail that is sent twice carries the same id both times."""
    letter = EmailMessage()
    letter["Subject"] = " ".join(message.subject.split())
    letter["From"], letter["To"] = sink.sender, ", ".join(sink.to)
    letter["Message-ID"] = f"<{reference}@headwater>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices in answer
    letter.set_content(message.text + "\n")
    for attachment in message.attachments:
        kind, _, subkind = attachment.media_type.partition("/")
        letter.add_attachment(attachment.content, maintype=kind, subtype=subkind, filename=attachment.name)
    return letter


class LogSender:
    """Writes to the log of the process."""

    def __init__(self, sink: LogSink) -> None:
        self._sink = sink

    def send(self, message: Message, reference: str) -> None:
        tell = log.info if message.severity is None else log.warning
        said = {"subject": message.subject, "lines": list(message.lines), "reference": reference, **message.facts}
        tell("alert told", sink=self._sink.name, **said)


def sender_of(sink: Sink, environment: Mapping[str, str]) -> Sender:
    """The sink with its secrets. Raises SinkError where a variable that it names is not set."""
    match sink:
        case WebhookSink():
            return WebhookSender(sink, _secret(sink.name, sink.url_env, environment))
        case SmtpSink():
            user, password = (
                _secret(sink.name, variable, environment) if variable else ""
                for variable in (sink.user_env, sink.password_env)
            )
            return SmtpSender(sink, user, password)
        case LogSink():
            return LogSender(sink)


def _secret(sink: str, variable: str, environment: Mapping[str, str]) -> str:
    if value := environment.get(variable, "").strip():
        return value
    raise SinkError(f"sink {sink!r}: the variable {variable} is not set; set it where worker and web run")
