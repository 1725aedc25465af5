"""Popular: what others have bought lately and this customer never has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.recommenders import histories, panels, phrases, protocol, runs

if TYPE_CHECKING:
    from wa_products.datasets import Dataset
    from wa_products.recommenders.panels import Census

HALF_LIFE_DAYS = 28.0
FIRST_LOOK = 64


class Popular(protocol.InParts):
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

    def learn(self, data: Dataset) -> Self:
        """Count who bought what, and who for the first time, up to ``data.as_of``."""
        return self.counted(panels.census(data, self.horizon_days), data.catalog)

    def counted(self, census: Census, catalog: pd.DataFrame) -> Self:
        """Take over what a `census` of windows as long as the horizon counted."""
        self._products = census.products.index
        share, first = _rates(census)
        keep = self._products.isin(protocol.sendable(catalog))
        recent = census.products["recent"].to_numpy()
        self._for_new = _ranked(self._products, share, recent, keep)
        self._for_known = _ranked(self._products, first, recent, keep)
        return self

    def for_newcomers(self, customers: pd.Index, k: int) -> pd.DataFrame:
        """Return at most `k` products for each of `customers`, who never bought anything, sorted by customer."""
        return self._told(_pairs(customers.sort_values(), self._for_new.iloc[:k]))

    def _look(self, data: Dataset) -> Seen:
        whole = histories.history(data, self._products)
        new = runs.changes(whole.customer, whole.product)
        return Seen(whole.customers, whole.customer[new] * np.int64(len(self._products)) + whole.product[new])

    def _tell(self, seen: Seen, wanted: pd.Index, k: int) -> pd.DataFrame:
        asked = wanted.sort_values()
        new = seen.customers.get_indexer(asked) < 0
        rows = pd.concat([_pairs(asked[new], self._for_new.iloc[:k]), self._first_new(seen, asked[~new], k)])
        return self._told(rows.sort_values("customer_id", kind="stable", ignore_index=True))

    def _told(self, rows: pd.DataFrame) -> pd.DataFrame:
        found = rows.assign(
            score=rows["probability"],
            kind="recommendation",
            horizon_days=float(self.horizon_days),
            why=[phrases.popular(buyers, histories.RECENT) for buyers in rows["buyers"]],
        )
        return frames.conform(found, protocol.RECOMMENDED, "popular")[list(protocol.RECOMMENDED)]

    def _first_new(self, seen: Seen, asked: pd.Index, k: int) -> pd.DataFrame:
        """Look down the ranking, further only for the customers who bought most of its head."""
        parts, open_, depth = [], asked, k + FIRST_LOOK
        while len(open_) and k:
            rows = self._unbought(seen, open_, self._for_known.iloc[:depth])
            rows = rows[rows.groupby("customer_id").cumcount() < k]
            filled = rows["customer_id"].value_counts().reindex(open_, fill_value=0) >= k
            last = depth >= len(self._for_known)
            parts.append(rows if last else rows[rows["customer_id"].isin(open_[filled])])
            open_, depth = (open_[:0] if last else open_[~filled]), depth * 4
        return pd.concat(parts) if parts else _pairs(asked[:0], self._for_known)

    def _unbought(self, seen: Seen, customers: pd.Index, ranked: pd.DataFrame) -> pd.DataFrame:
        code = seen.customers.get_indexer(customers).astype("int64")
        key = np.add.outer(code * len(self._products), ranked["product"].to_numpy()).ravel()
        return _pairs(customers, ranked)[runs.members(key, seen.bought) < 0]


class Seen(NamedTuple):
    """Customers, and what they `bought`: the code of each customer and product as one number, sorted."""

    customers: pd.Index
    bought: np.ndarray


def _pairs(customers: pd.Index, ranked: pd.DataFrame) -> pd.DataFrame:
    """Return each of `customers` with all rows of `ranked`."""
    rows = ranked.iloc[np.tile(np.arange(len(ranked)), len(customers))].reset_index(drop=True)
    return rows.assign(customer_id=np.repeat(customers, len(ranked)))


def _ranked(products: pd.Index, probability: np.ndarray, buyers: np.ndarray, keep: np.ndarray) -> pd.DataFrame:
    """Return the products to keep that anybody bought lately, the most probable first; ties go to the smaller id."""
    columns = {"product_retailer_id": products, "product": np.arange(len(products)), "buyers": buyers}
    rows = pd.DataFrame({**columns, "probability": probability})[keep & (probability > 0)]
    return rows.sort_values(["probability", "product"], ascending=[False, True], ignore_index=True)


def _rates(census: Census) -> tuple[np.ndarray, np.ndarray]:
    """Return for each product the decayed share of customers who buy it within a horizon, and of those without it."""
    counts = {name: column.to_numpy() for name, column in census.products.items()}
    size = len(census.products)
    gained, could, buyers, customers = np.zeros(size), np.zeros(size), np.zeros(size), 0.0
    for window in range(panels.WINDOWS):
        weight = 0.5 ** (window * census.horizon / HALF_LIFE_DAYS)
        buyers += weight * counts[f"buyers {window}"]
        customers += weight * census.customers[window]
        gained += weight * counts[f"first {window}"]
        could += weight * np.maximum(census.customers[window + 1] - counts[f"had {window}"], 0)
    share = buyers / max(customers, 1.0)
    return share, (gained + share) / (could + 1)
