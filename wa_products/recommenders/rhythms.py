"""
How often a customer buys a product, and when the next time is due.

Gaps between purchases are taken as log-normal. A customer's own gaps are shrunk towards those of the product, and
the product's towards those of the shop, so that two purchases give a date and twenty give a better one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wa_products.recommenders.histories import Pairs

# Weights of what is believed before the own gaps are seen, counted in gaps: weak beliefs, not tuned to any shop.
OWN_GAP, OWN_SPREAD, PRODUCT = 1.0, 3.0, 5.0
# Where a shop has no gap at all: a month, within a factor of two.
ANY_GAP, ANY_SPREAD = np.log(30.0), 0.7
LEAST_SPREAD = 0.05
INTERVAL = 0.1, 0.9  # the shares of repurchases that come before a due interval begins, and before it ends


@dataclass(frozen=True, eq=False, kw_only=True)
class Rhythm:
    """
    The gap of each pair, as arrays of one length.

    `centre` is the mean of the logarithm of the gap in days, `spread` its standard deviation.
    """

    centre: np.ndarray
    spread: np.ndarray

    @property
    def days(self) -> np.ndarray:
        """Return the typical gap in days."""
        return np.exp(self.centre)


@dataclass(frozen=True, eq=False, kw_only=True)
class Beliefs:
    """
    What is believed of each product before a customer's own gaps are seen.

    `centre` is of the logarithm of the gap in days, `variance` of its spread round that.
    """

    centre: np.ndarray
    variance: np.ndarray


def beliefs(found: Pairs, groups: Sequence[np.ndarray], products: int) -> Beliefs:
    """
    Return what the pairs of `found` tell of each of `products`.

    `groups` have, for each product, the code of what it belongs to, the coarsest first: each is shrunk towards the
    one before, the first towards the shop, and the product itself towards the last.
    """
    gaps, every = found.times - 1, [*groups, np.arange(products)]
    centre = _shrunk(found, found.gap_log, gaps, ANY_GAP, every)
    around = _around(found, _centre(found, centre))
    variance = _shrunk(found, around, np.maximum(gaps - 1, 0.0), ANY_SPREAD**2, every)
    return Beliefs(centre=centre, variance=variance)


def rhythm(found: Pairs, known: Beliefs) -> Rhythm:
    """Return the rhythm of each pair of `found`, its own gaps shrunk towards what is known of the product."""
    centre, usual = _centre(found, known.centre), known.variance[found.product]
    variance = (_around(found, centre) + OWN_SPREAD * usual) / (found.times - 1 + OWN_SPREAD)
    return Rhythm(centre=centre, spread=np.sqrt(np.maximum(variance, LEAST_SPREAD**2)))


def _centre(found: Pairs, believed: np.ndarray) -> np.ndarray:
    return (found.gap_log + OWN_GAP * believed[found.product]) / (found.times - 1 + OWN_GAP)


def _around(found: Pairs, centre: np.ndarray) -> np.ndarray:
    return np.maximum(found.gap_log2 - 2 * centre * found.gap_log + (found.times - 1) * centre**2, 0.0)


def _shrunk(
    found: Pairs, total: np.ndarray, weight: np.ndarray, default: float, groups: Sequence[np.ndarray]
) -> np.ndarray:
    believed = np.full(len(groups[-1]), (total.sum() + PRODUCT * default) / (weight.sum() + PRODUCT))
    for group in groups:
        size, own = int(group.max(initial=-1)) + 1, group[found.product]
        totals, weights = (np.bincount(own, weights=values, minlength=size) for values in (total, weight))
        believed = (totals[group] + PRODUCT * believed) / (weights[group] + PRODUCT)
    return believed


def chance(found: Pairs, of: Rhythm, horizon: float) -> np.ndarray:
    """
    Return the chance of a purchase within `horizon` days, were every pair bought again some day.

    It is what the log-normal gap leaves, given that the product was not bought since the last time.
    """
    spread = _foreseen(found, of)
    now = (np.log(found.since) - of.centre) / spread
    then = (np.log(found.since + horizon) - of.centre) / spread
    return -np.expm1(log_ndtr(-then) - log_ndtr(-now))


def waits(found: Pairs, of: Rhythm, share: float) -> np.ndarray:
    """Return the days from now within which a `share` of such pairs is bought again, of those that are."""
    spread = _foreseen(found, of)
    over = ndtr((np.log(found.since) - of.centre) / spread)
    level = np.clip(over + share * (1 - over), 0.0, 1 - 1e-9)
    return np.maximum(np.exp(of.centre + spread * ndtri(level)) - found.since, 0.0)


def _foreseen(found: Pairs, of: Rhythm) -> np.ndarray:
    """Return the spread of the next gap: that of gaps, and what is not known of their centre."""
    return of.spread * np.sqrt(1 + 1 / found.times)
