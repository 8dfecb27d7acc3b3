"""HTTP API: health, metrics, channels, session and ingest, as `docs/protocol.md` describes them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, cast, get_args

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException

from app.answers import json_answer, refusal
from app.correlation import given_correlation
from app.doors import Doors, not_signed_in
from app.exports.routes import Exports
from app.ingest_body import BodyError, read_records
from app.metrics import CONTENT_TYPE, exposition
from app.past import Turns, answer_past
from app.polling import take_poll, take_report
from app.readiness import checks, ready, standings, without_broker
from app.recorded import answer_recorded
from app.webhooks import Delivery, refused
from services.accounts import Action, Principal, can
from services.accounts.audit import Audit
from services.accounts.key_limits import KeyLimits
from services.accounts.key_ring import KeyRing
from services.accounts.principal import can_some
from services.broker import (
    IDS_WINDOW_MS,
    Broker,
    BrokerDown,
    Overloaded,
    StoredChannel,
    memory_share,
)
from services.database import Database, DatabaseDown
from services.declare import Channel, ChannelRef, Column, Declarations, FeedSpec, Lane, Mark, is_built_in
from services.freshness import Progress, judge
from services.gateway.gateway import Gateway, OnReport
from services.ingestion import RECORDS_MAX, Ingestion
from services.positions import Clock, Position
from services.sources.signature import BadSignature
from services.sources.trouble import SourceTrouble
from services.telemetry import GONE_AFTER_MS, Measurement

API_PREFIX = "/api/"
RETRY_BACKLOG_S = 1
RETRY_BROKER_S = 5
MARK_HEADER = "Headwater-Mark"
MARKS = get_args(Mark)


@dataclass(frozen=True, slots=True)
class Api:
    """The routes with what they need; `register` puts them on a server."""

    broker: Broker
    declarations: Declarations
    gateway: Gateway
    ingestion: Ingestion
    keys: KeyRing
    limits: KeyLimits
    doors: Doors
    clock: Clock
    body_limit_bytes: int
    on_report: OnReport
    database: Database
    exports: Exports
    audit: Audit
    readings: Turns = field(default_factory=Turns)

    def register(self, server: Flask) -> None:
        others = frozenset(server.view_functions)
        server.before_request(lambda: _unknown_route(others))
        server.add_url_rule("/healthz", view_func=self.healthz)
        server.add_url_rule("/readyz", view_func=self.readyz)
        server.add_url_rule("/metrics", view_func=self.metrics)
        server.add_url_rule("/api/session", view_func=self.session)
        server.add_url_rule("/api/channels", view_func=self.channels)
        server.add_url_rule("/api/channels/<name>/parts", view_func=self.parts)
        server.add_url_rule("/api/channels/<name>/snapshot", view_func=self.snapshot)
        server.add_url_rule("/api/channels/<name>/history", view_func=self.history)
        server.add_url_rule("/api/channels/<name>/recorded", view_func=self.recorded)
        server.add_url_rule("/api/channels/<name>/export", view_func=self.export, methods=["GET", "POST"])
        server.add_url_rule("/api/changes", view_func=self.changes, methods=["POST"])
        server.add_url_rule("/api/report", view_func=self.report, methods=["POST"])
        server.add_url_rule("/api/ingest/<feed>", view_func=self.ingest, methods=["POST"])
        server.register_error_handler(BrokerDown, _broker_down)
        server.register_error_handler(DatabaseDown, _database_down)
        server.register_error_handler(HTTPException, _in_json)

    # Health ------------------------------------------------------------------------------------

    def healthz(self) -> Response:
        """200 while the process lives; touches nothing else."""
        return json_answer({"status": "ok"})

    def readyz(self) -> Response:
        """200 where events can flow from end to end, else 503; each check says `ok` or what is wrong, and so does each
        lane. Which lanes there are is for who may see something of them.
        """
        seen = frozenset[str]()
        try:
            with suppress(DatabaseDown):  # who asks is not known then, and told what everybody is
                seen = self._feeds_seen()
            found = standings(self.declarations.lanes(), self._progress(), self.clock())
            told = checks(self.broker.server(), found, seen)
        except BrokerDown as error:
            told, found = without_broker(str(error)), []
        lanes = {str(one.lane): one.state for one in found if one.lane.feed in seen}
        body = {"status": "ok" if ready(told) else "unready", "checks": told, "lanes": lanes}
        return json_answer(body, 200 if ready(told) else 503)

    def _progress(self) -> Mapping[Lane, Progress]:
        return self.broker.lane_progress(self.declarations.lanes())

    def _feeds_seen(self) -> frozenset[str]:
        """The feeds of which whoever asks may know: nobody's is none."""
        principal = self.doors.principal()
        if principal is None:
            return frozenset()
        if can(principal, "admin", "*"):
            return frozenset(self.declarations.feeds)
        return frozenset(one.feed.name for one in self._channels_seen(principal))

    def _channels_seen(self, principal: Principal) -> list[type[Channel]]:
        return [
            one for one in self.declarations.channels.values()
            if not is_built_in(one.name) and (can if one.partition is None else can_some)(principal, "view", one.name)
        ]

    def metrics(self) -> Response:
        """Every process's figures, in Prometheus's text format."""
        now = self.clock()
        found = map(Measurement.decoded, self.broker.read_telemetry().values())
        living = [one for one in found if now - one.at <= GONE_AFTER_MS]
        lanes = self.broker.lane_progress(self.declarations.lanes())
        return Response(exposition(living, lanes, memory_share(self.broker.server()), now), content_type=CONTENT_TYPE)

    # Channels ----------------------------------------------------------------------------------

    def session(self) -> Response:
        """Who asks: a viewer whose socket was refused learns here whether it is signed out."""
        principal = self.doors.principal()
        return not_signed_in() if principal is None else json_answer(_described(principal))

    def channels(self) -> Response:
        """The channels that this principal may see, and the window within which feeds are idempotent."""
        principal = self.doors.principal()
        if principal is None:
            return not_signed_in()
        seen, feeds = self._channels_seen(principal), self._feeds_seen()
        heads = self.broker.read_heads([ChannelRef(channel) for channel in seen if channel.partition is None])
        progress, now = self._progress(), self.clock()
        return json_answer({
            "channels": [
                {**_channel(ref.channel), **_standing(ref, heads.get(ref), progress.get(ref.lane), now)}
                for ref in map(ChannelRef, seen)
            ],
            "lanes": [str(lane) for lane in self.declarations.probed_lanes() if lane.feed in feeds],
            "idempotence": {"ids": self.broker.caps.ids, "window_ms": IDS_WINDOW_MS},
        })

    def _seen(self, name: str, *actions: Action) -> ChannelRef | Response:
        """The channel of that name, or the refusal. One that one may not see answers as unknown."""
        principal = self.doors.principal()
        if principal is None:
            return not_signed_in()
        past = "view" not in actions
        ref = self.declarations.resolve_past(name) if past else self.declarations.resolve(name)
        gone = None if past else self.declarations.retirement(name)
        if gone is not None and all(can(principal, action, name) for action in actions):
            told = {"error": "retired", "since": gone.since, "successor": gone.successor}
            return json_answer({**told, "detail": f"channel {name!r} is {gone.in_words()}; its history is there"}, 410)
        if ref is None or not all(can(principal, action, ref.name) for action in actions):
            return refusal(404, "unknown_channel", f"no channel {name!r}; /api/channels lists them")
        return ref

    def snapshot(self, name: str) -> Response:
        """The same object as a snapshot frame. A channel that one may not see answers as unknown."""
        ref = self._seen(name, "view")
        if isinstance(ref, Response):
            return ref
        return json_answer(self.gateway.snapshot(ref))

    def parts(self, name: str) -> Response:
        """The values of a channel in parts of which there was an event, as far as this principal may see them."""
        principal = self.doors.principal()
        if principal is None:
            return not_signed_in()
        channel = self.declarations.channels.get(name)
        if channel is None or channel.partition is None:
            return refusal(404, "unknown_channel", f"no channel {name!r} in parts; /api/channels lists them")
        lanes = channel.feed.all_lanes()
        found = [self.declarations.resolve(one) for lane in lanes for one in self.broker.channels_of(lane)]
        values = {ref.partition for ref in found if ref is not None and ref.channel is channel}
        seen = sorted(one for one in values if one is not None and can(principal, "view", f"{name}:{one}"))
        if not seen and not can(principal, "view", name):
            return refusal(404, "unknown_channel", f"no channel {name!r} in parts; /api/channels lists them")
        return json_answer({"channel": name, "field": channel.partition, "parts": seen})

    def history(self, name: str) -> Response:
        """What the channel was over an interval, from the archive."""
        takes_away = request.args.get("format") == "csv"
        ref = self._seen(name, "history", "export") if takes_away else self._seen(name, "history")
        if isinstance(ref, Response):
            return ref
        if takes_away:
            self._note_export(ref, "csv")
        return answer_past(self.database, self.readings, ref, request.args, self.clock())

    def recorded(self, name: str) -> Response:
        """What the channel's viewers were shown over an interval, as frames to replay."""
        ref = self._seen(name, "history")
        if isinstance(ref, Response):
            return ref
        return answer_recorded(self.database, self.readings, ref, request.args, self.clock(), self._head(ref))

    def _head(self, ref: ChannelRef) -> Position | None:
        """Where a channel stands; None where the broker cannot tell, which is no reason to refuse the past."""
        try:
            head = self.broker.read_heads([ref]).get(ref)
        except BrokerDown:
            return None
        return None if head is None else head.position

    def export(self, name: str) -> Response:
        """A file to take away: of what a viewer shows (POST), of an interval, or of what is now."""
        asked = request.args
        past = request.method == "GET" and ("since" in asked or "until" in asked)
        needed: tuple[Action, ...] = ("history" if past else "view", "export")
        ref = self._seen(name, *needed)
        if isinstance(ref, Response):
            return ref
        self._note_export(ref, asked.get("format", "csv") if request.method == "GET" else "what was shown")
        if request.method == "POST":
            return self.exports.of_shown(ref, request)
        if not past:
            return self.exports.of_now(ref, asked)
        return self.exports.of_past(ref, asked, self.doors.still_may(ref.name, *needed))

    def _note_export(self, ref: ChannelRef, how: str) -> None:
        """Where people are known by name, nothing is taken away unrecorded. Raises DatabaseDown."""
        principal = self.doors.principal()
        if principal is not None and not self.doors.is_open:
            interval = "-".join(filter(None, (request.args.get("since"), request.args.get("until"))))
            address = request.remote_addr or ""
            self.audit.record(
                "exported", who=principal.name, subject=ref.name, address=address, detail=f"{how} {interval}".strip()
            )

    def changes(self) -> Response:
        """Long poll: what is newer than the positions asked from, answered from the gateway's loop."""
        principal = self.doors.principal()
        return not_signed_in() if principal is None else take_poll(request, self.doors, principal, self.gateway)

    def report(self) -> Response:
        """A viewer's measurements, where no socket takes them."""
        principal = self.doors.principal()
        return not_signed_in() if principal is None else take_report(request, self.doors, principal, self.on_report)

    # Ingest ------------------------------------------------------------------------------------

    def ingest(self, feed: str) -> Response:
        """Events by HTTP. What 202 counts as accepted is in the broker."""
        holder = self._holder()
        if holder is None and (delivery := Delivery.of(self.declarations.feeds.get(feed), request)) is not None:
            return self._accept_delivery(delivery)
        if holder is None:
            return _unknown_key()
        declared, gone = self.declarations.feeds.get(feed), self.declarations.retirement(feed)
        if gone is not None and feed in self.declarations.retired_feeds:
            return refusal(410, "retired", f"feed {feed!r} is {gone.in_words()}")
        if declared is None or declared.source.derived:
            return refusal(404, "unknown_feed", f"no feed {feed!r}; a feed is declared in services/feeds/")
        if not can(holder, "ingest", feed):
            return refusal(403, "forbidden", f"key {holder.name!r} may not post to {feed!r}; use one that may")
        if wait_s := self.limits.wait_s(holder.name):
            return self._too_fast(holder, wait_s)
        return self._accept(declared, holder)

    def _holder(self) -> Principal | None:
        """Whose key the request carries, as it is now."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        return self.keys.holder(secret.strip()) if scheme.lower() == "bearer" else None

    def _accept_delivery(self, delivery: Delivery) -> Response:
        """A webhook's delivery: as its signature holds, for its own feed, and with no mark."""
        if MARK_HEADER in request.headers:
            return refusal(403, "forbidden", f"{MARK_HEADER}: a webhook sends its own events only")
        if wait_s := self.limits.wait_s(delivery.sender.name):
            return self._too_fast(delivery.sender, wait_s)
        try:
            return self._accept(delivery.feed, delivery.sender, delivery)
        except (BadSignature, SourceTrouble) as error:
            return refused(delivery, error)

    def _accept(self, feed: FeedSpec, holder: Principal, delivery: Delivery | None = None) -> Response:
        try:
            check = None if delivery is None else delivery.check(self.clock)
            records, size = read_records(request, self.body_limit_bytes, check)
            if delivery is None and self._holder() is None:  # revoked while the body came, which may take half a minute
                return _unknown_key()
            records = records if _mark(request) else _split(feed, records)
            records = records if delivery is None else delivery.with_told(records)
            if len(records) > RECORDS_MAX:
                raise BodyError(413, "too_large", f"{len(records)} records; send at most {RECORDS_MAX} in one request")
            if wait_s := self.limits.spend(holder.name, len(records), size):
                return self._too_fast(holder, wait_s)
            return json_answer(self.ingestion.accept(feed, records, _mark(request), given_correlation()).as_json(), 202)
        except BodyError as error:
            return refusal(error.status, error.code, error.detail)
        except Overloaded as full:
            return refusal(429, "backlog_full", str(full), Retry_After=str(RETRY_BACKLOG_S))

    def _too_fast(self, holder: Principal, wait_s: int) -> Response:
        self.ingestion.throttled()
        detail = f"key {holder.name!r} posts more than HEADWATER_KEY_EVENTS_PER_S or _MB_PER_S allow; send it later"
        return refusal(429, "key_limit", detail, Retry_After=str(wait_s))


def _unknown_key() -> Response:
    detail = "send Authorization: Bearer with a key that may post to this feed"
    return refusal(401, "unknown_key", detail, WWW_Authenticate="Bearer")


def _split(feed: FeedSpec, bodies: list[Any]) -> list[Any]:
    """The records in what was posted, where the feed's mapping says where they stand. Raises BodyError."""
    mapping = feed.source.mapping
    if mapping is None:
        return bodies
    try:
        return [record for body in bodies for record in mapping.split(body)]
    except LookupError as error:
        raise BodyError(400, "unreadable", str(error)) from None


def _mark(request: Request) -> Mark | None:
    """What the header says the events are for, where they are no client's. Raises BodyError."""
    given = request.headers.get(MARK_HEADER)
    if given is None:
        return None
    if given not in MARKS:
        raise BodyError(400, "bad_mark", f"{MARK_HEADER}: {given[:40]!r}; send one of {', '.join(MARKS)}, or none")
    return cast(Mark, given)


def _unknown_route(others: frozenset[str]) -> Response | None:
    """Dash answers every other path with its page; below `/api/` that would look like success."""
    if request.path.startswith(API_PREFIX) and request.endpoint in others:
        return refusal(404, "unknown_route", f"no {request.method} {request.path}; docs/protocol.md lists the routes")
    return None


def _in_json(error: HTTPException) -> Response | HTTPException:
    """Errors of the HTTP layer as our own refusals, below `/api/`."""
    if not request.path.startswith(API_PREFIX) or error.code is None:
        return error
    return refusal(error.code, error.name.lower().replace(" ", "_"), error.description or error.name)


def _database_down(error: DatabaseDown) -> Response:
    return refusal(503, "database_down", str(error), Retry_After=str(RETRY_BROKER_S))


def _broker_down(error: BrokerDown) -> Response:
    return refusal(503, "broker_down", str(error), Retry_After=str(RETRY_BROKER_S))


def _described(principal: Principal) -> Mapping[str, Any]:
    return {"principal": principal.name, "roles": list(principal.roles)}


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name, "label": column.label, "type": column.value_type, "unit": column.unit,
        "decimals": column.decimals,
    }


def _channel(channel: type[Channel]) -> dict[str, Any]:
    return {
        "name": channel.name, "title": channel.title, "kind": channel.kind, "feed": channel.feed.name,
        "source": {"title": channel.feed.source.title, "recorded": channel.feed.source.recorded},
        "fields": [_column(column) for column in channel.columns().values()],
        "partition": channel.partition, "keep": channel.keep.as_json(), "policy": channel.policy,
        "freshness": asdict(channel.freshness),
    }


def _standing(ref: ChannelRef, head: StoredChannel | None, progress: Progress | None, now: int) -> dict[str, Any]:
    """Where a channel stands and how fresh it is; nothing for a partitioned one: that is a matter of its parts."""
    if ref.channel.partition is not None:
        return {"position": None, "state": None, "cause": None}
    event_at = head.times.created[1] if head is not None and head.times is not None else 0
    verdict = judge(ref.channel.freshness, progress, event_at=event_at, now=now)
    position = None if head is None or head.position is None else asdict(head.position)
    return {"position": position, "state": verdict.state, "cause": verdict.cause}
