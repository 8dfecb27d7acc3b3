"""Hint: how to post a first event to a feed that only listens; shown while its page is empty."""

from __future__ import annotations

import json
import shlex

import flask
from dash import html
from dash.development.base_component import Component

from services.declare import FeedSpec
from services.declare.example import example_record

LOCAL_ORIGIN = "http://localhost:8050"


def hint(feed: FeedSpec) -> Component:
    """The command that posts one event of the feed to this very server."""
    return html.Aside(
        [
            html.P(["Nothing has been posted yet. Try it, with an ingest key in ", html.Code("$KEY"),
                    " (on your own machine it lies in ", html.Code(".headwater/ingest.key"), "):"]),
            html.Pre(html.Code(_command(feed)), tabIndex=0),
        ],
        className="hint",
    )


def _command(feed: FeedSpec) -> str:
    event = shlex.quote(json.dumps(example_record(feed)))
    return (f'curl {_origin()}/api/ingest/{feed.name} -H "Authorization: Bearer $KEY" \\\n'
            f"  -H 'Content-Type: application/json' -d {event}")


def _origin() -> str:
    """Where the reader reached this server; outside of a request the address of a local one."""
    return flask.request.host_url.rstrip("/") if flask.has_request_context() else LOCAL_ORIGIN
