"""Contract: the text of `contract.toml`, from what was answered and what was proposed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta

from services.contract.proposals import PROFILES, Profile, ProfileName
from services.contract.questions import Answers, SupportHours
from services.samples.draft import FeedDraft

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday")
_HOURS: dict[SupportHours, tuple[tuple[str, ...], str]] = {
    "business": (_WEEK, "09:00-17:00"),
    "extended": ((*_WEEK, "saturday"), "07:00-20:00"),
    "always": ((*_WEEK, "saturday", "sunday"), "00:00-24:00"),
}
_MEANS = {
    "critical": "no viewer sees live values",
    "major": "a channel is late or stale, or viewers wait for their values",
    "minor": "an objective burns its budget faster than the period allows",
}
_SIGN_IN = {
    "accounts": "accounts of the dashboard, with the roles of roles.toml",
    "oidc": "the client's identity provider, with the roles of roles.toml",
    "none": "none; whoever reaches the address may read",
}
DELIVERABLES = (
    ("annex", "this contract's clauses, as they were accepted", "annex.md"),
    ("source-mapping", "where each field comes from, and what it is in the feed", "source-mapping.md"),
    ("alert-rules", "what is told, at which limit, to whom", "alert-rules.md"),
    ("runbook", "what to do first for each alert", "runbook.md"),
    ("reading-guide", "how the figures are counted, and how to read them", "reading-guide.md"),
    ("logs", "where logs are, and how one event is followed through them", "logs.md"),
    ("critical-failures", "what is a critical failure, and what to do first", "critical-failures.md"),
    ("test-log", "what acceptance looked at, with its evidence", "test-log.md"),
    ("deployment", "the files with which it is deployed", "deployment"),
)
"""Name, meaning and file in the handover's folder."""
_APART = """
[[acceptance]]
name = "roles-apart"
means = "nobody receives a value of a channel that the role does not allow"
"""


def quoted(text: str) -> str:
    """A TOML string; JSON's are such, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def contract_text(answers: Answers, name: ProfileName, drafts: tuple[FeedDraft, ...], today: date) -> str:
    """The whole file; a date is a first guess, by the day on which it is written."""
    profile = PROFILES[name]
    parts = (
        _head(answers, name, today), *_objectives(answers, profile, drafts), _exclusions(answers, drafts),
        _support(answers, profile), _alerts(answers, profile), _scope(answers, drafts), _plan(answers, today),
        _price(answers),
    )  # fmt: skip
    return "\n".join(parts)


def _head(answers: Answers, name: ProfileName, today: date) -> str:
    parties = [
        f'{party} = {{ name = {quoted(said)}, contact = "{party}@example.com" }}'
        for party, said in (("provider", answers.provider), ("client", answers.client))
    ]
    return f"""# Drafted by headwater contract new, profile {name}; docs/contract.md explains every field.
# The decision: {" ".join(answers.decision.split())}

[contract]
name = {quoted(answers.name)}
phase = "mvp"
begins = {today}
ends = {today + timedelta(days=730)}
period = "month"
zone = {quoted(answers.zone)}
{parties[0]}
{parties[1]}
"""


def _objective(name: str, kind: str, percent: float, within: str, *more: str) -> str:
    lines = (f'name = "{name}"', f'kind = "{kind}"', f"target_percent = {percent:g}", within, *more)
    return "\n".join(("[[objective]]", *lines, ""))


def _objectives(answers: Answers, profile: Profile, drafts: tuple[FeedDraft, ...]) -> Iterator[str]:
    lag, slower = answers.lag_s, 'degraded = "slower_rate"'
    yield _objective("gateway-latency", "latency", 95, f"within_s = {lag:g}", 'measured_at = "gateway"', slower)
    for draft in drafts:
        channel, slug = f'channel = "{draft.name}.newest"', draft.name.replace("_", "-")
        painted = f"within_s = {lag + 0.5:g}" if not draft.polled else f"within_s = {lag + 0.5 + draft.every_s:g}"
        yield _objective(f"{slug}-painted", "latency", 95, painted, channel, 'measured_at = "browser"', slower)
        fresh = f"within_s = {draft.late_after_s + 1:g}"
        marked = 'degraded = "last_value_marked"'
        yield _objective(f"{slug}-freshness", "freshness", 99, fresh, channel, marked)
    poll = 'degraded = "long_poll"'
    yield _objective(
        "availability", "availability", profile.available_percent, "within_s = 5", "window_days = 30", poll
    )
    yield _objective("reconnect", "reconnect", 95, "within_s = 10", "window_days = 30", poll)
    yield _objective("interaction", "interaction", 75, "within_s = 0.2", "window_days = 30")
    backlog = max(1_000, int(answers.peak_events_per_s * lag))
    yield _objective("backlog", "backlog", 99, f"within_events = {backlog}", "window_days = 30", slower)
    yield _objective("first-value", "first_value", 95, "within_s = 3", "window_days = 30")


def _exclusions(answers: Answers, drafts: tuple[FeedDraft, ...]) -> str:
    upstream = [
        f"""[[exclusions.upstream]]
feed = "{draft.name}"
late_after_s = {draft.late_after_s:g}
cause = "the source of {draft.name} is late"
owner = "client"
expects = {{ every_s = {draft.every_s:g}, rejected_percent = 1.0 }}
"""
        for draft in drafts
    ]
    return "\n".join([*upstream, f"""[[exclusions.third_party]]
name = "hosting"
means = {quoted(answers.hosting)}

[exclusions.maintenance]
notice_hours = 48
cap_minutes_a_month = 240

[exclusions.hotfix]
clause = "Emergency changes"
cap_minutes_a_month = 60

[exclusions.force_majeure]
means = "what neither party can prevent: natural disaster, war, failure of the public network"

[exclusions.viewer_network]
together_percent = 10
"""])  # fmt: skip


def _support(answers: Answers, profile: Profile) -> str:
    days, hours = _HOURS[answers.support]
    rules = [
        f"""[[severity]]
severity = "{severity}"
means = "{means}"
response_minutes = {response}
resolution_minutes = {resolution}
"""
        for (severity, means), response, resolution in zip(
            _MEANS.items(), profile.response_minutes, profile.resolution_minutes, strict=True
        )
    ]
    said = "\n".join(f'{day} = "{hours}"' for day in days)
    return "\n".join([f'[support]\nmonitoring = "reactive"\n\n[support.hours]\n{said}\n', *rules])


def _alerts(answers: Answers, profile: Profile) -> str:
    slow = '\n[[alerts.burn]]\nrate = 1\nlong_s = 259_200\nshort_s = 21_600\nseverity = "minor"\n'
    behind = max(1_000, int(answers.peak_events_per_s * answers.too_late_s))
    return f"""[alerts]
minimum_events = 50
{"" if profile.burns else slow}
[[alerts.threshold]]
name = "backlog-high"
channel = "operations.feeds"
field = "backlog"
above = {behind}
for_s = 30
severity = "major"
means = "live values are delayed"

[[sink]]
name = "log"
kind = "log"

[report]
weekday = "monday"
at = 07:00:00
sinks = ["log"]
raw_days = 90
"""


def _scope(answers: Answers, drafts: tuple[FeedDraft, ...]) -> str:
    way = {"nothing": "directly", "proxy": "through the client's proxy", "cdn": "through a CDN"}[answers.between]
    sockets = "" if answers.websockets else "; WebSockets do not pass: pages live by long poll"
    rows = max(200, answers.viewers)
    deliverables = "\n".join(
        f'[[deliverable]]\nname = "{name}"\nmeans = {quoted(means)}\nfile = "{file}"\n'
        for name, means, file in DELIVERABLES
    )
    apart = _APART if len(answers.roles) > 1 else ""
    return f"""[scope]
feeds = [{", ".join(quoted(one.name) for one in drafts)}]

[hosting]
provider = {quoted(f"{answers.hosting}; viewers come {way}{sockets}")}
region = {quoted(answers.region)}
authentication = {quoted(_SIGN_IN[answers.sign_in])}

[envelope]
events_per_s = {answers.peak_events_per_s:g}
viewers = {answers.viewers}
rows = {rows}

{deliverables}
[[acceptance]]
name = "values-in-time"
means = "values are on screen in time, under nominal load and at the peak of the envelope"
objectives = ["gateway-latency", {", ".join(f'"{one.name.replace("_", "-")}-painted"' for one in drafts)}]

[[acceptance]]
name = "nothing-missing"
means = "after a dropped socket a viewer has every value, and is fresh again in time"
objectives = ["reconnect"]

[[acceptance]]
name = "told-when-stale"
means = "when a source is silent, the page says so, and since when"

[[acceptance]]
name = "right-after-burst"
means = "after a burst the page shows what was accepted, each value once"
objectives = ["backlog"]

[[acceptance]]
name = "degraded-modes"
means = "where WebSockets are blocked or a viewer is slow, values are right and in time"

[[acceptance]]
name = "first-value"
means = "a page that is opened shows its first value in time, in a real browser"
objectives = ["first-value"]
{apart}"""


def _plan(answers: Answers, today: date) -> str:
    samples = "\n".join(
        f"""[[dependency]]
name = "{one.name.replace("_", "-")}-access"
owes = "{"credentials" if one.transport == "poll" else "samples"}"
means = {quoted(f"a way to the source {one.name}, and a sample of its records")}
due = {today + timedelta(days=7)}
delay = "each day of delay moves the milestones that it names by a day"
moves = ["first-pages", "handover"]
"""
        for one in answers.sources
    )
    rules = (
        "" if answers.compliance == "none" else f"""[[dependency]]
name = "compliance"
owes = "decision"
means = {quoted(f"which fields are concerned, and how long they may be kept: {answers.compliance}")}
delay = "until then nothing that may be concerned is shown or kept"
"""
    )  # fmt: skip
    return f"""{samples}
{rules}
[[phase]]
phase = "mvp"
begins = {today}

[[phase.milestone]]
name = "first-pages"
due = {today + timedelta(days=30)}
means = "the pages run on real data, and are measured"
pays_percent = 40

[[phase]]
phase = "production"
begins = {today + timedelta(days=60)}

[[phase.milestone]]
name = "handover"
due = {today + timedelta(days=60)}
means = "all deliverables are handed over, and acceptance is passed"
pays_percent = 60

[change]
terms = "a change is asked for in writing, answered with its price and days, and built once both sides agree"
"""


def _price(answers: Answers) -> str:
    rate = answers.day_rate
    bands = "\n".join(
        f'[[price.support.band]]\nseverity = "{severity}"\nhours = "{hours}"\nhour_rate = {round(rate / 8 * factor)}\n'
        for severity, hours, factor in (
            ("critical", "support", 1.2), ("critical", "other", 2.4), ("major", "support", 1.1), ("minor", "support", 1)
        )
    )
    return f"""[price]
currency = "EUR"
day_rate = {rate:g}
discovery_days = 2
dependence = "{answers.depends}"

[price.build]
feed_days = 1.5
channel_days = 0.25
page_days = 0.75
role_days = 0.25

[price.risk]
objective_days = 0.25
load_days = 1
alert_days = 0.1
report_days = 0.5

[price.support]
model = "hourly"

{bands}"""
