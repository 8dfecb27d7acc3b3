"""What was sent and what stood on the screen when become waits."""

from app.loading import Project, load_declarations, load_pages
from bench.browser.producer import Sent
from bench.browser.seen import quantile, waits_ms


def test_an_event_waits_until_it_or_a_newer_one_of_its_meter_is_shown() -> None:
    sent = [Sent(1, "m000", 1000.0), Sent(2, "m000", 1010.0), Sent(3, "m025", 1020.0)]
    seen = [["tile", "m000", 2, 1030.0], ["tile", "m000", 2, 1900.0], ["tile", "m025", 3, 1050.0]]

    assert waits_ms(sent, seen, "tile") == ([30.0, 20.0, 30.0], 0)


def test_an_event_of_a_meter_that_is_on_the_screen_and_never_shown_is_missing() -> None:
    sent = [Sent(1, "m000", 1000.0), Sent(2, "m000", 1010.0), Sent(3, "m499", 1020.0)]

    assert waits_ms(sent, [["row", "m000", 1, 1030.0]], "row") == ([30.0], 1)


def test_an_older_value_that_is_painted_again_shows_nothing_new() -> None:
    seen = [["tile", "m000", 2, 1030.0], ["tile", "m000", 1, 1040.0], ["tile", "m000", 3, 1050.0]]

    assert waits_ms([Sent(3, "m000", 1000.0)], seen, "tile") == ([50.0], 0)


def test_a_point_of_a_line_is_shown_by_the_newest_time_that_the_line_has() -> None:
    assert waits_ms([Sent(1, "m001", 1000.7)], [["line", "m001", 1000, 1200.0]], "line") == ([1200.0 - 1000.7], 0)


def test_a_quantile_is_one_of_the_values() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([3.0, 1.0, 2.0], 0.95) == 3.0


def test_the_pages_of_the_bench_project_show_what_its_feeds_declare() -> None:
    import bench.project.feeds
    import bench.project.pages

    project = Project(bench.project.feeds, bench.project.pages)
    plant, stock = load_pages(load_declarations(project), project)

    assert [block.kind for block in plant.blocks].count("tile") == 20
    assert {ref.name for ref in plant.refs} == {"plant.gauges", "plant.flows", "plant.heats", "plant.readings"}
    assert {ref.name for ref in stock.refs} == {"stock.levels"}
