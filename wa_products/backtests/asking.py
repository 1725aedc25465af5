"""Whom a backtest asks about, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.attribution import span
from wa_products.backtests.books import Book
from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wa_products.datasets import Dataset


@dataclass(frozen=True, kw_only=True)
class Asked:
    """
    Which customers a recommender is asked about at a cutoff; by default everyone who had ordered or written.

    `purchase_days` is on how many different days they must have bought before, `within` how long ago the last of
    them may be (such as ``"60D"``), `open_window` whether they must have written in the 24 hours before, as those
    must to whom a message can be sent. Days are counted back from the cutoff.
    """

    purchase_days: int = 0
    within: str | pd.Timedelta | None = None
    open_window: bool = False

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        if self.purchase_days < 0:
            raise DataError(f"purchase_days must not be negative, got {self.purchase_days}")
        if self.within is not None:
            span(self.within)

    def of(self, past: Dataset) -> pd.Index:
        """Return the customers to ask about at ``past.as_of``, sorted."""
        asked = past.customers
        if self.purchase_days or self.within is not None:
            asked = asked[asked.isin(self._bought(past))]
        if self.open_window:
            threads = past.threads
            asked = asked[asked.isin(threads.loc[threads["is_open"] & ~threads["opted_out"], "customer_id"])]
        return asked

    def _bought(self, past: Dataset) -> pd.Index:
        book = Book.of(past)
        ago = book.days(past.as_of)
        visits = pd.DataFrame({"customer": book.customer, "ago": ago}).drop_duplicates()
        days = visits.groupby("customer")["ago"].agg(["size", "min"])
        enough = days["size"] >= self.purchase_days
        if self.within is not None:
            enough &= days["min"] * pd.Timedelta(days=1) <= span(self.within)
        return book.customers[days.index[enough]]


def resolved(data: Dataset, cutoffs: int | Sequence[pd.Timestamp | str], horizon: pd.Timedelta) -> list[pd.Timestamp]:
    """
    Return the cutoffs, earliest first. A number means the last so many whose horizons are over and do not overlap.

    Raises DataError for no cutoff, for one before the first order, or for one whose horizon ends after ``as_of``.
    """
    first = data.purchases["ordered_at"].min()
    if pd.isna(first):
        raise DataError("there are no purchases to look back on: a backtest needs an order history")
    if isinstance(cutoffs, int | np.integer):
        found = [data.as_of - horizon * n for n in range(int(cutoffs), 0, -1)]
    else:
        found = sorted({_utc(moment) for moment in cutoffs})
    if not found:
        raise DataError(f"a backtest needs at least one cutoff, got {cutoffs!r}")
    if found[-1] + horizon > data.as_of:
        raise DataError(
            f"the {_days(horizon)} after the cutoff {found[-1]:%Y-%m-%d %H:%M} UTC end after as_of, "
            f"{data.as_of:%Y-%m-%d %H:%M} UTC: what was bought then is not known yet"
        )
    if found[0] <= first:
        raise DataError(
            f"nothing was bought before the cutoff {found[0]:%Y-%m-%d %H:%M} UTC, the first purchase is of "
            f"{first:%Y-%m-%d}: take fewer or later cutoffs, or a shorter horizon than {_days(horizon)}"
        )
    return found


def earlier(data: Dataset, cutoff: pd.Timestamp, horizon: pd.Timedelta, number: int) -> list[pd.Timestamp]:
    """Return at most `number` cutoffs whose horizons end by `cutoff`, to tune on; fewer in a young shop."""
    first = data.purchases["ordered_at"].min()
    return [cutoff - horizon * n for n in range(number, 0, -1) if cutoff - horizon * n > first]


def _utc(moment: pd.Timestamp | str) -> pd.Timestamp:
    try:
        at = pd.Timestamp(moment)
    except (TypeError, ValueError) as error:
        raise DataError(f"{moment!r} is no time; write a cutoff as, for example, '2026-10-01'") from error
    if pd.isna(at):
        raise DataError("a cutoff must be a time, not a missing one")
    return at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")


def _days(horizon: pd.Timedelta) -> str:
    days = horizon / pd.Timedelta(days=1)
    return f"{days:g} day{'' if days == 1 else 's'}"
