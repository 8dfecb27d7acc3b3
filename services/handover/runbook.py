"""Runbook: for each alert what it means, what viewers see, and what to do first.

Every key that a rule can tell has an entry; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.contract.alerting import Severity
from services.contract.document import Contract, Kind
from services.contract.markdown import text
from services.contract.sentences import breach_of, sentence


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of alert. `key` is how the keys of its alerts begin."""

    key: str
    title: str
    severity: Severity | None
    means: str
    seen: str
    first: tuple[str, ...]


_DOCTOR = "`headwater doctor` where it runs: its lines marked `fail` name the remedy"
BUILT_IN = (
    Entry("broker:down", "The broker does not answer", "critical",
          "Nothing is accepted or updated; senders are told to come again.",
          "every page: the last values, marked, and that the broker is down, since when",
          (_DOCTOR, "the platform's status of the broker, its memory and its connections",
           "start it again; nothing else need be restarted, what was acknowledged goes on at its last commit",
           "where its data is lost: pages begin a new epoch by themselves; what was archived is in the history")),
    Entry("broker:full", "The broker's memory is nearly full", "critical",
          "New events are refused with 429 until there is room; what was accepted is still processed.",
          "live values go on as long as events come in; then they grow late, with the reason",
          ("the operations page: which lane has a backlog, and whether the archive lags",
           "a worker that stands still: restart it; a database that is away: bring it back",
           "raise `maxmemory` where the load is larger than the envelope")),
    Entry("database:down", "The database does not answer", "major",
          "History, contract and alerts are not recorded; live values go on.",
          "look back and exports fail with the reason; pages stay live",
          (_DOCTOR, "the platform's status of the database, its disk and its connections",
           "bring it back: the archive catches up by itself, from what the broker still holds")),
    Entry("lane:", "A lane has no worker", "critical",
          "The events of a feed are accepted and not processed.",
          "the pages of the feed: late, then stale; the cause is named as the worker",
          ("are the worker processes running? start one; it takes the lane within three seconds",
           "its log: a line with level `error` names why it ended",
           "`headwater check` where a declaration was changed lately")),
    Entry("watch:", "Nobody evaluates alerts", "critical",
          "No worker holds objectives and channels against their limits: trouble is not noticed.",
          "nothing; pages are as they are", ("start a worker with the station `contract`", _DOCTOR)),
    Entry("backlog:", "Events wait", "major",
          "More comes in than is processed.",
          "“live feed delayed by …”, with how many events are behind",
          ("the operations page: accepted against processed of the lane, and the rate lately",
           "more than the envelope? the source has a burst: it drains by itself, the page says so",
           ("less than the envelope? the worker's processor is short of CPU, or an event is tried again and again: "
           "`headwater quarantine list`, the worker's log"))),
    Entry("shed:", "Processed events were dropped before the archive had them", "critical",
          "The history has a gap; live values are complete.", "a gap in charts that look back, with its bounds",
          ("the database: is it away, or slow? bring it back",
           "the gap is recorded, and stays in exports and reports")),
    Entry("archive-gap:", "The archive knows that something is missing", "major",
          "An interval of the history is not complete.", "a gap in charts that look back, with its bounds",
          ("its reason stands in the alert; what is lost cannot be brought back",
           "`headwater trace ID` tells what became of one event")),
    Entry("threshold:", "A value is beyond its limit", None,
          "What the contract's threshold says, for as long as it says.", "the value itself",
          ("the page that shows the channel: is it live, and since when is the value so?",
           "the source's own system: is the value true?")),
    Entry("no-event:", "A watched channel has no event", None,
          "Whether its value is beyond its limit is not known.", "late, then stale, with the cause",
          ("the feed's line on the operations page: its source's last sign of life, and its last error",
           "who owns the source: does it send?")),
    Entry("burn:", "An objective burns its budget", None,
          "At this pace the objective is breached before its window ends.",
          "what the objective is about: late values, a slow first value, a page that is away",
          ("the contract's page: which objective, since when, how much budget is left",
           "the operations page: the stage that is slow, for which viewers",
           "what changed then? a deployment, a burst, a source")),
    Entry("no-data:", "An objective measures nothing", None,
          "Minutes without data count as bad: the budget is used up while nothing is known.",
          "perhaps nothing; the contract's page says since when",
          ("are the worker's `contract` station and the web processes running?",
           "of an objective that the probe measures: is its key valid, does the address answer?")),
)  # fmt: skip
"""All that can be told. A severity of None is the rule's own."""

_OF_KIND: dict[Kind, str] = {
    "latency": "where the time goes: created → ingested is the source, ingested → processed the worker, processed → "
    "sent the gateway, sent → painted the viewer's network and browser",
    "update_interval": "the source's own interval on the operations page, then the worker's tick",
    "freshness": "the feed's source: is it silent, late or in error? the page says which",
    "availability": "the probe's last fault on the operations page: which part of the way did not answer",
    "interaction": "how many charts and rows the page paints, and on which machines",
    "reconnect": "deployments and restarts of the web processes at that time, then the network between",
    "backlog": "accepted against processed of the lanes",
    "first_value": "the web processes' CPU and the size of what the page loads",
}


def runbook(contract: Contract) -> str:
    """The whole document."""
    return text(_runbook(contract))


def entry_of(key: str) -> Entry | None:
    """The entry of an alert's key."""
    return next((one for one in BUILT_IN if key.startswith(one.key)), None)


def _runbook(contract: Contract) -> Iterator[str]:
    yield f"# {contract.name}: runbook"
    yield ""
    yield (
        "What to do first for each alert. An alert's text says what changed, where, since when, and whether viewers "
        "are affected. Whoever takes it acknowledges it, so that it is not told again: `headwater incidents`."
    )
    for entry in BUILT_IN:
        yield from ("", f"## {entry.title}", "", (f"Alerts: `{entry.key}{'…' if entry.key.endswith(':') else ''}`. "
                    f"Severity: {entry.severity or 'as its rule says'}. {entry.means}"), "",
                    f"Viewers see: {entry.seen}.", "")
        yield from (f"{number}. {step}." for number, step in enumerate(entry.first, start=1))
        yield from _declared(contract, entry)


def _declared(contract: Contract, entry: Entry) -> Iterator[str]:
    """What the contract declares of that kind, each by name."""
    if entry.key == "threshold:":
        for rule in contract.alerting.threshold:
            limit = f"above {rule.above:g}" if rule.above is not None else f"below {rule.below:g}"
            yield from ("", f"### {rule.name}", "", (f"`{rule.field}` of {rule.channel} {limit} for {rule.for_s} s: "
                        f"{rule.means}. Severity: {rule.severity}."))
    if entry.key == "burn:":
        for objective in contract.objectives:
            breach = objective.breach or breach_of(objective.kind, objective.point, objective.limit)
            yield from ("", f"### {objective.name}", "", (f"{sentence(objective)}. A breach is {breach}. "
                        f"Owner: {objective.owner.replace('_', ' ')}."), "", f"Look at: {_OF_KIND[objective.kind]}.")
