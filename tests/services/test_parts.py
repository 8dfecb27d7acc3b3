"""Parts: each job of the contract is done by one worker at its own pace, and goes to another when that one is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from services.broker import Broker
from services.parts import Part, PartRunner
from tests.waiting import wait_until


@contextmanager
def working(broker: Broker, worker: str, *parts: Part) -> Iterator[None]:
    """A runner of its own thread, stopped at the end of the block."""
    stop = threading.Event()
    thread = threading.Thread(target=PartRunner(broker, parts, worker=worker).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def broker(broker_url: str) -> Iterator[Broker]:
    made = Broker(broker_url)
    yield made
    made.close()


def note(done: list[str], worker: str) -> Callable[[], None]:
    return lambda: done.append(worker)


def test_a_part_is_done_by_one_worker_and_goes_to_another_when_that_one_leaves(broker: Broker) -> None:
    done: list[str] = []
    with working(broker, "second", Part("report", 0.05, note(done, "second"))):
        wait_until(lambda: "second" in done, what="the first worker's work")
        with working(broker, "third", Part("report", 0.05, note(done, "third"))):
            count = len(done)
            wait_until(lambda: len(done) > count + 3, what="more of the first worker's work")
            assert "third" not in done
    done.clear()
    with working(broker, "third", Part("report", 0.05, note(done, "third"))):
        wait_until(lambda: done, what="the other worker's work")


def test_a_part_that_runs_everywhere_needs_no_lease(broker: Broker) -> None:
    done: list[str] = []
    parts = [Part("look", 0.05, note(done, worker), everywhere=True) for worker in ("one", "two")]
    with working(broker, "one", parts[0]), working(broker, "two", parts[1]):
        wait_until(lambda: {*done} == {"one", "two"}, what="both workers' work")


def test_a_part_that_fails_is_tried_again_and_the_others_go_on(broker: Broker) -> None:
    tried: list[str] = []

    def fail() -> None:
        tried.append("tried")
        raise RuntimeError("no luck")

    done: list[str] = []
    with working(broker, "one", Part("unlucky", 0.05, fail), Part("report", 0.05, note(done, "one"))):
        wait_until(lambda: len(tried) > 2 and len(done) > 2, what="several tries and steps")


def test_two_parts_of_one_name_are_refused(broker: Broker) -> None:
    with pytest.raises(ValueError, match="a name of its own"):
        PartRunner(broker, [Part("report", 1, list), Part("report", 1, list)], worker="one")
