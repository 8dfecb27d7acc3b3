"""The demo's declarations as a statement, for tests that change one thing of it and look at what that is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.loading import load_pages, load_roles
from app.scope import of_pages, of_roles
from components.page import Page
from services.contract.annex import clauses, numbered, numbers_of_things
from services.contract.change_requests import ChangeRequest, change_requests
from services.contract.clauses import BurnClause, DeadManClause, File, SingleClause, SmtpClause, WebhookClause
from services.contract.scope import Named
from services.contract.shape import read_shape
from services.contract.statement import Statement, of_declarations, of_file
from services.declare import Declarations
from tests.contract.test_scope import DECLARATIONS, demo

CONTRACT = demo()
DEMO = read_shape(CONTRACT.path)[0]
assert DEMO.exclusions.maintenance is not None
_BEGINS, _ENDS = (datetime.fromisoformat(f"2026-06-0{day}T02:00:00") for day in (1, 2))  # local times, as in the file
_MOVE = SingleClause(name="move", begins=_BEGINS, ends=_ENDS, about="to another database")
_MAINTENANCE = DEMO.exclusions.maintenance.model_copy(update={"single": [_MOVE]})
_BURN = BurnClause(rate=14.4, long_s=3_600, short_s=300, severity="critical")
_CHAT = WebhookClause(kind="webhook", name="chat", url_env="CHAT_URL")
_MAIL = SmtpClause(kind="smtp", name="mail", host="m.example", sender="a@b.example", to=["c@d.example", "e@f.example"])
_HEARTBEAT = DeadManClause(url_env="DEAD_MAN_URL")
ELSE: dict[str, Any] = {
    "alerts": DEMO.alerts.model_copy(update={"burn": [_BURN], "dead_man": _HEARTBEAT}),
    "sink": [*DEMO.sink, _CHAT, _MAIL],
    "exclusions": DEMO.exclusions.model_copy(update={"maintenance": _MAINTENANCE}),
}
FILE = DEMO.model_copy(update=ELSE)
"""The demo's contract, and every table that it has not."""
NAMED = Named()
PAGES = load_pages(DECLARATIONS)
ROLES = tuple(load_roles(DECLARATIONS).known.values())


def statement(
    file: File = FILE, declarations: Declarations = DECLARATIONS, pages: tuple[Page, ...] = PAGES, roles: Any = ROLES
) -> Statement:
    declared = of_declarations(declarations, NAMED)
    return {**of_file(file), **declared, **of_pages(pages, NAMED), **of_roles(roles, NAMED)}


LOCKED = statement()
CLAUSES = numbered(LOCKED)


def asked(now: Statement, **given: Any) -> list[ChangeRequest]:
    numbers = {**numbers_of_things(LOCKED, CLAUSES), **numbers_of_things(now, numbered(now, CLAUSES))}
    return change_requests(CONTRACT, LOCKED, now, numbers, **given)


def one(now: Statement) -> ChangeRequest:
    (found,) = asked(now)
    return found


def differing(now: Statement) -> set[str]:
    """The clauses whose words are other ones, by number."""
    numbers = numbered(now, CLAUSES)
    before = {each.number: each.lines for each in clauses(CONTRACT, LOCKED, CLAUSES)}
    after = {each.number: each.lines for each in clauses(CONTRACT, now, numbers)}
    return {number for number in before.keys() | after.keys() if before.get(number) != after.get(number)}


def other(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}-other"
    if isinstance(value, list):
        return value[:-1] if value else ["other"]
    if isinstance(value, dict):
        return dict(list(value.items())[1:])
    if value is None:
        return 1
    return value.replace(year=2025) if hasattr(value, "year") else value.replace(hour=1, minute=1)
