"""Candidates with their probability, ready to be looked up by customer; and which product stands in for which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from wa_products.recommenders import protocol, runs, withheld

CENTURY = 36_500


@dataclass(frozen=True, eq=False, kw_only=True)
class Scored:
    """
    Rows sorted by customer, then by falling probability; `starts` has one more entry than there are customers.

    Each row has codes of ``customer``, ``product`` (the one to send, of `products`) and ``usual`` (the one meant, of
    `usual`).
    """

    customers: pd.Index
    starts: np.ndarray
    rows: pd.DataFrame
    products: pd.Index
    usual: pd.Index

    @classmethod
    def of(cls, rows: pd.DataFrame, *, customers: pd.Index, products: pd.Index, usual: pd.Index) -> Self:
        """Return `rows`, which `first` put in order, to be looked up."""
        starts = np.searchsorted(rows["customer"].to_numpy(), np.arange(len(customers) + 1))
        return cls(customers=customers, starts=starts, rows=rows, products=products, usual=usual)

    def first(self, asked: pd.Index, k: int, held: pd.DataFrame) -> pd.DataFrame:
        """Return the first `k` rows not `held` back of each customer asked, with the ids of customer and products."""
        code = self.customers.get_indexer(asked)
        code = np.sort(code[code >= 0])
        more = int(held["customer_id"].value_counts().max()) if len(held) else 0
        counts = np.minimum(self.starts[code + 1] - self.starts[code], max(k, 0) + more)
        step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = self.rows.iloc[np.repeat(self.starts[code], counts) + step].reset_index(drop=True)
        named = rows.assign(
            customer_id=self.customers[rows["customer"]],
            product_retailer_id=self.products[rows["product"]],
            usual_id=self.usual[rows["usual"]],
        )
        free = withheld.offered(named, held)
        return free[free.groupby("customer").cumcount() < max(k, 0)].reset_index(drop=True)


def first(customer: np.ndarray, product: np.ndarray, probability: np.ndarray, most: int | None = None) -> np.ndarray:
    """
    Return the rows sorted by customer, then by falling probability, ties by product.

    Of several of one customer and product the most probable stays, and of these the first `most` of each customer.
    """
    order = np.lexsort((product, -probability, customer))
    pair = customer[order] * np.int64(product.max(initial=0) + 1) + product[order]
    order = order[~pd.Index(pair).duplicated()]
    return order if most is None else order[runs.places(customer[order]) < most]


def sent(products: pd.Index, catalog: pd.DataFrame, bought: np.ndarray) -> tuple[np.ndarray, pd.Index]:
    """
    Return for each product the code of the one to send (itself, a sibling, or -1 for none), and those codes' ids.

    `bought` is how often each of `products` was.
    """
    stand_in = protocol.stand_ins(catalog, pd.Series(bought, index=products)).reindex(products)
    itself = products.isin(protocol.sendable(catalog))
    ids = pd.Series(products, dtype="str").where(itself, stand_in.to_numpy())
    codes, offered = pd.factorize(ids, sort=True)
    return codes, pd.Index(offered, dtype="str")


def in_place_of(rows: pd.DataFrame, titles: pd.Series) -> pd.Series:
    """Return the words before the reason where another product than the usual one is sent, ``""`` elsewhere."""
    other = rows["usual_id"] != rows["product_retailer_id"]
    words = (
        "in place of "
        + titles.reindex(rows["usual_id"]).fillna("").set_axis(rows.index)
        + ", which cannot be sent now; "
    )
    return words.where(other, "").astype("str")


def dues(rows: pd.DataFrame, as_of: pd.Timestamp) -> dict[str, pd.Series]:
    """Return ``due_at``, ``due_from`` and ``due_until`` of `rows`, to the minute."""
    days = {"due_at": rows["gap"] - rows["since"], "due_from": rows["start"], "due_until": rows["end"]}
    return {name: _moment(as_of, wait) for name, wait in days.items()}


def _moment(as_of: pd.Timestamp, wait: pd.Series) -> pd.Series:
    """Return the time `wait` days after `as_of`; what lies centuries away is as good as unknown."""
    return (as_of + pd.to_timedelta(wait.where(wait.abs() < CENTURY), unit="D")).dt.floor("min")
