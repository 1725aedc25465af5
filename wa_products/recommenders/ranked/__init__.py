"""Ranked: the customer's own products, those bought together and popular ones on one learned scale of probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.recommenders import companions, histories, panels, protocol, scored, withheld
from wa_products.recommenders.popular import Popular
from wa_products.recommenders.ranked import learning, reasons
from wa_products.recommenders.ranked.moments import HALF_LIFE, Moment, Shop
from wa_products.recommenders.ranked.shared import shared
from wa_products.recommenders.reorder import Reorder
from wa_products.recommenders.shelves import shelves
from wa_products.recommenders.together import Together

if TYPE_CHECKING:
    from scipy import sparse

    from wa_products.datasets import Dataset
    from wa_products.recommenders.histories import History
    from wa_products.recommenders.ranked.learning import Learned

KEPT = 20  # candidates a customer
CHUNK = 2_000  # customers looked at together


class Ranked(protocol.InParts):
    """
    The most probable products of each customer, from all sources, as the shop's own past teaches.

    Candidates are the customer's own products, those bought together with their latest, and popular ones. Trees
    (LightGBM), and for own products a regression beside them, learn at several earlier moments, `horizon_days` apart,
    from what came before each what was bought in the `horizon_days` after, none of it later than ``as_of``. The later
    half of these moments is kept back first: there both are weighed and the probabilities calibrated, and the sentence
    that says why tells how often proposals as probable came true.

    A shop whose past is too small for that gets the best of `Reorder`, `Together` and `Popular`, and each sentence
    says so; `learned_` is then None. New customers get what is popular. `seed` fixes all chance.
    """

    name = "ranked"

    def __init__(self, horizon_days: int = 14, seed: int = 7) -> None:
        if horizon_days < 1:
            raise DataError(f"horizon_days must be at least 1, got {horizon_days}")
        self.horizon_days = horizon_days
        self.seed = seed

    def learn(self, data: Dataset) -> Self:
        """Learn from what was bought up to ``data.as_of``."""
        known = panels.panel(data, self.horizon_days)
        census = known.census.products
        self._products, self._bought = census.index, census["bought"].to_numpy()
        self._recent = census["recent"].to_numpy()
        self._popular = Popular(self.horizon_days).counted(known.census, data.catalog)
        self._sent = scored.sent(self._products, data.catalog, self._bought)
        self._shelves = shelves(data.catalog, self._products)
        self._titles = protocol.titles(data.catalog)
        worth, shop = self._sent[0] >= 0, self._shop(known.sample)
        self.learned_ = learning.learn(shop, worth, known.chance, self.seed)
        if self.learned_ is None:
            self._simple = [self._popular, *(rule(self.horizon_days).learn(data) for rule in (Reorder, Together))]
        else:
            self._shared = shared(shop.at(0), worth)
        return self

    def _shop(self, whole: History) -> Shop:
        return Shop.of(whole, self._shelves, self.horizon_days)

    def _look(self, data: Dataset) -> Any:  # noqa: ANN401  # what the simple rules see, or what trees have scored
        if self.learned_ is None:
            return [rule._look(data) for rule in self._simple]  # noqa: SLF001  # of one family
        whole = histories.history(data, self._products)
        codes, products = self._sent
        rows, before = [], 0
        for some in whole.chunks(CHUNK):
            moment = Moment(past=self._shop(some).at(0), shared=self._shared)
            found = learning.weighed(moment, self.learned_, codes, self._recent, KEPT)
            rows.append(found.assign(customer=found["customer"] + before))
            before += len(some.customers)
        found = pd.concat(rows, ignore_index=True)
        return Seen(
            scored.Scored.of(found, customers=whole.customers, products=products, usual=self._products),
            data.as_of,
            withheld.withheld(data),
            companions.lately(whole, 0, HALF_LIFE * self.horizon_days),
        )

    def _tell(self, seen: Any, wanted: pd.Index, k: int) -> pd.DataFrame:  # noqa: ANN401
        if self.learned_ is None:
            parts = zip(self._simple, seen, strict=True)
            found = pd.concat([rule._tell(some, wanted, k) for rule, some in parts], ignore_index=True)  # noqa: SLF001
            best = protocol.best(found.assign(score=found["probability"].fillna(0.0)), k)
            return best.assign(why=best["why"] + reasons.SIMPLE)
        new = seen.scored.customers.get_indexer(wanted) < 0
        both = pd.concat([self._ranked(seen, wanted, k, self.learned_), self._popular.for_newcomers(wanted[new], k)])
        return both.sort_values("customer_id", kind="stable", ignore_index=True)

    def _ranked(self, seen: Seen, wanted: pd.Index, k: int, learned: Learned) -> pd.DataFrame:
        rows = seen.scored.first(wanted, k, seen.held)
        found = rows.assign(
            score=rows["probability"],
            kind=np.where(rows["times"] > 0, "reorder", "recommendation"),
            horizon_days=float(self.horizon_days),
            **scored.dues(rows, seen.as_of),
            why=scored.in_place_of(rows, self._titles) + self._why(seen, rows, learned),
        )
        return frames.conform(found, protocol.RECOMMENDED, self.name)[list(protocol.RECOMMENDED)]

    def _why(self, seen: Seen, rows: pd.DataFrame, learned: Learned) -> pd.Series:
        new = rows[rows["times"] == 0]
        told = companions.sources(seen.lately, self._shared.beside, new["customer"], new["usual"])
        source = self._titles.reindex(self._products[told.source]).fillna("").where(told.source >= 0, "")
        beside = pd.DataFrame({"source": source.to_numpy(), "both": told.both, "orders": told.times}, index=new.index)
        known = rows.join(beside).fillna({"source": "", "both": 0, "orders": 0}).astype({"both": int, "orders": int})
        return reasons.why(known, learned, self.horizon_days)


class Seen(NamedTuple):
    """The scored candidates of some customers, what is to be told of them, and what they bought lately."""

    scored: scored.Scored
    as_of: pd.Timestamp
    held: pd.DataFrame
    lately: sparse.csr_matrix
