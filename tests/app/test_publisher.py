"""Publisher: a minute's sheet waits for a broker that is away; the process's clock is compared with the broker's."""

from __future__ import annotations

from app.publisher import Publisher
from services.broker import Broker
from services.clocks import BrokerClock
from services.embedded import EmbeddedBroker
from services.sheets import MINUTE_MS, Sheet
from services.telemetry import Telemetry
from tests.waiting import wait_until


def test_sheets_of_the_time_in_which_the_broker_was_away_come_when_it_is_back(own_broker: EmbeddedBroker) -> None:
    now = [1_790_000_000_000]
    broker, telemetry = Broker(own_broker.url), Telemetry("web-1", "web", lambda: now[0])
    own_broker.kill()
    publisher = Publisher(broker, telemetry)
    publisher.start()
    for minute in range(3):
        telemetry.note("ingested_to_sent", 0.1, minute + 1, "a.b")
        now[0] += MINUTE_MS
    own_broker.start()
    found = wait_until(lambda: [Sheet.decoded(body) for _, body in broker.read_sheets(10)], what="sheets")
    assert [sum(line.own.count for line in sheet.lines.values()) for sheet in found] == [1, 2, 3]
    publisher.stop()
    broker.close()


def test_a_process_that_stops_hands_over_the_minute_that_is_not_over(broker_url: str) -> None:
    broker, telemetry = Broker(broker_url), Telemetry("web-1", "web")
    publisher = Publisher(broker, telemetry)
    publisher.start()
    telemetry.note("ingested_to_sent", 0.1, 7, "a.b")
    publisher.stop()
    (sheet,) = [Sheet.decoded(body) for _, body in broker.read_sheets(10)]
    assert [line.own.count for line in sheet.lines.values()] == [7]
    broker.close()


def test_the_broker_is_asked_for_its_time_and_the_error_is_known(broker_url: str) -> None:
    broker, clock = Broker(broker_url), BrokerClock()
    publisher = Publisher(broker, Telemetry("web-1", "web", clock), clock)
    publisher.start()
    error_ms = wait_until(lambda: clock.error_ms, what="an answer")
    assert 0 < error_ms < 5_000
    assert clock.offset_ms == 0  # one machine has one clock
    publisher.stop()
    broker.close()
