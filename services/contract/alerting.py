"""Alerting: what the contract says must be told, when, and to whom. The rules are run by the alerts.

A secret never stands in the file: it names the environment variable that holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.declare import Alert

Severity = Literal["critical", "major", "minor"]


@dataclass(frozen=True, slots=True)
class BurnRule:
    """Fires while the budget burns at `rate` times its even pace over both windows."""

    rate: float
    long_s: int
    short_s: int
    severity: Severity


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """Fires while a channel's value is beyond a limit for `for_s`. `key` is a row or series; None is any.

    Just one of `above` and `below` is given. `means` is what that says to a viewer, for the alert's text. `line` is of
    `contract.toml`, 0 where it is declared elsewhere.
    """

    name: str
    channel: str
    field: str
    key: str | None
    above: float | None
    below: float | None
    for_s: int
    severity: Severity
    means: str
    line: int


    @classmethod
    def of(cls, declared: Alert) -> ThresholdRule:
        """The rule of an alert that a file of the project declares."""
        one = declared
        return cls(
            one.name, one.channel.name, one.field, one.key, one.above, one.below, one.for_s, one.severity, one.means, 0
        )


@dataclass(frozen=True, slots=True)
class WebhookSink:
    """Posts Slack-shaped JSON to the url that the variable holds."""

    name: str
    url_env: str
    least: Severity
    line: int
    kind: Literal["webhook"] = "webhook"


@dataclass(frozen=True, slots=True)
class SmtpSink:
    """Sends mail. `user_env` and `password_env` name variables; empty where the server asks for none."""

    name: str
    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    starttls: bool
    user_env: str
    password_env: str
    least: Severity
    line: int
    kind: Literal["smtp"] = "smtp"


@dataclass(frozen=True, slots=True)
class LogSink:
    """Writes a log line of the process that tells."""

    name: str
    least: Severity
    line: int
    kind: Literal["log"] = "log"


Sink = WebhookSink | SmtpSink | LogSink


@dataclass(frozen=True, slots=True)
class DeadMan:
    """An outside address that expects a heartbeat and tells somebody when it stays away."""

    url_env: str
    every_s: int


@dataclass(frozen=True, slots=True)
class Alerting:
    """All rules and sinks. `minimum_events`: a window with fewer counted fires no burn rule.

    `no_data_after_s`: an objective that measured nothing for so long is told. `repeat_after_s`: an alert that
    nobody acknowledged is told again.
    """

    burn: tuple[BurnRule, ...]
    threshold: tuple[ThresholdRule, ...]
    minimum_events: int
    no_data_after_s: int
    repeat_after_s: int
    sinks: tuple[Sink, ...]
    dead_man: DeadMan | None

    def sink(self, name: str) -> Sink | None:
        return next((one for one in self.sinks if one.name == name), None)


DEFAULT_BURN = (
    BurnRule(14.4, 3_600, 300, "critical"),
    BurnRule(6.0, 21_600, 1_800, "major"),
    BurnRule(1.0, 259_200, 21_600, "minor"),
)
"""2 % of a month's budget in an hour, 5 % in six, 10 % in 3 days: Google, "Site Reliability Workbook", chapter 5."""
