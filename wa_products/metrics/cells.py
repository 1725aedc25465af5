"""
Many rates side by side, such as of products or hours, without taking the luck of small numbers for news.

Each rate is drawn towards the rate of all by as much as its own numbers are few (a beta distribution of rates, fitted
to all cells at once), and each is tested against the rest with the false discovery rate held at 5 % (Benjamini and
Hochberg 1995).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import betaln
from scipy.stats import beta, hypergeom
from statsmodels.stats.multitest import multipletests

from wa_products.metrics.intervals import ALPHA, newcombe, wilson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

FEW = 30
CELLS = [
    "customers", "with_cart", "rate", "low", "high", "pooled", "pooled_low", "pooled_high", "p_value", "q_value", "few",
]  # fmt: skip


def pooled(counts: ArrayLike, totals: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Return each rate drawn towards that of all, with the ends of its 95 % interval; NaN where there is nothing at all.

    How alike the cells are is the size of a beta prior around the common rate, by the greatest beta-binomial
    likelihood, and never more than all customers together would bear out (Casella 1985, "An introduction to empirical
    Bayes data analysis").

    >>> [round(float(rate), 2) for rate in pooled([0, 30, 100], [3, 300, 1000])[0]]
    [0.1, 0.1, 0.1]
    """
    count, total = np.asarray(counts, "float64"), np.asarray(totals, "float64")
    if not total.sum():
        nothing = np.full(count.shape, np.nan)
        return nothing, nothing, nothing
    mean = (count.sum() + 0.5) / (total.sum() + 1)

    def unlikely(log_size: float) -> float:
        a, b = mean * np.exp(log_size), (1 - mean) * np.exp(log_size)
        return -float(np.sum(betaln(count + a, total - count + b) - betaln(a, b)))

    least = -np.log(min(mean, 1 - mean))  # a prior of one hump
    most = max(np.log(total.sum() + 1), least + 1e-6)
    found = minimize_scalar(unlikely, bounds=(least, most), method="bounded")
    a, b = mean * np.exp(found.x) + count, (1 - mean) * np.exp(found.x) + total - count
    return a / (a + b), beta.ppf(ALPHA / 2, a, b), beta.ppf(1 - ALPHA / 2, a, b)


def cells(names: pd.Series, has_cart: pd.Series) -> pd.DataFrame:
    """
    Return one row a name, the most customers first: the name and the columns of `CELLS`.

    ``rate, low, high`` are of the cell alone (Wilson), ``pooled*`` the rate to use, ``p_value`` is of the cell against
    all others (hypergeometric), ``q_value`` the same with the many looks taken into account; a cell is ``few`` under
    30 customers and is not tested.
    """
    table = has_cart.groupby(names).agg(["size", "sum"]).astype("int64").reset_index()
    table.columns = pd.Index([names.name, "customers", "with_cart"])
    low, high = wilson(table["with_cart"], table["customers"])
    middle, least, most = pooled(table["with_cart"], table["customers"])
    shown = table.assign(
        rate=table["with_cart"] / table["customers"],
        low=low,
        high=high,
        pooled=middle,
        pooled_low=least,
        pooled_high=most,
        p_value=_against_rest(table["with_cart"].to_numpy(), table["customers"].to_numpy()),
        few=table["customers"] < FEW,
    )
    shown = shown.assign(p_value=shown["p_value"].where(~shown["few"]))
    shown = shown.assign(q_value=benjamini_hochberg(shown["p_value"]))
    order = shown.sort_values(["customers", str(names.name)], ascending=[False, True], ignore_index=True)
    return order[[names.name, *CELLS]]


def lifts(names: pd.Series, is_treated: pd.Series, has_cart: pd.Series) -> pd.DataFrame:
    """
    Return the lift of each name with its 95 % Newcombe interval: ``treated, holdout, difference, low, high``.

    ``p_value`` is Fisher's exact test of the two arms, ``q_value`` the same with the many looks taken into account.
    """
    order = sorted(set(names))
    sizes, carts = (
        np.column_stack([of.groupby(names).sum().reindex(order).to_numpy("int64") for of in parts])
        for parts in ((is_treated, ~is_treated), (has_cart & is_treated, has_cart & ~is_treated))
    )
    counts = np.column_stack([carts[:, 0], sizes[:, 0], carts[:, 1], sizes[:, 1]]).tolist()
    ends = [newcombe(*row) for row in counts]
    known = (sizes > 0).all(axis=1)
    rates = np.divide(carts, sizes, out=np.full(carts.shape, np.nan), where=sizes > 0)
    p_value = np.where(known, _two_sided(carts[:, 0], carts.sum(axis=1), sizes[:, 0], sizes.sum(axis=1)), np.nan)
    found = pd.DataFrame(
        {
            names.name: pd.Series(order, dtype="str"),
            "treated": sizes[:, 0],
            "holdout": sizes[:, 1],
            "difference": rates[:, 0] - rates[:, 1],
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
            "p_value": p_value,
        }
    )
    return found.assign(q_value=benjamini_hochberg(found["p_value"]))


def benjamini_hochberg(p_values: pd.Series) -> pd.Series:
    """Return the q-value of each p-value, missing where that is."""
    known = p_values.notna()
    q_values = pd.Series(np.nan, index=p_values.index)
    if known.any():
        q_values[known] = multipletests(p_values[known], method="fdr_bh")[1]
    return q_values


def _against_rest(count: np.ndarray, total: np.ndarray) -> np.ndarray:
    return _two_sided(count, count.sum(), total, total.sum())


def _two_sided(count: np.ndarray, of_all: np.ndarray, total: np.ndarray, everybody: np.ndarray) -> np.ndarray:
    """Return twice the smaller tail of the hypergeometric distribution, at most 1."""
    below = hypergeom.cdf(count, everybody, of_all, total)
    above = hypergeom.sf(count - 1, everybody, of_all, total)
    return np.minimum(1, 2 * np.minimum(below, above))
