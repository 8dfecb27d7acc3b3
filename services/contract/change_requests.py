"""Change requests: each difference in words, with price and days, the objectives it touches, what is accepted anew.

Days and prices come from the contract's `[change]` and `[price]`; without them a request says that it is not priced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.contract.changes import Difference, differences
from services.contract.document import Contract, Objective
from services.contract.kinds_of_change import EXCEEDED
from services.contract.phrases import label_of, thing_in_words, value_in_words
from services.contract.prices import BuildDays
from services.contract.scope import ChangeTerms
from services.contract.statement import JOINED, Statement, kind_of, name_of

_LOAD_KINDS = ("latency", "backlog", "first_value", "availability", "freshness", "update_interval")
"""Kinds of objectives that depend on how much comes in."""
_IN_BROWSER = ("first_value", "interaction")


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """One change in words. `days` and `price` are None where the contract has no terms or rates for them.

    `clauses` are numbers of the annex, `objectives` names of those that it touches.
    """

    kind: str
    text: str
    clauses: tuple[str, ...]
    objectives: tuple[str, ...]
    reaccept: bool
    days: float | None
    price: int | None


def change_requests(
    contract: Contract,
    former: Statement,
    now: Statement,
    numbers: Mapping[str, str],
    measured: Mapping[str, float] | None = None,
) -> list[ChangeRequest]:
    """What changed since the lock. `numbers`: the clause of each thing; `measured`: what was seen of the envelope."""
    agreed = _as_agreed(contract, former)
    found = [_request(agreed, one, now, numbers) for one in differences(former, now)]
    return [*found, *_exceeded(agreed, former, measured or {}, numbers)]


def _as_agreed(contract: Contract, former: Statement) -> Contract:
    """The contract with the terms and rates that were signed: who asks for other ones pays by those that hold."""
    scope = contract.scope
    terms, prices = former.get("change"), scope.prices
    if prices is not None and "price" in former:
        build = former.get("price > build")
        prices = replace(
            prices,
            day_rate=former["price"]["day_rate"],
            build=prices.build if build is None else BuildDays(**build),
        )
    change = scope.change if terms is None else ChangeTerms(**terms)
    return replace(contract, scope=replace(scope, change=change, prices=prices))


def _request(contract: Contract, one: Difference, now: Statement, numbers: Mapping[str, str]) -> ChangeRequest:
    days = _days(contract, one, now)
    clause = numbers.get(one.former or one.key) or numbers.get(one.key, "")
    return ChangeRequest(
        kind=one.kind.name,
        text=_in_words(one),
        clauses=(clause,) if clause else (),
        objectives=tuple(each.name for each in contract.objectives if _touches(contract, one, each, now)),
        reaccept=one.kind.reaccept,
        days=days,
        price=_price(contract, days),
    )


def _in_words(one: Difference) -> str:
    thing = thing_in_words(one.key)
    if one.what == "changed":
        before, after = (value_in_words(one.name, value) for value in (one.before, one.after))
        return f"{thing}: {label_of(one.name)} is {after} instead of {before}"
    if one.what in ("renamed", "exchanged"):
        verb = "is the former" if one.what == "renamed" else "is in the place of"
        return f"{thing} {verb} {thing_in_words(one.former)}"
    return f"{thing} is {one.what}"


# What it takes ----------------------------------------------------------------------------------------


def _days(contract: Contract, one: Difference, now: Statement) -> float | None:
    terms, prices = contract.scope.change, contract.scope.prices
    if terms is None:
        return None
    again = terms.reaccept_days if one.kind.reaccept else 0.0
    build = None if prices is None else prices.build
    if one.kind.size == "none":
        return again
    if one.what == "new" and build is not None and one.kind.size in ("feed", "channel", "page", "role"):
        own = {"feed": build.feed_days, "channel": build.channel_days, "page": build.page_days, "role": build.role_days}
        return round(own[one.kind.size] + _brought(one.key, now) * build.channel_days + again, 3)
    return round(_of_size(terms, one.kind.size if one.what == "changed" else "medium") + again, 3)


def _of_size(terms: ChangeTerms, size: str) -> float:
    own = {"small": terms.small_days, "large": terms.large_days}
    return own.get(size, terms.medium_days)


def _brought(key: str, now: Statement) -> int:
    """The channels that a new feed brings along."""
    return sum(kind_of(one) == "channel" for one in now if one.startswith(key + JOINED))


def _price(contract: Contract, days: float | None) -> int | None:
    prices = contract.scope.prices
    return None if prices is None or days is None else round(days * prices.day_rate)


# What it touches --------------------------------------------------------------------------------------


def _touches(contract: Contract, one: Difference, objective: Objective, now: Statement) -> bool:
    """Whether the figure of an objective may be another one after the change; a word or a price touches none."""
    top, _, name = one.key.partition(JOINED)[0].partition(" ")
    if top == "feed":
        return one.kind.reaccept and _counts(objective, name, one.key)
    if top == "objective":
        return name == objective.name
    if top == "page":
        return one.kind.reaccept and (objective.kind in _IN_BROWSER or _is_shown(objective, one.key))
    if top == "exclusions":
        return _excluded_by(one.key) in objective.excluding
    if top == "envelope":
        return objective.kind in _LOAD_KINDS
    if top == "contract":
        return one.name in ("phase", "period", "zone", "begins", "ends")
    return top in ("hosting", "scope") and one.kind.reaccept


def _counts(objective: Objective, feed: str, key: str) -> bool:
    """Whether an objective counts what a feed or channel delivers; clicks and connections it does not."""
    if objective.channel is None:
        return objective.kind not in ("interaction", "reconnect")
    of_feed, _, short = objective.channel.partition(".")
    parts = key.split(JOINED)
    channel = name_of(parts[1]) if len(parts) > 1 and kind_of(parts[1]) == "channel" else None
    return of_feed == feed and (channel is None or channel == short)


def _is_shown(objective: Objective, key: str) -> bool:
    return objective.channel is not None and f" of {objective.channel}," in key and objective.point == "browser"


def _excluded_by(key: str) -> str:
    parts = key.split(JOINED)
    return kind_of(parts[1]) if len(parts) > 1 else ""


def _exceeded(
    contract: Contract, former: Statement, measured: Mapping[str, float], numbers: Mapping[str, str]
) -> Iterable[ChangeRequest]:
    """What was measured beyond the locked envelope: nobody changed a file, and the promise is another one."""
    agreed: Mapping[str, Any] = former.get("envelope", {})
    terms = contract.scope.change
    for name, seen in measured.items():
        if name in agreed and seen > agreed[name]:
            said = f"{value_in_words(name, round(seen, 1))} instead of {value_in_words(name, agreed[name])}"
            days = None if terms is None else terms.medium_days + terms.reaccept_days
            touched = tuple(one.name for one in contract.objectives if one.kind in _LOAD_KINDS)
            text = f"envelope: {label_of(name)} measured: {said}"
            clause = numbers.get("envelope", "")
            yield ChangeRequest(
                EXCEEDED.name, text, (clause,) if clause else (), touched, EXCEEDED.reaccept, days,
                _price(contract, days),
            )  # fmt: skip
