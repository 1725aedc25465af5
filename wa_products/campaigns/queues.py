"""In which order a campaign is sent, how fast, and who is reached too late by that."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from wa_products.ledger.schema import micros
from wa_products.ledger.sending import MARGIN
from wa_products.pacing import STRETCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from wa_products.ledger.sending import Row

HOUR, SECOND = 3_600_000_000, 1_000_000
LEAST_SHARE = 0.5


def in_order(rows: Iterable[Row]) -> list[Row]:
    """
    Return the rows by the hour in which their window closes, soonest first; within it answers first, then by worth.

    What a message is worth is its probability times the price; where prices are in several currencies, or none is
    known, the probability alone.
    """
    found = list(rows)
    prices = [float(row["price"]) for row in found if row["price"] is not None]
    usual = median(prices) if prices and len({row["currency"] for row in found}) == 1 else None

    def key(row: Row) -> tuple[Any, ...]:
        price = 1.0 if usual is None else usual if row["price"] is None else float(row["price"])
        worth = (row["probability"] or 0.0) * price
        return (row["closes_at"] // HOUR, row["kind"] != "request", -worth, row["closes_at"], row["customer_id"])

    return sorted(found, key=key)


def late(rows: Sequence[Row], now: pd.Timestamp, rate: float) -> frozenset[str]:
    """Return the customers of `rows`, sent in this order from `now` at `rate` a second, whose window closes before."""
    at, step, missed = float(micros(now)), SECOND * STRETCH / rate, set()
    for row in rows:
        if row["closes_at"] - MARGIN <= at:
            missed.add(row["customer_id"])
        else:
            at += step
    return frozenset(missed)


def pace(limit: float, inbound: float) -> float:
    """
    Return how many messages a second to send of the `limit` of the number, which counts both ways.

    That is what is coming in less, but at least half of it.

    >>> pace(80, 3.5)
    76.5
    """
    return max(limit * LEAST_SHARE, limit - inbound)
