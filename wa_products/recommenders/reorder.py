"""Reorder: what the customer buys again and again, when it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.recommenders import histories, phrases, protocol, rhythms, scored, withheld
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
    alone, times the share of buyers who ever buy the product again. What is due only after the horizon, even at its
    earliest, is left out.
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
        self._titles, self._held = protocol.titles(data.catalog), withheld.withheld(data)
        self._scored = _score(whole, data.catalog, self.learned_, self.horizon_days)
        return self

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return at most `k` of the customer's own products, most probable first, with due date and why."""
        rows = self._scored.first(protocol.asked(customer_ids), k, self._held)
        numbers = zip(rows["times"], rows["since"], rows["held"], rows["gap"], rows["spread"], strict=True)
        found = rows.assign(
            score=rows["probability"],
            kind="reorder",
            **scored.dues(rows, self._as_of),
            horizon_days=float(self.horizon_days),
            why=scored.in_place_of(rows, self._titles)
            + pd.Series([phrases.reorder(*row) for row in numbers], dtype="str"),
        )
        return frames.conform(found, protocol.RECOMMENDED, self.name)[list(protocol.RECOMMENDED)]


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
        happened.append(histories.bought_within(whole, found.customer, found.product, (cutoff, cutoff + horizon))[some])
        rows += len(happened[-1])
    events = sum(int(part.sum()) for part in happened)
    if rows < LEAST_ROWS or min(events, rows - events) < LEAST_EVENTS:
        return None
    return Logistic.learned(np.vstack(columns), np.concatenate(happened))


def _known(whole: History, cutoff: int) -> tuple[History, Pairs, Rhythm]:
    past = whole.upto(cutoff)
    found = histories.pairs(past, cutoff)
    return past, found, rhythms.rhythm(found, [found.product])


def _score(whole: History, catalog: pd.DataFrame, learned: Logistic | None, horizon: int) -> scored.Scored:
    past, found, of = _known(whole, 0)
    if learned is None:
        probability = rhythms.chance(found, of, horizon) * repeat_rate(found, len(past.products))[found.product]
    else:
        probability = learned.probability(features(past, found, of, 0, horizon))
    codes, products = scored.sent(whole.products, catalog, found)
    start, end = (rhythms.waits(found, of, share) for share in rhythms.INTERVAL)
    rows = pd.DataFrame(
        {
            "customer": found.customer,
            "product": codes[found.product],
            "usual": found.product,
            "probability": probability,
            "times": found.times,
            "since": found.since,
            "held": found.held,
            "gap": of.days,
            "spread": of.spread,
            "start": start,
            "end": end,
        }
    )[(codes[found.product] >= 0) & (start <= horizon)]
    return scored.Scored.of(rows, customers=whole.customers, products=products, usual=whole.products)
