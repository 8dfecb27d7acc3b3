"""Watch: looks, holds what it finds against what is open, writes down what changed, and has it told.

Several may run at once, in workers and webs; the database decides who was first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from services.alerts.alert import changes, is_news
from services.alerts.finding import Finding
from services.alerts.observer import Observer
from services.alerts.register import Register
from services.alerts.rule import Rule
from services.alerts.sight import Sight
from services.alerts.telling import Telling
from services.broker import BrokerDown
from services.database import DatabaseDown

RESOLVED_AFTER_MS = 15 * 60_000
"""An incident that has been calm for so long is over; what comes back before belongs to it."""

log = structlog.get_logger("alerts")


class Emergency(Protocol):
    """Tells without a database."""

    def tell(self, findings: Sequence[Finding], sight: Sight) -> None:
        """Tell those that were not told yet."""

    @property
    def told(self) -> frozenset[str]:
        """The keys that were told meanwhile."""

    def forget(self) -> None:
        """The database is back, and knows."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one look found, and under which beginnings of keys it could look."""

    findings: list[Finding] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)


class Watch:
    """One process's watch for some rules; `step` every few seconds."""

    def __init__(
        self,
        observer: Observer,
        rules: Sequence[Rule],
        register: Register,
        telling: Telling,
        *,
        watcher: str,
        emergency: Emergency | None = None,
    ) -> None:
        self._observer, self._rules, self._watcher = observer, rules, watcher
        self._register, self._telling, self._emergency = register, telling, emergency
        self._database_down_since, self._database_trouble = 0, ""

    def step(self) -> int:
        """Look once; returns the moment of the look. Raises nothing that it knows."""
        sight = self._observer.look(self._database_down_since, self._database_trouble)
        found = self._found(sight)
        try:
            self._write(found, sight)
        except DatabaseDown as error:
            self._without_database(found, sight, error)
        else:
            self._database_down_since = 0
            if self._emergency is not None:
                self._emergency.forget()
        return sight.at

    def _found(self, sight: Sight) -> Found:
        found = Found()
        for rule in self._rules:
            if rule.needs_broker and sight.broker_down_since:
                continue
            try:
                findings = list(rule.look(sight))
            except (BrokerDown, DatabaseDown) as error:
                log.warning("could not look", keys=rule.keys, error=str(error))
                continue
            found.findings.extend(findings)
            found.looked_at.extend(rule.keys)
        return found

    def _write(self, found: Found, sight: Sight) -> None:
        at = sight.at
        changed = changes(
            self._register.open_alerts(), found.findings, watcher=self._watcher, looked_at=found.looked_at, at=at
        )
        told = frozenset() if self._emergency is None else self._emergency.told
        for finding in changed.fired:
            number = self._register.fire(finding, at, self._watcher)
            if number is not None:
                log.warning("alert", key=finding.key, incident=number, severity=finding.severity, text=finding.text)
                if finding.key in told:
                    self._telling.note_told(number, at)
        for alert, finding in changed.seen:
            if is_news(alert, finding, at):
                self._register.see(alert, finding, at, self._watcher)
        for alert in changed.cleared:
            if self._register.clear(alert, at):
                log.info("alert ended", key=alert.key, incident=alert.incident)
        self._register.settle(at, RESOLVED_AFTER_MS)
        self._telling.tell(at)

    def _without_database(self, found: Found, sight: Sight, error: DatabaseDown) -> None:
        self._database_down_since = self._database_down_since or sight.at
        self._database_trouble = str(error)
        log.warning("alerts not recorded", error=str(error))
        if self._emergency is not None:
            due = [finding for finding in found.findings if sight.at - finding.since >= finding.for_ms]
            self._emergency.tell(due, sight)
