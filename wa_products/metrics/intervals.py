"""Intervals and power at the rates and sizes that campaigns have: Wilson for a rate, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binomtest, norm
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    power_proportions_2indep,
    proportion_confint,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

ALPHA = 0.05
# How often the verdict on messages that do nothing may be wrong, 5 % in all: at all looks before the end, and at it.
EARLY, FINAL = 0.01, 0.04
POWER = 0.8
Z = float(norm.ppf(1 - ALPHA / 2))


def wilson(counts: ArrayLike, totals: ArrayLike, alpha: float = ALPHA) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the lower and upper ends of the 95 % Wilson intervals of `counts` out of `totals`; NaN where out of none.

    With another `alpha` they are of another level, here as in the functions below.

    >>> low, high = wilson([3], [100])
    >>> f"{low[0]:.4f} {high[0]:.4f}"
    '0.0103 0.0845'
    """
    count, total = np.asarray(counts, dtype="float64"), np.asarray(totals, dtype="float64")
    low, high = proportion_confint(count, np.where(total > 0, total, 1), alpha=alpha, method="wilson")
    return np.where(total > 0, low, np.nan), np.where(total > 0, high, np.nan)


def newcombe(count: int, total: int, count_other: int, total_other: int, alpha: float = ALPHA) -> tuple[float, float]:
    """
    Return the 95 % Newcombe interval of the first rate less the second; NaN where either is out of none.

    Wald intervals cover 75 to 93 % at the sizes of a small holdout, this one 95 to 96 %.
    """
    if not (total and total_other):
        return np.nan, np.nan
    low, high = confint_proportions_2indep(
        count, total, count_other, total_other, compare="diff", method="newcomb", alpha=alpha
    )
    return float(low), float(high)


def ratio(
    count: int, total: int, count_other: int, total_other: int, alpha: float = ALPHA
) -> tuple[float, float, float]:
    """
    Return the first rate over the second with its 95 % interval; the upper end is infinite where the second is 0.

    The interval joins the two Wilson intervals as Newcombe's does for a difference (Donner and Zou 2012, "Closed-form
    confidence intervals for functions of the normal mean and standard deviation", section 2.3). NaN where either is
    out of none, or both are 0.

    >>> [round(float(end), 2) for end in ratio(54, 900, 3, 100)]
    [2.0, 0.68, 5.98]
    """
    if not (total and total_other) or not (count or count_other):
        return np.nan, np.nan, np.nan
    rate, other = count / total, count_other / total_other
    (low, low_other), (high, high_other) = wilson([count, count_other], [total, total_other], alpha)
    product = (rate * other) ** 2

    def end(mine: float, theirs: float, sign: int) -> float:
        factor = theirs * (2 * other - theirs)
        root = np.sqrt(max(product - mine * (2 * rate - mine) * factor, 0))
        return float((rate * other + sign * root) / factor) if factor else np.inf

    if not count_other:
        return np.inf, end(low, high_other, -1), np.inf
    return rate / other, max(0.0, end(low, high_other, -1)), end(high, low_other, 1)


def detectable(rate: float, treated: int, holdout: int) -> float:
    """
    Return the smallest rise above `rate` of which the verdict would tell four times in five; NaN where none is.

    `treated` and `holdout` are the sizes of the arms.

    >>> round(detectable(0.03, 3644, 405), 3)
    0.033
    """

    def shortfall(rise: float) -> float:
        power = power_proportions_2indep(
            rise, rate, treated, ratio=holdout / treated, alpha=FINAL, return_results=False
        )
        return float(power) - POWER

    most = 1 - rate - 1e-9
    if not (treated and holdout) or not 0 < rate < 1 or shortfall(most) < 0:
        return np.nan
    return float(brentq(shortfall, 1e-9, most))


def needed(rate: float, rise: float, holdout: float) -> float:
    """
    Return how many customers a campaign needs to show a `rise` above `rate` four times in five; NaN where none do.

    `holdout` is the share that is held out.

    >>> needed(0.03, 0.03, 0.2)
    2675.0
    """
    if not (0 < holdout < 1 and 0 < rate < 1 and 0 < rise < 1 - rate):
        return np.nan

    def shortfall(size: float) -> float:
        treated = size * (1 - holdout)
        share = holdout / (1 - holdout)
        return POWER - float(
            power_proportions_2indep(rise, rate, treated, ratio=share, alpha=FINAL, return_results=False)
        )

    return float(np.ceil(brentq(shortfall, 2, 1e12)))


def sample_ratio(treated: int, held: int, share: float) -> float:
    """Return how likely a split at least this uneven is when `share` is held out; NaN where nobody was to be."""
    if not (treated + held) or not 0 < share < 1:
        return np.nan
    return float(binomtest(int(held), int(treated + held), share).pvalue)
