"""
How much of what a rule claims would have come without a message: the same rule, on those who got none.

The held-out customers are treated as if their message had been delivered at the start of the campaign. Whatever the
rules then claim of them was made by no message, and as much of it is among the claims of the treated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.arms import HOLDOUT, TREATED
from wa_products.attribution import ANSWERS, RULES, claims, contenders
from wa_products.metrics.comparing import arm_sizes, drawn
from wa_products.metrics.intervals import newcombe
from wa_products.states import are_in

if TYPE_CHECKING:
    from collections.abc import Mapping

_ARMS = (TREATED, HOLDOUT)
_CART = ["message_id", "customer_id", "at", "basket_id"]
PLACEBO = ["rule", "treated", "holdout", "rate", "placebo_rate", "added", "low", "high", "by_message"]


def placebo(
    sends: pd.DataFrame,
    carts: pd.DataFrame,
    lines: pd.DataFrame,
    *,
    started_at: pd.Timestamp,
    lookback: pd.Timedelta,
    prompt: pd.Timedelta,
    groups: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """
    Return one row a rule: how many customers of each arm it claims, and the share that the message brought.

    Columns: ``treated, holdout`` (customers, by assignment), ``rate, placebo_rate`` (out of those drawn into the arm),
    ``added`` (the difference, with its Newcombe interval ``low, high``) and ``by_message`` (``added`` out of ``rate``,
    at least 0; NaN where nobody was held out). Exact claims name their message and need no placebo. `lines` are
    those of the `carts`.
    """
    known = drawn(sends[are_in(sends["customer_id"], carts["customer_id"])])
    held = known["arm"] == HOLDOUT
    seen = known[held | (known["accepted"] & ~known["state"].eq("failed"))]
    received_at = seen["received_at"].where(seen["arm"] == TREATED, started_at)
    seen = seen.assign(wamid="", send_id=seen["customer_id"], received_at=received_at)
    found = claims(contenders(carts[_CART].assign(context_id=""), lines, seen, groups), lookback, prompt)
    arm = found["send_id"].map(seen.set_index("customer_id")["arm"])
    sizes, rows = arm_sizes(sends), []
    for rule in (rule for rule in RULES if rule in ANSWERS and rule != "exact"):
        counts = [len(found.loc[(found["rule"] == rule) & (arm == which), "send_id"].unique()) for which in _ARMS]
        totals = [sizes[TREATED], sizes[HOLDOUT]]
        rates = [count / total if total else np.nan for count, total in zip(counts, totals, strict=True)]
        low, high = newcombe(counts[0], totals[0], counts[1], totals[1])
        share = max(0.0, 1 - rates[1] / rates[0]) if rates[0] > 0 and totals[1] else np.nan
        rows.append((rule, *counts, *rates, rates[0] - rates[1], low, high, share))
    return pd.DataFrame(rows, columns=PLACEBO)
