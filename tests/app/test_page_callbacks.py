"""A page's own callbacks: they run for who may see the page, on the channels as his screen has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.factory import create_app
from app.loading import Project, in_development, load_declarations, load_pages
from app.settings import Settings
from services.archive.archiver import Archiver
from services.database import Database
from services.ingestion import Ingestion
from services.processor import Processor
from services.telemetry import Telemetry
from tests.app.signing import asking, migrated, signed_in

FEED = '''"""Prices."""

from headwater import Feed, Freshness, Http, Latest, Log, Number, Text


class Prices(Feed, name="prices", key="item", source=Http(), freshness=Freshness(1, 5, 20)):
    """Prices of things."""

    item = Text()
    price = Number()


class Newest(Latest, feed=Prices):
    """The newest of each."""


class Secret(Log, feed=Prices):
    """All of them."""
'''
PAGE = '''"""Prices."""

from dash import Input, Output, State, dcc, html
from headwater import callback, log, page, table

from ..feeds.prices import Newest, Prices, Secret

PRICES = page(
    "Prices", "/prices",
    table(Newest, columns=[Prices.item, Prices.price]),
    html.Div([dcc.Input(id="floor", type="number", value=0), html.P(id="dear"), html.P(id="all")]),
)
SECRET = page("Secret", "/secret", log(Secret), html.Div([html.Button("Count", id="count"), html.P(id="counted")]))


@callback(Output("dear", "children"), Input("floor", "value"), shown=Newest)
def dear(floor, newest):
    return f"{newest.attrs['position']['seq']}: {', '.join(newest[newest.price >= floor].item)}"


@callback(Output("all", "children"), Input("floor", "value"), State("dear", "children"), shown=[Newest, Secret])
def everything(floor, said, newest, secret):
    return f"{len(newest)} of {len(secret)}"


@callback(Output("counted", "children"), Input("count", "n_clicks"), shown=Secret, prevent_initial_call=True)
def count(clicks, secret):
    return len(secret)
'''
ROLES = '[roles.desk]\nchannels = ["prices.newest"]\nactions = ["view"]\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for path, text in {"feeds/prices.py": FEED, "pages/prices.py": PAGE, "roles.toml": ROLES}.items():
        file = tmp_path / "team" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Project.at(tmp_path / "team")


class Playing:
    """A web over a broker that a processor and an archiver of the test's own keep up to date, as they are told to."""

    def __init__(self, settings: Settings, project: Project) -> None:
        self.web = create_app(settings, project)
        declarations, telemetry = load_declarations(project), Telemetry("test", "worker")
        self.database = Database(settings.database_address)
        self.prices = declarations.feeds["prices"]
        self.ingestion = Ingestion(self.web.broker, declarations, telemetry)
        self.processor = Processor(self.web.broker, declarations, telemetry, worker="w")
        self.archiver = Archiver(self.web.broker, self.database, declarations, telemetry, worker="w")

    def post(self, item: str, price: float) -> None:
        self.ingestion.accept(self.prices, [{"item": item, "price": price}])
        self.processor.drain()

    def close(self) -> None:
        self.database.close()
        self.web.stop()


@pytest.fixture
def playing(project: Project, broker_url: str, tmp_path: Path) -> Iterator[Playing]:
    settings = asking(broker_url, tmp_path / "data")
    migrated(settings, ada="admin", desk="desk", nobody="")
    made = Playing(settings, project)
    for number, (item, price) in enumerate([("pear", 1.0), ("melon", 9.0), ("fig", 5.0)]):
        made.post(item, price)
        if number == 1:
            made.archiver.drain()
    yield made
    made.close()


def asked(client: FlaskClient, output: str, inputs: list[Any], state: list[Any] = (), **more: Any) -> Any:  # type: ignore[assignment]
    """What a browser sends for a callback, and more."""
    name, prop = output.split(".")
    body = {
        "output": output, "outputs": {"id": name, "property": prop}, "inputs": inputs, "state": list(state),
        "changedPropIds": [f"{one['id']}.{one['property']}" for one in inputs], **more,
    }
    return client.post("/_dash-update-component", json=body, base_url="http://localhost")


def floor(value: Any = 0) -> list[Any]:
    return [{"id": "floor", "property": "value", "value": value}]


def said(answer: Any, output: str = "dear.children") -> str:
    assert answer.status_code == 200, answer.text
    name, prop = output.split(".")
    text: str = answer.get_json()["response"][name][prop]
    return text


def position(client: FlaskClient, channel: str = "prices.newest") -> dict[str, Any]:
    frame = client.get(f"/api/channels/{channel}/snapshot", base_url="http://localhost").get_json()
    return {"epoch": frame["epoch"], "seq": frame["seq"]}


def test_a_callback_is_given_the_channel_as_it_is_on_the_screen(playing: Playing) -> None:
    client = signed_in(playing.web, "ada")
    now = position(client)
    assert now["seq"] == 3
    assert said(asked(client, "dear.children", floor(4))) == "3: melon, fig"
    for seq, items in ((1, ""), (2, "melon"), (3, "melon, fig")):  # the third is not archived yet
        at = {"prices.newest": {**now, "seq": seq}}
        assert said(asked(client, "dear.children", floor(4), screen=at)) == f"{seq}: {items}"
    given = [{"id": "dear", "property": "children", "value": "x"}]
    assert said(asked(client, "all.children", floor(), given), "all.children") == "3 of 3"


def test_what_a_viewer_without_history_says_of_his_screen_opens_no_past(playing: Playing) -> None:
    client = signed_in(playing.web, "desk")
    now = position(client)
    assert said(asked(client, "dear.children", floor(4), screen={"prices.newest": {**now, "seq": 2}})) == "2: melon"
    lane = playing.prices.lane_of(None)
    playing.web.broker.drop_deltas(lane, "prices.newest", 3)  # as after two minutes
    for told in ({**now, "seq": 2}, {"at": 1}):
        assert said(asked(client, "dear.children", floor(4), screen={"prices.newest": told})) == "3: melon, fig"
    ada = signed_in(playing.web, "ada")
    assert said(asked(ada, "dear.children", floor(4), screen={"prices.newest": {**now, "seq": 2}})) == "2: melon"


def test_who_may_not_see_a_page_or_a_channel_of_a_callback_runs_nothing(playing: Playing) -> None:
    desk, nobody = signed_in(playing.web, "desk"), signed_in(playing.web, "nobody")
    given = [{"id": "dear", "property": "children", "value": "x"}]
    clicks = [{"id": "count", "property": "n_clicks", "value": 1}]
    for client, output, inputs, state in (
        (desk, "all.children", floor(), given), (desk, "counted.children", clicks, []),
        (nobody, "dear.children", floor(), []),
    ):
        answer = asked(client, output, inputs, state)
        assert (answer.status_code, answer.get_json()["error"]) == (404, "unknown_callback")
    stranger = playing.web.server.test_client()
    assert asked(stranger, "dear.children", floor()).status_code == 401


@pytest.mark.parametrize(
    "screen",
    [
        7, [], "all", {"prices.newest": 3}, {"prices.newest": {}}, {"prices.newest": {"epoch": 1, "seq": 1}},
        {"prices.newest": {"epoch": "a", "seq": -1}}, {"prices.newest": {"epoch": "a", "seq": 1.5}},
        {"prices.newest": {"epoch": "a" * 65, "seq": 1}}, {"prices.newest": {"epoch": "a", "seq": 1, "rows": {}}},
        {"prices.newest": {"at": True}}, {"prices.newest": {"at": 2**60}},
        {"prices.newest": {"epoch": "a", "seq": 1}, "other": {"rows": []}},
    ],
)
def test_what_no_page_tells_of_its_screen_is_refused(playing: Playing, screen: Any) -> None:
    answer = asked(signed_in(playing.web, "ada"), "dear.children", floor(), screen=screen)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_callback")


@pytest.mark.parametrize(("epoch", "seq"), [("of-nobody", 2), (None, 99), ("", 0)])
def test_a_position_that_never_was_gives_what_is_now(playing: Playing, epoch: str | None, seq: int) -> None:
    client = signed_in(playing.web, "ada")
    told = {"epoch": position(client)["epoch"] if epoch is None else epoch, "seq": seq}
    assert said(asked(client, "dear.children", floor(4), screen={"prices.newest": told})) == "3: melon, fig"


def test_a_browser_is_told_of_the_callbacks_of_its_readers_pages_alone(playing: Playing) -> None:
    def outputs(name: str) -> set[str]:
        client = signed_in(playing.web, name)
        return {one["output"] for one in client.get("/_dash-dependencies", base_url="http://localhost").get_json()}

    assert {"dear.children", "counted.children"} <= outputs("ada")
    assert "dear.children" in outputs("desk")
    assert "counted.children" not in outputs("desk")
    assert "dear.children" not in outputs("nobody")


WRONG = {
    "an output that is nowhere": ('Output("dear"', 'Output("daer"', "'daer': no component of this file's pages has"),
    "too few parameters": ("def dear(floor, newest)", "def dear(floor)", "it is given 2: floor.value, prices.newest"),
    "no input": ('Input("floor", "value"), shown=Newest', "shown=Newest", "give it an Output and an Input at least"),
    "something else": ('Output("dear", "children")', '"dear.children"', "give Output(...), Input(...) and State(...)"),
    "no channel": ("shown=Newest", "shown=[Prices]", "give a channel"),
    "an id that is taken": ('html.P(id="counted")', 'html.P(id="dear")', "has this id; give another"),
    "an id of the frame": (
        'html.P(id="counted")', 'html.P(id="counted"), html.P(id="live-socket")', "the frame has this id"),
    "an output twice": ('Output("all"', 'Output("dear"', "callback dear() writes to it already"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_callback_that_is_wrong_is_told_and_leaves_what_else_there_is(project: Project, case: str) -> None:
    before, after, told = WRONG[case]
    file = Path(project.pages.__path__[0]) / "prices.py"
    text = file.read_text().replace(before, after)
    if case == "an id that is taken":
        text = text.replace('Output("counted"', 'Output("count"')
    file.write_text(text)
    given = in_development(project)
    load_pages(load_declarations(given), given)
    assert given.faults is not None
    (fault,) = given.faults
    assert told in fault
    assert fault.startswith(f"{file}:"), fault
