"""
A verdict that stays valid however often one looks, while the campaign runs.

If the messages do nothing, a customer who sends a cart is a treated one with exactly the probability with which
customers were drawn to be treated, whatever came before: the draw is known, nothing is approximated. The evidence is
the probability of the arms seen under a mixture of lifts over that without any, so its mean stays 1 and it passes 100
in at most one campaign of a hundred that do nothing, at whatever moments one looks (Ville's inequality; Ramdas,
Grünwald, Vovk and Shafer 2023, "Game-theoretic statistics and safe anytime-valid inference"). What is left of 5 % is
for the interval at the end (`intervals.FINAL`), so that both together are wrong in at most one campaign of twenty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from wa_products import arms
from wa_products.metrics.comparing import first_carts
from wa_products.metrics.intervals import EARLY

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

ENOUGH = 1 / EARLY
MONITOR = ["at", "treated", "holdout", "evidence", "low", "high", "is_sure"]
MOST_STEPS = 200
_LOG_RATIOS = np.linspace(-np.log(16), np.log(16), 65)
_WEIGHTS = -0.5 * _LOG_RATIOS**2 - logsumexp(-0.5 * _LOG_RATIOS**2)  # log of a normal over log ratios
_BISECTIONS = 60


def evidence(treated: ArrayLike, held: ArrayLike, share: float) -> np.ndarray:
    """
    Return how many times likelier these numbers of customers with a cart are if the messages matter.

    `treated` and `held` count the customers with a cart in each arm, `share` was held out. NaN where nobody was to be.

    >>> [round(float(value), 2) for value in evidence([0, 8, 30], [0, 2, 1], 0.2)]
    [1.0, 0.63, 8.97]
    """
    arm, other = np.asarray(treated, "float64"), np.asarray(held, "float64")
    if not 0 < share < 1:
        return np.full(np.broadcast(arm, other).shape, np.nan)
    log = _mixture(arm, other, share) - arm * np.log1p(-share) - other * np.log(share)
    return np.exp(np.minimum(log, 700))


def always_valid(treated: ArrayLike, held: ArrayLike, share: float) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the ends of the 99 % interval of the treated rate over that of the holdout, valid at every look together.

    It holds the ratios against which `evidence` of the same kind was not `ENOUGH`. NaN where nobody was held out.
    """
    arm, other = np.asarray(treated, "float64"), np.asarray(held, "float64")
    if not 0 < share < 1:
        nothing = np.full(np.broadcast(arm, other).shape, np.nan)
        return nothing, nothing
    least = _mixture(arm, other, share) - np.log(ENOUGH)
    peak = (arm + 1e-9) / (arm + other + 2e-9)

    def end(outside: float) -> np.ndarray:
        inner, outer = peak, np.full(peak.shape, outside)
        for _ in range(_BISECTIONS):
            middle = (inner + outer) / 2
            inside = arm * np.log(middle) + other * np.log1p(-middle) >= least
            inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
        return inner

    odds = share / (1 - share)
    low, high = end(1e-12), end(1 - 1e-12)
    return np.where(arm > 0, low / (1 - low) * odds, 0.0), np.where(other > 0, high / (1 - high) * odds, np.inf)


def monitor(
    sends: pd.DataFrame, carts: pd.DataFrame, started_at: pd.Timestamp, until: pd.Timestamp, share: float
) -> pd.DataFrame:
    """
    Return the evidence from the start to `until`: ``at, treated, holdout, evidence, low, high, is_sure``.

    ``treated`` and ``holdout`` count the customers with a cart so far, ``low`` and ``high`` bound the ratio of the
    arms' rates and only ever close in, ``is_sure`` stays once the evidence was `ENOUGH`. Answers to a request count in
    neither arm. At most `MOST_STEPS` rows, the first at the start.
    """
    first = first_carts(sends, carts, started_at)
    first = first[first["at"] <= until]
    is_held = (first["arm"] == arms.HOLDOUT).to_numpy()
    times = pd.concat([pd.Series([started_at]), first["at"], pd.Series([until])], ignore_index=True)
    step = np.concatenate([[0], np.arange(1, len(first) + 1), [len(first)]])
    treated, held = (np.concatenate([[0], np.cumsum(mask)])[step] for mask in (~is_held, is_held))
    found = evidence(treated, held, share)
    keep = np.unique(np.linspace(0, len(step) - 1, min(len(step), MOST_STEPS)).round().astype(int))
    low, high = always_valid(treated[keep], held[keep], share)
    return pd.DataFrame(
        {
            "at": times[keep].to_numpy(),
            "treated": treated[keep],
            "holdout": held[keep],
            "evidence": found[keep],
            "low": np.maximum.accumulate(low),
            "high": np.minimum.accumulate(high),
            "is_sure": (np.fmax.accumulate(found) >= ENOUGH)[keep],
        }
    ).astype({"at": "datetime64[us, UTC]"})


def _mixture(treated: np.ndarray, held: np.ndarray, share: float) -> np.ndarray:
    """Return the log probability of the arms under the mixture of lifts."""
    odds = _LOG_RATIOS + np.log1p(-share) - np.log(share)
    in_treated, in_held = -np.logaddexp(0, -odds), -np.logaddexp(0, odds)
    return logsumexp(treated[..., None] * in_treated + held[..., None] * in_held + _WEIGHTS, axis=-1)
