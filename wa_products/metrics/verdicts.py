"""What the holdout allows one to say, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wa_products.metrics.sequential import ENOUGH

if TYPE_CHECKING:
    import pandas as pd

UNLIKELY = 0.001
NOBODY = "Cannot tell: nobody to compare with. Hold out a share of the customers to learn what messages add."
UNEVEN = "Cannot tell: the arms are not of the sizes that were drawn, so the comparison cannot be trusted."


def verdict(low: float, high: float, likely: float = np.nan, monitor: pd.DataFrame | None = None) -> str:
    """
    Return what the interval of the lift allows one to say at the planned end, in words.

    `monitor` is the evidence on the way: what was sure then is not taken back.

    >>> verdict(0.012, 0.05)
    'The messages brought carts: between 1.2 and 5.0 more customers with a cart in every 100.'
    """
    if np.isnan(low):
        return NOBODY
    if likely < UNLIKELY:
        return UNEVEN
    if low <= 0 <= high:
        possible = (
            f"anything from {_per_hundred(-low)} fewer to {_per_hundred(high)} more customers with a cart "
            "in every 100 is possible."
        )
        if monitor is None or not monitor["is_sure"].iloc[-1]:
            return f"Cannot tell: {possible}"
        told = _told(monitor.iloc[-1])
        return f"The messages {told} carts: the evidence on the way was enough. By the end alone {possible}"
    if low > 0:
        return (
            f"The messages brought carts: between {_per_hundred(low)} and {_per_hundred(high)} more customers "
            "with a cart in every 100."
        )
    return (
        f"The messages cost carts: between {_per_hundred(-high)} and {_per_hundred(-low)} fewer customers "
        "with a cart in every 100."
    )


def early_verdict(monitor: pd.DataFrame, likely: float = np.nan) -> str:
    """
    Return what the evidence so far (from `monitor`) allows one to say before the end, however often one looks.

    In at most one campaign of a hundred whose messages do nothing does it ever say that it is sure.
    """
    last = monitor.iloc[-1]
    if np.isnan(last["evidence"]):
        return NOBODY
    if likely < UNLIKELY:
        return UNEVEN
    if not last["is_sure"]:
        most = float(monitor["evidence"].max())
        return (
            f"Cannot tell yet: the evidence so far is {most:.1f} to 1 at its best, and {ENOUGH:.0f} to 1 would be "
            "enough at any time. Look as often as you like; the final answer comes when the days are over."
        )
    return (
        f"Sure already: the messages {_told(last)} carts so far, {_times(last['low'], last['high'])} as many customers "
        "with a cart as without them. This holds however often one looked."
    )


def _told(last: pd.Series) -> str:
    return "brought" if last["low"] >= 1 else "cost"


def _times(low: float, high: float) -> str:
    if np.isinf(high):
        return f"at least {low:.2f} times"
    return f"between {low:.2f} and {high:.2f} times"


def _per_hundred(share: float) -> str:
    return f"{100 * share + 0.0:.1f}"
