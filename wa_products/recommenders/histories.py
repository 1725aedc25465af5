"""
The purchases of a shop, sorted once by customer, product and time; what a cutoff could have known of them.

Time is in days relative to ``as_of``: -2.5 is two and a half days before it. A purchase is one (customer, day,
product), whatever the number of lines; day d holds the times from d up to d + 1. A shelf (a category, or the whole
shop) is a coarser product: its history has the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.recommenders import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wa_products.datasets import Dataset

DAY = pd.Timedelta(days=1)
PURCHASE = ["customer_id", "product_retailer_id", "ordered_at"]
RECENT, LATELY = 28, 84


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """
    Purchases as arrays of one length, sorted: codes of customer and product, time and whole day.

    A part of it has whole visits: all that some customers bought on a day, or nothing.
    """

    customers: pd.Index
    products: pd.Index
    customer: np.ndarray
    product: np.ndarray
    time: np.ndarray
    day: np.ndarray

    @cached_property
    def visit(self) -> np.ndarray:
        """The number, from 0, of the customer's visit to which each purchase belongs; a visit is a customer's day."""
        return visits(self.customer, self.day)

    def __len__(self) -> int:
        return len(self.time)

    def upto(self, cutoff: int) -> History:
        """Return the same history with only the days before `cutoff`."""
        return self if cutoff >= 0 else self.only(self.day < cutoff)

    def only(self, rows: np.ndarray | slice) -> History:
        """Return the same history with only these rows: a mask, a slice, or places in rising order."""
        found = replace(self, **{name: getattr(self, name)[rows] for name in _ARRAYS})
        if "visit" in vars(self):  # it is the same in a part, and need not be counted again
            vars(found)["visit"] = self.visit[rows]
        return found

    def of_customers(self, some: np.ndarray) -> History:
        """Return the same history with only the customers that are True in `some`."""
        return self if some.all() else self.only(np.flatnonzero(some[self.customer]))

    def chunks(self, customers: int) -> Iterator[History]:
        """Return the history in pieces of so many customers."""
        for first in range(0, max(len(self.customers), 1), customers):
            begin, end = np.searchsorted(self.customer, (first, first + customers))
            piece = self.only(slice(begin, end))
            yield replace(piece, customers=self.customers[first : first + customers], customer=piece.customer - first)

    def by_shelf(self, shelf: np.ndarray, shelves: int) -> History:
        """Return the history of the shelves, given the shelf of each product."""
        product = shelf[self.product]
        key = _keys(self.customer * np.int64(max(shelves, 1)) + product, self.day)
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(runs.changes(key[order]))
        first, time = order[starts], np.minimum.reduceat(self.time[order], starts) if len(order) else self.time
        return replace(self.only(first), product=product[first], products=pd.RangeIndex(shelves), time=time)


_ARRAYS = [field.name for field in fields(History) if field.name not in {"customers", "products"}]


def history(data: Dataset, products: pd.Index | None = None) -> History:
    """
    Return what was bought up to ``data.as_of``; later purchases are not looked at.

    `products`, sorted, are those to give codes to where they are more than `data` knows of; by default its own.
    """
    lines = bought(data)
    named = lines["customer_id"] != ""
    lines = lines if named.all() else lines[named]
    time = np.minimum(((lines["ordered_at"] - data.as_of) / DAY).to_numpy("float64"), -1e-6)
    customer, customers = frames.coded(lines["customer_id"])
    product, own = frames.coded(lines["product_retailer_id"])
    known = own if products is None else products
    if products is not None:
        product = products.get_indexer(own)[product]
    order = _order(customer, product, time)
    customer, product, time = (values if order is None else values[order] for values in (customer, product, time))
    day = np.floor(time).astype("int64")
    new = np.flatnonzero(runs.changes(customer, product, day))
    return History(
        customers=customers,
        products=known,
        customer=customer[new],
        product=product[new],
        time=time[new],
        day=day[new],
    )


def bought(data: Dataset) -> pd.DataFrame:
    """Return the lines up to ``data.as_of`` that were bought: ``customer_id, product_retailer_id, ordered_at``."""
    lines = data.lines(*PURCHASE, "is_purchase")
    some = lines["is_purchase"] & (lines["ordered_at"] <= data.as_of) & (lines["product_retailer_id"] != "")
    return (lines if some.all() else lines[some])[PURCHASE]


def of_some(lines: pd.DataFrame, customers: pd.Series) -> pd.DataFrame:
    """Return what `customers` bought of `lines`, texts as texts."""
    some = lines[lines["customer_id"].isin(customers)]
    return some.astype({"customer_id": "str", "product_retailer_id": "str"})


def _order(customer: np.ndarray, product: np.ndarray, time: np.ndarray) -> np.ndarray | None:
    """Return the order by customer, product and time; None where the rows have it, as those of a store do."""
    same = customer[1:] == customer[:-1]
    later = (product[1:] > product[:-1]) | ((product[1:] == product[:-1]) & (time[1:] >= time[:-1]))
    if ((customer[1:] > customer[:-1]) | (same & later)).all():
        return None
    return np.lexsort((time, product, customer))


def visits(customer: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return which visit of its customer each purchase belongs to, from 0."""
    if not len(day):
        return np.zeros(0, dtype="int64")
    key = _keys(customer, day)
    order = np.argsort(key, kind="stable")
    whose, number = customer[order], np.cumsum(runs.changes(key[order]))
    starts = np.flatnonzero(runs.changes(whose))
    visit = np.empty(len(day), dtype="int64")
    visit[order] = number - np.repeat(number[starts], np.diff(np.append(starts, len(whose))))
    return visit


def _keys(group: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return a number for each group and day, in their order: to sort one is far faster than to sort by two."""
    first = day.min(initial=0)
    return group * np.int64(day.max(initial=0) - first + 1) + (day - first)


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
    later = runs.unique(whole.customer[inside] * size + whole.product[inside])
    return runs.members(customer * size + product, later) >= 0
