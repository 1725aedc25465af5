"""How carts, fatigue and probabilities run: over the hours after a message, over messages, over promises."""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight

from wa_products.attribution import ANSWERS, answerable
from wa_products.metrics.intervals import Z, wilson
from wa_products.states import are_in

TIME_TO_CART = ["kind", "hours", "share", "low", "high", "waiting", "carts"]
FATIGUE = ["nth", "what", "customers", "total", "rate", "low", "high"]
RELIABILITY = ["source", "said", "happened", "low", "high", "customers"]
MOST_STEPS, MOST_NTH = 120, 4
GROUPS, LEAST = 10, 100
MONTH = pd.Timedelta(days=30)
_HOUR = pd.Timedelta(hours=1)


def time_to_cart(sends: pd.DataFrame, carts: pd.DataFrame, as_of: pd.Timestamp, horizon: pd.Timedelta) -> pd.DataFrame:
    """
    Return the share of the messages that were answered by a cart within so many hours, by kind (Kaplan and Meier).

    A message still unanswered at `as_of` counts as long as it was watched, and no message for longer than `horizon`.
    Columns: ``kind, hours, share, low, high`` (95 %, on the log-log scale), ``waiting`` (messages still watched) and
    ``carts`` so far. At most `MOST_STEPS` rows a kind; each begins at 0 hours.
    """
    seen = answerable(sends)
    lag = carts[carts["rule"].isin(ANSWERS)].groupby("send_id")["lag"].min()
    answered = lag.reindex(seen["send_id"]).clip(lower=pd.Timedelta(0)).set_axis(seen.index)
    watched = (as_of - seen["received_at"]).clip(lower=pd.Timedelta(0), upper=horizon)
    is_cart = answered.notna() & (answered <= horizon)
    hours = (answered.where(is_cart, watched) / _HOUR).astype("float64")
    parts = [_curve(str(kind), hours[rows], is_cart[rows]) for kind, rows in seen.groupby("kind").groups.items()]
    empty = pd.DataFrame(columns=TIME_TO_CART).astype({"kind": "str"})
    return pd.concat(parts, ignore_index=True) if parts else empty


def fatigue(sends: pd.DataFrame, carts: pd.DataFrame) -> pd.DataFrame:
    """
    Return what became of a customer's 1st, 2nd, 3rd and later message within 30 days (``nth`` of the sends).

    One row an ``nth`` and ``what``: ``cart``, ``opted out`` (out of those that can have been seen) and ``failed`` (out
    of the accepted), with Wilson intervals: ``nth, what, customers, total, rate, low, high``.
    """
    accepted = sends[sends["accepted"]]
    accepted = accepted.assign(
        nth=accepted["nth"].clip(upper=MOST_NTH),
        cart=are_in(accepted["send_id"], carts.loc[carts["rule"].isin(ANSWERS), "send_id"]),
        failed=accepted["state"] == "failed",
        stopped=accepted["opted_out_at"].notna(),
    )
    seen = accepted[~accepted["failed"]]
    parts = []
    for what, rows, column in (("cart", seen, "cart"), ("opted out", seen, "stopped"), ("failed", accepted, "failed")):
        counted = rows.groupby("nth")[column].agg(["sum", "size"]).astype("int64").reset_index()
        parts.append(counted.set_axis(["nth", "customers", "total"], axis=1).assign(what=what))
    table = pd.concat(parts, ignore_index=True).astype({"nth": "int64", "customers": "int64", "total": "int64"})
    low, high = wilson(table["customers"], table["total"])
    return table.assign(rate=table["customers"] / table["total"], low=low, high=high)[FATIGUE]


def reliability(
    sends: pd.DataFrame, lines: pd.DataFrame, started_at: pd.Timestamp, until: pd.Timestamp
) -> pd.DataFrame:
    """
    Return what was said of customers against what they did: ``source, said, happened, low, high, customers``.

    ``happened`` is the share, with its Wilson interval, of customers who sent a cart with the planned product from the
    start to `until`, in either arm; ``said`` is their mean probability. Up to ten groups of like probability a source,
    of 100 customers or more where there are so many.
    """
    told = sends.loc[sends["probability"].notna(), ["customer_id", "product_retailer_id", "source", "probability"]]
    inside = lines[lines["at"].between(started_at, until)]
    some = are_in(told["customer_id"], inside["customer_id"]).to_numpy()
    happened = np.zeros(len(told), dtype="bool")
    bought = pd.MultiIndex.from_frame(inside[["customer_id", "product_retailer_id"]])
    happened[some] = pd.MultiIndex.from_frame(told.loc[some, ["customer_id", "product_retailer_id"]]).isin(bought)
    ranked = told.groupby("source")["probability"]
    groups = (ranked.transform("size") // LEAST).clip(1, GROUPS)
    group = np.ceil(ranked.rank(method="average", pct=True) * groups).clip(1, groups)
    by = told.assign(happened=happened, group=group).groupby(["source", "group"])
    table = by.agg(
        said=("probability", "mean"), count=("happened", "sum"), customers=("happened", "size")
    ).reset_index()
    low, high = wilson(table["count"], table["customers"])
    return table.assign(happened=table["count"] / table["customers"], low=low, high=high)[RELIABILITY]


def nth(sends: pd.DataFrame, history: pd.DataFrame) -> pd.Series:
    """Return the number of each message among those its customer got within 30 days, 1 for the first."""
    earlier = history.loc[are_in(history["customer_id"], sends["customer_id"]), ["customer_id", "at"]]
    if earlier.empty:
        return pd.Series(1, index=sends.index)
    pairs = sends[["customer_id", "at"]].assign(place=range(len(sends)))
    pairs = pairs.merge(earlier, on="customer_id", suffixes=("", "_before"))
    before = pairs[(pairs["at_before"] < pairs["at"]) & (pairs["at_before"] >= pairs["at"] - MONTH)]
    counts = before.groupby("place").size().reindex(range(len(sends)), fill_value=0)
    return pd.Series(counts.to_numpy() + 1, index=sends.index)


def _curve(kind: str, hours: pd.Series, is_cart: pd.Series) -> pd.DataFrame:
    fitted = SurvfuncRight(hours.to_numpy(), is_cart.to_numpy().astype("int64"))
    stays, events = np.asarray(fitted.surv_prob), np.asarray(fitted.n_events)
    at = np.flatnonzero(events)
    keep = at[np.unique(np.linspace(0, len(at) - 1, min(len(at), MOST_STEPS)).round().astype(int))] if len(at) else at
    low, high = _log_log(stays[keep], np.asarray(fitted.surv_prob_se)[keep])
    found: dict[str, np.ndarray] = {
        "hours": np.append(0.0, np.asarray(fitted.surv_times)[keep]),
        "share": np.append(0.0, 1 - stays[keep]),
        "low": np.append(0.0, low),
        "high": np.append(0.0, high),
        "waiting": np.append(len(hours), np.asarray(fitted.n_risk)[keep]).astype("int64"),
        "carts": np.append(0, np.cumsum(events)[keep]).astype("int64"),
    }
    end = float(hours.max()) if len(hours) else 0.0
    last = {**{name: values[-1] for name, values in found.items()}, "hours": end}
    curve = pd.concat([pd.DataFrame(found), pd.DataFrame([last])], ignore_index=True)
    return curve.assign(kind=pd.Series(kind, index=curve.index, dtype="str"))[TIME_TO_CART]


def _log_log(stays: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % ends of 1 less `stays` on the log-log scale (Kalbfleisch and Prentice 2002, section 1.4)."""
    inside = (stays > 0) & (stays < 1)
    safe = np.where(inside, stays, 0.5)
    theta = Z * error / (safe * np.log(safe))
    low, high = 1 - safe ** np.exp(theta), 1 - safe ** np.exp(-theta)
    return np.where(inside, low, 1 - stays), np.where(inside, high, 1 - stays)
