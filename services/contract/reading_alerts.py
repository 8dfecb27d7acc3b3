"""Reading of alerts: burn rates, thresholds and the sinks that are told."""

from __future__ import annotations

from services.contract.alerting import (
    DEFAULT_BURN,
    Alerting,
    BurnRule,
    DeadMan,
    LogSink,
    Sink,
    SmtpSink,
    ThresholdRule,
    WebhookSink,
)
from services.contract.clauses import AlertsClause, File, SinkClause, SmtpClause, ThresholdClause, WebhookClause
from services.contract.refusals import Refusals
from services.declare import Declarations
from services.places import Path as Place


def read_alerting(file: File, declarations: Declarations, refusals: Refusals) -> Alerting:
    """All rules and sinks of the contract."""
    said = file.alerts
    refusals.unique(("sink",), (one.name for one in file.sink))
    refusals.unique(("alerts", "threshold"), (one.name for one in said.threshold))
    return Alerting(
        burn=_burn(said, refusals),
        threshold=tuple(
            _threshold(("alerts", "threshold", number), one, declarations, refusals)
            for number, one in enumerate(said.threshold)
        ),
        minimum_events=said.minimum_events,
        no_data_after_s=said.no_data_after_s,
        repeat_after_s=said.repeat_after_s,
        sinks=tuple(_sink(one, refusals.line(("sink", number))) for number, one in enumerate(file.sink)),
        dead_man=None if said.dead_man is None else DeadMan(said.dead_man.url_env, said.dead_man.every_s),
    )


def _burn(said: AlertsClause, refusals: Refusals) -> tuple[BurnRule, ...]:
    if said.burn is None:
        return DEFAULT_BURN
    for number, one in enumerate(said.burn):
        if one.short_s >= one.long_s:
            refusals.add(("alerts", "burn", number, "short_s"), one.short_s, "give fewer seconds than long_s")
    return tuple(BurnRule(one.rate, one.long_s, one.short_s, one.severity) for one in said.burn)


def _threshold(at: Place, said: ThresholdClause, declarations: Declarations, refusals: Refusals) -> ThresholdRule:
    if refusals.known((*at, "channel"), said.channel, declarations.channels, "channel"):
        columns = declarations.channels[said.channel].columns()
        refusals.known((*at, "field"), said.field, columns, f"column of {said.channel}")
    if said.above is None and said.below is None:
        refusals.missing((*at, "above"), "give one of above and below")
    elif said.above is not None and said.below is not None:
        refusals.add((*at, "below"), said.below, "give only one of above and below; two limits are two rules")
    return ThresholdRule(
        name=said.name,
        channel=said.channel,
        field=said.field,
        key=said.key,
        above=said.above,
        below=said.below,
        for_s=said.for_s,
        severity=said.severity,
        means=said.means,
        line=refusals.line(at),
    )


def _sink(said: SinkClause, line: int) -> Sink:
    if isinstance(said, WebhookClause):
        return WebhookSink(said.name, said.url_env, said.least, line)
    if isinstance(said, SmtpClause):
        return SmtpSink(
            name=said.name,
            host=said.host,
            port=said.port,
            sender=said.sender,
            to=tuple(said.to),
            starttls=said.starttls,
            user_env=said.user_env or "",
            password_env=said.password_env or "",
            least=said.least,
            line=line,
        )
    return LogSink(said.name, said.least, line)
