"""
The two arms as they were drawn, and the first cart of each customer in them.

By assignment, whatever became of the message (intention to treat). Answers to a customer's own request are in neither
arm, since they were never held out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wa_products.arms import HOLDOUT, TREATED
from wa_products.states import are_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


def drawn(sends: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `sends` that the draw was about."""
    return sends[sends["kind"] != "request"]


def arm_sizes(sends: pd.DataFrame) -> Mapping[str, int]:
    """Return how many customers were drawn into each arm."""
    sizes = sends.loc[sends["kind"] != "request", "arm"].value_counts()
    return {arm: int(sizes.get(arm, 0)) for arm in (TREATED, HOLDOUT)}


def first_carts(sends: pd.DataFrame, carts: pd.DataFrame, started_at: pd.Timestamp) -> pd.DataFrame:
    """Return when each drawn customer first sent a cart since the start: ``customer_id, at, arm``, in time's order."""
    since = carts[carts["at"] >= started_at]
    theirs = drawn(sends.loc[are_in(sends["customer_id"], since["customer_id"]), ["customer_id", "arm", "kind"]])
    first = since.groupby("customer_id", as_index=False)["at"].min().merge(theirs, on="customer_id")
    return first.sort_values(["at", "customer_id"], ignore_index=True)[["customer_id", "at", "arm"]]
