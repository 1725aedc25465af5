"""What speaks for a purchase within the horizon: one row a (customer, product) pair, one column a sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logit

from wa_products.recommenders import rhythms, runs

if TYPE_CHECKING:
    from wa_products.recommenders.histories import History, Pairs
    from wa_products.recommenders.rhythms import Rhythm

VISITS_SEEN = 56
REPEAT_WEIGHT = 5.0


def features(
    past: History, found: Pairs, of: Rhythm, repeated: np.ndarray, *, cutoff: int, horizon: float
) -> np.ndarray:
    """
    Return the signs of each pair of `found` as known at `cutoff`: float64, a row a pair.

    `repeated` is the `repeat_rate` of each product.
    """
    due = logit(np.clip(rhythms.chance(found, of, horizon), 1e-4, 1 - 1e-4))
    times, since, spread = np.log(found.times), np.log(found.since), np.log(of.spread)
    recent, lately = np.log1p(found.recent), np.log1p(found.lately)
    lateness = since - of.centre
    again = logit(repeated)[found.product]
    visits, recent_visits, last_visit = (values[found.customer] for values in _visits(past, cutoff))
    return np.column_stack(
        [
            due,
            due * spread,
            spread,
            times,
            times - np.log1p(visits),
            recent,
            recent * since,
            lately,
            since,
            np.log(found.held),
            np.maximum(lateness, 0.0),
            np.minimum(lateness, 0.0),
            again,
            again * (found.times == 1),
            np.log1p(recent_visits),
            np.log(last_visit),
        ]
    )


def repeat_rate(found: Pairs, products: int) -> np.ndarray:
    """Return for each product the share of its buyers who bought it again, shrunk towards the shop's share."""
    buyers = np.bincount(found.product, minlength=products)
    again = np.bincount(found.product, weights=found.times > 1, minlength=products)
    shop = (again.sum() + 1) / (buyers.sum() + 2)
    return (again + REPEAT_WEIGHT * shop) / (buyers + REPEAT_WEIGHT)


def _visits(past: History, cutoff: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each customer the days with a purchase, those of the last eight weeks, and days since the last."""
    order = np.lexsort((past.day, past.customer))
    customer, day = past.customer[order], past.day[order]
    new = runs.changes(customer, day)
    customer, day = customer[new], day[new]
    size = len(past.customers)
    all_days = np.bincount(customer, minlength=size)
    recent = np.bincount(customer, weights=day >= cutoff - VISITS_SEEN, minlength=size)
    last = np.full(size, cutoff - 1)
    closing = np.flatnonzero(np.append(customer[1:] != customer[:-1], True)[: len(customer)])
    last[customer[closing]] = day[closing]
    return all_days, recent, (cutoff - last).astype("float64")
