"""Together: what others buy along with the customer's latest purchases, and this customer never bought."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.recommenders import companions, histories, panels, phrases, protocol, runs, withheld
from wa_products.recommenders.logistic import Logistic

if TYPE_CHECKING:
    from scipy import sparse

    from wa_products.datasets import Dataset
    from wa_products.recommenders.companions import Companions
    from wa_products.recommenders.histories import History

CUTOFFS = 3
LEAST_ROWS, LEAST_EVENTS = 200, 20
OFFERED = 20  # new products kept a customer
BASKETS_SEEN, HALF_LIFE = 12, 2.0  # in horizons


class Together(protocol.InParts):
    """
    Products never bought that share orders with what the customer bought last.

    A companion counts by the share of orders that hold it beyond chance; orders are those of the last twelve
    horizons. The probability of a purchase within `horizon_days` is learned at earlier moments from how often such
    offers were bought; where there were too few to tell, it is the share of the few, counted with one hit and one miss.
    """

    name = "together"

    def __init__(self, horizon_days: int = 14) -> None:
        if horizon_days < 1:
            raise DataError(f"horizon_days must be at least 1, got {horizon_days}")
        self.horizon_days = horizon_days

    def learn(self, data: Dataset) -> Self:
        """Count what shares orders up to ``data.as_of``, and learn what became of such offers."""
        known = panels.panel(data, self.horizon_days)
        self._products = known.products
        keep = self._kept(data.catalog)
        self._beside = companions.companions(known.sample, -BASKETS_SEEN * self.horizon_days)
        self._probability = _learned(known.sample, self.horizon_days, keep)
        return self

    def _kept(self, catalog: pd.DataFrame) -> np.ndarray:
        return np.asarray(self._products.isin(protocol.sendable(catalog)))

    def _look(self, data: Dataset) -> Seen:
        whole = histories.history(data, self._products)
        offers = _offers(whole, 0, self.horizon_days, self._beside, self._kept(data.catalog))
        with_ids = offers.assign(
            probability=self._probability(offers["drawn"].to_numpy()),
            customer_id=whole.customers[offers["customer"]],
            product_retailer_id=whole.products[offers["product"]],
        )
        titles = protocol.titles(data.catalog).reindex(whole.products).fillna("").to_numpy()
        lately = companions.lately(whole, 0, HALF_LIFE * self.horizon_days)
        return Seen(withheld.offered(with_ids, withheld.withheld(data)), titles, lately)

    def _tell(self, seen: Seen, wanted: pd.Index, k: int) -> pd.DataFrame:
        rows = seen.rows[seen.rows["customer_id"].isin(wanted)]
        found = protocol.best(rows.assign(score=rows["drawn"]), k)
        told = companions.sources(seen.lately, self._beside, found["customer"], found["product"])
        numbers = zip(seen.titles[told.source], told.both, told.times, strict=True)
        found = found.assign(
            kind="recommendation",
            horizon_days=float(self.horizon_days),
            why=pd.Series([phrases.together(*row) for row in numbers], dtype="str"),
        )
        return frames.conform(found, protocol.RECOMMENDED, self.name)[list(protocol.RECOMMENDED)]


class Seen(NamedTuple):
    """The offers to some customers, the titles of products, and what the customers bought lately."""

    rows: pd.DataFrame
    titles: np.ndarray
    lately: sparse.csr_matrix


def _offers(past: History, cutoff: int, horizon: int, beside: Companions, keep: np.ndarray) -> pd.DataFrame:
    """Return the products that each customer never bought and that their latest purchases speak for most."""
    customer, product, drawn = unbought(past, companions.drawn(past, cutoff, HALF_LIFE * horizon, beside), keep)
    first = runs.ranks(customer, drawn) < OFFERED
    return pd.DataFrame({"customer": customer[first], "product": product[first], "drawn": drawn[first]})


def unbought(past: History, drawn: sparse.csr_matrix, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return customer, product and value of the entries of `drawn` for products to keep that were never bought."""
    entries = drawn.tocoo()
    customer, product = entries.row.astype("int64"), entries.col.astype("int64")
    bought = runs.unique(past.customer * np.int64(len(past.products)) + past.product)
    new = keep[product] & (runs.members(customer * np.int64(len(past.products)) + product, bought) < 0)
    return customer[new], product[new], entries.data[new]


class _Rate:
    """A probability for every offer alike."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, drawn: np.ndarray) -> np.ndarray:
        return np.full(len(drawn), self.rate)


class _Curve:
    """A probability that grows with how strongly a product is drawn."""

    def __init__(self, learned: Logistic) -> None:
        self.learned = learned

    def __call__(self, drawn: np.ndarray) -> np.ndarray:
        return self.learned.probability(np.log(drawn)[:, None])


def _learned(whole: History, horizon: int, keep: np.ndarray) -> _Rate | _Curve:
    """Return the probability that an offer is bought within the horizon, from earlier moments."""
    drawn, bought = [np.zeros(0)], [np.zeros(0, dtype=bool)]
    for step in range(1, CUTOFFS + 1):
        cutoff = -horizon * step
        if cutoff - horizon < whole.day.min(initial=0):
            break
        past = whole.upto(cutoff)
        beside = companions.companions(past, cutoff - BASKETS_SEEN * horizon)
        offers = _offers(past, cutoff, horizon, beside, keep)
        pair = offers["customer"].to_numpy(), offers["product"].to_numpy()
        drawn.append(offers["drawn"].to_numpy())
        bought.append(histories.bought_within(whole, *pair, (cutoff, cutoff + horizon)))
    values, happened = np.concatenate(drawn), np.concatenate(bought)
    if len(happened) < LEAST_ROWS or happened.sum() < LEAST_EVENTS:
        return _Rate((happened.sum() + 1) / (len(happened) + 2) if len(happened) else float("nan"))
    return _Curve(Logistic.learned(np.log(values)[:, None], happened))
