"""Staging: what a staging key may do beyond posting: it is asked for before a load, and holds a source that is pulled.

Only a deployment that issued such a key can be brought to its limits; on any other these routes refuse everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, request

from app.answers import json_answer, refusal
from services.accounts import can
from services.accounts.key_ring import KeyRing
from services.accounts.keys import STAGING, is_for_staging
from services.accounts.principal import Principal
from services.broker import Broker
from services.declare import Declarations, is_of_clients

HOLD_MAX_S = 600
"""So long a source is kept back at most: who held it and went away does no lasting harm."""


@dataclass(frozen=True, slots=True)
class Staging:
    """The routes below `/api/staging`; every one asks for a staging key."""

    broker: Broker
    declarations: Declarations
    keys: KeyRing

    def register(self, server: Flask) -> None:
        server.add_url_rule("/api/staging", view_func=self.told)
        server.add_url_rule("/api/staging/hold/<feed>", view_func=self.hold, methods=["POST"])

    def told(self) -> Response:
        """Whose key it is, and the feeds that it may load."""
        holder = self._holder()
        if isinstance(holder, Response):
            return holder
        feeds = [one for one in self.declarations.feeds if is_of_clients(one) and can(holder, "ingest", one)]
        return json_answer({"key": holder.name, "feeds": feeds})

    def hold(self, feed: str) -> Response:
        """Keep the feed's source back for `for_s` seconds; 0 lets it in again."""
        holder = self._holder()
        if isinstance(holder, Response):
            return holder
        declared = self.declarations.feeds.get(feed)
        if declared is None or not is_of_clients(feed) or not can(holder, "ingest", feed):
            return refusal(404, "unknown_feed", f"no feed {feed!r} that this key may hold; GET /api/staging lists them")
        if not declared.source.pulled:
            return refusal(409, "not_pulled", f"feed {feed!r} is posted to: who posts nothing holds it already")
        for_s = _seconds(request.get_json(silent=True))
        if for_s is None:
            return refusal(400, "bad_hold", f'send {{"for_s": seconds}}, from 0 (let it in again) to {HOLD_MAX_S}')
        self.broker.hold(feed, round(for_s * 1000))
        return json_answer({"feed": feed, "for_s": for_s})

    def _holder(self) -> Principal | Response:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        holder = self.keys.holder(secret.strip()) if scheme.lower() == "bearer" else None
        if holder is None:
            detail = "send Authorization: Bearer with a staging key"
            return refusal(401, "unknown_key", detail, WWW_Authenticate="Bearer")
        if not is_for_staging(holder):
            remedy = f"issue one on a staging deployment: headwater keys add … --staging, or {STAGING} among its feeds"
            return refusal(403, "not_staging", f"key {holder.name!r} is no staging key; {remedy}")
        return holder


def _seconds(body: Any) -> float | None:
    """The time that was asked for, None where it cannot be used."""
    given = body.get("for_s") if isinstance(body, dict) else None
    usable = isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= HOLD_MAX_S
    return float(given) if usable and given is not None else None
