"""One cutoff of a backtest: the shop as it was known, whom to ask about, and what was bought afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.backtests.books import Book
from wa_products.datasets import SNAPSHOT
from wa_products.errors import DataError

if TYPE_CHECKING:
    from wa_products.backtests.asking import Asked
    from wa_products.datasets import Dataset

PAIR = ["customer_id", "product_retailer_id"]
DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment:
    """
    A shop seen at ``past.as_of``, the customers `asked` about, and `data`, which tells what came after.

    Of a stored shop `data` and `past` are some of the customers, in memory, and `whole` is the past of all of them.

    A snapshot of threads tells of its own day alone, so the past is without it, unless windows are asked for: then
    `Dataset.before` says in words why that cannot be.
    """

    data: Dataset
    past: Dataset
    whole: Dataset
    asked: pd.Index
    horizon: pd.Timedelta

    @classmethod
    def at(
        cls, cutoff: pd.Timestamp, data: Dataset, horizon: pd.Timedelta, asked: Asked, whole: Dataset | None = None
    ) -> Moment:
        """Return `data` at `cutoff`; where it is only a sample, `whole` is all of it."""
        past = _before(data, cutoff, asked)
        whom = asked.of(past)
        if whom.empty:
            raise DataError(f"nobody is asked about at the cutoff {cutoff:%Y-%m-%d %H:%M} UTC, by {asked}")
        everyone = past if whole is None or whole is data else _before(whole, cutoff, asked)
        return cls(data=data, past=past, whole=everyone, asked=whom, horizon=horizon)

    @property
    def cutoff(self) -> pd.Timestamp:
        """When it is."""
        return self.past.as_of

    @cached_property
    def coming(self) -> pd.DataFrame:
        """The purchase lines of the horizon."""
        return self.bought(self.horizon)

    @cached_property
    def before(self) -> Book:
        """The purchases before the cutoff."""
        return Book.of(self.past)

    @cached_property
    def number(self) -> pd.Series:
        """How many different products each customer asked about bought within the horizon."""
        pairs = self.coming[PAIR].drop_duplicates()
        return pairs.groupby("customer_id").size().reindex(self.asked, fill_value=0)

    def bought(self, length: pd.Timedelta) -> pd.DataFrame:
        """Return the purchase lines of `length` from the cutoff on."""
        lines = self.data.purchases
        inside = (lines["ordered_at"] >= self.cutoff) & (lines["ordered_at"] < self.cutoff + length)
        return lines[inside & (lines["customer_id"] != "")]

    def judged(self, listed: pd.DataFrame) -> pd.DataFrame:
        """Return the proposals with ``bought`` (within the horizon) and ``before`` (so did the customer earlier)."""
        return listed.assign(bought=_stand_in(listed, Book.told(self.coming)), before=_stand_in(listed, self.before))

    def happened(self, listed: pd.DataFrame) -> pd.Series:
        """
        Return 1.0 where a product was bought within the days that its probability is meant for, 0.0 where not.

        These days are ``horizon_days``, the horizon where it says none. NaN where they are not over at ``as_of``.
        """
        days = listed["horizon_days"].fillna(self.horizon / DAY)
        result = pd.Series(np.nan, index=listed.index)
        for length in sorted(set(days)):
            if self.cutoff + length * DAY <= self.data.as_of:
                meant = listed[days == length]
                result[meant.index] = _stand_in(meant, Book.told(self.bought(length * DAY))).astype("float64")
        return result

    def revenue(self, listed: pd.DataFrame) -> pd.DataFrame:
        """
        Return what was paid within the horizon for the products listed: a row a customer asked, a column a currency.

        As floats, to average over customers. Lines without a price add nothing.
        """
        lines = self.coming.merge(listed[PAIR].drop_duplicates(), on=PAIR)
        price = pd.to_numeric(lines["unit_price"].astype("float64"))
        paid = lines.assign(paid=price * lines["quantity"]).groupby(["customer_id", "currency"])["paid"].sum()
        currencies = sorted(set(self.coming["currency"]) - {""})
        return paid.unstack().reindex(index=self.asked, columns=currencies).fillna(0.0)  # noqa: PD010  # a pivot


def _before(data: Dataset, cutoff: pd.Timestamp, asked: Asked) -> Dataset:
    told = (data.inbound["kind"] != SNAPSHOT) | asked.open_window
    return (data if told.all() else replace(data, inbound=data.inbound[told])).before(cutoff)


def _stand_in(listed: pd.DataFrame, book: Book) -> np.ndarray:
    return np.isin(book.find(listed["customer_id"], listed["product_retailer_id"]), book.keys)
