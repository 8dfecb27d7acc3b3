"""Emergency: tells straight through the sinks while the database is away, once for each key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from services.alerts.finding import Finding
from services.alerts.message import Message
from services.alerts.sight import Sight
from services.alerts.sinks import SinkError, sender_of
from services.alerts.telling import sinks_for
from services.alerts.wording import local
from services.contract.alerting import Sink

log = structlog.get_logger("alerts")


class Direct:
    """Held by the one worker that leads alerts; what it told is written down when the database is back."""

    def __init__(self, sinks: Sequence[Sink], environment: Mapping[str, str]) -> None:
        self._sinks, self._environment = {sink.name: sink for sink in sinks}, environment
        self._told: dict[str, set[str]] = {}

    def tell(self, findings: Sequence[Finding], sight: Sight) -> None:
        """Send what was not sent yet, to each sink that takes it; where one refuses it is tried at the next look."""
        for finding in findings:
            reached = self._told.setdefault(finding.key, set())
            for name in sinks_for(list(self._sinks.values()), finding.severity):
                if name not in reached and self._send(finding, name, sight):
                    reached.add(name)

    def _send(self, finding: Finding, name: str, sight: Sight) -> bool:
        since = local(finding.since, sight.zone)
        facts = {"Severity": finding.severity, "Cause": finding.stage, "Since": f"{since:%Y-%m-%d %H:%M:%S %Z}"}
        message = Message(f"[{finding.severity}] {finding.text}", (finding.text,), facts, finding.severity)
        try:
            sender_of(self._sinks[name], self._environment).send(message, f"{finding.since}-{finding.key}-{name}")
        except SinkError as error:
            log.warning("message not delivered, it is tried again", sink=name, error=str(error))
            return False
        return True

    @property
    def told(self) -> frozenset[str]:
        """The keys that reached a sink while the database was away."""
        return frozenset(key for key, reached in self._told.items() if reached)

    def forget(self) -> None:
        """The database is back, and knows."""
        self._told.clear()
