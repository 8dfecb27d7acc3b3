"""Silence: whether it is told when a source gives no sign of life, with the cause, since when, and how it ends."""

from __future__ import annotations

import time
from uuid import uuid4

from services.acceptance.outcome import Outcome, judged, not_seen
from services.acceptance.staging import Staging
from services.acceptance.viewer import Viewer
from services.declare import Channel

NAME = "told-when-stale"
WAITED_MAX_S = 300.0


def silence(staging: Staging, held: type[Channel] | None, catch_up_s: float) -> Outcome:
    """Nothing is posted to the pushed feed; and where there is a pulled one, a staging key keeps its source back."""
    posted = _posted(staging, catch_up_s)
    if held is None or posted.verdict != "passed":
        return posted
    if not staging.issued():
        remedy = "only a key that was issued for staging keeps a source back: keys add … --staging"
        return not_seen(NAME, f"{posted.said}; an outage of {held.feed.name} was not seen: {remedy}")
    pulled = _pulled(staging, held, catch_up_s)
    said, samples = f"{posted.said}; {pulled.said}", {"posted": posted.samples, "pulled": pulled.samples}
    return Outcome(NAME, pulled.verdict, said, samples)


def _posted(staging: Staging, catch_up_s: float) -> Outcome:
    if staging.channel.freshness.stale_after_s > WAITED_MAX_S:
        return _too_long(staging.channel)
    staging.post([staging.event(f"accept-{uuid4().hex[:8]}", 0)])
    return _told(staging.opened(), staging.channel, catch_up_s)


def _pulled(staging: Staging, held: type[Channel], catch_up_s: float) -> Outcome:
    after = held.freshness.stale_after_s
    if after > WAITED_MAX_S:
        return _too_long(held)
    viewer = Viewer(staging.url, held.name, staging.cookie)
    viewer.open()
    staging.hold(held.feed.name, after + 2 * catch_up_s)
    try:
        found = _told(viewer, held, catch_up_s, keep=True)
    finally:
        staging.hold(held.feed.name, 0)
    if found.verdict != "passed":
        viewer.drop()
        return found
    began, patience_s = time.monotonic(), held.freshness.expected_every_s + catch_up_s
    while viewer.told.get("state") == "stale" and time.monotonic() - began < patience_s:
        viewer.look(0.5)
    took, state = time.monotonic() - began, viewer.told.get("state")
    viewer.drop()
    said = f"{found.said}, and {state} {took:.1f} s after it was let in again"
    return judged(NAME, state != "stale", said, **found.samples, back_s=took)


def _told(viewer: Viewer, channel: type[Channel], catch_up_s: float, *, keep: bool = False) -> Outcome:
    """Wait for the word, from when something is there that can grow stale; `keep` leaves the viewer open."""
    began, after = time.monotonic(), channel.freshness.stale_after_s
    while viewer.told.get("state") in (None, "stale") and time.monotonic() - began < catch_up_s:
        viewer.look(0.2)
    if (state := viewer.told.get("state")) in (None, "stale"):
        viewer.drop()
        said = f"{channel.feed.name}: {state or 'nothing'} is told {catch_up_s:g} s after it had something new"
        return judged(NAME, False, said, took_s=catch_up_s)
    began = time.monotonic()
    while viewer.told.get("state") != "stale" and time.monotonic() - began < after + catch_up_s:
        viewer.look(0.5)
    took, state = time.monotonic() - began, viewer.told.get("state")
    named = viewer.told.get("cause") is not None and viewer.told.get("since") is not None
    if not keep:
        viewer.drop()
    said = f"{channel.feed.name}: {state or 'nothing'} is told after {took:.1f} s of silence, {after:g} s declared"
    if state == "stale" and not named:
        said += ", without its cause and since when"
    return judged(NAME, state == "stale" and named, said, took_s=took)


def _too_long(channel: type[Channel]) -> Outcome:
    after = channel.freshness.stale_after_s
    return not_seen(NAME, f"{channel.feed.name}: told after {after:g} s, longer than the {WAITED_MAX_S:g} s waited for")
