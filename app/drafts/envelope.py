"""Envelope: what a sample reached, put into a contract's text without touching anything else of it."""

from __future__ import annotations

import math
import re

_TABLE = re.compile(r"^\[envelope\][^\n]*\n(?:(?!\[)[^\n]*\n?)*", re.MULTILINE)


def filled(text: str, events_per_s: float, rows: int) -> tuple[str, list[str]]:
    """The text with what was seen where that is more, and what became more; without the table nothing does."""
    table = _TABLE.search(text)
    if table is None:
        return text, []
    changed, said = table[0], []
    for name, seen in (("events_per_s", math.ceil(events_per_s)), ("rows", rows)):
        found = re.search(rf"^{name}\s*=\s*([0-9_.]+)", changed, re.MULTILINE)
        if found is None or float(found[1].replace("_", "")) >= seen:
            continue
        changed = changed[: found.start()] + f"{name} = {seen}" + changed[found.end() :]
        said.append(f"{name} = {seen} instead of {found[1]}")
    return text[: table.start()] + changed + text[table.end() :], said
