"""Quote: every line follows from a rate and a count, and each sum from its lines."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from services.contract.document import Contract
from services.contract.markdown import NO_ADVICE
from services.contract.prices import Prices
from services.contract.quote import Counted, Line, NoPrices, Quote, load_steps, make_quote, steps_of
from services.contract.quote_text import as_json, as_markdown, as_text
from services.contract.scope import Envelope
from tests.contract.test_scope import demo
from tests.contract.written import shop

COUNTED = Counted(feeds=4, channels=20, pages=5, roles=3)


def _priced(contract: Contract | None = None, **changes: Any) -> Quote:
    contract = contract or demo()
    prices = contract.scope.prices
    assert prices is not None
    return make_quote(replace(contract, scope=replace(contract.scope, prices=replace(prices, **changes))), COUNTED)


def _line(quote: Quote, part: str, what: str = "") -> Line:
    (found,) = [one for one in quote.lines if one.part == part and what in one.what and one.every != "hour"]
    return found


def _prices() -> Prices:
    prices = demo().scope.prices
    assert prices is not None
    return prices


def test_discovery_and_build_are_days_at_the_day_rate() -> None:
    quote = _priced()
    assert _line(quote, "discovery").amount == 2 * 800
    assert _line(quote, "build", "feeds").amount == 4 * 1.5 * 800
    assert _line(quote, "build", "channels").rule == "20 × 0.25 days: 5 days at 800 EUR"
    assert _line(quote, "build", "roles").days == 0.75


def test_the_risk_premium_has_a_line_for_each_of_its_parts() -> None:
    quote = _priced()
    for part in ("instrumentation", "load tests", "alerting", "reporting", "on-call"):
        assert _line(quote, part).rule
    assert _line(quote, "reporting").amount == 2 * 0.5 * 800
    assert _line(quote, "alerting").amount == round((11 + 1) * 0.1 * 800)
    assert _line(quote, "on-call").amount == 0


def test_on_call_costs_a_share_of_the_support_time_where_monitoring_is_proactive() -> None:
    contract = demo()
    watched = replace(contract, support=replace(contract.support, monitoring="proactive"))
    assert _line(_priced(watched), "on-call").amount == round(39 * 52 / 12 / 8 * 800 * 0.10)


def test_an_objective_at_the_reference_has_no_step_and_half_of_what_may_be_bad_is_one() -> None:
    sent = demo().objective("gateway-latency")
    assert sent is not None
    assert steps_of(sent) == pytest.approx(0)
    assert steps_of(replace(sent, share=0.975)) == pytest.approx(1)
    assert steps_of(replace(sent, share=0.975, limit=1.0)) == pytest.approx(2)
    assert steps_of(replace(sent, share=0.5)) == 0


def test_the_envelope_is_priced_by_its_furthest_figure() -> None:
    assert load_steps(Envelope(100, 100, 5_000)) == 0
    assert load_steps(Envelope(50, 800, 10)) == pytest.approx(3)
    assert load_steps(None) == 0


def test_dependence_multiplies_risk_and_support_but_not_what_is_built() -> None:
    none, revenue = _priced(dependence="none"), _priced(dependence="revenue")
    risk = sum(_line(none, part).amount for part in ("instrumentation", "load tests", "alerting", "reporting"))
    assert revenue.total("once") - none.total("once") == round(0.5 * risk)
    assert revenue.total("month") - none.total("month") == 300
    assert _line(none, "build", "feeds") == _line(revenue, "build", "feeds")


def test_support_is_a_retainer_with_bands_beside_it_or_hours_alone() -> None:
    retained = _priced()
    assert _line(retained, "support").amount == 600
    bands = {one.what: one.amount for one in retained.lines if one.every == "hour"}
    assert bands["critical, at another time"] == 300
    hourly = _priced(support=replace(_prices().support, model="hourly"))
    assert not [one for one in hourly.lines if one.what == "retainer"]
    assert len([one for one in hourly.lines if one.every == "hour"]) == 4


def test_a_stricter_target_says_what_it_costs_more() -> None:
    quote = _priced()
    share, limit = [one for one in quote.stricter if one.objective == "gateway-latency"]
    assert (share.now, share.stricter) == ("95 %", "97.5 %")
    assert (limit.now, limit.stricter) == ("2.0 s", "1.0 s")
    assert abs(share.more - round(0.25 * 0.25 * 800 * 1.25)) <= 1  # each line is rounded
    assert {one.objective for one in quote.stricter} == {one.name for one in demo().objectives}


def test_sums_are_those_of_the_printed_lines_in_every_form() -> None:
    quote = _priced()
    data = json.loads(json.dumps(as_json(quote)))
    assert data["total"]["once"] == sum(one["amount"] for one in data["lines"] if one["every"] == "once")
    for text in (as_text(quote), as_markdown(quote)):
        assert NO_ADVICE in text
        assert f"{quote.total('once'):,} EUR once" in text
        for line in quote.lines:
            assert line.rule in text
            assert f"{line.amount:,} EUR" in text


def test_a_contract_without_prices_says_which_table_it_needs() -> None:
    with pytest.raises(NoPrices, match=r"contract\.toml: price: missing: give the table \[price\]"):
        make_quote(shop(), COUNTED)
