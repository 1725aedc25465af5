"""Reorder: what the customer buys again and again, when it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.recommenders import histories, panels, phrases, protocol, rhythms, scored, withheld
from wa_products.recommenders.features import features, repeat_rate
from wa_products.recommenders.logistic import Logistic

if TYPE_CHECKING:
    from wa_products.datasets import Dataset
    from wa_products.recommenders.histories import History, Pairs
    from wa_products.recommenders.rhythms import Beliefs

CUTOFFS = (3, 12)
ROWS_A_CUTOFF, ROWS_ENOUGH = 200_000, 300_000
LEAST_ROWS, LEAST_EVENTS = 200, 20


class Reorder(protocol.InParts):
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

    def learn(self, data: Dataset) -> Self:
        """Learn the shop's rhythm up to ``data.as_of``."""
        known = panels.panel(data, self.horizon_days)
        self._products, self._bought = known.products, known.census.products["bought"].to_numpy()
        self.learned_ = _learn(known.sample, self.horizon_days)
        self._shared = Shared.of(histories.pairs(known.sample, 0), len(known.products))
        return self

    def _look(self, data: Dataset) -> Seen:
        found = self._scored(histories.history(data, self._products), data.catalog)
        return Seen(found, data.as_of, protocol.titles(data.catalog), withheld.withheld(data))

    def _tell(self, seen: Seen, wanted: pd.Index, k: int) -> pd.DataFrame:
        rows = seen.scored.first(wanted, k, seen.held)
        numbers = zip(rows["times"], rows["since"], rows["held"], rows["gap"], rows["spread"], strict=True)
        found = rows.assign(
            score=rows["probability"],
            kind="reorder",
            **scored.dues(rows, seen.as_of),
            horizon_days=float(self.horizon_days),
            why=scored.in_place_of(rows, seen.titles)
            + pd.Series([phrases.reorder(*row) for row in numbers], dtype="str"),
        )
        return frames.conform(found, protocol.RECOMMENDED, self.name)[list(protocol.RECOMMENDED)]

    def _scored(self, whole: History, catalog: pd.DataFrame) -> scored.Scored:
        shared, horizon = self._shared, self.horizon_days
        found = histories.pairs(whole, 0)
        of = rhythms.rhythm(found, shared.beliefs)
        if self.learned_ is None:
            probability = rhythms.chance(found, of, horizon) * shared.again[found.product]
        else:
            probability = self.learned_.probability(features(whole, found, of, shared.again, cutoff=0, horizon=horizon))
        codes, products = scored.sent(self._products, catalog, self._bought)
        start, end = (rhythms.waits(found, of, share) for share in rhythms.INTERVAL)
        product = codes[found.product]
        some = np.flatnonzero((product >= 0) & (start <= horizon))
        order = some[scored.first(found.customer[some], product[some], probability[some])]
        columns = {
            "customer": found.customer,
            "product": product,
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
        rows = pd.DataFrame({name: column[order] for name, column in columns.items()})
        return scored.Scored.of(rows, customers=whole.customers, products=products, usual=self._products)


class Seen(NamedTuple):
    """The scored products of some customers, and what is to be told of them."""

    scored: scored.Scored
    as_of: pd.Timestamp
    titles: pd.Series
    held: pd.DataFrame


class Shared(NamedTuple):
    """What customers share: the rhythm of products, and the share of the buyers of each who bought it again."""

    beliefs: Beliefs
    again: np.ndarray

    @classmethod
    def of(cls, found: Pairs, products: int) -> Self:
        """Return what the pairs `found` tell of so many products."""
        return cls(rhythms.beliefs(found, [], products), repeat_rate(found, products))


def _learn(whole: History, horizon: int) -> Logistic | None:
    columns, happened, rows = [], [], 0
    oldest = whole.day.min(initial=0)
    for step in range(1, CUTOFFS[1] + 1):
        cutoff = -horizon * step
        if cutoff - horizon < oldest or (step > CUTOFFS[0] and rows >= ROWS_ENOUGH):
            break
        past = whole.upto(cutoff)
        found = histories.pairs(past, cutoff)
        shared = Shared.of(found, len(whole.products))
        some = slice(None, None, 1 + len(found) // ROWS_A_CUTOFF)
        of = rhythms.rhythm(found, shared.beliefs)
        columns.append(features(past, found, of, shared.again, cutoff=cutoff, horizon=horizon)[some])
        happened.append(histories.bought_within(whole, found.customer, found.product, (cutoff, cutoff + horizon))[some])
        rows += len(happened[-1])
    events = sum(int(part.sum()) for part in happened)
    if rows < LEAST_ROWS or min(events, rows - events) < LEAST_EVENTS:
        return None
    return Logistic.learned(np.vstack(columns), np.concatenate(happened))
