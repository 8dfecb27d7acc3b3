"""Provider sign-in: the two addresses by which somebody goes to the identity provider and comes back.

What was asked lies in the broker under the hash of its state, for ten minutes and for one answer; the browser that
asked is known by a cookie, so that nobody can have his own answer opened in somebody else's browser.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, request

from app.answers import see
from app.doors import PROVIDER_PATH, next_path
from app.sign_in import PLAIN, SignIn, keep_cookie, page
from services.accounts.provider import Provider, ProviderError, plain
from services.accounts.register import AccountError
from services.accounts.roles import Roles
from services.broker import Broker

BACK_PATH = f"{PROVIDER_PATH}/back"
ASKED_COOKIE = "headwater-asked"
ASKED_LASTS_S = 600
STALE = "This sign-in was finished already, took longer than 10 minutes, or began in another browser. Sign in again."
DENIED = "The identity provider {} did not let you in. Sign in again, or ask who runs it for access."


@dataclass(frozen=True, slots=True)
class ProviderSignIn:
    """The routes with what they need; sessions and pages are those of `sign_in`."""

    sign_in: SignIn
    provider: Provider
    roles: Roles
    broker: Broker

    def put_on(self, server: Flask) -> None:
        server.add_url_rule(PROVIDER_PATH, "provider_sign_in", self.begin)
        server.add_url_rule(BACK_PATH, "provider_sign_in_back", self.back)

    def begin(self) -> Response:
        """Lead to the provider. Raises BrokerDown or DatabaseDown."""
        doors, following = self.sign_in.doors, next_path(request.args.get("next", ""))
        if doors.principal() is not None:
            return see(following)
        cookie = doors.cookie(ASKED_COOKIE)
        if not cookie:
            return page(403, "Sign in", PLAIN)
        if wait_s := self.sign_in.attempts.address_wait_s(request.remote_addr or ""):
            return self.sign_in.wait(wait_s, following)
        browser = request.cookies.get(cookie, "") or secrets.token_urlsafe(32)
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        redirect = f"{request.scheme}://{request.host}{BACK_PATH}"  # the doors know this host
        try:
            url = self.provider.ask(state, nonce, verifier, redirect)
        except ProviderError as error:
            return self._refuse(error.status, str(error), following)
        asked = {"browser": _hash(browser), "nonce": nonce, "verifier": verifier, "redirect": redirect}
        self.broker.put_asked(_hash(state), json.dumps({**asked, "next": following}).encode(), ASKED_LASTS_S)
        answer = see(url)
        keep_cookie(answer, cookie, browser, ASKED_LASTS_S)
        return answer

    def back(self) -> Response:
        """Let in whom the provider vouches for. Raises BrokerDown or DatabaseDown."""
        asked = self._asked()
        if asked is None:
            return self._refuse(403, STALE, "/")
        following = next_path(asked["next"])
        if refused := request.args.get("error", ""):
            text = DENIED.format(self.provider.host)
            return self._refuse(403, text if refused == "access_denied" else f"{text} ({plain(refused)})", following)
        try:
            code, issuer = request.args.get("code", ""), request.args.get("iss")
            one = self.provider.vouched(code, asked["nonce"], asked["verifier"], asked["redirect"], issuer)
            account = self.sign_in.register.admit(one.issuer, one.subject, one.name, self.roles.claimed(one.words))
        except ProviderError as error:
            return self._refuse(error.status, str(error), following)
        except AccountError as error:
            said = f"{self.provider.host} knows you, but you cannot come in here: {error}. Ask an administrator."
            return self._refuse(403, said, following)
        self.broker.tell_grants_changed()  # other roles than before are also those of his other pages
        return self.sign_in.let_in(account, following, f"by {one.issuer}")

    def _asked(self) -> dict[str, Any] | None:
        """What this browser asked for, once."""
        state, cookie = request.args.get("state", ""), self.sign_in.doors.cookie(ASKED_COOKIE)
        held = self.broker.take_asked(_hash(state)) if state and cookie else None
        if held is None:
            return None
        asked: dict[str, Any] = json.loads(held)
        return asked if hmac.compare_digest(asked["browser"], _hash(request.cookies.get(cookie, ""))) else None

    def _refuse(self, status: int, said: str, following: str) -> Response:
        self.sign_in.note("sign_in_refused", "", self.provider.host, said)
        return self.sign_in.form(status, said, following=following)


def _hash(word: str) -> str:
    return hashlib.sha256(word.encode(errors="replace")).hexdigest()
