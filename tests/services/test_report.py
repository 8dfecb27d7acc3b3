"""The report: its figures by hand, its words, and that HTML and PDF say the same, byte for byte the same each time."""

from __future__ import annotations

import io
import re
from datetime import date, datetime
from html import unescape
from html.parser import HTMLParser

import pypdf
import pytest

from services.alerts.incident import Incident
from services.measurement.minutes import MINUTE_MS, Minute
from services.report import words
from services.report.blocks import Bullets, Cell, Document, Heading, Note, Table, Text
from services.report.html import render_html
from services.report.inks import INKS
from services.report.pdf import render_pdf
from services.report.periods import due_reports, last_ended, reported
from services.report.report import Facts, Measured, Report, Window, make_report
from services.report.sections import document
from tests.markup import MARKUP
from tests.services.agreed import AGREED, ZONE, Even, agreed


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> int:
    return round(datetime(2026, month, day, hour, minute, tzinfo=ZONE).timestamp() * 1000)


NOON = at(18, 12)
WEEK = reported(AGREED, "week", at(18, 12, month=11))


def facts(contract: object = AGREED, **given: object) -> Facts:
    usual: dict[str, object] = {
        "contract": contract,
        "sentences": {"board-latency": "95 % of valid events within 2.0 s of receipt, measured at the gateway."},
        "reasons": {"maintenance": "security updates, announced by Ada"},
        "incidents": (),
        "windows": (),
        "support_s": lambda since, until: (until - since) / 1000,
    }
    return Facts(**{**usual, **given})  # type: ignore[arg-type]


def of(report: Report, name: str) -> Measured:
    return next(one for one in report.measured if one.objective.name == name)


# Figures -----------------------------------------------------------------------------------------


def test_a_bad_hour_in_a_week_is_reported_to_the_digit() -> None:
    # 10 events a minute, 10,080 minutes: 100,800 events; sixty minutes with 4 of 10 late: 240 missed
    bad = {NOON + n * MINUTE_MS: Minute(NOON + n * MINUTE_MS, 6, 10) for n in range(60)}
    ledger = Even({"board-latency": 10}, {"board-latency": bad}, since=WEEK.since)
    found = of(make_report(facts(), ledger, "week", WEEK), "board-latency")
    assert (found.score.total, found.score.good) == (100_800, 100_560)
    assert words.percent(found.score.share) == "99.761\u00a0%"  # 1 − 240 ÷ 100,800 = 0.997619…, cut
    assert found.minutes_down == 60
    assert found.budget.allowed == pytest.approx(5_040)  # 5 % of 100,800
    assert words.percent(found.budget_left) == "95.238\u00a0%"  # 1 − 240 ÷ 5,040
    assert found.verdict == "met"


def test_a_share_just_below_its_target_is_breached_and_never_shown_as_the_target() -> None:
    first = Minute(WEEK.since, 94_999, 100_000)
    ledger = Even({"board-latency": 0}, {"board-latency": {WEEK.since: first}}, since=WEEK.since)
    found = of(make_report(facts(), ledger, "week", WEEK), "board-latency")
    assert found.verdict == "breached"
    assert words.percent(found.score.share) == "94.999\u00a0%"
    assert words.percent(0.9499999) == "94.999\u00a0%"


def test_exactly_the_target_is_met() -> None:
    ledger = Even({"board-latency": 0}, {"board-latency": {WEEK.since: Minute(WEEK.since, 95, 100)}})
    found = of(make_report(facts(), ledger, "week", WEEK), "board-latency")
    assert (found.verdict, found.budget_left) == ("met", 0.0)


def test_what_was_excluded_does_not_count_and_its_share_stands_beside_the_figure() -> None:
    # one minute of four falls into maintenance: 40 of 160 events, 10 of them good
    given = {
        WEEK.since + n * MINUTE_MS: Minute(
            WEEK.since + n * MINUTE_MS, 10 if n == 3 else 39, 40, {"maintenance": 40} if n == 3 else {},
            10 if n == 3 else 0,
        )
        for n in range(4)
    }  # fmt: skip
    ledger = Even({"board-latency": 0}, {"board-latency": given}, since=WEEK.since)
    report = make_report(facts(), ledger, "week", WEEK)
    found = of(report, "board-latency")
    assert (found.score.good, found.score.total) == (117, 120)
    assert (found.score.raw_good, found.score.raw_total) == (127, 160)
    text = _text(document(report))
    assert "97.500\u00a0%" in text  # after
    assert "79.375\u00a0%" in text  # before
    assert "25.000\u00a0%" in text  # excluded
    assert "security updates, announced by Ada" in text
    assert found.minutes_down == 0


def test_a_minute_without_data_is_down_and_missed() -> None:
    gone = {NOON: Minute(NOON, 0, 1, no_data=True)}
    ledger = Even({"board-latency": 10}, {"board-latency": gone}, since=WEEK.since)
    found = of(make_report(facts(), ledger, "week", WEEK), "board-latency")
    assert (found.minutes_down, found.score.no_data_minutes, found.score.total - found.score.good) == (1, 1, 10)


def test_a_breach_within_the_tolerated_minutes_is_met_by_the_exception_and_says_how_much_is_used() -> None:
    # 28 days of 12 probes a minute; 25 minutes without any: 300 of 483,840 missed, tolerated are 483
    down = {NOON + n * MINUTE_MS: Minute(NOON + n * MINUTE_MS, 0, 24) for n in range(25)}
    found = of(make_report(facts(), Even({"availability": 12}, {"availability": down}), "week", WEEK), "availability")
    assert found.window.total == 28 * 1440 * 12 + 25 * 12
    assert (found.verdict, found.tolerated_used) == ("tolerated", 25)
    longer = {NOON + n * MINUTE_MS: Minute(NOON + n * MINUTE_MS, 0, 24) for n in range(31)}
    more = of(make_report(facts(), Even({"availability": 12}, {"availability": longer}), "week", WEEK), "availability")
    assert (more.verdict, more.tolerated_used) == ("breached", 30)


def test_a_weekly_report_holds_the_month_so_far() -> None:
    missed = {at(3, 10): Minute(at(3, 10), 0, 10)}  # before the week, in its month
    ledger = Even({"board-latency": 10}, {"board-latency": missed}, since=at(1, 0))
    found = of(make_report(facts(), ledger, "week", WEEK), "board-latency")
    assert found.score.share == 1.0
    assert found.month.total == 22 * 1440 * 10  # 1 to 22 November
    assert found.month.total - found.month.good == 10


def test_the_week_in_which_clocks_go_back_has_an_hour_more() -> None:
    week = reported(AGREED, "week", at(22, 12, month=10))
    found = of(make_report(facts(), Even({"board-latency": 1}), "week", week), "board-latency")
    assert found.score.minutes == 7 * 1440 + 60
    assert len(found.buckets) == 7 * 24 + 1


def test_a_months_plot_goes_by_local_days_through_the_change_of_the_clock() -> None:
    month = reported(AGREED, "period", at(5, 12, month=10))
    found = of(make_report(facts(), Even({"board-latency": 1}), "period", month), "board-latency")
    assert [one.score.minutes for one in found.buckets] == [1500 if day == 25 else 1440 for day in range(1, 32)]


def test_the_trend_shows_the_weeks_before_and_none_before_the_contract() -> None:
    week = reported(AGREED, "week", at(16, 12, month=9))
    found = of(make_report(facts(), Even({"board-latency": 1}), "week", week), "board-latency")
    assert [interval.name for interval, _ in found.trend] == ["2026-W36", "2026-W37", "2026-W38"]
    assert found.trend[0][0].since == at(1, 0, month=9)  # a Tuesday


# Incidents ---------------------------------------------------------------------------------------

TROUBLE = Incident(
    id=7, severity="critical", objective="board-latency", stage="gateway",
    text="WebSocket backlog over 500: live tiles delayed by 3.1 s for 42 viewers since 14:03", began_at=at(18, 14, 3),
    detected_at=at(18, 14, 5), acknowledged_at=at(18, 14, 25), mitigated_at=0, resolved_at=at(18, 19), owner="provider",
    acknowledged_by="Ada",
)  # fmt: skip


def test_an_incident_shows_its_timeline_and_what_support_owed() -> None:
    report = make_report(facts(incidents=(TROUBLE,)), Even({}), "week", WEEK)
    (handled,) = report.incidents
    assert (handled.responded_in_time, handled.resolved_in_time) == (True, False)
    text = _text(document(report))
    assert "42 viewers since 14:03" in text
    assert "20\u00a0min of 30\u00a0min: in time" in text
    assert "4\u00a0h 55\u00a0min of 4\u00a0h: too late" in text


def test_what_happened_after_the_reports_end_is_not_known_to_it() -> None:
    late = reported(AGREED, "week", at(18, 12, month=11))
    open_ = Incident(8, "critical", None, "worker", "worker down", at(22, 23), at(22, 23), at(23, 1), 0, at(23, 9),
                     "provider", "Ada")  # fmt: skip
    (handled,) = make_report(facts(incidents=(open_,)), Even({}), "week", late).incidents
    assert (handled.response_s, handled.resolution_s) == (None, None)


def test_an_incident_stands_in_every_week_that_it_touches_and_in_no_other() -> None:
    long = Incident(9, "minor", None, "source", "late", at(13, 9), at(13, 9), 0, 0, at(17, 9), "provider", "")
    weeks = [reported(AGREED, "week", at(day, 12)) for day in (4, 11, 18, 25)]
    seen = [len(make_report(facts(incidents=(long,)), Even({}), "week", week).incidents) for week in weeks]
    assert seen == [0, 1, 1, 0]


def test_a_refused_window_is_told_with_its_reason() -> None:
    refused = Window(at(18, 2), at(18, 3), "database", "move", "refused: declared after it began")
    report = make_report(facts(windows=(refused,)), Even({}), "week", WEEK)
    assert "refused: declared after it began" in _text(document(report))


# Words and looks ---------------------------------------------------------------------------------


def full_report(phase: str = "production") -> Document:
    down = {NOON + n * MINUTE_MS: Minute(NOON + n * MINUTE_MS, 0, 10) for n in range(9)}
    ledger = Even({"board-latency": 10, "availability": 12}, {"board-latency": down})
    window = Window(at(19, 2), at(19, 3), "weekly", "updates & <checks>", "counted")
    return document(
        make_report(facts(agreed(phase=phase), incidents=(TROUBLE,), windows=(window,)), ledger, "week", WEEK)
    )


def test_a_report_in_the_mvp_phase_says_that_it_binds_nobody() -> None:
    assert "not binding for either party" in _text(full_report("mvp"))
    assert "not binding" not in _text(full_report("production"))


def test_html_and_pdf_say_the_same() -> None:
    made = full_report()
    said = _squeezed("".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(render_pdf(made))).pages))
    html = _squeezed(unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", render_html(made).decode(), flags=re.DOTALL)))
    for text in _texts(made):
        assert _squeezed(text) in html
        assert _squeezed(text) in said, text


def test_the_same_data_makes_the_same_bytes() -> None:
    assert render_html(full_report()) == render_html(full_report())
    assert render_pdf(full_report()) == render_pdf(full_report())


def test_the_page_loads_nothing_from_anywhere_and_runs_no_script() -> None:
    html = render_html(full_report()).decode()
    assert not re.search(r"<(script|link|img|iframe)|url\(|@import", html)
    assert set(re.findall(r"https?://[^\s\"<]+", html)) == {"http://www.w3.org/2000/svg"}
    assert "updates &amp; &lt;checks&gt;" in html


def test_every_colour_of_a_plot_has_a_light_and_a_dark_form() -> None:
    html = render_html(full_report()).decode()
    used = set(re.findall(r"var\(--([a-z-]+)\)", html))
    assert {"accent", "bad", "text"} <= used
    assert used <= {ink.name for ink in INKS}


def test_the_pdf_has_its_title_page_numbers_and_every_letter_of_a_name() -> None:
    reader = pypdf.PdfReader(io.BytesIO(render_pdf(full_report())))
    assert reader.metadata is not None
    assert reader.metadata.title == "Service level report, week 2026-W47"
    for number, page in enumerate(reader.pages, 1):
        assert f"Page {number}" in page.extract_text()
        assert "Żabka & Söhne" in page.extract_text()


def test_a_report_in_which_nothing_was_counted_can_be_made() -> None:
    made = document(make_report(facts(), Even({}), "period", reported(AGREED, "period", at(1, 12, month=10))))
    assert "0 of 2 objectives met; not counted: Board latency, Availability; no incidents." in _text(made)
    assert render_pdf(made)


# When --------------------------------------------------------------------------------------------


def test_a_weeks_report_is_due_on_the_reports_weekday_at_its_time() -> None:
    due = due_reports(AGREED, at(23, 7), since=at(16, 7))
    assert [(one.key, one.at) for one in due] == [("week:2026-W47", at(23, 7))]
    assert due_reports(AGREED, at(23, 7) - 1, since=at(16, 7)) == ()


def test_reports_missed_while_nothing_ran_are_all_due_on_return_in_order() -> None:
    due = due_reports(AGREED, at(9, 12, month=12), since=at(22, 12))
    assert [one.key for one in due] == ["week:2026-W47", "week:2026-W48", "period:2026-11", "week:2026-W49"]


def test_the_contracts_last_week_ends_with_the_contract() -> None:
    short = agreed(ends=date(2026, 11, 18))
    due = due_reports(short, at(19, 7), since=at(16, 0))
    assert [one.key for one in due] == ["period:2026-11", "week:2026-W47"]
    assert {one.period.until for one in due} == {at(19, 0)}
    assert last_ended(short, "week", at(30, 0)) == due[1].period


def test_a_quarter_and_a_year_are_the_calendars() -> None:
    assert reported(agreed(period="quarter"), "period", at(18, 12, month=11)).name == "2026-Q4"
    year = reported(agreed(period="year"), "period", at(18, 12, month=11))
    assert (year.name, year.since) == ("2026", at(1, 0, month=9))


def _texts(made: Document) -> list[str]:
    found = [made.title, made.subtitle]
    for block in made.blocks:
        found += [getattr(block, "text", "")]
        found += [cell.text for row in getattr(block, "rows", ()) for cell in row]
        found += list(getattr(block, "items", ()))
    return [text for text in found if text]


def _text(made: Document) -> str:
    return "\n".join(_texts(made))


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_markup_in_what_people_wrote_is_words_in_html_and_in_pdf() -> None:
    wrote = "".join(MARKUP)
    table = Table((wrote,), ((Cell(wrote),),), (1.0,))
    blocks = (Heading(wrote), Text(wrote), Note(wrote, "bad"), Bullets((wrote,)), table)
    made = Document(wrote, wrote, wrote, blocks)
    whole = Elements()
    whole.feed(render_html(made).decode())
    assert whole.names.isdisjoint({"script", "img", "svg", "iframe", "b", "sup", "a"}), whole.names
    assert whole.words.count(wrote) >= 7, "all of it is said"
    read = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(render_pdf(made))).pages)
    for text in ("<script>canary()</script>", "&lt;img", "{{constructor"):
        assert text in read.replace("\n", "")


class Elements(HTMLParser):
    """Names of a page's elements, and its words."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)

    def handle_data(self, data: str) -> None:
        self.words += data
