"""The one who writes: bodies that come while a commit is under way are all of the next one."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wa_products.ledger import Ledger

WAITING, WAITING_BYTES = 4000, 64_000_000  # bodies in memory that nobody was told are stored
TOGETHER = 500  # bodies in one commit: more would let the first wait long


class Full(Exception):
    """As much waits to be written as may."""


class _Waiting(NamedTuple):
    body: bytes
    done: asyncio.Future[None]


class Writer:
    """
    A thread that stores bodies in `ledger`, many in one commit. It begins with the first body and ends with `close`.

    `fault` is why the last commit failed, ``""`` where it did not.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._waiting = self._bytes = 0
        self._thread: threading.Thread | None = None
        self.fault = ""

    @property
    def works(self) -> bool:
        """Whether the last commit went well, or none was needed yet."""
        return not self.fault

    async def store(self, body: bytes) -> None:
        """Return once `body` is committed. Raises Full where too much waits, and whatever the ledger raises."""
        if self._waiting >= WAITING or self._bytes + len(body) > WAITING_BYTES:
            raise Full
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="writer of webhooks", daemon=True)
            self._thread.start()
        done = asyncio.get_running_loop().create_future()
        self._waiting += 1
        self._bytes += len(body)
        self._queue.put(_Waiting(body, done))
        try:
            await asyncio.shield(done)  # who asked may go away; the body is written all the same
        finally:
            self._waiting -= 1
            self._bytes -= len(body)

    def close(self) -> None:
        """Write what still waits, and end."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, goes_on = [first], True
            while goes_on and len(batch) < TOGETHER and not self._queue.empty():
                following = self._queue.get()
                goes_on = following is not None
                if following is not None:
                    batch.append(following)
            self._write(batch)
            if not goes_on:
                return

    def _write(self, batch: Sequence[_Waiting]) -> None:
        error: Exception | None = None
        try:
            self._ledger.store([each.body for each in batch])
        except Exception as caught:  # noqa: BLE001  # told to everyone who waits; the next batch is tried again
            error = caught
        self.fault = type(error).__name__ if error else ""
        batch[0].done.get_loop().call_soon_threadsafe(_tell, batch, error)


def _tell(batch: Sequence[_Waiting], error: Exception | None) -> None:
    for each in batch:
        if not each.done.done():
            each.done.set_exception(error) if error else each.done.set_result(None)
