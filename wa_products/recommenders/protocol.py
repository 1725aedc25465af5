"""What a recommender is, the frame that it gives, and how ours go through a shop in parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import pandas as pd

from wa_products import frames

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wa_products.datasets import Dataset

RECOMMENDED: dict[str, frames.Kind] = {
    "customer_id": "text",
    "product_retailer_id": "text",
    "score": "number",
    "probability": "number",
    "why": "text",
    "kind": "text",
    "due_at": "time",
    "due_from": "time",
    "due_until": "time",
    "horizon_days": "number",
}


@runtime_checkable
class Recommender(Protocol):
    """
    Anything with a name that learns from a shop and then names products for customers.

    `recommend` returns a row a customer and product with at least ``customer_id, product_retailer_id, score``;
    ``probability`` (of a purchase within ``horizon_days``), ``why``, ``kind``, ``due_at`` (the typical gap after
    the last purchase), ``due_from`` and ``due_until`` (the next one comes between them four times of five) are welcome.
    `wa_products.testing.check_recommender` says whether the contract is kept.
    """

    @property
    def name(self) -> str:
        """Return the name under which proposals say where they came from."""

    def fit(self, data: Dataset) -> Self:
        """Learn from what was known at ``data.as_of`` and return the recommender itself."""

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return at most `k` products for each of `customer_ids`, only those worth sending."""


@runtime_checkable
class Divisible(Recommender, Protocol):
    """
    A recommender that can go through a shop in parts, because customers have nothing in common but what was learned.

    ``fit(data).recommend(customer_ids, k)`` gives what ``learn(data).answer(part, customer_ids, k)`` does for any part
    of the shop that has all rows of these customers.
    """

    def learn(self, data: Dataset) -> Self:
        """Learn what customers have in common, and return the recommender itself."""

    def answer(self, part: Dataset, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return at most `k` products for each of `customer_ids`, whose rows are all in `part`."""


class InParts(ABC):
    """
    What our recommenders do alike: learn what customers share, look at the rows of some, tell of each.

    A shop in memory is looked at once, when fitted. One that lies in a store is looked at part by part when asked.
    """

    def fit(self, data: Dataset) -> Self:
        """Learn from what was known at ``data.as_of``."""
        self.learn(data)
        self._far = data if data.stored is not None else None
        self._near = self._look(data) if data.stored is None else None
        return self

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return at most `k` products for each customer, the best first."""
        wanted = asked(customer_ids)
        if self._far is None:
            return self._tell(self._near, wanted, max(k, 0))
        found = self._far.each_of(wanted, lambda part, some: self.answer(part, some, k))
        return pd.concat(found).sort_values("customer_id", kind="stable", ignore_index=True)

    def answer(self, part: Dataset, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return at most `k` products for each of `customer_ids`, whose rows are all in `part`."""
        wanted = asked(customer_ids)
        return self._tell(self._look(part), wanted, max(k, 0)) if len(wanted) else frames.empty(RECOMMENDED)

    @abstractmethod
    def learn(self, data: Dataset) -> Self:
        """Learn what customers have in common, and return the recommender itself."""

    @abstractmethod
    def _look(self, data: Dataset) -> Any:  # noqa: ANN401  # each to its own
        """Return what there is to know of the customers of `data`."""

    @abstractmethod
    def _tell(self, seen: Any, wanted: pd.Index, k: int) -> pd.DataFrame:  # noqa: ANN401
        """Return at most `k` products for each customer wanted, of what was `seen`."""


def asked(customer_ids: Iterable[str]) -> pd.Index:
    """Return the customers asked for, each once, in the order of asking."""
    return pd.Index(list(customer_ids), dtype="str", name="customer_id").unique()


def best(rows: pd.DataFrame, k: int) -> pd.DataFrame:
    """Return the `k` rows of highest `score` of each customer, best first; ties go to the smaller product id."""
    order = ["customer_id", "score", "product_retailer_id"]
    ranked = rows.sort_values(order, ascending=[True, False, True], kind="stable")
    kept = ranked.drop_duplicates(["customer_id", "product_retailer_id"])
    return kept[kept.groupby("customer_id").cumcount() < k].reset_index(drop=True)


def titles(catalog: pd.DataFrame) -> pd.Series:
    """Return the title of each product by its id."""
    return catalog.drop_duplicates("product_retailer_id").set_index("product_retailer_id")["title"]


def sendable(catalog: pd.DataFrame) -> pd.Series:
    """Return the ids of the products that can be sent."""
    return catalog.loc[catalog["sendable"], "product_retailer_id"].drop_duplicates()


def stand_ins(catalog: pd.DataFrame, bought: pd.Series) -> pd.Series:
    """
    Return, for each product that cannot be sent, the sibling of its item group to send instead.

    `bought` counts purchases by product id. The sibling bought most wins, then the smaller id. Products without a
    sendable sibling are absent.
    """
    products = catalog.loc[catalog["item_group_id"] != "", ["product_retailer_id", "item_group_id", "sendable"]]
    products = products.drop_duplicates("product_retailer_id")
    count = products["product_retailer_id"].map(bought).fillna(0)
    live = products.assign(bought=count)[products["sendable"]]
    first = live.sort_values(["bought", "product_retailer_id"], ascending=[False, True])
    sibling = first.drop_duplicates("item_group_id").set_index("item_group_id")["product_retailer_id"]
    gone = products[~products["sendable"]].set_index("product_retailer_id")["item_group_id"]
    return gone.map(sibling).dropna().astype("str")
