"""What a run learns that concerns more than one message: when to stop it, which products to leave out."""

from __future__ import annotations

from collections import Counter, deque
from itertools import islice
from typing import TYPE_CHECKING

from wa_products import codes

if TYPE_CHECKING:
    from wa_products.ledger.sending import Row

# So many failures among so many messages: a fault that hits all of them is seen before it has used up an audience.
TOO_MANY = {10: 10, 40: 21}


class Breaker:
    """
    Stops a campaign when going on would only burn its audience.

    `stopped` says why in words, ``""`` while it goes on; `failing` that it was for the number of failures.
    `unclassified` counts the codes that this package does not know, by code.
    """

    def __init__(self) -> None:
        self.stopped, self.failing = "", False
        self.unclassified: Counter[int] = Counter()
        self._recent: deque[bool] = deque(maxlen=max(TOO_MANY))
        self._gone: dict[str, str] = {}

    def ended(self, *, failed: bool) -> None:
        """Count a message that will not be tried again in this run; stop where too many of the last ones failed."""
        self._recent.appendleft(failed)
        for last, most in TOO_MANY.items():
            if len(self._recent) >= last and (failures := sum(islice(self._recent, last))) >= most:
                self.stop(f"{failures} of the last {last} messages failed")
                self.failing = True

    def refused(self, row: Row, rule: codes.Rule, code: int) -> None:
        """Take in what a final refusal says about more than its customer."""
        if rule is codes.UNCLASSIFIED:
            self.unclassified[code] += 1
        if rule.product:
            self._gone[row["product_retailer_id"]] = rule.meaning
        if rule.action == "stop":
            self.stop(f"{rule.meaning} (code {code})" if code else rule.meaning)

    def stop(self, why: str) -> None:
        """Stop the campaign; the first reason stands."""
        self.stopped = self.stopped or why

    def product_fault(self, row: Row) -> str:
        """Return why the product of a row cannot be shown to anybody, as this run was told; else ``""``."""
        return self._gone.get(row["product_retailer_id"], "")
