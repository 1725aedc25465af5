"""Many campaigns side by side: how far each came, and what it added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wa_products import frames
from wa_products.metrics.intervals import FINAL, newcombe

if TYPE_CHECKING:
    import pandas as pd

TOTALS: dict[str, frames.Kind] = {
    "campaign": "text",
    "started_at": "time",
    "as_of": "time",
    **dict.fromkeys(
        ("planned", "held_out", "submitted", "accepted", "sent", "delivered", "read", "refused", "failed"), "integer"
    ),
    **dict.fromkeys(("treated", "treated_with_cart", "holdout", "holdout_with_cart"), "integer"),
}
ADDED: dict[str, frames.Kind] = {
    "is_complete": "flag",
    **dict.fromkeys(("difference", "low", "high"), "number"),
}


def overview(totals: pd.DataFrame, horizon: pd.Timedelta) -> pd.DataFrame:
    """
    Return the `totals` of campaigns (`TOTALS`, one row each) in the order in which they began, with what they added.

    Added are ``is_complete`` (whether `horizon` is over since the start), ``difference`` (the rate of customers with a
    cart among the treated less that among the held out) and, once it is complete, its 96 % Newcombe interval ``low,
    high``: as `Results.lift` has them. NaN where nobody was held out.
    """
    found = frames.conform(frames.require(totals, TOTALS, "the totals"), TOTALS, "the totals")
    found = found.sort_values(["started_at", "campaign"], ignore_index=True)
    is_complete = found["as_of"] >= found["started_at"] + horizon
    rates = [found[f"{arm}_with_cart"] / found[arm].where(found[arm] > 0) for arm in ("treated", "holdout")]
    counts = found[["treated_with_cart", "treated", "holdout_with_cart", "holdout"]].itertuples(index=False)
    ends = [newcombe(one, of, other, of_other, alpha=FINAL) for one, of, other, of_other in counts]
    low, high = np.array(ends, dtype="float64").reshape(-1, 2).T
    return found.assign(
        is_complete=is_complete.astype("bool"),
        difference=(rates[0] - rates[1]).astype("float64"),
        low=np.where(is_complete, low, np.nan),
        high=np.where(is_complete, high, np.nan),
    )
