"""
Faults on demand: what goes wrong with which of the messages that are handed in.

==============  =============================================================  =========
what            happens                                                        taken
==============  =============================================================  =========
lost            the connection closes without an answer                        yes
reset           the same, before the message was looked at                     no
slow            the answer comes after `seconds`                               yes
429             HTTP 429 without a code, with ``Retry-After`` where given      no
5xx             HTTP `status` without a code                                   no
bad json        HTTP 200 with something that is not JSON                       yes
code            the WhatsApp `code`: as a failed status where Meta tells it    no, yes
                so, else as a refusal                                          if later
==============  =============================================================  =========

`taken` may be set otherwise: a 5xx after the message was taken is what a sender should fear.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal, get_args

from wa_products.errors import DataError
from wa_products.sandbox.refusals import KNOWN, LATER

What = Literal["lost", "reset", "slow", "429", "5xx", "bad json", "code"]
_TAKEN = frozenset({"lost", "slow", "bad json"})


@dataclass(frozen=True, kw_only=True)
class Fault:
    """
    One rule. Of the messages to `customer_id` (``""``: to anybody) it spoils each `every`-th, `times` times at most.

    `times` None is without end. See the module for `what`, `code`, `status`, `seconds`, `retry_after` and `taken`.
    """

    what: What
    times: int | None = None
    every: int = 1
    customer_id: str = ""
    code: int = 0
    details: str = ""
    status: int = 503
    seconds: float = 30.0
    retry_after: float | None = None
    taken: bool | None = None

    def __post_init__(self) -> None:
        """Raise DataError for a rule that makes no sense."""
        if self.what not in get_args(What):
            raise DataError(f"there is no fault {self.what!r}: {', '.join(get_args(What))}")
        if self.what == "code" and self.code not in KNOWN:
            raise DataError(f"code {self.code} is not known here: {', '.join(map(str, sorted(KNOWN)))}")
        if not _is_count(self.every) or not (self.times is None or _is_count(self.times)):
            raise DataError("times and every are whole numbers from 1 on")
        if not 500 <= self.status <= 599:  # noqa: PLR2004  # server errors
            raise DataError(f"the status of a 5xx is 500 to 599, not {self.status}")
        if not 0 <= self.seconds < float("inf"):
            raise DataError(f"an answer is slow by 0 or more seconds, not by {self.seconds}")

    @property
    def is_taken(self) -> bool:
        """Whether the message is accepted nonetheless."""
        return self.what in _TAKEN if self.taken is None else self.taken

    @property
    def failure(self) -> tuple[int, str] | None:
        """The code and details of the failed status that it makes; None for all others."""
        return (self.code, self.details) if self.what == "code" and self.code in LATER else None


@dataclass
class _Rule:
    fault: Fault
    seen: int = 0
    done: int = 0
    lock: Lock = field(default_factory=Lock, repr=False)

    def fires(self, customer_id: str) -> bool:
        fault = self.fault
        if fault.customer_id not in {"", customer_id}:
            return False
        with self.lock:
            if fault.times is not None and self.done >= fault.times:
                return False
            self.seen += 1
            if self.seen % fault.every:
                return False
            self.done += 1
            return True


class Faults:
    """The rules that hold; the first that fits a message spoils it."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def add(self, what: What, **options: Any) -> Fault:  # noqa: ANN401  # the fields of Fault
        """Add a rule, for example ``add("lost", times=3)``; return it. Raises DataError for one that makes no sense."""
        try:
            fault = Fault(what=what, **options)
        except TypeError as error:
            raise DataError(f"a fault has no such options: {error}") from error
        self._rules.append(_Rule(fault))
        return fault

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._rules.clear()

    def draw(self, customer_id: str) -> Fault | None:
        """Return what goes wrong with the message to this customer that comes now."""
        return next((rule.fault for rule in self._rules if rule.fires(customer_id)), None)

    def told(self) -> list[dict[str, Any]]:
        """Return each rule with how many messages it `seen` and spoiled (`done`)."""
        return [{**vars(rule.fault), "seen": rule.seen, "done": rule.done} for rule in self._rules]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
