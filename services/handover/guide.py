"""Guide: alert rules, how to read the figures, where logs are, and what is a critical failure."""

from __future__ import annotations

from collections.abc import Iterator

from services.contract.alerting import LogSink, Sink, WebhookSink
from services.contract.document import Contract, Kind
from services.contract.markdown import table, text
from services.contract.sentences import percent, seconds, sentence
from services.handover.runbook import BUILT_IN
from services.report.method import HOW

_COUNTED: dict[Kind, str] = {
    "latency": "every valid event, from its first stage to the one that is named",
    "update_interval": "every update of the channel, by how long after the one before it came",
    "freshness": "every second in which somebody looked, by how old the newest value was",
    "availability": "the synthetic probe's rounds, every ten seconds; where measured in the browser, view-seconds",
    "interaction": "every click and key, until the next paint",
    "reconnect": "every lost connection, until values were proven fresh again",
    "backlog": "every second, by how many accepted events waited",
    "first_value": "every page that was opened, until its first value was there",
}


def alert_rules(contract: Contract) -> str:
    """What is told, at which limit, to whom."""
    return text(_rules(contract))


def _rules(contract: Contract) -> Iterator[str]:
    alerting = contract.alerting
    yield from (f"# {contract.name}: alert rules", "", "## Built in", "")
    yield from table(("alert", "severity", "means"), (
        (f"`{one.key}`", one.severity or "as its rule says", one.means) for one in BUILT_IN
    ))
    yield from ("", "## Budgets", "", f"Each of the {len(contract.objectives)} objectives is held against:", "")
    yield from table(("told while the budget burns at", "over both", "severity"), (
        (f"{one.rate:g} × its even pace", f"{_span(one.long_s)} and {_span(one.short_s)}", one.severity)
        for one in alerting.burn
    ))
    yield from (
        "", (f"A window with fewer than {alerting.minimum_events} counted says nothing. An objective without data for "
        f"{_span(alerting.no_data_after_s)} is told; what nobody acknowledged is told again after "
        f"{_span(alerting.repeat_after_s)}."), "", "## Thresholds", "",
    )  # fmt: skip
    yield from table(("name", "value", "limit", "for", "severity", "means"), (
        (one.name, f"{one.field} of {one.channel}" + (f", {one.key}" if one.key else ""),
         f"above {one.above:g}" if one.above is not None else f"below {one.below:g}", f"{one.for_s} s", one.severity,
         one.means)
        for one in alerting.threshold
    ))  # fmt: skip
    yield from ("", "## Who is told", "")
    yield from table(("sink", "how", "from severity on"), ((one.name, _how(one), one.least) for one in alerting.sinks))
    dead_man = alerting.dead_man
    yield ""
    yield (
        "There is no heartbeat to an outside address: when everything is away at once, nobody is told."
        if dead_man is None else
        f"Every {dead_man.every_s} s a heartbeat goes to the address in `{dead_man.url_env}`, which tells somebody "
        "when it stays away."
    )  # fmt: skip


def _how(sink: Sink) -> str:
    if isinstance(sink, WebhookSink):
        return f"webhook, to the address in `{sink.url_env}`"
    return "a line of the log" if isinstance(sink, LogSink) else f"mail to {', '.join(sink.to)} by {sink.host}"


def _span(value: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if value >= size and value % size == 0:
            return f"{value / size:g} {unit}"
    return seconds(value)


def reading_guide(contract: Contract) -> str:
    """How the figures are counted, and how to read them."""
    return text(_guide(contract))


def _guide(contract: Contract) -> Iterator[str]:
    yield from (f"# {contract.name}: how to read the figures", "", "## On the contract's page and in each report", "")
    yield from (f"- {one}" for one in HOW)
    yield from ("", "## Each objective", "")
    yield from table(("objective", "promised", "what is counted", "window"), (
        (one.name, sentence(one), _COUNTED[one.kind],
         f"the last {one.window_days} days" if one.window_days else f"the {contract.period}")
        for one in contract.objectives
    ))  # fmt: skip
    yield from (
        "", "## On each component of a page", "",
        ("- live: events flow and are young enough. quiet: the source lives and has nothing new. late: events come, "
         "and are older than declared. stale: no proof that the source lives. offline: you are cut off."),
        "- A value that is not live keeps standing, marked with its age; the banner says the cause, and since when.",
        "- An open window is drawn as incomplete; a value that a late event changed is marked as restated.",
        "- Recorded data that is replayed is labelled so.",
    )  # fmt: skip


def logs(contract: Contract) -> str:
    """Where logs are, and how one event is followed through them."""
    return text(_logs(contract))


def _logs(contract: Contract) -> Iterator[str]:
    hosting = contract.scope.hosting
    where = "" if hosting is None else f" It runs on: {hosting.provider}, {hosting.region}."
    yield from (
        f"# {contract.name}: logs", "",
        ("Every process writes one line for each thing to its standard output, as a JSON object: `timestamp`, `level`, "
        f"`process`, `message` and fields. The platform collects them.{where}"), "",
        "- Trouble: lines with `level` `error` or `warning`. A constant message names what, its fields which.",
        "- One request: `correlation_id`, which the answer carries as `X-Request-ID`.",
        ("- One event: `headwater trace ID` by its id or correlation id: when it was created, accepted, processed, "
        "sent and painted, and where. The operations page asks the same."),
        "- Refused records: counted and sampled on the operations page, with their reasons.",
        "- What no channel could fold: `headwater quarantine list`.",
        "- Who signed in, was let in or not, and who changed what: `headwater audit`.",
        "- Metrics: `/metrics` of any web process, in Prometheus's format. Health: `/healthz`, `/readyz`.",
        "- No secret and no personal field stands in a log.",
    )  # fmt: skip


def critical_failures(contract: Contract) -> str:
    """What is a critical failure, and what to do first."""
    return text(_critical(contract))


def _critical(contract: Contract) -> Iterator[str]:
    yield from (f"# {contract.name}: critical failures", "", "## By the contract", "")
    yield from table(("severity", "is", "answered within", "resolved within"), (
        (one.severity, one.means, f"{one.response_s // 60} min of support time",
         f"{one.resolution_s // 60} min of support time") for one in contract.severities
    ))
    yield from ("", "Whom to call: " + f"{contract.provider.name}, {contract.provider.contact}.", "")
    yield from ("## What is critical, and what to do first", "")
    yield from table(("failure", "means", "first"), (
        (one.title, one.means, one.first[0]) for one in BUILT_IN if one.severity == "critical"
    ))
    rules = [one for one in contract.alerting.threshold if one.severity == "critical"]
    yield from ("", *(f"- {one.name}: {one.means}" for one in rules))
    yield from (
        "An objective is in critical trouble while its budget burns at "
        + (", ".join(f"{one.rate:g} × its pace" for one in contract.alerting.burn if one.severity == "critical")
           or "no rate that is declared critical")
        + ". The runbook has the further steps. Before all: read what the page's banner says, it names the cause.",
        "", "No failure: " + "; ".join(_no_failure(contract)) + ".",
    )  # fmt: skip


def _no_failure(contract: Contract) -> Iterator[str]:
    yield "a quiet feed whose source lives"
    yield "one viewer whose own connection is lost"
    for one in contract.exclusions.upstream:
        yield f"{one.feed}: {one.cause}, up to what its clause excludes (late after {seconds(one.late_after_s)})"
    slowest = min((one.share for one in contract.objectives), default=1.0)
    yield f"single values over their limit, as long as the share of the objective holds ({percent(slowest)} the least)"
