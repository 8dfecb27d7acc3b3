"""Questions: what has to be known before a contract is drafted, each with what its answer decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

Transport = Literal["push", "poll"]
Recorded = Literal["audit", "state"]
SignIn = Literal["accounts", "oidc", "none"]
Between = Literal["nothing", "proxy", "cdn"]
SupportHours = Literal["business", "extended", "always"]
Depends = Literal["none", "operations", "revenue"]
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,30}$")
_ROLE = re.compile(r"^[a-z][a-z0-9-]{0,39}$")


class AnswerRefused(Exception):
    """An answer that cannot be used: its question, the value and the remedy."""

    def __init__(self, name: str, value: object, remedy: str) -> None:
        super().__init__(f"answer {name!r}: {value!r}: {remedy}")


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """A source: its feed's name, whether it is pushed or polled, and how often it has something new, in seconds."""

    name: str
    transport: Transport
    every_s: float


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `decides` says in a line what hangs on it; `read` raises ValueError with the remedy."""

    name: str
    asks: str
    decides: str
    default: str
    read: Callable[[str], Any]


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("say it in words")
    return text.strip()


def _above(least: float, what: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text.replace("_", ""))
        except ValueError:
            value = -1.0
        if not least < value < 1e9:
            raise ValueError(f"give {what} above {least:g}")
        return value

    return read


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError):
        raise ValueError("give a time zone such as Europe/Berlin or UTC") from None


def _whole(what: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.replace("_", "").isdigit() or int(text.replace("_", "")) < 1:
            raise ValueError(f"give a whole number of {what} from 1")
        return int(text.replace("_", ""))

    return read


def _one_of(literal: Any) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in (words := get_args(literal)):
            raise ValueError(f"give one of {', '.join(words)}")
        return text

    return read


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("give yes or no")
    return text == "yes"


def _names(text: str) -> tuple[str, ...]:
    names = tuple(one.strip() for one in text.split(",") if one.strip())
    if not all(_ROLE.match(one) for one in names) or len(set(names)) < len(names) or "admin" in names:
        raise ValueError("give names joined by commas: small letters, digits and -; each once; admin is there anyway")
    return names


_SOURCE = re.compile(r"^(?P<name>[^=@]+)=(?P<transport>push|poll)@(?P<every>[0-9.]+)s?$")


def _sources(text: str) -> tuple[SourceAnswer, ...]:
    remedy = "give name=push@seconds or name=poll@seconds joined by commas, for example orders=push@1, stock=poll@5"
    found = []
    for one in (part.strip() for part in text.split(",") if part.strip()):
        matched = _SOURCE.match(one)
        if matched is None or not _NAME.match(matched["name"]):
            raise ValueError(remedy)
        every_s = _above(0, "seconds")(matched["every"])
        transport: Transport = "push" if matched["transport"] == "push" else "poll"
        found.append(SourceAnswer(matched["name"], transport, every_s))
    names = [one.name for one in found]
    if not names or len(set(names)) < len(names) or set(names) & {"probe", "contract", "operations"}:
        raise ValueError(f"{remedy}; each name once, and none of probe, contract, operations")
    return tuple(found)


QUESTIONS = (
    Question("name", "What is the dashboard called?",
             "the title of contract, report and annex", "Live board", _said),
    Question("provider", "Who provides it?", "the party that promises", "Example Operations Ltd", _said),
    Question("client", "Who is it for?", "the party that it is promised to", "Example Client Ltd", _said),
    Question("decision", "Which decision is made by looking at it?",
             "what has to be on the first page, and what a late value costs", "whether somebody has to step in", _said),
    Question("too_late_s", "How many seconds old may a value be before that decision goes wrong?",
             "the profile, the freshness target, and when a value is marked stale", "30", _above(0, "seconds")),
    Question("lag_s", "Within how many seconds has an event to be on screen, in 95 of 100 cases?",
             "the latency targets, and what instrumentation and load tests cost", "2", _above(0.05, "seconds")),
    Question("sources", "Which sources are there, pushed or polled, and how often is there something new?",
             "the feeds; nothing on screen can be fresher than its source", "events=push@1", _sources),
    Question("peak_events_per_s", "How many events a second come at the peak, all sources together?",
             "the envelope, its load test, and the size of broker and archive", "100", _above(0, "events a second")),
    Question("viewers", "How many people look at it at once, at most?",
             "the envelope, and how many web processes are needed", "50", _whole("viewers")),
    Question("roles", "Which roles see something of their own?",
             "who may receive what; isolation is accepted role by role", "viewer", _names),
    Question("record", "Is every event to be kept (audit), or only the current state (state)?",
             "whether there is an archive, and how much it holds", "audit", _one_of(Recorded)),
    Question("replay", "Is a past interval to be replayed through the same pages?",
             "the archive has to keep events in full for as long", "yes", _yes),
    Question("hosting", "Who hosts it?", "which failures are a third party's", "a Heroku-style platform", _said),
    Question("region", "In which region?", "where data lies, and how far viewers are", "Frankfurt (EU)", _said),
    Question("zone", "In which time zone are days and support hours counted?",
             "periods, windows and reports", "Europe/Berlin", _zone),
    Question("sign_in", "How do people prove who they are: accounts, oidc (the client's own), or none?",
             "who can be told apart; roles need it", "accounts", _one_of(SignIn)),
    Question("between", "What stands between viewers and the dashboard: nothing, a proxy, or a cdn?",
             "idle timeouts, and whose addresses are believed", "nothing", _one_of(Between)),
    Question("websockets", "Do WebSockets pass on the way to the viewers?",
             "without them pages live by long poll, four updates a second at most, and say so", "yes", _yes),
    Question("compliance", "Which rules apply to the data (personal, regulated, none)?",
             "personal fields, how long anything is kept, and what has to be forgotten", "none", _said),
    Question("support", "When does somebody answer: business, extended hours, or always?",
             "response times, monitoring, and the price of on-call", "business", _one_of(SupportHours)),
    Question("depends", "What stands still when the dashboard does: none, operations, or revenue?",
             "the factor on risk premium and support", "operations", _one_of(Depends)),
    Question("day_rate", "What does a day of work cost, in EUR?",
             "every price line", "800", _above(0, "an amount")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answers:
    """All that was answered, by the questions' names."""

    name: str
    provider: str
    client: str
    decision: str
    too_late_s: float
    lag_s: float
    sources: tuple[SourceAnswer, ...]
    peak_events_per_s: float
    viewers: int
    roles: tuple[str, ...]
    record: Recorded
    replay: bool
    hosting: str
    region: str
    zone: str
    sign_in: SignIn
    between: Between
    websockets: bool
    compliance: str
    support: SupportHours
    depends: Depends
    day_rate: float


def question(name: str) -> Question:
    """Raises AnswerRefused where nobody asks that."""
    found = next((one for one in QUESTIONS if one.name == name), None)
    if found is None:
        raise AnswerRefused(name, "not asked", f"answer some of {', '.join(one.name for one in QUESTIONS)}")
    return found


def in_text(value: Any) -> str:
    """An answer as a file or a flag gives it, as one would type it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def read_answer(name: str, text: str) -> Any:
    """Raises AnswerRefused."""
    try:
        return question(name).read(text.strip())
    except ValueError as error:
        raise AnswerRefused(name, text, str(error)) from None


def read_answers(given: Mapping[str, str]) -> Answers:
    """All of them from their texts. Raises AnswerRefused for one that is missing, unknown or cannot be used."""
    for name in given:
        question(name)
    for one in QUESTIONS:
        if one.name not in given:
            raise AnswerRefused(one.name, "missing", f"answer it: {one.asks}")
    found = Answers(**{one.name: read_answer(one.name, given[one.name]) for one in QUESTIONS})
    if found.roles and found.sign_in == "none":
        raise AnswerRefused("sign_in", "none", "roles cannot be told apart without; give accounts or oidc, or no roles")
    if found.record == "state" and found.replay:
        raise AnswerRefused("replay", "yes", "a replay needs what was; answer record with audit, or replay with no")
    return found
