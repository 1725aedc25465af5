"""
The rules that every recommender is held against: popularity, a simple count, GP-TopFreq, and the oracle.

They are recommenders like any other, without a probability; ties go to the smaller product id at last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from wa_products.backtests.books import Book, tally
from wa_products.recommenders import protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wa_products.datasets import Dataset

LISTED = ["customer_id", "product_retailer_id", "score"]


class Popularity:
    """The products bought most: on how many days, summed over the customers; the same list for everyone."""

    name = "popularity"

    def fit(self, data: Dataset) -> Self:
        """Count the purchases up to ``data.as_of``."""
        pairs = _pairs(data)
        days = pairs.groupby("product_retailer_id", as_index=False)["days"].sum()
        ranked = days.sort_values(["days", "product_retailer_id"], ascending=[False, True], ignore_index=True)
        self._ranked = ranked[ranked["product_retailer_id"].isin(protocol.sendable(data.catalog))]
        return self

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return the `k` most popular products for each customer."""
        return _for_all(protocol.asked(customer_ids), self._ranked.head(max(k, 0)))


class Count:
    """
    What the customer bought most often: on how many days, then in how many lines, then the latest.

    The simple count that a shop would write in a spreadsheet, and hard to beat.
    """

    name = "count"

    def fit(self, data: Dataset) -> Self:
        """Rank each customer's own products up to ``data.as_of``."""
        self._ranked = _own(data, ["days", "lines", "ago"])
        return self

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return the first `k` of each customer's own products."""
        return _first(self._ranked, protocol.asked(customer_ids), k)


class TopFreq:
    """
    GP-TopFreq (Li et al., TOIS 2023): what the customer bought most often, then what everyone did.

    Ties of the customer's own go to the more popular product, which on the data sets of the paper is better than its
    own rule, the first bought.
    """

    name = "gp-topfreq"

    def fit(self, data: Dataset) -> Self:
        """Rank each customer's own products, and all, up to ``data.as_of``."""
        self._everyone = Popularity().fit(data)
        self._ranked = _own(data, ["days", "popularity"])
        return self

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return the customer's own products, filled up to `k` with the popular ones."""
        asked = protocol.asked(customer_ids)
        own, everyone = _first(self._ranked, asked, k), self._everyone.recommend(asked, 2 * max(k, 0))
        filled = everyone.assign(score=everyone["score"] - k - 1)
        return protocol.best(pd.concat([own, filled], ignore_index=True), k)


class Oracle:
    """The best that is possible with the customer's own products: it knows what will be bought and proposes that."""

    name = "oracle"

    def __init__(self, coming: pd.DataFrame) -> None:
        self._coming = coming

    def fit(self, data: Dataset) -> Self:
        """Keep what will be bought of what the customer had bought by ``data.as_of``."""
        own = _pairs(data)[["customer_id", "product_retailer_id"]]
        found = own.merge(self._coming.drop_duplicates())
        self._found = found[found["product_retailer_id"].isin(protocol.sendable(data.catalog))].assign(score=1.0)
        return self

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return at most `k` of the customer's own products that will be bought."""
        asked = protocol.asked(customer_ids)
        return protocol.best(self._found[self._found["customer_id"].isin(asked)], k)[LISTED]


def _pairs(data: Dataset) -> pd.DataFrame:
    """Return each customer's products: on how many ``days`` bought, in how many ``lines``, how long ``ago`` last."""
    book = Book.of(data)
    ago = book.days(data.as_of)
    keys, pair, lines = tally(book.keys)
    longest = int(ago.max(initial=0)) + 1
    days = np.bincount(tally(pair * longest + ago)[0] // longest, minlength=len(keys))
    last = np.full(len(keys), longest)
    np.minimum.at(last, pair, ago)
    size = max(len(book.products), 1)
    return pd.DataFrame(
        {
            "customer_id": book.customers[keys // size],
            "product_retailer_id": book.products[keys % size],
            "days": days,
            "lines": lines,
            "ago": last,
            "popularity": np.bincount(keys % size, weights=days, minlength=size)[keys % size],
        }
    )


def _own(data: Dataset, by: list[str]) -> pd.DataFrame:
    """Return the sendable products of each customer with their ``place`` from 1, the highest first (ago: lowest)."""
    pairs = _pairs(data)
    pairs = pairs[pairs["product_retailer_id"].isin(protocol.sendable(data.catalog))]
    ascending = [True, *(column == "ago" for column in by), True]
    rows = pairs.sort_values(["customer_id", *by, "product_retailer_id"], ascending=ascending, ignore_index=True)
    return rows.assign(place=rows.groupby("customer_id").cumcount() + 1)


def _first(ranked: pd.DataFrame, asked: pd.Index, k: int) -> pd.DataFrame:
    """Return the first `k` places of each of the customers asked."""
    rows = ranked[(ranked["place"] <= k) & ranked["customer_id"].isin(asked)]
    return rows.assign(score=-rows["place"].astype("float64"))[LISTED].reset_index(drop=True)


def _for_all(asked: pd.Index, ranked: pd.DataFrame) -> pd.DataFrame:
    """Return the same list for each customer."""
    return pd.DataFrame(
        {
            "customer_id": pd.Series(np.repeat(asked, len(ranked)), dtype="str"),
            "product_retailer_id": pd.Series(np.tile(ranked["product_retailer_id"], len(asked)), dtype="str"),
            "score": -np.tile(np.arange(len(ranked), dtype="float64"), len(asked)),
        }
    )
