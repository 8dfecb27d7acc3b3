"""Quote text: a quote as plain text, as Markdown and as JSON; all three say the same lines and rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from services.contract.markdown import NO_ADVICE, table, text
from services.contract.quote import RISK, Every, Line, Quote

_SUMMED: tuple[Every, ...] = ("once", "month")
_EVERY: dict[Every, str] = {"once": "once", "month": "a month", "hour": "an hour"}


def _part(line: Line) -> str:
    return f"risk premium, {line.part}" if line.part in RISK else line.part


def price(line: Line, currency: str) -> str:
    return f"{line.amount:,} {currency} {_EVERY[line.every]}"


def as_text(quote: Quote) -> str:
    """For a terminal."""
    return text(_text(quote))


def _text(quote: Quote) -> Iterator[str]:
    yield f"Quote: {quote.contract}"
    yield ""
    for line in quote.lines:
        yield f"{price(line, quote.currency):>24}  {_part(line)}: {line.what}"
        yield f"{'':24}    {line.rule}"
    yield ""
    for every in _SUMMED:
        yield f"{quote.total(every):,} {quote.currency} {_EVERY[every]}".rjust(24) + "  in all"
    yield ""
    yield "What a stricter target would cost more, once:"
    for one in quote.stricter:
        yield f"{one.more:,} {quote.currency}".rjust(24) + f"  {one.objective}: {one.stricter} instead of {one.now}"
    yield ""
    yield NO_ADVICE


def as_markdown(quote: Quote) -> str:
    """For the priced annex."""
    return text(_markdown(quote))


def _markdown(quote: Quote) -> Iterator[str]:
    yield from (f"# Quote: {quote.contract}", "", NO_ADVICE, "")
    lines = [(f"{_part(one)}: {one.what}", one.rule, price(one, quote.currency)) for one in quote.lines]
    sums = [("**in all**", " ", f"**{quote.total(every):,} {quote.currency} {_EVERY[every]}**") for every in _SUMMED]
    yield from table(("line", "rule", "price"), [*lines, *sums], right=("price",))
    yield from ("", "## What a stricter target would cost", "")
    stricter = [(one.objective, one.now, one.stricter, f"{one.more:,} {quote.currency}") for one in quote.stricter]
    yield from table(("objective", "now", "stricter", "more, once"), stricter, right=("more, once",))


def as_json(quote: Quote) -> dict[str, Any]:
    """For programs: lines with part, what, rule, amount, every and days, the sums, and the stricter targets."""
    return {
        "contract": quote.contract,
        "currency": quote.currency,
        "lines": [asdict(line) for line in quote.lines],
        "total": {"once": quote.total("once"), "month": quote.total("month")},
        "stricter": [asdict(one) for one in quote.stricter],
    }
