"""Method: the report's appendix: how each figure came about, so that the other party can compute it again."""

from __future__ import annotations

from collections.abc import Iterator

from services.report import words
from services.report.blocks import Block, Bullets, Cell, Heading, Table, Text
from services.report.report import Report

HOW = (
    (
        "Time is cut into minutes. For each minute and objective it is counted how much there was and how much of it "
        "was good. Every figure is a sum of such minutes, never an average of averages."
    ),
    (
        "A minute in which something should have been counted and was not is bad as a whole: it counts as missed what "
        "a minute with data counts on average."
    ),
    (
        "Percentiles and shares within a limit come from mergeable sketches (DDSketch, relative error 1 %), as "
        "processes and browsers sent them; a viewer's weight in one minute is capped."
    ),
    (
        "An exclusion takes out of a minute only what its rule names. Figures before and after exclusions stand beside "
        "each other, with the excluded share."
    ),
    "A minute is down where, taken alone and after exclusions, more of it was bad than the objective tolerates.",
    (
        "The budget is what the target tolerates of what was counted in the objective's window; what is left of it is "
        "1 − missed ÷ tolerated. Below 0 % the objective is breached, unless its minutes down stay within the "
        "tolerated exception."
    ),
    "Percentages are cut after the last printed digit, never rounded up.",
    "Response and resolution count only inside the hours of the support calendar.",
    (
        "The figures can be computed again from the raw samples: headwater contract export-raw writes them, headwater "
        "contract verify reads them on any other machine."
    ),
)


def method(report: Report) -> Iterator[Block]:
    """How it was measured, and the terms as they stood."""
    contract = report.contract
    yield Heading("Appendix: method", new_page=True)
    yield Bullets(HOW)
    yield Heading("Terms", 3)
    rows = tuple(
        (
            Cell(words.title(one)),
            Cell(words.KINDS[one.kind]),
            Cell(one.channel or "all channels"),
            Cell(str(one.point)),
            Cell(one.breach),
            Cell(one.exception),
            Cell(str(one.owner).replace("_", " ")),
        )
        for one in contract.objectives
    )
    heads = ("Objective", "Kind", "Channel", "Measured at", "A breach is", "Tolerated exception", "Owner")
    yield Table(heads, rows, (0.16, 0.12, 0.14, 0.11, 0.2, 0.15, 0.12))
    begins, ends = f"{contract.begins:%d %b %Y}", f"{contract.ends:%d %b %Y}"
    yield Text(
        f"Contract {contract.name}, {begins} to {ends}, by {contract.period}. Provider: {contract.provider.name}, "
        f"{contract.provider.contact}. Client: {contract.client.name}, {contract.client.contact}. "
        f"Monitoring is {contract.support.monitoring}.",
        "muted",
    )
