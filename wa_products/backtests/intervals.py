"""Intervals by drawing customers again (Efron 1979): all that one customer did at all cutoffs stays together."""

from __future__ import annotations

import numpy as np

LEVEL = 95.0
CELLS = 2**22


def resampled(columns: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """
    Return the sums of `columns`, one row a customer, over `resamples` draws of as many customers with repeats.

    The draws are the same for every call with as many customers and the same seed, so differences are paired.
    """
    customers = len(columns)
    if not customers:
        return np.zeros((resamples, columns.shape[1]))
    chance, part = np.random.default_rng(seed), max(CELLS // customers, 1)
    even = np.full(customers, 1 / customers)
    sizes = [min(part, resamples - start) for start in range(0, resamples, part)]
    return np.vstack([chance.multinomial(customers, even, size=size) @ columns for size in sizes])


def percentiles(draws: np.ndarray) -> tuple[float, float]:
    """Return between which values the middle 95 % of `draws` lie; NaN where there is none that is known."""
    known = draws[~np.isnan(draws)]
    if not known.size:
        return np.nan, np.nan
    low, high = np.percentile(known, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return float(low), float(high)


def pivotal(value: float, draws: np.ndarray) -> tuple[float, float]:
    """
    Return the percentiles mirrored at `value`, not below 0: for errors that grow by drawing again.

    A calibration error is a sum of distances, which noise can only widen; the plain percentiles lie too high.
    """
    low, high = percentiles(draws)
    return max(2 * value - high, 0.0), max(2 * value - low, 0.0)
