"""
What customers bought, arm beside arm: orders and money, with what they bought before taken out of the noise.

CUPED (Deng, Xu, Kohavi and Walker 2013): what the same customer did before the campaign predicts a part of what they do
after it, and has nothing to do with the draw; taking it out leaves the difference where it is and narrows its interval.
It helps counts and money. It does not help the yes or no of a rare cart, so there is none here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from wa_products import arms
from wa_products.metrics.intervals import ALPHA

BEFORE = pd.Timedelta(days=180)
SPENDING = [
    "measure", "currency", "customers", "treated", "holdout", "difference", "low", "high",
    "adjusted", "adjusted_low", "adjusted_high", "variance_cut",
]  # fmt: skip


def spending(
    sends: pd.DataFrame, orders: pd.DataFrame, started_at: pd.Timestamp, horizon: pd.Timedelta
) -> pd.DataFrame:
    """
    Return how many orders, and how much money in each currency, a customer of each arm brought: `SPENDING`.

    `orders` is the `orders` frame of the shop; its purchases within `horizon` of the start count, those of the 180
    days before are the covariate. By assignment; answers to a request are left out. ``treated``, ``holdout`` and
    ``difference`` are means a customer (money in units of ``currency``), ``adjusted*`` the same difference by CUPED,
    and ``variance_cut`` the share of the variance that it took out. No row for what nobody bought.
    """
    drawn = sends[sends["kind"] != "request"].drop_duplicates("customer_id").set_index("customer_id")["arm"]
    bought = orders[orders["is_purchase"] & orders["customer_id"].isin(drawn.index)]
    after = bought[bought["ordered_at"].between(started_at, started_at + horizon)]
    before = bought[(bought["ordered_at"] < started_at) & (bought["ordered_at"] >= started_at - BEFORE)]
    rows = []
    if len(after):
        rows.append({"measure": "orders", "currency": "", **_compared(_orders(after), _orders(before), drawn)})
    for currency in sorted(set(after["currency"]) - {""}):
        spent, used = (_money(part[part["currency"] == currency]) for part in (after, before))
        rows.append({"measure": "money", "currency": currency, **_compared(spent, used, drawn)})
    return pd.DataFrame(rows, columns=SPENDING)


def adjusted(values: pd.Series, before: pd.Series) -> pd.Series:
    """Return `values` less what `before` predicts of them; the mean stays."""
    spread = float(before.var())
    slope = float(values.cov(before)) / spread if spread > 0 else 0.0
    return values - slope * (before - before.mean())


def _compared(after: pd.Series, before: pd.Series, drawn: pd.Series) -> dict[str, float]:
    values, known = (part.reindex(drawn.index, fill_value=0.0).astype("float64") for part in (after, before))
    cleared, is_treated = adjusted(values, known), drawn == arms.TREATED
    plain, narrow = (_difference(part[is_treated], part[~is_treated]) for part in (values, cleared))
    return {
        "customers": len(drawn),
        "treated": values[is_treated].mean(),
        "holdout": values[~is_treated].mean(),
        **dict(zip(("difference", "low", "high"), plain, strict=True)),
        **dict(zip(("adjusted", "adjusted_low", "adjusted_high"), narrow, strict=True)),
        "variance_cut": 1 - cleared.var() / values.var() if values.var() > 0 else np.nan,
    }


def _difference(treated: pd.Series, held: pd.Series) -> tuple[float, float, float]:
    """Return the difference of two means with its 95 % Welch interval; the ends NaN under two customers an arm."""
    difference = treated.mean() - held.mean() if len(treated) and len(held) else np.nan
    if min(len(treated), len(held)) < 2 or not treated.var() + held.var() > 0:  # noqa: PLR2004  # a variance needs two
        return difference, np.nan, np.nan
    both = CompareMeans(DescrStatsW(treated.to_numpy()), DescrStatsW(held.to_numpy()))
    low, high = both.tconfint_diff(alpha=ALPHA, usevar="unequal")
    return difference, float(low), float(high)


def _orders(bought: pd.DataFrame) -> pd.Series:
    return bought.groupby("customer_id")["order_id"].nunique()


def _money(bought: pd.DataFrame) -> pd.Series:
    known = bought[bought["unit_price"].notna()]
    return (known["unit_price"].astype("float64") * known["quantity"]).groupby(known["customer_id"]).sum()
