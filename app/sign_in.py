"""Sign-in and sign-out: two pages of plain HTML, the session that they begin or end, and what of it is recorded.

A form carries a word that stands in a cookie as well, so that no other site can send it for somebody (CSRF). What was
wrong is never said: whether there is such an account is not for strangers, in words or in time.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import structlog
from flask import Flask, Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from app.answers import refusal, see
from app.doors import COOKIE, PROVIDER_PATH, SIGN_IN_PATH, SIGN_OUT_PATH, Doors, next_path
from services.accounts.attempts import Attempts
from services.accounts.audit import Audit, What
from services.accounts.register import Account, Register
from services.accounts.sessions import Sessions
from services.report.inks import INKS

if TYPE_CHECKING:
    from services.accounts.provider import Provider

FORM_COOKIE = "headwater-form"
FORM_LASTS_S = 3_600
BODY_BYTES_MAX = 8_192
WRONG = "Account or password is wrong."
EXPIRED = "This form is no longer valid. Please try again."
PLAIN = "Sign-in is over HTTPS only: open this address with https://."

log = structlog.get_logger("web")


@dataclass(frozen=True, slots=True)
class SignIn:
    """The routes with what they need; `provider` is the identity provider, if there is one."""

    doors: Doors
    sessions: Sessions
    register: Register
    attempts: Attempts
    audit: Audit
    provider: Provider | None = None

    def put_on(self, server: Flask) -> None:
        server.add_url_rule(SIGN_IN_PATH, "sign_in", self.show)
        server.add_url_rule(SIGN_IN_PATH, "sign_in_submit", self.submit, methods=["POST"])
        server.add_url_rule(SIGN_OUT_PATH, "sign_out", self.show_account)
        server.add_url_rule(SIGN_OUT_PATH, "sign_out_submit", self.sign_out, methods=["POST"])

    # Pages -------------------------------------------------------------------------------------

    def show(self) -> Response:
        """The form; who is signed in already goes on."""
        following = next_path(request.args.get("next", ""))
        if self.doors.principal() is not None:
            return see(following)
        if "out" not in request.args:
            return self.form(200, following=following)
        back = f"{request.scheme}://{request.host}{SIGN_IN_PATH}"
        leads = "" if self.provider is None else self.provider.sign_out_url(back)
        return self.form(200, "You are signed out.", tone="good", following=following, leads_out=leads)

    def form(
        self, status: int, said: str = "", *, tone: str = "bad", following: str = "/", name: str = "",
        leads_out: str = "",
    ) -> Response:
        """The form with what is to be said, and a new word in it."""
        cookie = self.doors.cookie(FORM_COOKIE)
        if not cookie:
            return page(403, "Sign in", PLAIN)
        word = secrets.token_urlsafe(32)
        leads = f"{PROVIDER_PATH}?next={quote(following, safe='/')}"
        answer = page(
            status, "Sign in", said, tone=tone, form=word, next=following, name=name,
            provider="" if self.provider is None else self.provider.host, provider_path=leads, provider_out=leads_out,
        )
        keep_cookie(answer, cookie, word, FORM_LASTS_S)
        return answer

    def show_account(self) -> Response:
        """Who is signed in, and the way out."""
        principal = self.doors.principal()
        if principal is None or self.doors.is_open:
            return see("/" if self.doors.is_open else SIGN_IN_PATH)
        word = self.sessions.form(self.doors.identifier())
        return page(
            200, "Your account", account=principal.name, roles=", ".join(principal.roles), form=word,
        )

    # Acts --------------------------------------------------------------------------------------

    def submit(self) -> Response:
        """Sign in. Raises BrokerDown or DatabaseDown."""
        refused = self._refuse_foreign()
        if refused is not None:
            return refused
        following = next_path(request.form.get("next", ""))
        if self.doors.is_open:
            return see(following)
        name, password = request.form.get("name", "").strip().lower()[:100], request.form.get("password", "")
        cookie = self.doors.cookie(FORM_COOKIE)
        if not _same(request.cookies.get(cookie, "") if cookie else "", request.form.get("form", "")):
            return self.form(403, EXPIRED, following=following, name=name)
        address = request.remote_addr or ""
        if wait_s := self.attempts.wait_s(name, address):
            self.note("sign_in_refused", "", name, "too many attempts")
            return self.wait(wait_s, following, name)
        account = self.register.recognise(name, password)
        if account is None:
            self.note("sign_in_refused", "", name, "wrong account or password")
            return self.form(401, WRONG, following=following, name=name)
        self.attempts.forget(name, address)
        return self.let_in(account, following, "password")

    def wait(self, wait_s: int, following: str, name: str = "") -> Response:
        """The form, that too much was tried, and for how long."""
        minutes = -(-wait_s // 60)
        said = f"Too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
        answer = self.form(429, said, following=following, name=name)
        answer.headers["Retry-After"] = str(wait_s)
        return answer

    def let_in(self, account: Account, following: str, how: str) -> Response:
        """A new session for the account; one that the browser had before is over."""
        if former := self.doors.identifier():
            self.sessions.end(former)
        identifier = self.sessions.begin(account)
        self.register.note_sign_in(account.name)
        self.note("signed_in", account.name, account.name, how)
        answer = see(following)
        keep_cookie(answer, self.doors.cookie(COOKIE), identifier, self.sessions.lifetimes.lasts_s)
        _drop(answer, self.doors.cookie(FORM_COOKIE))
        return answer

    def sign_out(self) -> Response:
        """End the session, and with it every socket of it. Raises BrokerDown."""
        refused = self._refuse_foreign()
        if refused is not None:
            return refused
        principal, identifier = self.doors.principal(), self.doors.identifier()
        if principal is None:
            return see(SIGN_IN_PATH)
        if not _same(self.sessions.form(identifier), request.form.get("form", "")):
            return see(SIGN_OUT_PATH)
        self.sessions.end(identifier)
        self.note("signed_out", principal.name, principal.name, "")
        answer = see(f"{SIGN_IN_PATH}?out=1")
        _drop(answer, self.doors.cookie(COOKIE))
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer

    def _refuse_foreign(self) -> Response | None:
        """A form of another site's page, or one that is too large to be ours."""
        origin = request.headers.get("Origin")
        if not self.doors.origin_allowed(origin, request.host):
            return refusal(403, "forbidden_origin", f"origin {origin!r} is not ours; add it to HEADWATER_ORIGINS")
        request.max_content_length = BODY_BYTES_MAX
        return None

    def note(self, what: What, who: str, subject: str, detail: str) -> None:
        """Record an act, in the log and in the audit log."""
        address = request.remote_addr or ""
        log.info("sign-in", act=what, account=who, address=address)  # not what was typed: it may be a password
        self.audit.record(what, who=who, subject=subject, address=address, detail=detail)


def page(status: int, title: str, said: str = "", *, tone: str = "bad", **shown: str) -> Response:
    """One of these pages; what it does not show is empty."""
    whole = dict.fromkeys(("account", "roles", "form", "name", "provider", "provider_path", "provider_out"), "")
    whole["next"] = "/"
    answer = Response(
        _template().render(
            title=title, said=said, tone=tone, sign_in=SIGN_IN_PATH, sign_out=SIGN_OUT_PATH, **{**whole, **shown},
            light={ink.name: ink.light for ink in INKS}, dark={ink.name: ink.dark for ink in INKS},
        ),
        status, mimetype="text/html",
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("sign_in.html")


def _same(known: str, given: str) -> bool:
    return bool(known) and hmac.compare_digest(known.encode(errors="replace"), given.encode(errors="replace"))


def keep_cookie(answer: Response, name: str, value: str, lasts_s: int) -> None:
    """A cookie that neither scripts nor other sites get."""
    answer.set_cookie(
        name, value, max_age=lasts_s, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="Lax"
    )


def _drop(answer: Response, name: str) -> None:
    answer.delete_cookie(name, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="Lax")
