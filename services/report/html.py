"""HTML: a document as one self-contained page: no script, no font, no address of anybody else."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from services.report.blocks import Document, Plots
from services.report.inks import INKS
from services.report.svg import svg

_FOLDER = Path(__file__).parent / "templates"


def render_html(document: Document) -> bytes:
    """The page as UTF-8; light or dark by the reader's system, and made to be printed."""
    text = _template().render(
        document=document,
        kind=lambda block: type(block).__name__,
        drawn=_drawn,
        light={ink.name: ink.light for ink in INKS},
        dark={ink.name: ink.dark for ink in INKS},
    )
    return text.encode()


@cache
def _template() -> Template:
    loader = FileSystemLoader(_FOLDER)
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("report.html")


def _drawn(block: Plots) -> list[Markup]:
    # the words inside were escaped by svg()
    return [Markup(svg(one, said)) for one, said in zip(block.drawings, block.described, strict=True)]  # noqa: S704
