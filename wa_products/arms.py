"""
Who is treated and who is held out: drawn by hash, so reruns and row order change nothing.

A customer's draw is a number in [0, 1) from the campaign and the customer id; the holdout are those below its
share. So the 10 % holdout lies inside the 20 % one. The answer to a customer's own request is never held out.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pandas as pd

from wa_products.errors import PlanError

TREATED, HOLDOUT = "treated", "holdout"
_SCALE = 2.0**64


def draw(campaign: str, customer_ids: pd.Series) -> pd.Series:
    """Return each customer's number in [0, 1) for this campaign, uniform over customers and independent of order."""
    key = blake2b(campaign.encode(), digest_size=32).digest()
    return customer_ids.map(
        lambda customer: int.from_bytes(blake2b(customer.encode(), key=key, digest_size=8).digest(), "big") / _SCALE
    ).astype("float64")


def assign(campaign: str, customer_ids: pd.Series, kinds: pd.Series, holdout: float) -> pd.Series:
    """
    Return ``treated`` or ``holdout`` for each row; `holdout` is the share in [0, 1) that is held out.

    Rows whose kind is ``request`` are always treated. Raises PlanError for a share outside [0, 1).
    """
    if not 0 <= holdout < 1:
        raise PlanError(f"holdout must be a share of at least 0 and below 1, got {holdout}")
    held = (draw(campaign, customer_ids) < holdout) & (kinds != "request")
    return pd.Series(np.where(held, HOLDOUT, TREATED), index=customer_ids.index, dtype="str")
