"""Webhooks: deliveries to ingest that hold no key, and are taken by the signature that their feed's source asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Request, Response

from app.answers import refusal
from services.accounts import Principal
from services.declare import FeedSpec
from services.positions import Clock
from services.sources.signature import BadSignature, Signature
from services.sources.source import Http
from services.sources.trouble import SourceTrouble

RETRY_UNSET_S = 60

log = structlog.get_logger("webhooks")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to a feed whose senders sign."""

    feed: FeedSpec
    signed: Signature
    request: Request

    @classmethod
    def of(cls, feed: FeedSpec | None, request: Request) -> Delivery | None:
        """None where the feed's senders hold keys, or this one says that it does."""
        signed = feed.source.signed if feed is not None and isinstance(feed.source, Http) else None
        if feed is None or signed is None or "Authorization" in request.headers:
            return None
        return cls(feed, signed, request)

    @property
    def sender(self) -> Principal:
        """For whom its events and bytes are counted: it may post to this feed and nothing else."""
        return Principal(f"webhook {self.feed.name}", feeds=(self.feed.name,))

    def check(self, clock: Clock) -> Callable[[bytes], None]:
        """What a body has to pass, as it was sent. Raises BadSignature or SourceTrouble."""
        return lambda body: self.signed.check(self.request.headers, body, clock())

    def with_told(self, records: list[Any]) -> list[Any]:
        """The records with what the delivery's headers say of them, for the feed's mapping."""
        told = self.signed.told(self.request.headers)
        return [{**one, "webhook": told} if told and isinstance(one, dict) else one for one in records]


def refused(delivery: Delivery, error: BadSignature | SourceTrouble) -> Response:
    """The answer to one that was not taken. Which variable is not set is told to the log alone."""
    if isinstance(error, BadSignature):
        return refusal(401, "bad_signature", str(error))
    log.error("webhook refused", feed=delivery.feed.name, error=str(error))
    detail = "this feed's secret is not set here; its name is in the log"
    return refusal(503, "no_secret", detail, Retry_After=str(RETRY_UNSET_S))
