"""Kinds of change: what each declared property is about, how much work a change of it is, and what it asks anew.

Every property has its kind: of its own, or of the kind of thing that it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Size = Literal["small", "medium", "large", "feed", "channel", "page", "role", "none"]
"""How much work: by the change terms, by the build days of a new thing, or none (a word, a date, a price)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a change is about. `reaccept`: what was accepted says nothing of it any more."""

    name: str
    size: Size
    reaccept: bool


WORDING = Kind("wording", "small", False)
SOURCE = Kind("source", "large", True)
KEY = Kind("key", "large", True)
PARTITION = Kind("partition", "large", True)
RETENTION = Kind("retention", "small", False)
VALIDATION = Kind("validation rule", "medium", True)
FRESHNESS = Kind("freshness rule", "small", True)
CHANNEL_KIND = Kind("channel kind", "large", True)
CHART = Kind("chart semantics", "medium", True)
PERSONAL = Kind("personal data", "medium", True)
AUTH = Kind("role or auth boundary", "medium", True)
ROLE = Kind("role or auth boundary", "role", True)
"""A role that is new, or left out: built by its own days."""
REGION = Kind("region", "large", True)
HOSTING = Kind("hosting", "large", True)
TARGET = Kind("target", "medium", True)
EXCLUSION = Kind("exclusion", "small", True)
HOURS = Kind("support hours", "none", False)
SUPPORT = Kind("support", "none", False)
ALERT = Kind("alert", "small", False)
REPORT = Kind("report", "small", False)
ENVELOPE = Kind("envelope", "medium", True)
EXCEEDED = Kind("envelope exceeded", "medium", True)
SCOPE = Kind("scope", "none", True)
DELIVERABLE = Kind("deliverable", "small", False)
ACCEPTANCE = Kind("acceptance criterion", "small", True)
DEPENDENCY = Kind("dependency on the client", "none", False)
PHASE = Kind("phase", "none", False)
TERMS = Kind("terms", "none", False)
PRICE = Kind("price", "none", False)
FEED = Kind("feed", "feed", True)
CHANNEL = Kind("channel", "channel", True)
PAGE = Kind("page", "page", True)
SHOWN = Kind("chart", "medium", True)
PRESENTATION = Kind("presentation", "small", False)

_WORDS = dict.fromkeys(("about", "title", "label", "decimals", "order", "means"), WORDING)
_ON_PAGE = {
    "title": WORDING, "decimals": PRESENTATION, "sort": PRESENTATION, "descending": PRESENTATION,
    "rows": PRESENTATION, "quick_filter": PRESENTATION, "bounds": PRESENTATION, "logarithmic": PRESENTATION,
}  # fmt: skip
_OF_PROPERTY: dict[str, dict[str, Kind]] = {
    "feed": {
        "source": SOURCE, "key": KEY, "partition": PARTITION, "lanes": PARTITION, "lateness_s": VALIDATION,
        "strict": VALIDATION, "freshness": FRESHNESS, "history": RETENTION,
        "enriched": CHART, **_WORDS,
    },
    "field": {
        "type": VALIDATION, "required": VALIDATION, "personal": PERSONAL, "max_length": VALIDATION, "unit": CHART,
        **_WORDS,
    },
    "channel": {
        "kind": CHANNEL_KIND, "where": CHART, "by": CHART, "window_s": CHART, "windows": CHART,
        "evict_after_s": RETENTION, "keep": RETENTION, "history": RETENTION, "freshness": FRESHNESS,
        "partition": PARTITION, "partitions_max": PARTITION, "parts": PARTITION, **_WORDS,
    },
    "column": {"function": CHART, "field": CHART, "q": CHART, "where": CHART, "unit": CHART, **_WORDS},
    "page": {"choose": PAGE, **_WORDS},
    "hosting": {"region": REGION, "authentication": AUTH},
    "support": {"hours": HOURS, "holidays": HOURS, "zone": HOURS},
    "contract": {"phase": PHASE},
}  # fmt: skip
_OF_THING: dict[str, Kind] = {
    "feed": FEED, "field": VALIDATION, "mapping": SOURCE, "channel": CHANNEL, "column": CHART, "page": PAGE,
    "role": AUTH, "contract": TERMS, "objective": TARGET, "exclusions": EXCLUSION, "support": SUPPORT,
    "severity": SUPPORT, "alerts": ALERT, "sink": ALERT, "report": REPORT, "scope": SCOPE, "hosting": HOSTING,
    "envelope": ENVELOPE, "deliverable": DELIVERABLE, "acceptance": ACCEPTANCE, "dependency": DEPENDENCY,
    "phase": PHASE, "change": TERMS, "price": PRICE,
}  # fmt: skip
ABSORBED: dict[tuple[str, str], tuple[str, ...]] = {("channel", "kind"): ("keep", "evict_after_s")}
"""What follows from another property of the same thing: not told apart where that one changed."""


def kind_of_property(top: str, thing: str, name: str) -> Kind:
    """The kind of a change of one property; `top` is what the thing stands under, such as `exclusions`."""
    own = _OF_PROPERTY.get(thing, {}) if top in ("feed", thing) else {}
    if is_shown(top, thing):
        own = _ON_PAGE
    return own.get(name) or kind_of_thing(top, thing)


def kind_of_thing(top: str, thing: str) -> Kind:
    """The kind of a change that adds or takes out a whole thing."""
    if is_shown(top, thing):
        return CHART
    return _OF_THING[thing if thing in _OF_THING and top in ("feed", thing) else top]


def kind_of_new(top: str, thing: str) -> Kind:
    """As `kind_of_thing`, where a chart is more than its semantics."""
    if thing == "role":
        return ROLE
    return SHOWN if is_shown(top, thing) else kind_of_thing(top, thing)


def is_shown(top: str, thing: str) -> bool:
    """Whether it is what a page shows: a tile, a chart, a table, whatever paints it."""
    return top == "page" and thing != "page"
