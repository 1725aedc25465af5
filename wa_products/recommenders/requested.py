"""Requested: what the customer asked for in the last days, by the product's own enquiry button or in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.recommenders import histories, phrases, protocol
from wa_products.recommenders.histories import DAY
from wa_products.recommenders.withheld import PAIR
from wa_products.recommenders.words import Titles

if TYPE_CHECKING:
    from wa_products.datasets import Dataset

REQUEST = ["customer_id", "product_retailer_id", "received_at", "share", "how"]


class Requested(protocol.InParts):
    """
    What a customer asked for within the last `days` and has not bought since, the latest first.

    An enquiry names its product. A text names one where its words name the title of one product and no other; where
    it could mean several, nothing is proposed. The probability is the share of the shop's earlier enquiries that were
    followed by a purchase of that product within `horizon_days`, counted with one hit and one miss beforehand; for a
    text, times the share of the title that was said.
    """

    name = "requested"

    def __init__(self, days: int = 3, horizon_days: int = 14) -> None:
        if min(days, horizon_days) < 1:
            raise DataError(f"days and horizon_days must be at least 1, got {days} and {horizon_days}")
        self.days = days
        self.horizon_days = horizon_days

    def learn(self, data: Dataset) -> Self:
        """Count how often earlier enquiries were followed by a purchase, and how often each product was bought."""
        old = _enquired(_heard(data)[lambda heard: heard["received_at"] <= data.as_of - self.horizon_days * DAY])
        hits = _hits(old, _bought_by(data, old["customer_id"]), self.horizon_days)
        self._rate = (hits + 1) / (len(old) + 2)
        self._shelf = Shelf.of(data.catalog, _sold(data) if _has_siblings(data.catalog) else pd.Series(dtype="int64"))
        texts = _texts(self._lately(data))
        self._titles = Titles.of(data.catalog if len(texts) else data.catalog.iloc[:0])
        return self

    def _lately(self, data: Dataset) -> pd.DataFrame:
        inbound = _heard(data)
        return inbound[inbound["received_at"] > data.as_of - self.days * DAY]

    def _look(self, data: Dataset) -> pd.DataFrame:
        lately = self._lately(data)
        asked_for = pd.concat([_enquired(lately), _said(lately, self._titles)], ignore_index=True)
        waiting = _unanswered(asked_for, histories.of_some(histories.bought(data), asked_for["customer_id"]))
        return self._proposed(self._shelf.sendable(waiting), self._rate, data.as_of)

    def _tell(self, seen: pd.DataFrame, wanted: pd.Index, k: int) -> pd.DataFrame:
        return protocol.best(seen[seen["customer_id"].isin(wanted)], k)

    def _proposed(self, waiting: pd.DataFrame, rate: float, as_of: pd.Timestamp) -> pd.DataFrame:
        age = (as_of - waiting["received_at"]) / DAY
        rows = waiting.assign(
            score=waiting["share"] / (1 + age),
            probability=rate * waiting["share"],
            kind="request",
            horizon_days=float(self.horizon_days),
            why=waiting["instead"] + waiting["how"] + " " + age.map(phrases.ago).astype("str"),
        )
        return frames.conform(rows, protocol.RECOMMENDED, "requested")[list(protocol.RECOMMENDED)]


class Shelf(NamedTuple):
    """What of a catalog can be sent, and in place of what: ids, siblings and titles by id."""

    live: pd.Index
    siblings: pd.Series
    titles: pd.Series

    @classmethod
    def of(cls, catalog: pd.DataFrame, bought: pd.Series) -> Self:
        """Return the shelf of a catalog; `bought` is how often each product was."""
        live = pd.Index(protocol.sendable(catalog), dtype="str")
        return cls(live, protocol.stand_ins(catalog, bought), protocol.titles(catalog))

    def sendable(self, waiting: pd.DataFrame) -> pd.DataFrame:
        """Return the requests with a product to send: the one asked for, or its sibling, saying so in ``instead``."""
        asked_for = waiting["product_retailer_id"]
        sibling = asked_for.map(self.siblings)
        instead = "in place of " + asked_for.map(self.titles).fillna("") + ", which cannot be sent now; "
        rows = waiting.assign(
            product_retailer_id=asked_for.where(sibling.isna(), sibling), instead=instead.where(sibling.notna(), "")
        )
        return rows[self.live.get_indexer(rows["product_retailer_id"]) >= 0]


def _heard(data: Dataset) -> pd.DataFrame:
    return data.inbound[(data.inbound["received_at"] <= data.as_of) & (data.inbound["customer_id"] != "")]


def _bought_by(data: Dataset, customers: pd.Series) -> pd.DataFrame:
    """Return what `customers` bought up to ``data.as_of``."""
    if customers.empty:
        return frames.empty(frames.ORDERS)[histories.PURCHASE]
    return histories.of_some(histories.bought(data.of(pd.Index(customers.unique()))), customers)


def _has_siblings(catalog: pd.DataFrame) -> bool:
    """Return whether a product that cannot be sent has a sibling that can: only then it matters which sells more."""
    return not protocol.stand_ins(catalog, pd.Series(dtype="float64")).empty


def _sold(data: Dataset) -> pd.Series:
    """Return how many order lines each product has up to ``data.as_of``."""

    def counted(part: Dataset) -> pd.Series:
        number = histories.bought(part)["product_retailer_id"].value_counts()
        return pd.Series(number.to_numpy(), index=pd.Index(number.index, dtype="str"))

    return pd.concat(list(data.each(counted))).groupby(level=0).sum()


def _enquired(inbound: pd.DataFrame) -> pd.DataFrame:
    rows = inbound[inbound["product_retailer_id"] != ""]
    return rows.assign(share=1.0, how="asked about this product")[REQUEST]


def _texts(inbound: pd.DataFrame) -> pd.DataFrame:
    return inbound[(inbound["text"] != "") & (inbound["product_retailer_id"] == "")]


def _said(inbound: pd.DataFrame, titles: Titles) -> pd.DataFrame:
    """Return the products named in texts."""
    texts = _texts(inbound)
    matches = texts["text"].map({text: titles.match(text) for text in texts["text"].unique()})
    named, found = texts[matches.notna()], matches[matches.notna()]
    return named.assign(
        product_retailer_id=found.map(lambda match: match.product_retailer_id).astype("str"),
        share=found.map(lambda match: match.share).astype("float64"),
        how="named this product in a message",
    )[REQUEST]


def _unanswered(asked_for: pd.DataFrame, bought: pd.DataFrame) -> pd.DataFrame:
    """Return the latest request of each customer for each product, unless it was bought since."""
    latest = asked_for.sort_values(["received_at", "share"], kind="stable")
    latest = latest.drop_duplicates(["customer_id", "product_retailer_id"], keep="last")
    last = bought.groupby(PAIR, as_index=False)["ordered_at"].max()
    both = latest.merge(last, on=PAIR, how="left")
    return both[~(both["ordered_at"] >= both["received_at"])].reset_index(drop=True)


def _hits(old: pd.DataFrame, bought: pd.DataFrame, horizon: int) -> int:
    both = old.reset_index(names="request").merge(bought, on=PAIR)
    wait = both["ordered_at"] - both["received_at"]
    return int(both.loc[(wait >= pd.Timedelta(0)) & (wait < horizon * DAY), "request"].nunique())
