"""Ranked: the customer's own products, those bought together and popular ones on one learned scale of probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.recommenders import companions, histories, protocol, scored, withheld
from wa_products.recommenders.popular import Popular
from wa_products.recommenders.ranked import learning, reasons
from wa_products.recommenders.ranked.moments import HALF_LIFE, Shop
from wa_products.recommenders.reorder import Reorder
from wa_products.recommenders.shelves import shelves
from wa_products.recommenders.together import Together

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wa_products.datasets import Dataset
    from wa_products.recommenders.ranked.learning import Learned

KEPT = 20  # candidates a customer


class Ranked:
    """
    The most probable products of each customer, from all sources, as the shop's own past teaches.

    Candidates are the customer's own products, those bought together with their latest, and popular ones. Trees
    (LightGBM) learn at several earlier moments, `horizon_days` apart, from what came before each what was bought in the
    `horizon_days` after, none of it later than ``as_of``. The later half of these moments is kept back first: there
    the probabilities are calibrated, and the sentence that says why tells how often proposals as probable came true.

    A shop whose past is too small for that gets the best of `Reorder`, `Together` and `Popular`, and each sentence
    says so; `learned_` is then None. New customers get what is popular. `seed` fixes all chance.
    """

    name = "ranked"

    def __init__(self, horizon_days: int = 14, seed: int = 7) -> None:
        if horizon_days < 1:
            raise DataError(f"horizon_days must be at least 1, got {horizon_days}")
        self.horizon_days = horizon_days
        self.seed = seed

    def fit(self, data: Dataset) -> Self:
        """Learn from what was bought up to ``data.as_of`` and score the candidates of every customer."""
        whole = histories.history(data)
        shop = Shop.of(whole, shelves(data.catalog, whole.products), self.horizon_days)
        codes, products = scored.sent(whole.products, data.catalog, histories.pairs(whole, 0))
        self.learned_ = learning.learn(shop, codes >= 0, self.seed)
        self._popular = Popular(self.horizon_days).fit(data)
        if self.learned_ is None:
            self._simple = [rule(self.horizon_days).fit(data) for rule in (Reorder, Together)]
            return self
        moment = shop.at(0)
        rows = learning.weighed(moment, self.learned_, codes)
        self._scored = scored.Scored.of(
            rows, customers=whole.customers, products=products, usual=whole.products, most=KEPT
        )
        self._as_of, self._titles, self._held = data.as_of, protocol.titles(data.catalog), withheld.withheld(data)
        self._lately = companions.lately(whole, 0, HALF_LIFE * self.horizon_days)
        self._beside = moment.beside
        return self

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return at most `k` products a customer, most probable first, with due date and why."""
        asked = protocol.asked(customer_ids)
        if self.learned_ is None:
            rules = [self._popular, *self._simple]
            found = pd.concat([rule.recommend(asked, k) for rule in rules], ignore_index=True)
            best = protocol.best(found.assign(score=found["probability"].fillna(0.0)), max(k, 0))
            return best.assign(why=best["why"] + reasons.SIMPLE)
        newcomers = self._popular.recommend(asked[self._scored.customers.get_indexer(asked) < 0], k)
        both = pd.concat([self._ranked(asked, k, self.learned_), newcomers])
        return both.sort_values("customer_id", kind="stable", ignore_index=True)

    def _ranked(self, asked: pd.Index, k: int, learned: Learned) -> pd.DataFrame:
        rows = self._scored.first(asked, k, self._held)
        found = rows.assign(
            score=rows["probability"],
            kind=np.where(rows["times"] > 0, "reorder", "recommendation"),
            horizon_days=float(self.horizon_days),
            **scored.dues(rows, self._as_of),
            why=scored.in_place_of(rows, self._titles) + self._why(rows, learned),
        )
        return frames.conform(found, protocol.RECOMMENDED, self.name)[list(protocol.RECOMMENDED)]

    def _why(self, rows: pd.DataFrame, learned: Learned) -> pd.Series:
        told = companions.sources(self._lately, self._beside, rows["customer"], rows["usual"])
        source = self._titles.reindex(self._scored.usual[told.source]).fillna("").where(told.source >= 0, "")
        known = rows.assign(source=source.to_numpy(), both=told.both, orders=told.times)
        return reasons.why(known, learned, self.horizon_days)
