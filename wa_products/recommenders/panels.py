"""What recommenders learn from: sums over all customers, and the purchases of as many of them as are enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from wa_products import parts
from wa_products.recommenders import histories, runs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wa_products.datasets import Dataset
    from wa_products.recommenders.histories import History

ENOUGH = 1_500_000  # purchases to learn from
WINDOWS = 6


@dataclass(frozen=True, eq=False, kw_only=True)
class Census:
    """
    Counts over customers, which add up over any parts of them.

    `products` has a row a product, sorted by id: ``bought`` is on how many days of customers, ``recent`` by how many
    customers in the last 28 days; of each window of a horizon, the latest first, ``buyers 0`` counts its customers,
    ``first 0`` those of them who were known and bought the product for the first time, ``had 0`` those who had it.
    `customers` counts those known before the end of each window, and before its begin.
    """

    products: pd.DataFrame
    customers: np.ndarray
    horizon: int

    @classmethod
    def of(cls, whole: History, horizon: int) -> Self:
        """Count one history."""
        size, starts = len(whole.products), np.flatnonzero(runs.changes(whole.customer, whole.product))
        customer, product = whole.customer[starts], whole.product[starts]
        held, since = -whole.time[starts], -whole.time[runs.ends(starts, len(whole))]
        known = np.zeros(len(whole.customers))
        own = np.flatnonzero(runs.changes(customer))
        known[customer[own]] = np.maximum.reduceat(held, own) if len(own) else held

        def counted(some: np.ndarray) -> np.ndarray:
            return np.bincount(product[some], minlength=size)

        columns = {
            "bought": np.bincount(whole.product, minlength=size),
            "recent": counted(since <= histories.RECENT),
        }
        for window in range(WINDOWS):
            newest, oldest = window * horizon, (window + 1) * horizon
            inside = (whole.day >= -oldest) & (whole.day < -newest)
            lately = whole.product[inside]
            once = runs.changes(whole.customer[inside], lately)
            columns |= {
                f"buyers {window}": np.bincount(lately[once], minlength=size),
                f"first {window}": counted((held > newest) & (held <= oldest) & (known > oldest)[customer]),
                f"had {window}": counted(held > oldest),
            }
        moments = np.arange(WINDOWS + 1) * horizon
        return cls(
            products=pd.DataFrame(columns, index=whole.products),
            customers=(known[:, None] > moments).sum(axis=0, dtype="int64"),
            horizon=horizon,
        )

    @classmethod
    def added(cls, several: Iterable[Self]) -> Self:
        """Return the counts over all customers of `several`."""
        every = list(several)
        if len(every) == 1:
            return every[0]
        products = pd.concat([one.products for one in every]).groupby(level=0, sort=True).sum()
        products.index = products.index.astype("str")
        customers = np.sum([one.customers for one in every], axis=0)
        return cls(products=products, customers=customers, horizon=every[0].horizon)


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """
    The `census` of all customers, and the purchases of a `sample` of them: of those whose place is below `share`.

    `chance` is a number in [0, 1) for each customer of the sample, by hash.
    """

    census: Census
    sample: History
    share: float

    @property
    def products(self) -> pd.Index:
        """Every product that was bought."""
        return self.sample.products

    @property
    def chance(self) -> np.ndarray:
        """A number in [0, 1) for each customer of the sample, by hash."""
        return parts.places(self.sample.customers) / self.share


def census(data: Dataset, horizon: int) -> Census:
    """Count all customers of a shop, in windows of `horizon` days."""
    return Census.added(data.each(lambda part: Census.of(histories.history(part), horizon)))


def panel(data: Dataset, horizon: int) -> Panel:
    """Return what to learn from: up to one and a half million purchases all, of more some halves of the customers."""
    if data.stored is None:
        whole = histories.history(data)
        counted = Census.of(whole, horizon)
        share = _share(counted)
        some = parts.places(whole.customers) < share if share < 1 else np.ones(len(whole.customers), dtype=bool)
        return Panel(census=counted, sample=whole.of_customers(some), share=share)
    counted = census(data, horizon)
    share = _share(counted)
    sample = histories.history(replace(data, orders=data.stored.first(share)), counted.products.index)
    return Panel(census=counted, sample=sample, share=share)


def _share(counted: Census) -> float:
    return parts.share_of(int(counted.products["bought"].sum()), ENOUGH)
