"""Every role on every route and channel is answered as a table says that was written by hand (`matrix.txt`).

A route that has no row in it fails here: nobody adds a door without saying who may go through it.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from werkzeug.serving import make_server

import tests.project.feeds.shop
from app.factory import Web, create_app
from app.loading import load_declarations
from components.quarantine import QuarantineId
from components.trace import TraceId
from services.embedded import EmbeddedBroker
from tests.app.signing import asking, migrated, signed_in
from tests.project.__main__ import PROJECT
from tests.system import System

TABLE = Path(__file__).with_name("matrix.txt")
ROLES = ("nobody", "none", "north", "prices", "wall", "desk", "root")
SHOWN = b'{"format":"csv","rows":[]}'


def rows() -> list[tuple[str, tuple[str, ...]]]:
    """What is asked, and the answer to each of ROLES."""
    lines = [line.split() for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    fitting = [(" ".join(line[: -len(ROLES)]), tuple(line[-len(ROLES) :])) for line in lines]
    assert fitting[0] == ("request", ROLES)
    return fitting[1:]


class Everybody:
    """A running web process, and a browser of each role."""

    def __init__(self, web: Web) -> None:
        self.web = web
        accounts = [role for role in ROLES if role != "nobody"]
        self.clients = {"nobody": web.server.test_client(), **{role: signed_in(web, role) for role in accounts}}
        self.server = make_server("127.0.0.1", 0, web.server, threaded=True)
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        self.web.stop()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def answer(self, role: str, request: str) -> str:
        """The word of the table for what this role is answered."""
        method, path, *page = request.split()
        if method == "LIVE":
            return self._by_socket(role, path)
        if method == "POLL":
            return self._by_poll(role, path)
        client = self.clients[role]
        if path == "/_dash-update-component":
            return _of_callback(client, page[0])
        with _ask(client, method, path) as answer:
            return _in_a_word(path, answer)

    def _cookie(self, role: str) -> dict[str, str]:
        held = self.clients[role].get_cookie("headwater")
        return {} if held is None else {"Cookie": f"headwater={held.value}"}

    def _by_socket(self, role: str, channel: str) -> str:
        url = f"ws://127.0.0.1:{self.server.server_port}/live"
        try:
            with connect(url, additional_headers=self._cookie(role), proxy=None) as socket:
                socket.send(json.dumps({"op": "subscribe", "channels": {channel: None}}))
                while True:
                    if said := _said([json.loads(socket.recv(30))], channel):
                        return said
        except InvalidStatus as refused:
            return str(refused.response.status_code)

    def _by_poll(self, role: str, channel: str) -> str:
        body = json.dumps({"channels": {channel: None}, "wait_s": 0}).encode()
        headers = {"Content-Type": "application/json", **self._cookie(role)}
        url = f"http://127.0.0.1:{self.server.server_port}/api/changes"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
                return _said(json.load(answer), channel) or "nothing"
        except urllib.error.HTTPError as refused:
            refused.close()
            return str(refused.code)


def _ask(client: FlaskClient, method: str, path: str) -> Any:
    if method == "GET":
        return client.get(path)
    body = json.dumps({"op": "report", "counts": {}}).encode() if path == "/api/report" else SHOWN
    if path in ("/sign-in", "/sign-out"):
        return client.post(path, data={"form": "forged"})
    return client.post(path, data=body, content_type="application/json")


def _in_a_word(path: str, answer: Any) -> str:
    status, told = answer.status_code, answer.get_json(silent=True) or {}
    if (status == 303 and answer.headers["Location"].startswith("/sign-in?next=")) or (path == "/" and (
        status == 303 and answer.headers["Location"] == "/sign-in"
    )):
        return "to-sign-in"
    if path.endswith("/parts") and status == 200:
        parts = told["parts"]
        return {"north": "parts:north", "north,south": "all-parts"}[",".join(parts)]
    if status == 404 and str(told.get("error", "")).startswith("unknown_"):
        return "unknown"
    if answer.mimetype == "text/html" and status == 200 and not path.startswith(("/sign", "/status")):
        return "page" if 'id="early"' in answer.text else "not-found"
    return str(status)


def _of_callback(client: FlaskClient, path: str) -> str:
    answer = client.post("/_dash-update-component", json=FORGED.get(path) or opening(path))
    if answer.status_code != 200:
        return str(answer.status_code)
    if path in FORGED:
        return "refused" if "Only an admin may" in answer.text else "answered"
    return "page" if "data-page" in answer.text else "not-found"


def _of_quarantine(clicked: list[dict[str, Any]]) -> dict[str, Any]:
    """A body that opens the quarantine, or presses a button in it."""
    lists = (QuarantineId.LIST, QuarantineId.SAID)
    return {
        "output": f"..{lists[0]}.children...{lists[1]}.children..",
        "outputs": [{"id": one, "property": "children"} for one in lists],
        "inputs": [{"id": QuarantineId.REFRESH, "property": "n_clicks", "value": 0}, clicked],
        "changedPropIds": [f"{json.dumps(one['id'], sort_keys=True)}.n_clicks" for one in clicked],
    }


def opening(path: str) -> dict[str, Any]:
    """What the browser sends when it opens a page."""
    return {
        "output": ".._pages_content.children..._pages_store.data..",
        "outputs": [
            {"id": "_pages_content", "property": "children"}, {"id": "_pages_store", "property": "data"},
        ],
        "inputs": [
            {"id": "_pages_location", "property": "pathname", "value": path},
            {"id": "_pages_location", "property": "search", "value": ""},
        ],
        "changedPropIds": ["_pages_location.pathname"],
    }


DISCARD = {"type": QuarantineId.ACT, "act": "discard", "lane": "orders.0", "entry": "1-1"}
FORGED: dict[str, dict[str, Any]] = {
    "trace": {
        "output": f"{TraceId.ANSWER}.children", "outputs": {"id": TraceId.ANSWER, "property": "children"},
        "inputs": [
            {"id": TraceId.ASK, "property": "n_clicks", "value": 1},
            {"id": TraceId.WANTED, "property": "n_submit", "value": None},
        ],
        "state": [{"id": TraceId.WANTED, "property": "value", "value": "o1"}],
        "changedPropIds": [f"{TraceId.ASK}.n_clicks"],
    },
    "quarantine": _of_quarantine([]),
    "discard": _of_quarantine([{"id": DISCARD, "property": "n_clicks", "value": 1}]),
}
"""What no page of this project would send, as somebody may write it who has read the source."""


def _said(frames: list[dict[str, Any]], channel: str) -> str:
    for frame in frames:
        if frame["op"] == "error" and frame.get("channel") == channel:
            return "unknown" if frame["code"] == "unknown_channel" else str(frame["code"])
        if frame["op"] == "snapshot" and frame["channel"] == channel:
            return "sees"
        if frame["op"] == "heartbeat" and channel in frame["channels"]:
            return "sees"
    return ""


def _fits(expected: str, found: str) -> bool:
    """`allowed` and `public` leave open what is answered, as long as it is no refusal of who asks."""
    if expected in ("allowed", "public"):
        return found not in ("401", "403", "unknown", "to-sign-in")
    return expected == found


@pytest.fixture(scope="module")
def everybody(shared_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everybody]:
    client = redis.Redis.from_url(shared_broker.url)
    client.flushall()
    client.close()
    system = System(shared_broker.url, tests.project.feeds.shop)
    system.post([{"order": f"o{shop}", "shop": shop, "price": 10.0} for shop in ("north", "south")])
    system.drain()
    system.close()
    provider = {"oidc_issuer": "http://127.0.0.1:1", "oidc_client_id": "headwater", "oidc_client_secret": "none"}
    settings = asking(shared_broker.url, tmp_path_factory.mktemp("matrix"), **provider)  # which does not answer
    held = {role: "" if role == "none" else "admin" if role == "root" else role for role in ROLES if role != "nobody"}
    migrated(settings, **held)
    made = Everybody(create_app(settings, PROJECT))
    yield made
    made.stop()


@pytest.mark.parametrize(("request_", "expected"), rows(), ids=[one for one, _ in rows()])
def test_every_role_is_answered_as_the_table_says(
    everybody: Everybody, request_: str, expected: tuple[str, ...]
) -> None:
    found = {role: everybody.answer(role, request_) for role in ROLES}
    wrong = {
        role: f"{found[role]} instead of {wanted}" for role, wanted in zip(ROLES, expected, strict=True)
        if not _fits(wanted, found[role])
    }
    assert wrong == {}


def test_every_route_has_a_row(everybody: Everybody) -> None:
    known = everybody.web.server.url_map.bind("localhost")
    met = {("GET", "/live"), ("POST", "/api/changes")}
    for request, _ in rows():
        method, path, *_ = request.split()
        if method in ("GET", "POST"):
            rule, _ = known.match(path.partition("?")[0], method, return_rule=True)
            met.add((method, rule.rule))
    routes = {
        (method, rule.rule) for rule in everybody.web.server.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes - met == set(), "say in matrix.txt who may go through"
    assert {request.split()[0] for request, _ in rows()} == {"GET", "POST", "LIVE", "POLL"}


def test_names_that_one_may_not_know_stand_nowhere_in_what_one_is_served(everybody: Everybody) -> None:
    hidden = {
        "north": ("orders.prices", "orders.everything", "orders.dear", "contract.", "south"),
        "prices": ("orders.total", "orders.everything", "orders.minute", "contract."),
        "none": ("orders.", "contract."),
    }
    paths = ("/", "/shops", "/total", "/explore", "/_dash-layout", "/_dash-dependencies", "/api/channels", "/readyz")
    for role, names in hidden.items():
        client = everybody.clients[role]
        served = [client.get(path, follow_redirects=True).text for path in paths]
        served += [client.post("/_dash-update-component", json=opening(path)).text for path in paths[:4]]
        for name in names:
            assert not [text[:80] for text in served if name in text], (role, name)


def test_a_forged_callback_of_a_component_that_one_may_not_see_is_not_run(everybody: Everybody) -> None:
    text = everybody.clients["root"].post("/_dash-update-component", json=opening("/total")).text
    badge = re.search(r'"id":(\{[^{}]*"uid":"total-0"[^{}]*\})', text)
    assert badge, text[:500]
    forged = {
        "output": "live-bound.data", "outputs": {"id": "live-bound", "property": "data"},
        "inputs": [{"id": json.loads(badge[1]), "property": "id", "value": 1}], "changedPropIds": [],
    }
    assert everybody.clients["north"].post("/_dash-update-component", json=forged).status_code == 404
    for body in ([], "x", None):
        assert everybody.clients["north"].post("/_dash-update-component", json=body).status_code in (400, 404)


def test_who_sees_parts_alone_is_not_offered_all_of_them(everybody: Everybody) -> None:
    asked = json.dumps(opening("/shops"))
    for role, must in (("north", True), ("desk", False)):
        text = everybody.clients[role].post("/_dash-update-component", data=asked, content_type="application/json").text
        assert (r"\"must\":true" in text) is must, role


def test_readiness_names_the_lanes_of_which_one_may_know_and_counts_the_others(everybody: Everybody) -> None:
    said = {role: everybody.clients[role].get("/readyz").get_json() for role in ROLES}
    lanes = {str(lane) for lane in load_declarations(PROJECT).lanes()}
    assert set(said["root"]["lanes"]) == lanes
    assert {role: list(said[role]["lanes"]) for role in ("nobody", "none", "north")} == {
        "nobody": [], "none": [], "north": ["orders.0"],
    }
    assert said["nobody"]["checks"]["worker"] == f"no worker leads {len(lanes)} lanes"
    assert said["north"]["checks"]["worker"] == (
        f"lane orders.0: no worker leads it; no worker leads {len(lanes) - 1} lanes"
    )
