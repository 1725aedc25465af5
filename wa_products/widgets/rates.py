"""How many a second, over the last seconds."""

from __future__ import annotations

from collections import deque

SPAN = 10.0


class Rate:
    """The rate of a count that grows; `shown_at` is when it was last shown."""

    def __init__(self) -> None:
        self.shown_at = float("-inf")
        self._seen: deque[tuple[float, int]] = deque()

    def count(self, done: int, at: float) -> None:
        """Take in that `done` were done at `at`, in seconds of a clock that only grows."""
        self._seen.append((at, done))
        while len(self._seen) > 1 and at - self._seen[0][0] > SPAN:
            self._seen.popleft()

    @property
    def value(self) -> float:
        """The rate a second, 0 while it is not known."""
        if not self._seen:
            return 0.0
        (begun, first), (at, done) = self._seen[0], self._seen[-1]
        return (done - first) / (at - begun) if at > begun else 0.0
