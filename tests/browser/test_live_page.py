"""A live page in Chromium: what arrives is painted, kept, recovered, and said to be stale when it is."""

from __future__ import annotations

from itertools import pairwise

from selenium.webdriver.common.by import By

from tests.browser.conftest import Page
from tests.browser.scripted import KINDS, ScriptedGateway, now_ms
from tests.waiting import wait_until

DRAWN_TRACES = "return document.querySelectorAll('#chart .scatterlayer .trace:has(.js-line)').length"
BADGE = """[id*='"freshness"'][id*='"uid":"tile"']"""
BADGE_AGE = "#tile .freshness-text"
BADGE_DETAIL = "#tile .freshness-now"


def fill(gateway: ScriptedGateway) -> None:
    """One value for each component."""
    at = now_ms()
    gateway.delta("host.now", {"set": {"all": {"percent": 42.0}}})
    gateway.delta("host.cpu", {"points": {"percent:0": [[at - 2000, 10], [at - 1000, 20], [at, 30]]}})
    gateway.delta("host.board", {"set": {str(core): {"core": core, "percent": core * 1.5} for core in range(60)}})
    gateway.delta("host.alerts", {"entries": [{"id": "a", "created_at": at, "text": "first"}]})


def live_page(page: Page, gateway: ScriptedGateway) -> None:
    """The page with one component of each kind, brought up to date."""
    fill(gateway)
    page.open()
    page.agrees(gateway, *KINDS)


def live_tile(page: Page, gateway: ScriptedGateway) -> None:
    """The page with a tile alone, which loads faster."""
    fill(gateway)
    page.open("/tile")
    page.agrees(gateway, "host.now", "host.cpu")
    page.shows("#tile [data-value]", "42.0")


def test_a_page_subscribes_to_exactly_what_it_shows_and_paints_it(page: Page, gateway: ScriptedGateway) -> None:
    live_page(page, gateway)
    page.shows("#tile [data-value]", "42.0")
    page.shows("#tile [data-unit]", "%")
    page.shows("#tile [data-change]", "+20.0 points in 2.0 s")
    page.shows("#log li [data-field=text]", "first")
    wait_until(lambda: page.run("return document.querySelectorAll('.ag-row').length"), what="rows in the grid")
    wait_until(lambda: page.run(DRAWN_TRACES) == 1, what="a drawn trace")
    assert set(page.stats()["channels"]) == set(KINDS)
    assert set(gateway.messages("subscribe")[-1]["channels"]) == set(KINDS)
    assert page.errors() == []


def test_deltas_change_tile_level_chart_table_and_log(page: Page, gateway: ScriptedGateway) -> None:
    live_page(page, gateway)
    at = now_ms()
    gateway.delta("host.now", {"set": {"all": {"percent": 95.5}}})
    gateway.delta("host.cpu", {"points": {"percent:1": [[at - 500, 5], [at, None]]}})
    gateway.delta("host.board", {"set": {"7": {"percent": 99.9}}, "del": ["59"]})
    gateway.delta("host.alerts", {"entries": [{"id": "b", "created_at": at, "text": "<b>second</b>"}]})
    page.agrees(gateway, *KINDS)
    page.shows("#tile [data-value]", "95.5")
    wait_until(lambda: page.attribute("#tile", "data-level") == "bad", what="the level bad")
    wait_until(lambda: page.texts("#log li [data-field=text]") == ["<b>second</b>", "first"], what="newest on top")
    wait_until(lambda: page.text(".ag-row[row-id='7'] [col-id=percent]") == "99.9", what="the changed cell")
    named = "return document.querySelector('.js-plotly-plot').data.filter(({name}) => name).length"
    wait_until(lambda: page.run(named) == 2, what="a trace for the new series")
    assert page.errors() == []


def test_an_absent_value_is_a_dash_and_not_a_zero(page: Page, gateway: ScriptedGateway) -> None:
    page.open()
    page.shows("#tile [data-value]", "—")
    assert page.attribute("#tile", "data-empty") is not None
    gateway.delta("host.now", {"set": {"all": {"percent": 0}}})
    page.shows("#tile [data-value]", "0.0")
    assert page.attribute("#tile", "data-empty") is None


def test_a_lost_frame_is_recovered_by_position_without_a_snapshot(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    gateway.delta("host.now", {"set": {"all": {"percent": 1}}}, lost=True)
    gateway.delta("host.now", {"set": {"all": {"percent": 2}}})
    page.agrees(gateway, "host.now", "host.cpu")
    page.shows("#tile [data-value]", "2.0")
    assert gateway.messages("subscribe")[-1]["channels"]["host.now"] == {"epoch": "e1", "seq": 1}
    assert page.stats()["gaps"] == 1
    assert page.stats()["reconnects"] == 1


def test_a_lost_last_frame_is_noticed_by_the_heartbeat(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    gateway.delta("host.now", {"set": {"all": {"percent": 3}}}, lost=True)
    page.agrees(gateway, "host.now")
    assert page.stats()["gaps"] == 1


def test_a_killed_socket_resumes_from_its_position(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    gateway.cut()
    wait_until(lambda: gateway.connections == 2, what="a second connection")
    gateway.delta("host.now", {"set": {"all": {"percent": 4}}})
    page.agrees(gateway, "host.now", "host.cpu")
    assert all(gateway.messages("subscribe")[-1]["channels"].values())
    assert page.stats()["gaps"] == 0


def test_a_frame_sent_twice_counts_once(page: Page, gateway: ScriptedGateway) -> None:
    live_page(page, gateway)
    gateway.delta("host.alerts", {"entries": [{"id": "b", "created_at": now_ms(), "text": "twice"}]}, times=2)
    page.agrees(gateway, "host.alerts")
    wait_until(lambda: page.stats()["duplicates"] == 1, what="a counted duplicate")
    wait_until(lambda: page.texts("#log li [data-field=text]") == ["twice", "first"], what="one entry of the two")


def test_a_new_epoch_starts_anew_from_its_snapshot(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    with gateway.lock:
        known = gateway.channels["host.now"]
        known.epoch, known.seq, known.deltas = "e2", 0, []
        known.state.apply({"set": {"all": {"percent": 7}}})
        gateway.send(known.snapshot())
    page.agrees(gateway, "host.now")
    page.shows("#tile [data-value]", "7.0")


def test_the_socket_outlives_the_page_and_the_subscription_follows_it(page: Page, gateway: ScriptedGateway) -> None:
    live_page(page, gateway)
    for link, channels in (("to-tile", {"host.now", "host.cpu"}), ("to-prose", set()), ("to-everything", set(KINDS))):
        page.driver.find_element(By.ID, link).click()
        wait_until(lambda wanted=channels: gateway.subscribed == wanted, what=f"a subscription to {channels}")
    gateway.delta("host.now", {"set": {"all": {"percent": 11}}})
    page.shows("#tile [data-value]", "11.0")
    wait_until(lambda: page.run("return document.querySelectorAll('.ag-row').length"), what="rows in the new grid")
    page.agrees(gateway, *KINDS)
    assert gateway.connections == 1
    assert page.errors() == []


def test_a_cut_link_is_said_with_cause_and_since_and_the_last_values_stay(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    gateway.refused_with = 503
    gateway.session_status = 503
    gateway.cut()
    wait_until(lambda: page.attribute(BADGE, "data-state") == "offline", what="an offline badge")
    banner = wait_until(lambda: page.text("#live-banner-text"), what="a banner")
    assert banner.startswith("Offline since ")
    assert "restarting or refuses live connections" in banner
    assert page.attribute("#live-banner", "hidden") is None
    assert page.text("#tile [data-value]") == "42.0"
    assert page.attribute("#tile", "data-state") == "offline"
    gateway.refused_with, gateway.session_status = None, 200
    wait_until(lambda: page.attribute(BADGE, "data-state") == "live", what="a live badge again")
    wait_until(lambda: page.attribute("#live-banner", "hidden") is not None, what="no banner")


def test_a_signed_out_viewer_is_led_to_the_sign_in_and_does_not_try_again(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    gateway.refused_with, gateway.session_status = 401, 401
    gateway.cut()
    wait_until(lambda: page.run("return location.pathname") == "/sign-in", what="the sign-in")
    assert page.run("return new URLSearchParams(location.search).get('next')") == "/tile"


def test_a_socket_that_is_closed_for_good_is_not_retried(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    gateway.close(4403)
    link = wait_until(lambda: _settled(page.link()), what="an ended connection")
    assert (link["state"], link["cause"], link["opened"]) == ("ended", "forbidden", 1)


def _settled(link: dict[str, object]) -> dict[str, object] | None:
    return link if link["state"] != "open" else None


def test_a_silent_server_is_noticed_within_two_and_a_half_heartbeats(page: Page, gateway: ScriptedGateway) -> None:
    gateway.heartbeat_s = 0.5
    live_tile(page, gateway)
    gateway.is_silent = True
    wait_until(lambda: gateway.connections >= 2, timeout_s=5, what="a second connection")
    gateway.is_silent = False
    wait_until(lambda: page.attribute(BADGE, "data-state") == "live", what="a live badge again")


def test_a_stale_source_shows_in_badge_and_banner(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    gateway.told["host.now"] = {"state": "stale", "cause": "source_silent", "since": now_ms() - 40_000}
    gateway.beat()
    wait_until(lambda: page.attribute(BADGE, "data-state") == "stale", what="a stale badge")
    wait_until(lambda: "host: the source gives no sign of life" in page.text("#live-banner-text"), what="a banner")
    assert page.text(BADGE_AGE).startswith("stale ")
    assert "State stale since" in page.text(BADGE_DETAIL)
    assert page.text("#tile [data-value]") == "42.0"


def test_a_backlog_shows_how_late_and_how_many(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    gateway.delta("host.now", {"set": {"all": {"percent": 1}}}, created=now_ms() - 12_000)
    late = {"state": "late", "cause": "backlog", "since": now_ms(), "backlog": 3400}
    gateway.told.update(dict.fromkeys(("host.now",), late))
    gateway.channels["host.now"].created = now_ms() - 12_000
    gateway.beat()
    wait_until(lambda: "3,400 events behind" in page.text("#live-banner-text"), what="a banner with the backlog")


def test_an_unknown_channel_is_not_available_and_the_others_go_on(page: Page, gateway: ScriptedGateway) -> None:
    fill(gateway)
    del gateway.channels["host.now"]
    page.open()
    wait_until(lambda: page.text(BADGE_AGE) == "not available", what="a badge that says so")
    page.agrees(gateway, "host.cpu", "host.alerts")
    gateway.beat()
    assert page.stats()["gaps"] == 0


def test_a_hidden_tab_keeps_up_and_paints_on_return(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    with page.other_tab():
        for percent in range(200):
            gateway.delta("host.now", {"set": {"all": {"percent": percent}}})
    page.shows("#tile [data-value]", "199.0")
    page.agrees(gateway, "host.now")


def test_sort_scroll_and_selection_of_a_table_hold_while_rows_change_and_after_a_snapshot(
    page: Page, gateway: ScriptedGateway
) -> None:
    live_page(page, gateway)
    ready = "return dash_ag_grid.getApi({type: 'live-table', uid: 'table', channel: 'host.board'})"
    wait_until(lambda: page.run(f"{ready}.getDisplayedRowCount()") == 60, what="all rows in the grid")
    page.run(f"const api = (() => {{ {ready} }})(); api.getRowNode('5').setSelected(true);"
             "api.ensureIndexVisible(30, 'top')")
    scroll = "return document.querySelector('.ag-body-viewport').scrollTop"
    before = wait_until(lambda: page.run(scroll), what="a scrolled grid")
    gateway.delta("host.board", {"set": {"5": {"percent": 5.25}, "60": {"core": 60, "percent": 0.25}}})
    wait_until(lambda: page.run(f"{ready}.getDisplayedRowCount()") == 61, what="the new row")
    with gateway.lock:
        known = gateway.channels["host.board"]
        known.epoch, known.seq, known.deltas = "e2", 0, []
        known.state.apply({"del": ["60"], "set": {"6": {"core": 6, "percent": 0.5}}})
        gateway.send(known.snapshot())
    wait_until(lambda: page.run(f"{ready}.getDisplayedRowCount()") == 60, what="the snapshot's rows")
    rows = page.run(f"const shown = []; (() => {{ {ready} }})().forEachNodeAfterFilterAndSort((node) => "
                    "shown.push(node.data.percent)); return shown")
    assert all(a >= b for a, b in pairwise(rows))
    assert page.run(f"return (() => {{ {ready} }})().getSelectedNodes().map((node) => node.id)") == ["5"]
    assert abs(page.run(scroll) - before) < 60
    page.agrees(gateway, "host.board")


def test_zoom_holds_while_data_flows(page: Page, gateway: ScriptedGateway) -> None:
    live_page(page, gateway)
    length = "return document.querySelector('.js-plotly-plot')?.data?.[0]?.x.length"
    wait_until(lambda: page.run(length) == 3, what="a drawn series")
    page.run("return Plotly.relayout(document.querySelector('.js-plotly-plot'), {'yaxis.range': [12, 18]})")
    at = now_ms()
    gateway.delta("host.cpu", {"points": {"percent:0": [[at, 80]], "percent:1": [[at, 1]]}})
    wait_until(lambda: page.run(length) == 4, what="the new point")
    assert page.run("return document.querySelector('.js-plotly-plot')._fullLayout.yaxis.range") == [12, 18]


def test_a_zoom_draws_the_chart_once(page: Page, gateway: ScriptedGateway) -> None:
    """Dash's own graph would draw it as it was declared once more, and we after that."""
    live_page(page, gateway)
    length = "return document.querySelector('.js-plotly-plot')?.data?.[0]?.x.length"
    wait_until(lambda: page.run(length) == 3, what="a drawn series")
    page.run(
        "const plot = document.querySelector('.js-plotly-plot'); window.drawn = {react: 0, relayout: 0};"
        "for (const what of ['react', 'relayout']) {"
        "  const own = Plotly[what]; Plotly[what] = (...given) => { window.drawn[what] += 1; return own(...given); } }"
        "return Plotly.relayout(plot, {'xaxis.range': ['2001-01-01', '2001-01-02']})"
    )
    page.frames_asked_for_during(10)
    assert page.run("return window.drawn") == {"react": 0, "relayout": 1}
    assert page.run("return document.querySelector('.js-plotly-plot').data.length") > 0


def test_a_chart_follows_the_theme(page: Page, gateway: ScriptedGateway) -> None:
    live_page(page, gateway)
    colour = "return document.querySelector('.js-plotly-plot')?.data?.[0]?.line.color"
    before = wait_until(lambda: page.run(colour), what="a coloured trace")
    page.run("const root = document.documentElement.dataset; root.theme = root.theme === 'dark' ? 'light' : 'dark'")
    wait_until(lambda: page.run(colour) != before, what="another colour")


def test_the_loop_sleeps_while_nothing_changes(page: Page, gateway: ScriptedGateway) -> None:
    live_page(page, gateway)
    wait_until(lambda: page.run(DRAWN_TRACES), what="a chart")
    wait_until(lambda: page.frames_asked_for_during(10) == 0, what="no animation frame asked for")


def test_a_chart_that_nobody_sees_is_not_painted_and_does_not_keep_the_loop_awake(
    page: Page, gateway: ScriptedGateway
) -> None:
    live_page(page, gateway)
    length = "return document.querySelector('.js-plotly-plot')?.data?.[0]?.x.length"
    wait_until(lambda: page.run(length) == 3, what="a drawn series")
    page.run("document.getElementById('chart').style.display = 'none'")
    wait_until(lambda: page.frames_asked_for_during(10) == 0, what="no animation frame asked for")
    gateway.delta("host.cpu", {"points": {"percent:0": [[now_ms(), 80]]}})
    page.agrees(gateway, "host.cpu")
    wait_until(lambda: page.frames_asked_for_during(30) == 0, what="no animation frame asked for")
    assert page.run(length) == 3
    page.run("document.getElementById('chart').style.display = ''")
    wait_until(lambda: page.run(length) == 4, what="the chart catching up")


def test_a_teams_own_callback_reads_the_changed_channels_as_one_prop(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    wait_until(lambda: page.frames_asked_for_during(10) == 0, what="no animation frame asked for")
    page.run("window.teamSaw = []")
    for percent in range(5):
        gateway.delta("host.now", {"set": {"all": {"percent": percent}}})
    page.shows("#tile [data-value]", "4.0")
    wait_until(lambda: page.run("return teamSaw.at(-1)?.channels") == {"host.now": ["all"]}, what="the changed keys")
    assert len(page.run("return teamSaw")) <= 5
    assert page.run("return headwater.channel('host.now').rows") == {"all": {"percent": 4}}


def test_a_viewer_reports_its_latency_when_its_tab_is_left(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    wait_until(lambda: len(gateway.messages("ping")) > 5, what="a clock that is known")
    gateway.delta("host.now", {"set": {"all": {"percent": 1}}})
    page.shows("#tile [data-value]", "1.0")
    with page.other_tab():
        report = wait_until(lambda: gateway.messages("report"), what="a report")[0]
    assert report["received_ms"]["n"] >= 1
    assert 0 <= report["painted_ms"]["p95"] < 5_000
    assert report["visible"] is False


def test_a_page_that_stays_open_keeps_no_history_of_what_it_showed(page: Page, gateway: ScriptedGateway) -> None:
    live_tile(page, gateway)
    for percent in range(1, 21):
        gateway.delta("host.now", {"set": {"all": {"percent": percent}}})
        page.shows("#tile [data-value]", f"{percent:.1f}")
    kept = page.run("return window.dash_stores.map((store) => store.getState().history.past.length)")
    assert kept
    assert max(kept) <= 1
