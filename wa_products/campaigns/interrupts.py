"""Ctrl-C, and the stop button of a notebook, held back while a step is being done: no answer is lost by it."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator


class Interrupts:
    """
    Holds an interrupt back from the block it is the context of, until `check` or `resting` lets it through.

    A second one goes through at once. Only in the main thread, and only in place of Python's own handler: whoever
    brought another one keeps it.
    """

    def __init__(self) -> None:
        self._asked = self._idle = False
        self._ours = False

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        self._ours = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._ours:
            signal.signal(signal.SIGINT, self._heard)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt where one was held back."""
        if self._asked:
            raise KeyboardInterrupt

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Let interrupts through while nothing is being done."""
        self._idle = True  # before the check: an interrupt between the two would wait for the rest to end
        try:
            self.check()
            yield
        finally:
            self._idle = False

    def _heard(self, number: int, frame: Any) -> None:  # noqa: ANN401  # a handler's own arguments
        if self._asked or self._idle:
            signal.default_int_handler(number, frame)
        self._asked = True
