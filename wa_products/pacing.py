"""How fast a number may send: evenly, never above its rate in any second, with time as an argument."""

from __future__ import annotations

from collections import deque

RATE = 80.0
LEVELS = {"STANDARD": RATE, "HIGH": 1000.0}  # as the account calls them
PAIR = 6.0  # seconds between two messages to one customer
# What is sent within a second arrives within less when the line delays the first of it: the rest is room for that.
STRETCH = 1.02
FULL = 1.005  # of a second, in which no more than the rate may go; the stretch above it is what delays are made up from
CATCH_UP, BACKLOG = 0.8, 0.5  # of the usual gap, after a delay; seconds of delay that are made up for


class Pace:
    """
    The stream of messages of one number.

    Usually the gaps between them are all alike. After a delay they are a fifth shorter until it is made up for, but
    no second ever holds more than the rate: a plain rate limiter would let everything that was held up go at once.
    Any clock in seconds serves; one that was put back is begun with anew.

    >>> pace = Pace()
    >>> pace.sent(100.0, rate=10)
    >>> round(pace.wait(100.0, rate=10), 3)
    0.102
    """

    def __init__(self) -> None:
        self._sent: deque[float] = deque()
        self._due = 0.0

    def wait(self, now: float, rate: float) -> float:
        """Return the seconds to wait before the next message, at `rate` messages a second."""
        if self._sent and self._sent[-1] > now:
            self._sent.clear()
        most = max(1, int(rate))
        while len(self._sent) > most:
            self._sent.popleft()
        if not self._sent:
            return 0.0
        full = self._sent[0] + most * FULL / rate if len(self._sent) == most else now
        spaced = self._sent[-1] + CATCH_UP * STRETCH / rate
        return max(0.0, max(self._due, full, spaced) - now)

    def sent(self, at: float, rate: float) -> None:
        """Take note of a message that goes at `at`."""
        self._due = (max(self._due, at - BACKLOG) if self._sent else at) + STRETCH / rate
        self._sent.append(at)
