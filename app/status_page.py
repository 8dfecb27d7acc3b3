"""Status page: the client's view at `/status`, plain HTML from the last known standing; it asks nobody when it answers.

It stands while broker, database and worker are down, and then says how old what it shows is. It is public: a standing
holds nothing private.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from services.positions import Clock
from services.report import words
from services.report.history import DAYS_SHOWN
from services.report.inks import INKS
from services.report.standing import DayShown, ObjectiveStanding, PublicIncident, PublicWindow, Standing

PATH = "/status"
OLD_MS = 90_000
"""A standing comes every fifteen seconds; one that is older than this says nothing of now."""

_HEADLINES = {
    "normal": "What is measured is as promised",
    "disturbed": "Service is disturbed",
    "down": "Service is down",
    "unknown": "State is not known",
}
_SIGNS = {
    "normal": '<path d="M4 13l5 5L20 7"/>',
    "disturbed": '<path d="M12 3L2 21h20L12 3zM12 10v5M12 18v.5"/>',
    "down": '<path d="M5 5l14 14M19 5L5 19"/>',
    "unknown": '<path d="M9 9a3 3 0 1 1 4 3c-1 .6-1 1.2-1 2.5M12 18v.5"/>',
}
_NOW = {
    "met": ("met now", "met"),
    "missed": ("missed now", "missed"),
    "no data": ("no data now", "missed"),
    "nothing counted": ("nothing to count now", "pending"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the page: an objective, an incident or a window; what it lacks is empty."""

    title: str
    now: str
    tone: str
    sentence: str = ""
    strip: Markup | str = ""
    summary: str = ""
    means: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """The page in words."""

    title: str
    about: str
    state: str
    headline: str
    detail: str
    footer: str
    known: bool = False
    objectives: tuple[Line, ...] = ()
    incidents: tuple[Line, ...] = ()
    windows: tuple[Line, ...] = ()


def register_status(server: Flask, known: Callable[[], Standing | None], clock: Clock) -> None:
    """Put the page on a server; `known` tells the last known standing."""

    def status() -> Response:
        answer = Response(render(known(), clock(), renews=request.args.get("renew") == "1"), mimetype="text/html")
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
        return answer

    server.add_url_rule(PATH, view_func=status)


def render(standing: Standing | None, now: int, *, renews: bool = False) -> str:
    """The page at `now`. It renews itself only for who asked for it: a page that loads itself anew takes a screen
    reader back to its top (WCAG 2.2, 2.2.1)."""
    shown = _unknown() if standing is None else _shown(standing, now)
    return _template().render(
        shown=shown, renews=renews, sign=Markup(_SIGNS[shown.state]),  # noqa: S704 - our own drawings
        light={ink.name: ink.light for ink in INKS}, dark={ink.name: ink.dark for ink in INKS},
    )


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("status.html")


def _unknown() -> Shown:
    return Shown("Service status", "", "unknown", _HEADLINES["unknown"], "Nothing has been measured yet.", "")


def _shown(standing: Standing, now: int) -> Shown:
    zone = ZoneInfo(standing.zone)
    old = now - standing.at > OLD_MS
    state = "unknown" if old else standing.state
    at = words.clock(standing.at, zone)
    detail = f"Measured at {at}."
    if old:
        was = _HEADLINES[standing.state].lower()
        detail = f"No measurement since {at}, {words.span(now - standing.at)} ago. Last known: {was}."
    return Shown(
        title=standing.contract,
        about=f"Provided by {standing.provider}. {_phase(standing)}",
        state=state, headline=_HEADLINES[state], detail=detail,
        footer=f"Times are of {standing.zone}. Figures are after what the contract excludes.",
        known=True,
        objectives=tuple(_objective(one, standing, zone, old) for one in standing.objectives),
        incidents=tuple(_incident(one, zone) for one in standing.incidents),
        windows=tuple(_window(one, zone, now) for one in standing.windows if one.until > now - 7 * 86_400_000),
    )


def _phase(standing: Standing) -> str:
    return "Phase MVP: measured and reported, not binding." if standing.phase == "mvp" else "In production."


def _objective(one: ObjectiveStanding, standing: Standing, zone: ZoneInfo, old: bool) -> Line:
    now, tone = ("not known now", "pending") if old else _NOW[one.now]
    seen = [day for day in one.days if day.share is not None]
    met = sum(_is_met(day, one) for day in seen)
    summary = f"met on {met} of {len(seen)} days" if seen else "nothing counted yet"
    if one.share is not None:
        summary += f"; {words.percent(one.share)} {one.window}"
    today = date.fromisoformat(one.days[-1].day) if one.days else date.fromisoformat("1970-01-01")
    return Line(one.title, now, tone, sentence=f"{one.sentence}.", summary=summary, strip=_strip(one, today, summary))


def _is_met(day: DayShown, one: ObjectiveStanding) -> bool:
    return day.share is not None and day.share >= one.target


def _strip(one: ObjectiveStanding, today: date, summary: str) -> Markup:
    """A column for each day: low where it was met, full where it was missed, a stroke where nothing was counted."""
    known = {day.day: day for day in one.days}
    columns = []
    for number in range(DAYS_SHOWN):
        day = (today - timedelta(days=DAYS_SHOWN - 1 - number)).isoformat()
        found = known.get(day)
        share = None if found is None else found.share
        if found is None or share is None:
            height, ink, said = 2, "line", words.NOT_COUNTED
        elif _is_met(found, one):
            height, ink, said = 18, "good", words.percent(share)
        else:
            height, ink, said = 30, "bad", f"{words.percent(share)}, missed; {words.minutes(found.down)} down"
        columns.append(
            f'<rect x="{number * 4}" y="{30 - height}" width="3" height="{height}" fill="var(--{ink})">'
            f"<title>{day}: {escape(said)}</title></rect>"
        )
    label = escape(f"{one.title}: {summary}")
    return Markup(  # noqa: S704 - escaped above
        f'<svg class="days" viewBox="0 0 {DAYS_SHOWN * 4 - 1} 30" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{"".join(columns)}</svg>'
    )


def _incident(one: PublicIncident, zone: ZoneInfo) -> Line:
    begun = words.moment(one.began_at, zone)
    if not one.resolved_at:
        return Line(f"{one.severity.capitalize()}: {one.concerns}", "open", "missed", means=one.means,
                    when=f"Since {begun}")
    took = words.span(one.resolved_at - one.began_at)
    return Line(f"{one.severity.capitalize()}: {one.concerns}", "over", "met", means=one.means,
                when=f"{begun} – {words.moment(one.resolved_at, zone)}, {took}")


def _window(one: PublicWindow, zone: ZoneInfo, now: int) -> Line:
    now_said = ("planned", "pending") if now < one.since else ("over", "pending") if now >= one.until else (
        "under way", "missed")
    when = f"{words.moment(one.since, zone)} – {words.moment(one.until, zone)}"
    return Line(one.about.capitalize() if one.about else "Maintenance", *now_said, when=when)
