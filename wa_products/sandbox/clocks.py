"""The sandbox's clock: it stands still until it is moved, or ticks with a timer that is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND = 1_000_000


def micros(at: pd.Timestamp) -> int:
    """Return the microseconds from 1970 to `at`."""
    return int(at.as_unit("us").asm8.astype("int64"))


def moment(at: int) -> pd.Timestamp:
    """Return the UTC time that lies `at` microseconds after 1970."""
    return pd.Timestamp(at, unit="us", tz="UTC").as_unit("us")


class Clock:
    """
    A time that starts at `start` and moves by `move`, and by `tick` where given.

    `tick` returns seconds that only grow, as `time.monotonic` does.
    """

    def __init__(self, start: pd.Timestamp, tick: Callable[[], float] | None = None) -> None:
        self.start = micros(start)
        self._moved = 0
        self._tick = tick
        self._zero = tick() if tick else 0.0

    @property
    def ticks(self) -> bool:
        """Whether time passes by itself."""
        return self._tick is not None

    @property
    def now(self) -> int:
        """The present time in microseconds since 1970."""
        passed = self._tick() - self._zero if self._tick else 0.0
        return self.start + self._moved + int(passed * SECOND)

    def move(self, by: pd.Timedelta | str) -> None:
        """Move the time forward. Raises DataError for a step back or no step in time at all."""
        try:
            step = pd.Timedelta(by)
        except ValueError as error:
            raise DataError(f"the clock moves by a span of time such as '3D' or '2h', not by {by!r}") from error
        if not step >= pd.Timedelta(0):
            raise DataError(f"the clock moves forward only, not by {by!r}")
        self._moved += step // pd.Timedelta(microseconds=1)


class ClientClock:
    """
    The sandbox's clock as our client takes its time from it.

    A client that pauses moves the clock and loses no real time. What happens meanwhile is worked off with the
    sandbox's next step.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> pd.Timestamp:
        """Return the sandbox's time, UTC."""
        return moment(self._clock.now)

    def sleep(self, seconds: float) -> None:
        """Move the sandbox's time on by `seconds`."""
        self._clock.move(pd.Timedelta(seconds=seconds))


class Pace:
    """
    A limit of one act every `every` seconds for each key, with up to `burst` at once borrowed from later.

    The generic cell rate algorithm: it remembers one time a key.
    """

    def __init__(self, every: float, burst: int) -> None:
        self._every = int(every * SECOND)
        self._slack = (burst - 1) * self._every
        self._due: dict[str, int] = {}

    def allows(self, key: str, at: int) -> bool:
        """Return whether `key` may act at `at`, and count the act if so."""
        due = max(self._due.get(key, at), at)
        if due - at > self._slack:
            return False
        self._due[key] = due + self._every
        return True

    def charge(self, key: str, at: int) -> None:
        """Count an act of `key` that nobody can refuse."""
        self._due[key] = max(self._due.get(key, at), at) + self._every
