"""Choice: the chooser of a page that shows one value of a field alone: one origin, one machine.

The choice is in the page's address, under the field's name. What follows it, and what each component then says, is
`assets/live/choice.mjs`; the list of values belongs to the browser too, as it is asked for by its reader's own right.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.attributes import data
from components.block import Block, refuse
from services.declare import ChannelRef, Field

TAKEN = frozenset({
    "window", "compare", "paused", "replay", "until", "speed", "zone", "theme", "kiosk", "embed", "rotate", "pages",
})
"""What an address says already."""


def check_choice(what: str, field: object, blocks: Iterable[Block]) -> Field:
    """The field, when it can be chosen by. Raises DeclarationError with file, name, value and remedy."""
    if not isinstance(field, Field):
        refuse(what, field, "give a field of a feed, for example choose=Flights.origin")
    if field.value_type not in ("text", "integer"):
        refuse(what, field, f"it is a {field.value_type}: choose by a Text or an Integer")
    if field.name in TAKEN:
        refuse(what, field, f"the address has another meaning for {field.name!r}: give the field another name")
    if all(block.following(field) is None for block in blocks):
        refuse(what, field, f"nothing on the page can follow it: declare a channel that it shows with parts={field!r}")
    return field


def chooser(field: Field, blocks: Iterable[Block], *, must_choose: bool = False) -> Component:
    """A native list, which the browser fills: everything first, then each value that its reader may see.

    Who `must_choose` may see single values alone, and is not offered everything.
    """
    noun = field.name.replace("_", " ")
    twins = [found["channel"] for block in blocks if "channel" in (found := block.following(field) or {})]
    told: dict[str, Any] = {
        "field": field.name, "noun": noun, "all": f"All {_plural(noun)}", "channel": twins[0] if twins else None,
    }
    if must_choose:
        told["must"] = True
    note = html.Span("", className="choice-note", role="status", **data(choice_note=""))
    chosen = html.Select([], **data(choose=json.dumps(told, separators=(",", ":"))))
    return html.Div([html.Label([html.Span(noun.capitalize()), chosen], className="choice"), note], className="chooser")


def chosen_refs(block: Block, value: str | None) -> Iterator[ChannelRef]:
    """The channels that a block shows with this value chosen; all of its own without one."""
    found = None if value is None or block.choose is None else block.following(block.choose)
    if found is None or "channel" not in found:
        yield from block.refs
        return
    for ref in block.refs:
        twin = ref.channel.twin
        if twin is not None and (ref is block.ref or found.get("trend") or found.get("also")):
            yield ChannelRef(twin, value)


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
