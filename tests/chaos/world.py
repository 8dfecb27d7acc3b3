"""World: the event loop, in a thread of its own, in which links and viewers of the chaos tests live."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Self, TypeVar

T = TypeVar("T")


class World:
    """Runs coroutines from any thread until it is closed."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._kept: set[asyncio.Future[Any]] = set()
        self._thread = threading.Thread(target=self.loop.run_forever, name="world", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def spawn(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin the work; its outcome is in the future."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def do(self, work: Coroutine[Any, Any, T], timeout_s: float = 10.0) -> T:
        """Do the work and return what it returns."""
        return self.spawn(work).result(timeout_s)

    def call(self, act: Callable[[], T]) -> T:
        """Run a plain call in the loop's thread and return its answer."""

        async def acting() -> T:
            return act()

        return self.do(acting())

    def keep(self, task: asyncio.Future[Any]) -> None:
        """Hold a task until it is done; the loop itself holds it only weakly."""
        self._kept.add(task)
        task.add_done_callback(self._kept.discard)

    def close(self) -> None:
        """Cancel what still runs, and end the thread."""
        if self.loop.is_closed():
            return
        self.do(self._cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    async def _cancel_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.loop.shutdown_asyncgens()
