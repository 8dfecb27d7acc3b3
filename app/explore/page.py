"""The Explore page: a form for the question and, below it, the answer: live as declared, or from the archive.

The form and what the archive answers belong to the browser (`assets/live/explore.mjs`); what is live is made of the
same blocks as every other page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from app.explore.question import DECLARED, DEFAULT_WINDOW, PARAMETERS, REFRESH, WINDOWS, Question, read_question
from app.explore.sources import May, Source, declared_like, sources
from app.explore.words import facts_of, title_of, unit_of
from components.attributes import aria, data
from components.block import Block
from components.chart import LOOKBACK_MS, plot
from components.formula import formula_in_words
from components.freshness import Fact, channel_facts
from components.log import log
from components.page import Page
from components.table import table
from components.theme import figure, graph_config
from services.archive.aggregating import Aggregation
from services.declare import Declarations
from services.positions import Clock

TITLE, PATH, ORDER = "Explore", "/explore", 95
NOTHING_ASKED = (
    "Nothing is asked yet. Choose a channel or a feed: what can be shown of it, grouped by what, over which interval"
    " and as chart or table, is then offered here. The address of the answer leads others to the same view."
)
FUNCTION_LABELS = {
    "count": "Count of events", "rate": "Events a second", "sum": "Sum", "mean": "Mean", "min": "Least",
    "max": "Greatest", "quantile": "Quantile",
}


@dataclass(frozen=True, slots=True)
class ExplorePage(Page):
    """The page at `/explore`; what it shows follows from its address."""

    declarations: Declarations
    may: Callable[[], May]
    """Who asks, as what they may; asked at each layout."""
    clock: Clock

    def layout(self, /, **parameters: object) -> Component:
        may = self.may()
        question = read_question(_asked(parameters), self.declarations, may, self.clock())
        told = {
            "sources": sources(self.declarations, may), "question": _as_json(question),
            "problems": list(map(str, question.problems)), "windows": [[n, LOOKBACK_MS[m]] for n, m in WINDOWS.items()],
            "window": DEFAULT_WINDOW, "functions": list(FUNCTION_LABELS.items()), "refresh": list(REFRESH.items()),
        }
        heading = [html.H1(self.title, className="page-title"), html.P(self.about, className="page-about")]
        form = html.Div(className="explore", **data(explore=json.dumps(told, ensure_ascii=False)))
        # another question is another page for whoever binds what is on it
        key = json.dumps([question.asked(), told["problems"]], sort_keys=True)
        parts = [html.Header(heading, className="page-head"), form, *self._answer(question)]
        return html.Article(parts, className="page", key=key, **data(page=self.slug))

    def _answer(self, question: Question) -> Iterator[Component]:
        source = question.source
        if source is None:
            if not question.problems:
                yield html.P(NOTHING_ASKED, className="explore-empty")
            return
        if source.feed.source.recorded:
            title = html.Strong(source.feed.source.title)
            yield html.P(["Recorded data, replayed: ", title], className="recorded explore-note", role="note")
        if not question.is_declared:
            yield from self._see_live(question.aggregation())
            yield self._from_archive(question)
        elif question.since is not None:
            yield _past_of(question, source)
        else:
            yield html.Div([_live(question, source).draw("explore-0")], className="columns", style={"--columns": "1fr"})

    def _see_live(self, asked: Aggregation) -> Iterator[Component]:
        """The way to a series that is declared as what is asked."""
        found = declared_like(self.declarations, asked, self.may())
        if found is None or found[0].ref is None:
            return
        source, line = found
        href = f"?{urlencode({'of': source.name, 'show': DECLARED, 'field': line})}"
        formula = formula_in_words(source.lines[line], found[0].ref.channel)
        link = dcc.Link(f"{source.title}: {source.lines[line].label}", href=href)
        yield html.P(["The same is declared, and so is live: ", link, f" ({formula})"], className="explore-live")

    def _from_archive(self, question: Question) -> Component:
        asked = question.aggregation()
        title, facts = title_of(question), facts_of(question, question.interval(self.clock()))
        told = {"query": question.asked(), "form": question.form, "refresh_s": int(question.refresh)}
        return _panel(title, told, facts, unit_of(asked), by=asked.by is not None, form=question.form)


def explore_page(declarations: Declarations, may: Callable[[], May], clock: Clock) -> ExplorePage:
    """The page, made for a project's declarations."""
    about = "Any channel or feed: grouped, aggregated, over any interval. A link holds the question."
    return ExplorePage(TITLE, PATH, (), about, ORDER, __file__, None, declarations, may, clock)


def with_explore(pages: tuple[Page, ...], own: ExplorePage) -> tuple[Page, ...]:
    """The project's pages and this one, where no page of the project has its path or title: a team may make its own."""
    taken = any(page.path == own.path or page.title == own.title for page in pages)
    return pages if taken else tuple(sorted([*pages, own], key=lambda page: (page.path != "/", page.order, page.title)))


def _asked(parameters: Mapping[str, object]) -> dict[str, str]:
    """What Dash hands over: a text, or a list of texts where a parameter stands twice."""
    first = {name: given[0] if isinstance(given, list) else given for name, given in parameters.items()}
    return {name: str(given) for name, given in first.items() if name in PARAMETERS and given is not None}


def _as_json(question: Question) -> dict[str, Any]:
    return {
        "of": "" if question.source is None else question.source.name, "show": question.show, "field": question.field,
        "q": question.q, "by": question.by, "where": question.where, "is": question.is_, "window": question.window,
        "from": question.since, "to": question.until, "as": question.form, "refresh": question.refresh,
    }


def _live(question: Question, source: Source) -> Block:
    """The block that shows a channel as it is declared."""
    assert source.ref is not None
    if source.lines:
        return source.chart(question.field)
    return log(source.ref) if source.ref.channel.kind == "log" else table(source.ref)


def _past_of(question: Question, source: Source) -> Component:
    """A series as it was over an interval that is over, or of which only what is archived is asked."""
    assert source.ref is not None
    block = source.chart(question.field)
    said = "\n".join([block.title, *(words for _, words in block.facts())])
    told = {"course": block.live(), "form": "chart", "since": question.since, "until": question.until,
            "refresh_s": int(question.refresh)}
    facts = [*block.facts(), *channel_facts(source.ref, said)]
    return _panel(block.title, told, facts, block.unit, by=bool(source.ref.channel.by), form="chart")


def _panel(
    title: str, told: Mapping[str, Any], facts: list[Fact], unit: str, *, by: bool, form: str
) -> Component:
    """The frame of an answer from the archive, like that of a live block; its state is the time that it is of."""
    summary = html.Summary(
        [html.Span(className="dot", **aria(hidden="true")), html.Span(f"{title}, ", className="visually-hidden"),
         html.Span("asking the archive", className="freshness-text")],
        title="Definition, formula, window, source",
    )
    details = html.Div([html.Div(className="freshness-now"), html.Dl([], className="facts")], className="popover")
    badge = html.Details([summary, details], className="freshness",
                         **data(state="archive", facts=json.dumps(facts, ensure_ascii=False)))
    head = html.Header([html.H2(title, className="block-title"), badge], className="block-head")
    bar = html.Div(className="explore-bar", **data(answer_bar=""))
    if form == "chart":
        graph = dcc.Graph(figure=figure(unit, None, logarithmic=False, legend=by), config=graph_config(),
                          responsive=True, className="graph")
        body = plot(title, [graph, html.P("No values", className="empty")])
    else:
        body = html.Div(className="explore-rows", tabIndex=0, role="region", **aria(label=f"{title}: rows"),
                        **data(answer_rows=""))
    return html.Section(
        [head, bar, body], className=form, **aria(label=title),
        **data(answer=json.dumps({**told, "title": title}, ensure_ascii=False)),
    )
