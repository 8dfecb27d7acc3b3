"""Alerting: the watches of worker and web, wired together.

In a worker one leads: it knows everything. Every worker, leading or not, looks whether the broker answers. Web looks
for workers, and sends what no worker sends.
"""

from __future__ import annotations

import os
import threading

import structlog

from services.alerts.channels import KEYS as CHANNEL_KEYS
from services.alerts.channels import Channels
from services.alerts.courier import Courier
from services.alerts.deadman import Heartbeat
from services.alerts.emergency import Direct
from services.alerts.gaps import Gaps
from services.alerts.objectives import KEYS as OBJECTIVE_KEYS
from services.alerts.objectives import Minutes, Objectives
from services.alerts.observer import Observer
from services.alerts.outbox import Outbox
from services.alerts.register import Register
from services.alerts.rule import Rule, by_web, everywhere, in_sight
from services.alerts.telling import Telling
from services.alerts.watch import Watch
from services.broker import Broker
from services.contract.document import Contract
from services.database import Database, DatabaseDown
from services.declare import Declarations
from services.parts import Part
from services.positions import Clock

LOOK_EVERY_S = 5.0
DELIVER_EVERY_S = 1.0
WEB_PATIENCE_MS = 3_000
"""What a worker has not sent by then, web sends."""

log = structlog.get_logger("alerts")


class Alerting:
    """The parts of alerting over one contract; makes watches and couriers."""

    def __init__(
        self, contract: Contract, declarations: Declarations, broker: Broker, database: Database, clock: Clock
    ) -> None:
        self._contract, self._declarations, self._broker = contract, declarations, broker
        self._database, self._clock = database, clock
        self._rules = contract.alerting

    def watch(self, rules: list[Rule], watcher: str, *, leads: bool = False) -> Watch:
        """A watch for these rules."""
        return Watch(
            Observer(self._broker, self._declarations, self._contract.zone, self._clock), rules,
            Register(self._database), Telling(self._database, self._rules, self._contract.zone), watcher=watcher,
            emergency=Direct(self._rules.sinks, os.environ) if leads else None,
        )

    def courier(self, patience_ms: int = 0) -> Courier:
        """A courier to the contract's sinks."""
        outbox = Outbox(self._database)
        return Courier(outbox, self._rules.sinks, os.environ, self._clock, patience_ms=patience_ms)

    def leading_rules(self, ledger: Minutes) -> list[Rule]:
        """Everything that can be known."""
        rules = self._rules
        channels = Channels(self._broker, self._declarations, rules.threshold, rules.no_data_after_s)
        objectives = Objectives(self._contract.objectives, rules, ledger)
        return [
            *in_sight(),
            Rule(("archive-gap:",), Gaps(self._database).look, needs_broker=False),
            Rule(CHANNEL_KEYS, channels.look),
            Rule(OBJECTIVE_KEYS, objectives.look, needs_broker=False),
        ]

    def parts(self, worker: str, ledger: Minutes) -> list[Part]:
        """What the contract station does for alerts."""
        leading = self.watch(self.leading_rules(ledger), worker, leads=True)
        anywhere = self.watch(everywhere(), f"{worker} (broker)")
        dead_man = self._rules.dead_man
        courier = self.courier()
        heartbeat = None if dead_man is None else Heartbeat(dead_man, os.environ)

        def look() -> None:
            at = leading.step()
            if heartbeat is not None:
                heartbeat.beat(at)

        return [
            Part("alerts", LOOK_EVERY_S, look),
            Part("broker-watch", LOOK_EVERY_S, lambda: _done(anywhere.step()), everywhere=True),
            Part("courier", DELIVER_EVERY_S, lambda: _done(courier.step()), everywhere=True),
        ]

    def lookout(self, process: str) -> Lookout:
        """What web does for alerts."""
        return Lookout(self.watch(by_web(), process), self.courier(WEB_PATIENCE_MS), self._database)


def _done(_: object) -> None:
    """A part's step returns nothing."""


class Lookout:
    """Web's watch: a thread of its own, so that neither a viewer nor a request ever waits for a sink."""

    def __init__(self, watch: Watch, courier: Courier, database: Database) -> None:
        self._watch, self._courier, self._database = watch, courier, database
        self._stopping = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="lookout", daemon=True).start()

    def stop(self) -> None:
        """Look no more. A message that is being sent is left to others: it stays due."""
        self._stopping.set()
        self._database.close()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self._watch.step()
                self._courier.step()
            except DatabaseDown as error:
                log.warning("nothing sent while the database is down", error=str(error))
            except Exception:
                log.exception("lookout failed, it looks again")
