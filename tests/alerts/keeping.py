"""What alerts are kept in, for tests: register, telling and outbox over one database, on a clock that is moved."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from services.alerts.finding import Finding
from services.alerts.outbox import Outbox
from services.alerts.register import Register
from services.alerts.telling import Telling
from services.contract.alerting import Alerting, LogSink, Sink, WebhookSink
from services.database import Database
from tests.alerts.minutes import alerting

NOW = 1_700_000_580_000
"""14 November 2023, 22:23 UTC."""
CHAT, LOG = WebhookSink("chat", "CHAT_URL", "minor", 1), LogSink("log", "critical", 2)


class Keeping:
    """Time stands at `now` until it is moved."""

    def __init__(self, database: Database, sinks: tuple[Sink, ...] = (CHAT, LOG), **rules: Any) -> None:
        self.now = NOW
        self.database = database
        self.alerting: Alerting = alerting(sinks=sinks, **rules)
        self.register, self.outbox = Register(database), Outbox(database)
        self.telling = Telling(database, self.alerting, ZoneInfo("UTC"))

    def clock(self) -> int:
        return self.now

    def fire(self, found: Finding, watcher: str = "worker-1") -> int | None:
        return self.register.fire(found, self.now, watcher)

    def tell(self) -> int:
        return self.telling.tell(self.now)

    def subjects(self) -> list[str]:
        """What was put into the outbox for the chat, oldest first."""
        return [fate.subject for fate in reversed(self.outbox.fates()) if fate.sink == "chat"]

    def clear_all(self) -> None:
        for alert in self.register.open_alerts():
            self.register.clear(alert, self.now)


def finding(key: str = "lane:flights.0", **changed: Any) -> Finding:
    """A lane without a worker since a minute."""
    usual: dict[str, Any] = {
        "key": key, "topic": "worker", "severity": "critical", "stage": "worker", "text": f"{key} is in trouble",
        "since": NOW - 60_000,
    }  # fmt: skip
    return Finding(**{**usual, **changed})
