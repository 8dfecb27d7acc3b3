"""PDF: the same document on A4, made without a browser; the same document makes the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from io import BytesIO
from typing import Any

from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    TableStyle,
)
from reportlab.platypus import Table as PdfTable

from services.report.blocks import Block, Bullets, Cell, Document, Heading, Note, Plots, Table, Tone
from services.report.fonts import BOLD, REGULAR, register_fonts
from services.report.inks import BAD, GOOD, LINE, MUTED, TEXT, WARN, WARN_WASH, Ink

_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_TONES: dict[Tone, Ink] = {"plain": TEXT, "good": GOOD, "warn": WARN, "bad": BAD, "muted": MUTED}


def render_pdf(document: Document) -> bytes:
    """The PDF's bytes; its pages are numbered, its headings are bookmarks."""
    register_fonts()
    target = BytesIO()
    pages = BaseDocTemplate(
        target,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=22 * mm,
        title=document.title,
        author=document.footer.partition(" for ")[0],
        subject=document.subtitle,
        lang="en",
        invariant=1,
    )
    frame = Frame(_MARGIN, 22 * mm, _WIDTH, A4[1] - _MARGIN - 22 * mm, 0, 0, 0, 0)

    def foot(canvas: Canvas, _doc: Any) -> None:
        canvas.setFont(REGULAR, 7.5)
        canvas.setFillColor(MUTED.colour)
        canvas.drawString(_MARGIN, 12 * mm, document.footer)
        canvas.drawRightString(A4[0] - _MARGIN, 12 * mm, f"Page {canvas.getPageNumber()}")

    pages.addPageTemplates([PageTemplate("page", [frame], onPage=foot)])
    pages.build([*_front(document), *_flow(document.blocks)])
    return target.getvalue()


def _style(size: float, tone: Tone = "plain", *, bold: bool = False, after: float = 4.0, right: bool = False) -> Any:
    return ParagraphStyle(
        f"{size}-{tone}-{bold}-{right}",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * 1.38,
        textColor=_TONES[tone].colour,
        spaceAfter=after,
        alignment=2 if right else 0,
    )


def _said(text: str, style: Any) -> Paragraph:
    return Paragraph(escape(text, quote=False), style)


def _front(document: Document) -> Iterator[Flowable]:
    yield _said(document.title, _style(19, bold=True, after=4))
    yield _said(document.subtitle, _style(9.5, "muted", after=10))


def _flow(blocks: Sequence[Block]) -> Iterator[Flowable]:
    """The blocks as reportlab sets them; a heading stays with what follows it."""
    heads: list[Flowable] = []
    for block in blocks:
        if isinstance(block, Heading):
            if block.new_page:
                yield PageBreak()
            heads.append(_heading(block))
            continue
        drawn = _drawn(block)
        if _is_long(block):
            yield from (*([CondPageBreak(50 * mm)] if heads else []), *heads, drawn)
        else:
            yield KeepTogether([*heads, drawn])
        heads = []
    yield from heads


def _is_long(block: Block) -> bool:
    """Too long to be kept on one page."""
    return len(block.rows if isinstance(block, Table) else block.items if isinstance(block, Bullets) else ()) > 12


def _heading(block: Heading) -> Flowable:
    size = 13.5 if block.level == 2 else 10.5
    heading = _style(size, bold=True, after=3)
    heading.spaceBefore = 14 if block.level == 2 else 9
    return _said(block.text, heading)


def _drawn(block: Block) -> Flowable:
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Plots):
        return _plots(block)
    if isinstance(block, Bullets):
        rows = [[_said("•", _style(9)), _said(item, _style(9, after=2))] for item in block.items]
        return PdfTable(rows, colWidths=[10, _WIDTH - 10], style=_plain())
    if isinstance(block, Note):
        return PdfTable(
            [[_said(block.text, _style(9.5, block.tone, bold=True, after=0))]],
            colWidths=[_WIDTH],
            style=[
                ("BACKGROUND", (0, 0), (-1, -1), WARN_WASH.colour),
                ("LINEBEFORE", (0, 0), (0, -1), 3, WARN.colour),
                ("TOPPADDING", (0, 0), (-1, -1), 5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
            ],
            spaceAfter=8,
        )
    if isinstance(block, Heading):
        return _heading(block)
    return _said(block.text, _style(9.5, block.tone, after=6))


def _plain() -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ]
    )


def _table(block: Table) -> Flowable:
    figures = [cell.figure for cell in block.rows[0]] if block.rows else [False for _ in block.heads]
    heads = [
        _said(head, _style(7.8, "muted", bold=True, after=0, right=right))
        for head, right in zip(block.heads, figures, strict=True)
    ]
    rows = [heads, *([_cell(cell) for cell in row] for row in block.rows)]
    style = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 7),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, MUTED.colour),
            ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE.colour),
        ]
    )
    return PdfTable(
        rows,
        colWidths=[_WIDTH * width / sum(block.widths) for width in block.widths],
        style=style,
        repeatRows=1,
        spaceBefore=2,
        spaceAfter=8,
    )


def _cell(cell: Cell) -> Paragraph:
    strong = cell.tone in ("good", "warn", "bad")
    return _said(cell.text, _style(8.3, cell.tone, bold=strong, after=0, right=cell.figure))


def _plots(block: Plots) -> Flowable:
    empty = Spacer(1, 1)
    drawings: list[Drawing | Spacer] = [*block.drawings, *(empty for _ in range(2 - len(block.drawings)))]
    return PdfTable([drawings], colWidths=[_WIDTH / 2, _WIDTH / 2], style=_plain(), spaceAfter=6)
