"""Reorder: what the customer buys again and again, when it is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.recommenders import histories, phrases, protocol, rhythms
from wa_products.recommenders.features import features, repeat_rate
from wa_products.recommenders.logistic import Logistic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wa_products.datasets import Dataset
    from wa_products.recommenders.histories import History, Pairs
    from wa_products.recommenders.rhythms import Rhythm

CUTOFFS = (3, 12)
ROWS_A_CUTOFF, ROWS_ENOUGH = 200_000, 300_000
LEAST_ROWS, LEAST_EVENTS = 200, 20


class Reorder:
    """
    What a customer bought before, by the probability of a purchase within `horizon_days`.

    The probability is a logistic regression on the customer's counts, recency and gaps, learned from the shop itself:
    at earlier moments, `horizon_days` apart, it sees only what came before and is told what was bought in the
    `horizon_days` after, none of them later than ``as_of``. A shop too young for that gets the chance from the gaps
    alone, times the share of buyers who ever buy the product again. What is due only after the horizon, even with its
    spread, is left out.
    """

    name = "reorder"

    def __init__(self, horizon_days: int = 14) -> None:
        if horizon_days < 1:
            raise DataError(f"horizon_days must be at least 1, got {horizon_days}")
        self.horizon_days = horizon_days

    def fit(self, data: Dataset) -> Self:
        """Learn the shop's rhythm up to ``data.as_of`` and score every customer's own products."""
        whole = histories.history(data)
        self.learned_ = _learn(whole, self.horizon_days)
        self._as_of = data.as_of
        self._titles = data.catalog.drop_duplicates("product_retailer_id").set_index("product_retailer_id")["title"]
        self._scored = _score(whole, data.catalog, self.learned_, self.horizon_days)
        return self

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return at most `k` of the customer's own products, most probable first, with due date and why."""
        rows = self._scored.of(protocol.asked(customer_ids), k)
        due = (self._as_of + pd.to_timedelta(rows["gap"] - rows["since"], unit="D")).dt.floor("min")
        found = rows.assign(
            score=rows["probability"],
            kind="reorder",
            due_at=due,
            horizon_days=float(self.horizon_days),
            why=self._why(rows),
        )
        return frames.conform(found, protocol.RECOMMENDED, "reorder")[list(protocol.RECOMMENDED)]

    def _why(self, rows: pd.DataFrame) -> list[str]:
        numbers = zip(rows["times"], rows["since"], rows["held"], rows["gap"], rows["spread"], strict=True)
        usual = rows["usual"].map(self._titles).fillna("").where(rows["usual"] != rows["product_retailer_id"], "")
        stands_in = ("in place of " + usual + ", which cannot be sent now; ").where(usual != "", "")
        return [before + phrases.reorder(*row) for before, row in zip(stands_in, numbers, strict=True)]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Scored:
    """Candidates sorted by customer, then by falling probability; `starts` has one more entry than customers."""

    customers: pd.Index
    starts: np.ndarray
    rows: pd.DataFrame
    products: pd.Index
    usual: pd.Index

    def of(self, asked: pd.Index, k: int) -> pd.DataFrame:
        """Return the first `k` rows of each of the customers asked."""
        code = self.customers.get_indexer(asked)
        code = np.sort(code[code >= 0])
        counts = np.minimum(self.starts[code + 1] - self.starts[code], max(k, 0))
        step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = self.rows.iloc[np.repeat(self.starts[code], counts) + step].reset_index(drop=True)
        return rows.assign(
            customer_id=self.customers[np.repeat(code, counts)],
            product_retailer_id=self.products[rows["product"]],
            usual=self.usual[rows["usual"]],
        )


def _learn(whole: History, horizon: int) -> Logistic | None:
    columns, happened, rows = [], [], 0
    oldest = whole.day.min(initial=0)
    for step in range(1, CUTOFFS[1] + 1):
        cutoff = -horizon * step
        if cutoff - horizon < oldest or (step > CUTOFFS[0] and rows >= ROWS_ENOUGH):
            break
        past, found, of = _known(whole, cutoff)
        some = slice(None, None, 1 + len(found) // ROWS_A_CUTOFF)
        columns.append(features(past, found, of, cutoff, horizon)[some])
        happened.append(histories.bought_within(whole, found, cutoff, horizon)[some])
        rows += len(happened[-1])
    events = sum(int(part.sum()) for part in happened)
    if rows < LEAST_ROWS or min(events, rows - events) < LEAST_EVENTS:
        return None
    return Logistic.learned(np.vstack(columns), np.concatenate(happened))


def _known(whole: History, cutoff: int) -> tuple[History, Pairs, Rhythm]:
    past = whole.upto(cutoff)
    found = histories.pairs(past, cutoff)
    return past, found, rhythms.rhythm(found, len(past.products))


def _score(whole: History, catalog: pd.DataFrame, learned: Logistic | None, horizon: int) -> _Scored:
    past, found, of = _known(whole, 0)
    if learned is None:
        probability = rhythms.chance(found, of, horizon) * repeat_rate(found, len(past.products))[found.product]
    else:
        probability = learned.probability(features(past, found, of, 0, horizon))
    sent, products = _sent(whole.products, catalog, found)
    too_soon = of.days - of.give_or_take - found.since > horizon
    rows = pd.DataFrame(
        {
            "customer": found.customer,
            "product": sent[found.product],
            "usual": found.product,
            "probability": probability,
            "times": found.times,
            "since": found.since,
            "held": found.held,
            "gap": of.days,
            "spread": of.spread,
        }
    )[(sent[found.product] >= 0) & ~too_soon]
    rows = rows.sort_values(["customer", "probability", "product"], ascending=[True, False, True], ignore_index=True)
    rows = rows[~rows.duplicated(["customer", "product"])].reset_index(drop=True)
    starts = np.searchsorted(rows["customer"].to_numpy(), np.arange(len(whole.customers) + 1))
    return _Scored(customers=whole.customers, starts=starts, rows=rows, products=products, usual=whole.products)


def _sent(products: pd.Index, catalog: pd.DataFrame, found: Pairs) -> tuple[np.ndarray, pd.Index]:
    """Return for each product the code of the one to send (itself, a sibling, or -1 for none), and those codes' ids."""
    bought = pd.Series(np.bincount(found.product, weights=found.times, minlength=len(products)), index=products)
    stand_in = protocol.stand_ins(catalog, bought).reindex(products)
    itself = products.isin(protocol.sendable(catalog))
    ids = pd.Series(products, dtype="str").where(itself, stand_in.to_numpy())
    codes, sent = pd.factorize(ids, sort=True)
    return codes, pd.Index(sent, dtype="str")
