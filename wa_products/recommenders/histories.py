"""
The purchases of a shop, sorted once by customer, product and time; what a cutoff could have known of them.

Time is in days relative to ``as_of``: -2.5 is two and a half days before it. A purchase is one (customer, day,
product), whatever the number of lines; day d holds the times from d up to d + 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from wa_products.datasets import Dataset

DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """Purchases as arrays of one length: codes of customer and product, time and whole day, all sorted."""

    customers: pd.Index
    products: pd.Index
    customer: np.ndarray
    product: np.ndarray
    time: np.ndarray
    day: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    def upto(self, cutoff: int) -> History:
        """Return the same history with only the days before `cutoff`."""
        if cutoff >= 0:
            return self
        seen = self.day < cutoff
        return History(
            customers=self.customers,
            products=self.products,
            customer=self.customer[seen],
            product=self.product[seen],
            time=self.time[seen],
            day=self.day[seen],
        )


def history(data: Dataset) -> History:
    """Return what was bought up to ``data.as_of``; later purchases are not looked at."""
    lines = data.purchases
    lines = lines[(lines["ordered_at"] <= data.as_of) & (lines["customer_id"] != "")]
    time = np.minimum(((lines["ordered_at"] - data.as_of) / DAY).to_numpy("float64"), -1e-6)
    customer, customers = pd.factorize(lines["customer_id"], sort=True)
    product, products = pd.factorize(lines["product_retailer_id"], sort=True)
    order = np.lexsort((time, product, customer))
    customer, product, time = customer[order], product[order], time[order]
    day = np.floor(time).astype("int64")
    new = changes(customer, product, day)
    return History(
        customers=pd.Index(customers, dtype="str"),
        products=pd.Index(products, dtype="str"),
        customer=customer[new],
        product=product[new],
        time=time[new],
        day=day[new],
    )


def changes(*columns: np.ndarray) -> np.ndarray:
    """Return where any of the sorted `columns` differs from the row before; True in the first row."""
    size = len(columns[0])
    new = np.zeros(size, dtype=bool)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return new


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairs:
    """
    What is known of each (customer, product) at a cutoff, as arrays of one length.

    `times` is how often it was bought, `since` days since the last time, `held` days since the first, `gap_log` and
    `gap_log2` the sums of the logarithm of the gaps between purchases and of its square, `recent` and `lately` the
    purchases in the last 28 and 84 days.
    """

    customer: np.ndarray
    product: np.ndarray
    times: np.ndarray
    since: np.ndarray
    held: np.ndarray
    gap_log: np.ndarray
    gap_log2: np.ndarray
    recent: np.ndarray
    lately: np.ndarray

    def __len__(self) -> int:
        return len(self.times)


RECENT, LATELY = 28, 84


def pairs(past: History, cutoff: int) -> Pairs:
    """Return the pairs of `past`, a history that ends before day `cutoff`."""
    new = changes(past.customer, past.product)
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(past))[: len(starts)] - 1
    gap = np.log(np.maximum(np.diff(past.time, prepend=0.0), 0.5), where=~new, out=np.zeros(len(past)))
    return Pairs(
        customer=past.customer[starts],
        product=past.product[starts],
        times=(ends - starts + 1).astype("float64"),
        since=cutoff - past.time[ends],
        held=cutoff - past.time[starts],
        gap_log=_sums(gap, starts),
        gap_log2=_sums(gap**2, starts),
        recent=_sums((past.time >= cutoff - RECENT).astype("float64"), starts),
        lately=_sums((past.time >= cutoff - LATELY).astype("float64"), starts),
    )


def _sums(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0)


def bought_within(whole: History, found: Pairs, cutoff: int, horizon: float) -> np.ndarray:
    """Return, for each pair known at `cutoff`, whether it was bought in the `horizon` days from then on."""
    inside = (whole.day >= cutoff) & (whole.day < cutoff + horizon)
    size = len(whole.products)
    later = np.unique(whole.customer[inside].astype("int64") * size + whole.product[inside])
    return np.isin(found.customer.astype("int64") * size + found.product, later, assume_unique=True)
