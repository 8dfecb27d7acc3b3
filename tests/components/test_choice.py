"""A page's choice: its list, what each component follows it by, and the channels that are shown."""

from __future__ import annotations

import json

from components.page import Page
from headwater import page
from tests.components.drawn import every, live, props
from tests.project.pages.shops import SHOPS


def test_a_component_follows_by_parts_by_lines_by_rows_or_not_at_all() -> None:
    found = [(spec["channel"], spec["choice"]) for spec in live(SHOPS.layout())]
    assert found == [
        ("orders.total", {"field": "shop", "channel": "orders.total_by_shop", "trend": "orders.minutes_by_shop"}),
        ("orders.total", {"field": "shop", "channel": "orders.total_by_shop"}),
        ("orders.minute", {"field": "shop"}),
        ("orders.by_shop", {"field": "shop"}),
        ("orders.minutes", {"field": "shop", "channel": "orders.minutes_by_shop"}),
        ("orders.prices", {"field": "shop", "groups": True}),
        ("orders.dear", {"field": "shop", "rows": True}),
        ("orders.everything", {"field": "shop", "rows": True}),
    ]


def test_the_list_says_what_is_chosen_by_and_where_its_values_are() -> None:
    (chosen,) = [one for one in every(SHOPS.layout()) if "data-choose" in props(one)]
    assert json.loads(props(chosen)["data-choose"]) == {
        "field": "shop", "noun": "shop", "all": "All shops", "channel": "orders.total_by_shop"}


def test_a_chosen_value_is_shown_by_its_parts() -> None:
    assert [ref.name for ref in SHOPS.shown("north")] == [
        "orders.total_by_shop:north", "orders.minutes_by_shop:north", "orders.minute", "orders.by_shop",
        "orders.prices", "orders.dear", "orders.everything"]
    assert [ref.name for ref in SHOPS.shown()][:2] == ["orders.total", "orders.minutes"]


def test_a_page_without_a_choice_says_nothing_of_one() -> None:
    bare: Page = page("Bare", "/bare", *SHOPS.parts[1:2])
    assert not [one for one in every(bare.layout()) if "data-choose" in props(one)]
