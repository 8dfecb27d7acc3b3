"""Alerting: what the contract says of when to tell somebody, and by which sink. The `[alerts]` of the file as nouns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.contract.document import Severity

HOUR_S, DAY_S = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class BurnRule:
    """Tell when an objective's budget burns `factor` times too fast, over `long_s` and still over `short_s`.

    1 spends the whole budget exactly within the objective's window. With fewer than `events_min` counted over the long
    window nothing is told: one bad event of three is no trend. Source: Google, The Site Reliability Workbook,
    chapter 5, "Alerting on SLOs", method 6.
    """

    factor: float
    long_s: int
    short_s: int
    severity: Severity
    events_min: int = 10

    @property
    def long_ms(self) -> int:
        return 1_000 * self.long_s

    @property
    def short_ms(self) -> int:
        return 1_000 * self.short_s


DEFAULT_BURNS = (
    BurnRule(14.4, HOUR_S, 300, "critical"),
    BurnRule(6.0, 6 * HOUR_S, 1_800, "major"),
    BurnRule(1.0, 3 * DAY_S, 6 * HOUR_S, "minor"),
)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Tell when a value of a channel is beyond a limit for `for_s` seconds.

    `field` is a column of the channel; `key` one of its rows or lines, None for any of them. Just one of `above` and
    `below` is given. `name` is unique and a slug; `says` what it means for viewers, in words. `no_data_s`: tell also
    when the channel has had no event for so long, 0 for never.
    """

    name: str
    channel: str
    field: str
    key: str | None
    above: float | None
    below: float | None
    for_s: int
    no_data_s: int
    severity: Severity
    says: str
    line: int


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts JSON that Slack, Mattermost and their like read; the URL is a secret: it stands in that variable."""

    name: str
    url_variable: str
    severities: frozenset[Severity]
    line: int


@dataclass(frozen=True, slots=True)
class Smtp:
    """Sends mail. User and password stand in the variables of those names; '' sends without signing in."""

    name: str
    host: str
    port: int
    security: Literal["tls", "starttls", "plain"]
    user_variable: str
    password_variable: str
    sender: str
    recipients: tuple[str, ...]
    severities: frozenset[Severity]
    line: int


@dataclass(frozen=True, slots=True)
class LogSink:
    """Writes a line to the log of the worker."""

    name: str
    severities: frozenset[Severity]
    line: int


Sink: TypeAlias = Webhook | Smtp | LogSink


@dataclass(frozen=True, slots=True)
class Alerting:
    """The `[alerts]` of a contract. `no_data_s`: an objective without data for so long is told; 0 for never.

    `clear_s`: an incident that is clear for so long is resolved. `remind_s`: one that nobody acknowledged is told again
    so often; 0 for never.
    """

    sinks: tuple[Sink, ...]
    burns: tuple[BurnRule, ...] = DEFAULT_BURNS
    thresholds: tuple[Threshold, ...] = ()
    no_data_s: int = 300
    clear_s: int = 900
    remind_s: int = 3_600
