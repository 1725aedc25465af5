"""Intervals and power at the rates and sizes that campaigns have: Wilson for a rate, Newcombe for a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chisquare
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    power_proportions_2indep,
    proportion_confint,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

ALPHA = 0.05
POWER = 0.8


def wilson(counts: ArrayLike, totals: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the lower and upper ends of the 95 % Wilson intervals of `counts` out of `totals`; NaN where out of none.

    >>> low, high = wilson([3], [100])
    >>> f"{low[0]:.4f} {high[0]:.4f}"
    '0.0103 0.0845'
    """
    count, total = np.asarray(counts, dtype="float64"), np.asarray(totals, dtype="float64")
    low, high = proportion_confint(count, np.where(total > 0, total, 1), alpha=ALPHA, method="wilson")
    return np.where(total > 0, low, np.nan), np.where(total > 0, high, np.nan)


def newcombe(count: int, total: int, count_other: int, total_other: int) -> tuple[float, float]:
    """
    Return the 95 % Newcombe interval of the first rate less the second; NaN where either is out of none.

    Wald intervals cover 75 to 93 % at the sizes of a small holdout, this one 95 to 96 %.
    """
    if not (total and total_other):
        return np.nan, np.nan
    low, high = confint_proportions_2indep(
        count, total, count_other, total_other, compare="diff", method="newcomb", alpha=ALPHA
    )
    return float(low), float(high)


def detectable(rate: float, treated: int, holdout: int) -> float:
    """
    Return the smallest rise above `rate` that arms of these sizes would show four times in five; NaN where none is.

    >>> round(detectable(0.03, 3644, 405), 3)
    0.032
    """

    def shortfall(rise: float) -> float:
        power = power_proportions_2indep(
            rise, rate, treated, ratio=holdout / treated, alpha=ALPHA, return_results=False
        )
        return float(power) - POWER

    most = 1 - rate - 1e-9
    if not (treated and holdout) or not 0 < rate < 1 or shortfall(most) < 0:
        return np.nan
    return float(brentq(shortfall, 1e-9, most))


def sample_ratio(treated: int, held: int, share: float) -> float:
    """Return how likely a split at least this uneven is when `share` is held out; NaN where nobody was to be."""
    if not (treated + held) or not 0 < share < 1:
        return np.nan
    expected = [(treated + held) * (1 - share), (treated + held) * share]
    return float(chisquare([treated, held], expected).pvalue)
