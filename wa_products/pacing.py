"""How fast a number may send: the generic cell rate algorithm, with time as an argument."""

from __future__ import annotations

RATE = 80.0
BURST = 4
LEVELS = {"STANDARD": RATE, "HIGH": 1000.0}  # as the account calls them
PAIR = 6.0  # seconds between two messages to one customer


def reserve(due: float, now: float, rate: float = RATE, burst: int = BURST) -> tuple[float, float]:
    """
    Take the next place in the stream of one number; return the new `due` and the seconds to wait before sending.

    `due` is what the last call returned (0 at first), `now` any clock in seconds, `rate` messages a second. Up to
    `burst` messages may follow each other at once after a silence, which makes up for a late wake-up.

    >>> due, wait = reserve(0, now=100, rate=10, burst=1)
    >>> reserve(due, now=100, rate=10, burst=1)[1].__round__(3)
    0.1
    """
    slack = (burst - 1) / rate
    return max(due, now) + 1 / rate, max(0.0, due - slack - now)
