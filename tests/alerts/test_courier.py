"""Deliveries: retried against real servers until they arrive, each attempt recorded, none made twice at once."""

from __future__ import annotations

import threading

import pytest

from services.alerts.courier import Courier
from services.alerts.message import Attachment, Message
from services.alerts.outbox import ATTEMPT_MS, FIRST_PAUSE_MS, GIVEN_UP_MS, Outbox
from services.alerts.sinks import SinkError
from services.contract.alerting import WebhookSink
from services.database import Database
from tests.alerts.keeping import NOW, Keeping
from tests.alerts.servers import hook_server, mail_server

MESSAGE = Message("subject", ("line",), {"Incident": "1"}, "critical")


@pytest.fixture
def kept(each_database: Database) -> Keeping:
    return Keeping(each_database)


def test_a_webhook_that_fails_twice_gets_the_message_once(kept: Keeping) -> None:
    with hook_server(fails=2) as server:
        courier = Courier(kept.outbox, [server.sink()], {"CHAT_URL": server.url}, kept.clock)
        kept.outbox.put(MESSAGE, ["chat"], kept.now)
        arrived = []
        for pause_ms in (0, FIRST_PAUSE_MS - 1, 1, 2 * FIRST_PAUSE_MS - 1, 1, 10**9):
            kept.now += pause_ms
            arrived.append(courier.step())
    assert arrived == [0, 0, 0, 0, 1, 0]
    assert [body["text"] for body in server.bodies] == ["subject"]
    assert len(set(server.references)) == 1
    (fate,) = kept.outbox.fates()
    assert (fate.attempts, fate.delivered_at, fate.error) == (3, NOW + 15_000, "")


def test_a_mail_server_that_fails_twice_gets_the_mail_once_with_its_attachment(kept: Keeping) -> None:
    report = Attachment("report.pdf", "application/pdf", b"%PDF-1.4")
    with mail_server(fails=2) as server:
        courier = Courier(kept.outbox, [server.sink()], {}, kept.clock)
        kept.outbox.put(Message("report", ("see inside",), attachments=(report,)), ["mail"], kept.now)
        for pause_ms in (0, FIRST_PAUSE_MS, 2 * FIRST_PAUSE_MS):
            kept.now += pause_ms
            courier.step()
    (letter,) = server.letters
    assert [part.get_content() for part in letter.iter_attachments()] == [b"%PDF-1.4"]
    assert kept.outbox.last_delivered("mail") == kept.now


def test_one_sink_that_fails_does_not_hold_up_another(kept: Keeping) -> None:
    with hook_server(fails=100) as broken, mail_server() as mail:
        courier = Courier(kept.outbox, [broken.sink(), mail.sink()], {"CHAT_URL": broken.url}, kept.clock)
        kept.outbox.put(MESSAGE, ["chat", "mail"], kept.now)
        assert courier.step() == 1
    assert len(mail.letters) == 1
    fates = {fate.sink: fate for fate in kept.outbox.fates()}
    assert fates["chat"].error.startswith("webhook 'chat': answered 503")
    assert fates["chat"].next_at == NOW + FIRST_PAUSE_MS


def test_a_sink_that_asks_for_patience_gets_it(kept: Keeping) -> None:
    with hook_server(fails=1, status=429, headers={"Retry-After": "120"}) as server:
        courier = Courier(kept.outbox, [server.sink()], {"CHAT_URL": server.url}, kept.clock)
        kept.outbox.put(MESSAGE, ["chat"], kept.now)
        courier.step()
    assert kept.outbox.fates()[0].next_at == NOW + 120_000


def test_a_message_that_did_not_arrive_in_a_day_is_given_up_and_kept_with_its_error(kept: Keeping) -> None:
    courier = Courier(kept.outbox, [WebhookSink("chat", "CHAT_URL", "minor", 1)], {}, kept.clock)
    kept.outbox.put(MESSAGE, ["chat"], kept.now)
    attempts = 0
    while (fate := kept.outbox.fates()[0]).next_at:
        kept.now, attempts = fate.next_at, attempts + 1
        courier.step()
    assert kept.now <= NOW + GIVEN_UP_MS
    assert (fate.attempts, fate.delivered_at) == (attempts, 0)
    assert fate.error == "sink 'chat': the variable CHAT_URL is not set; set it where worker and web run"


def test_a_process_that_died_while_it_sent_leaves_the_message_to_others(kept: Keeping) -> None:
    kept.outbox.put(MESSAGE, ["chat"], NOW)
    assert kept.outbox.take(NOW) is not None  # and dies
    assert kept.outbox.take(NOW + ATTEMPT_MS - 1) is None
    again = kept.outbox.take(NOW + ATTEMPT_MS)
    assert again is not None
    assert again.attempts == 2


def test_of_many_couriers_one_takes_a_message(kept: Keeping) -> None:
    kept.outbox.put(MESSAGE, ["chat"], NOW)
    taken: list[object] = []
    threads = [threading.Thread(target=lambda: taken.append(Outbox(kept.database).take(NOW))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in taken if one is not None]) == 1


def test_web_leaves_what_is_just_due_to_the_worker(kept: Keeping) -> None:
    kept.outbox.put(MESSAGE, ["chat"], NOW)
    assert kept.outbox.take(NOW + 9_999, patience_ms=10_000) is None
    assert kept.outbox.take(NOW + 10_000, patience_ms=10_000) is not None


def test_a_message_that_is_sent_at_once_is_recorded_whether_it_arrives_or_not(kept: Keeping) -> None:
    with hook_server(fails=1) as server:
        courier = Courier(kept.outbox, [server.sink()], {"CHAT_URL": server.url}, kept.clock)
        with pytest.raises(SinkError):
            courier.send_now(MESSAGE, "chat")
        courier.send_now(MESSAGE, "chat")
    assert [(fate.delivered_at, fate.next_at, bool(fate.error)) for fate in kept.outbox.fates()] == [
        (NOW, 0, False), (0, 0, True),
    ]  # fmt: skip
