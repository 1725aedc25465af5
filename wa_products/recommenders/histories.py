"""
The purchases of a shop, sorted once by customer, product and time; what a cutoff could have known of them.

Time is in days relative to ``as_of``: -2.5 is two and a half days before it. A purchase is one (customer, day,
product), whatever the number of lines; day d holds the times from d up to d + 1. A shelf (a category, or the whole
shop) is a coarser product: its history has the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.recommenders import runs

if TYPE_CHECKING:
    from wa_products.datasets import Dataset

DAY = pd.Timedelta(days=1)
RECENT, LATELY = 28, 84


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """
    Purchases as arrays of one length, sorted: codes of customer and product, time and whole day.

    `visit` numbers the days on which the customer bought anything, from 0.
    """

    customers: pd.Index
    products: pd.Index
    customer: np.ndarray
    product: np.ndarray
    time: np.ndarray
    day: np.ndarray
    visit: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    def upto(self, cutoff: int) -> History:
        """Return the same history with only the days before `cutoff`."""
        return self if cutoff >= 0 else self.only(self.day < cutoff)

    def only(self, rows: np.ndarray) -> History:
        """Return the same history with only these rows, a mask or places in rising order."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ARRAYS})

    def by_shelf(self, shelf: np.ndarray, shelves: int) -> History:
        """Return the history of the shelves, given the shelf of each product."""
        coarse = replace(self, product=shelf[self.product], products=pd.RangeIndex(shelves))
        ordered = coarse.only(np.lexsort((self.time, coarse.product, self.customer)))
        return ordered.only(runs.changes(ordered.customer, ordered.product, ordered.day))


_ARRAYS = [field.name for field in fields(History) if field.name not in {"customers", "products"}]


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
    new = runs.changes(customer, product, day)
    return History(
        customers=pd.Index(customers, dtype="str"),
        products=pd.Index(products, dtype="str"),
        customer=customer[new],
        product=product[new],
        time=time[new],
        day=day[new],
        visit=visits(customer[new], day[new]),
    )


def visits(customer: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return the number, from 0, of the visit to which each purchase belongs; a visit is a customer's day."""
    if not len(day):
        return np.zeros(0, dtype="int64")
    days, at = np.unique(customer * np.int64(1 - day.min()) + (day - day.min()), return_inverse=True)
    whose = days // np.int64(1 - day.min())
    number = np.arange(len(days)) - np.searchsorted(whose, whose)
    return number[at]


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairs:
    """
    What is known of each (customer, product) at a cutoff, as arrays of one length.

    `times` is how often it was bought, `since` days since the last time, `held` days since the first, `gap_log` and
    `gap_log2` the sums of the logarithm of the gaps between purchases and of its square, `recent` and `lately` the
    purchases in the last 28 and 84 days. `starts` are the rows of the history at which each pair begins.
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
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.times)


def pairs(past: History, cutoff: int) -> Pairs:
    """Return the pairs of `past`, a history that ends before day `cutoff`."""
    new = runs.changes(past.customer, past.product)
    starts = np.flatnonzero(new)
    ends = runs.ends(starts, len(past))
    gap = np.log(np.maximum(np.diff(past.time, prepend=0.0), 0.5), where=~new, out=np.zeros(len(past)))
    return Pairs(
        customer=past.customer[starts],
        product=past.product[starts],
        times=(ends - starts + 1).astype("float64"),
        since=cutoff - past.time[ends],
        held=cutoff - past.time[starts],
        gap_log=runs.sums(gap, starts),
        gap_log2=runs.sums(gap**2, starts),
        recent=runs.sums(past.time >= cutoff - RECENT, starts),
        lately=runs.sums(past.time >= cutoff - LATELY, starts),
        starts=starts,
    )


def bought_within(whole: History, customer: np.ndarray, product: np.ndarray, window: tuple[int, int]) -> np.ndarray:
    """Return, for each customer and product, whether it was bought from the first day of `window` up to the last."""
    inside = (whole.day >= window[0]) & (whole.day < window[1])
    size = np.int64(len(whole.products))
    later = np.unique(whole.customer[inside] * size + whole.product[inside])
    return runs.members(customer * size + product, later) >= 0
