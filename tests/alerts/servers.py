"""Real servers that sinks send to: HTTP and mail, which fail as often as a test says before they accept."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.contract.alerting import SmtpSink, WebhookSink
from tests.ports import free_port


class HookServer:
    """A webhook's other end. `fails` is how many posts it answers with 503 first; `bodies` what it accepted."""

    def __init__(self, fails: int = 0, status: int = 503, headers: dict[str, str] | None = None) -> None:
        self.fails, self.status, self.headers = fails, status, headers or {}
        self.says = b"ok"
        self.bodies: list[dict[str, Any]] = []
        self.references: list[str | None] = []
        self.paths: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook/secret"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                ours.references.append(self.headers.get("Idempotency-Key"))
                ours.answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def do_GET(self) -> None:
                ours.answer(self, b"{}")

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        return Handler

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        self.paths.append(handler.path)
        refused, self.fails = self.fails > 0, self.fails - 1
        if not refused:
            self.bodies.append(json.loads(body))
        handler.send_response(self.status if refused else 200)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(self.says)))
        handler.end_headers()
        handler.wfile.write(self.says)

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sink(self, name: str = "chat") -> WebhookSink:
        return WebhookSink(name, "CHAT_URL", "minor", 1)


class _Mailbox:
    def __init__(self, fails: int) -> None:
        self.fails, self.letters = fails, list[EmailMessage]()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        if self.fails > 0:
            self.fails -= 1
            return "451 4.3.0 try again later"
        content = envelope.content
        assert isinstance(content, bytes)
        letter = message_from_bytes(content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"


class MailServer:
    """A mail server; `fails` is how many mails it refuses for now first; `letters` what it accepted."""

    def __init__(self, fails: int = 0) -> None:
        self._mailbox = _Mailbox(fails)
        self.port = free_port()
        self._controller = Controller(self._mailbox, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    @property
    def letters(self) -> list[EmailMessage]:
        return self._mailbox.letters

    def stop(self) -> None:
        self._controller.stop()

    def sink(self, name: str = "mail") -> SmtpSink:
        return SmtpSink(
            name, "127.0.0.1", self.port, "headwater@example.org", ("ops@example.org",), starttls=False, user_env="",
            password_env="", least="minor", line=1,
        )  # fmt: skip


@contextmanager
def hook_server(fails: int = 0, **more: Any) -> Iterator[HookServer]:
    server = HookServer(fails, **more)
    server.start()
    yield server
    server.stop()


@contextmanager
def mail_server(fails: int = 0) -> Iterator[MailServer]:
    server = MailServer(fails)
    yield server
    server.stop()
