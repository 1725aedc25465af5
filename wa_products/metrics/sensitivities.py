"""What the choice of the window does to the answer, so that nobody need choose it after seeing the result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wa_products.arms import HOLDOUT, TREATED
from wa_products.attribution import claims
from wa_products.metrics.comparing import arm_sizes, first_carts
from wa_products.metrics.intervals import FINAL, newcombe, wilson
from wa_products.states import are_in

HOURS = (1, 2, 3, 6, 12, 24, 36, 48, 72, 96, 120, 144, 168)
SENSITIVITY = [
    "hours", "certain", "answered", "accepted", "rate", "low", "high", "difference", "difference_low",
    "difference_high", "is_complete",
]  # fmt: skip
SURE = frozenset({"exact", "same item"})


def sensitivity(
    pairs: pd.DataFrame, sends: pd.DataFrame, carts: pd.DataFrame, started_at: pd.Timestamp, as_of: pd.Timestamp
) -> pd.DataFrame:
    """
    Return what would be told had the window been 1, 2, ... 168 hours: `SENSITIVITY`, one row a window.

    ``certain`` are the customers whose cart is exact or holds the product within the window of its delivery,
    ``answered`` adds the assisted; ``rate, low, high`` are the answered out of the ``accepted``. ``difference`` is
    that of the arms with carts counted for so many hours from the start, with its interval as of the lift, and
    ``is_complete`` says whether so many hours have gone by. `pairs` are the contenders of the attribution.
    """
    own = pairs[are_in(pairs["send_id"], sends["send_id"])]
    accepted, sizes = int(sends["accepted"].sum()), arm_sizes(sends)
    first = first_carts(sends, carts, started_at)
    rows = []
    for hours in HOURS:
        window = pd.Timedelta(hours=hours)
        found = claims(own, window, window)
        certain = found.loc[found["rule"].isin(SURE), "send_id"].nunique()
        inside = first.loc[first["at"] <= started_at + window, "arm"].value_counts()
        counts = [(int(inside.get(arm, 0)), sizes[arm]) for arm in (TREATED, HOLDOUT)]
        rows.append((hours, certain, found["send_id"].nunique(), accepted, *_difference(*counts)))
    names = ["hours", "certain", "answered", "accepted", "difference", "difference_low", "difference_high"]
    table = pd.DataFrame(rows, columns=names)
    low, high = wilson(table["answered"], table["accepted"])
    return table.assign(
        rate=table["answered"] / accepted if accepted else np.nan,
        low=low,
        high=high,
        is_complete=started_at + pd.to_timedelta(table["hours"], unit="h") <= as_of,
    )[SENSITIVITY]


def _difference(treated: tuple[int, int], held: tuple[int, int]) -> tuple[float, float, float]:
    low, high = newcombe(*treated, *held, alpha=FINAL)
    known = treated[1] and held[1]
    return treated[0] / treated[1] - held[0] / held[1] if known else np.nan, low, high
