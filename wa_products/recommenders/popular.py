"""Popular: what others have bought lately and this customer never has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.recommenders import histories, phrases, protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wa_products.datasets import Dataset
    from wa_products.recommenders.histories import History, Pairs

WINDOWS = 6
HALF_LIFE_DAYS = 28.0
FIRST_LOOK = 64


class Popular:
    """
    What other customers buy lately and this one never bought; above all for customers without a history.

    All probabilities are means over the last six windows of `horizon_days`, each counting half as much for every 28
    days that it is older. Who never bought anything gets the share of customers who bought the product in a window.
    Who did gets the share of known customers without the product who then bought it for the first time, which is far
    less; it is the same for all of them.
    """

    name = "popular"

    def __init__(self, horizon_days: int = 14) -> None:
        if horizon_days < 1:
            raise DataError(f"horizon_days must be at least 1, got {horizon_days}")
        self.horizon_days = horizon_days

    def fit(self, data: Dataset) -> Self:
        """Count who bought what, and who for the first time, up to ``data.as_of``."""
        whole = histories.history(data)
        found = histories.pairs(whole, 0)
        self._customers, self._size = whole.customers, len(whole.products)
        self._bought = np.sort(found.customer.astype("int64") * self._size + found.product)
        share, first = _rates(whole, found, self.horizon_days)
        keep = whole.products.isin(protocol.sendable(data.catalog))
        buyers = np.bincount(found.product, weights=found.recent > 0, minlength=self._size).astype("int64")
        self._for_new = _ranked(whole.products, share, buyers, keep)
        self._for_known = _ranked(whole.products, first, buyers, keep)
        return self

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return at most `k` popular products for each customer, the most probable first."""
        asked = protocol.asked(customer_ids).sort_values()
        new = self._customers.get_indexer(asked) < 0
        parts = [
            self._unbought(asked[new], self._for_new.iloc[: max(k, 0)]),
            self._first_new(asked[~new], max(k, 0)),
        ]
        rows = pd.concat(parts).sort_values("customer_id", kind="stable", ignore_index=True)
        found = rows.assign(
            score=rows["probability"],
            kind="recommendation",
            horizon_days=float(self.horizon_days),
            why=[phrases.popular(buyers, histories.RECENT) for buyers in rows["buyers"]],
        )
        return frames.conform(found, protocol.RECOMMENDED, "popular")[list(protocol.RECOMMENDED)]

    def _first_new(self, asked: pd.Index, k: int) -> pd.DataFrame:
        """Look down the ranking, further only for the customers who bought most of its head."""
        parts, open_, depth = [], asked, k + FIRST_LOOK
        while len(open_) and k:
            rows = self._unbought(open_, self._for_known.iloc[:depth])
            rows = rows[rows.groupby("customer_id").cumcount() < k]
            filled = rows["customer_id"].value_counts().reindex(open_, fill_value=0) >= k
            last = depth >= len(self._for_known)
            parts.append(rows if last else rows[rows["customer_id"].isin(open_[filled])])
            open_, depth = (open_[:0] if last else open_[~filled]), depth * 4
        if not parts:
            return self._unbought(asked[:0], self._for_known)
        return pd.concat(parts)

    def _unbought(self, customers: pd.Index, ranked: pd.DataFrame) -> pd.DataFrame:
        code = self._customers.get_indexer(customers).astype("int64")
        key = np.add.outer(code * self._size, ranked["product"].to_numpy()).ravel()
        place = np.minimum(np.searchsorted(self._bought, key), max(len(self._bought) - 1, 0))
        new = np.repeat(code < 0, len(ranked)) if not len(self._bought) else self._bought[place] != key
        rows = ranked.iloc[np.tile(np.arange(len(ranked)), len(customers))[new]].reset_index(drop=True)
        return rows.assign(customer_id=np.repeat(customers, len(ranked))[new])


def _ranked(products: pd.Index, probability: np.ndarray, buyers: np.ndarray, keep: np.ndarray) -> pd.DataFrame:
    """Return the products to keep that anybody bought lately, the most probable first; ties go to the smaller id."""
    columns = {"product_retailer_id": products, "product": np.arange(len(products)), "buyers": buyers}
    rows = pd.DataFrame({**columns, "probability": probability})[keep & (probability > 0)]
    return rows.sort_values(["probability", "product"], ascending=[False, True], ignore_index=True)


def _rates(whole: History, found: Pairs, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each product the decayed share of customers who buy it within `horizon`, and of those without it."""
    size = len(whole.products)
    since_first = np.zeros(len(whole.customers))
    np.maximum.at(since_first, found.customer, found.held)
    gained, could, buyers, customers = np.zeros(size), np.zeros(size), np.zeros(size), 0.0
    for window in range(WINDOWS):
        newest, oldest = window * horizon, (window + 1) * horizon
        weight = 0.5 ** (newest / HALF_LIFE_DAYS)
        inside = (whole.day >= -oldest) & (whole.day < -newest)
        buyers += weight * _pairs_a_product(whole.customer[inside], whole.product[inside], size)
        customers += weight * (since_first > newest).sum()
        first = (found.held > newest) & (found.held <= oldest) & (since_first > oldest)[found.customer]
        had = np.bincount(found.product, weights=found.held > oldest, minlength=size)
        gained += weight * np.bincount(found.product, weights=first, minlength=size)
        could += weight * np.maximum((since_first > oldest).sum() - had, 0)
    share = buyers / max(customers, 1.0)
    return share, (gained + share) / (could + 1)


def _pairs_a_product(customer: np.ndarray, product: np.ndarray, size: int) -> np.ndarray:
    """Return for each product how many customers stand beside it, each counted once."""
    return np.bincount(np.unique(customer.astype("int64") * size + product) % max(size, 1), minlength=size)
