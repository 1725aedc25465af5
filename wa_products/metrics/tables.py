"""The tables of a campaign: every count beside what it is counted out of, every rate with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import arms as arm_names
from wa_products.attribution import ANSWERS, RULES, lines, total
from wa_products.metrics.intervals import detectable, newcombe, sample_ratio, wilson
from wa_products.states import SUBMITTED

if TYPE_CHECKING:
    from collections.abc import Iterable

UNLIKELY = 0.001
OTHER_STEPS = frozenset({"", "planned", "send", "approved"})


def waterfall(reasons: Iterable[tuple[str, int]], sends: pd.DataFrame | None = None, planned: int = 0) -> pd.DataFrame:
    """
    Return the way from all customers that were looked at to the messages accepted: ``step, customers, is_total``.

    `reasons` are the customers lost before the plan, by reason. With the states of a campaign, those lost after it
    follow; without, the last step are the `planned`. Losses have negative counts, so the column adds up.
    """
    lost = [(str(reason), -int(count)) for reason, count in reasons if reason not in OTHER_STEPS and int(count)]
    planned = planned if sends is None else len(sends)
    steps: list[tuple[str, int, bool]] = [("looked at", planned - sum(count for _, count in lost), True)]
    steps += [(reason, count, False) for reason, count in lost]
    steps.append(("planned", planned, True))
    if sends is not None:
        after = sends.loc[~sends["accepted"], "outcome"].replace({"unknown": "no answer", "": "not yet sent"})
        steps += [
            (str(reason), -int(count), False) for reason, count in after.value_counts(sort=False).sort_index().items()
        ]
        steps.append(("accepted", int(sends["accepted"].sum()), True))
    return pd.DataFrame(steps, columns=["step", "customers", "is_total"]).astype(
        {"step": "str", "customers": "int64", "is_total": "bool"}
    )


def funnel(sends: pd.DataFrame, carts: pd.DataFrame) -> pd.DataFrame:
    """
    Return how far the planned customers came: ``step, customers, total, of, rate, low, high``.

    From ``sent`` on, everything is counted out of the accepted, so that the steps compare. ``sends`` are the states
    with ``enquired_at``; a customer counts once however many carts follow from their message.
    """
    tried = sends["outcome"].isin(SUBMITTED) | sends["accepted"]
    accepted = sends["accepted"]
    answered = carts.loc[carts["rule"].isin(ANSWERS), "send_id"]
    steps = {
        "planned": (len(sends), len(sends), "planned"),
        "held out": ((sends["arm"] == arm_names.HOLDOUT).sum(), len(sends), "planned"),
        "submitted": (tried.sum(), len(sends), "planned"),
        "accepted": (accepted.sum(), tried.sum(), "submitted"),
        "sent": (sends["sent_at"].notna().sum(), accepted.sum(), "accepted"),
        "delivered or read": (sends["delivered_at"].notna().sum(), accepted.sum(), "accepted"),
        "read (at least)": (sends["read_at"].notna().sum(), accepted.sum(), "accepted"),
        "enquiry": (sends["enquired_at"].notna().sum(), accepted.sum(), "accepted"),
        "cart": (answered.nunique(), accepted.sum(), "accepted"),
    }
    return _with_rates(
        pd.DataFrame([(step, *counts) for step, counts in steps.items()], columns=["step", "customers", "total", "of"])
    )


def arms(sends: pd.DataFrame, carts: pd.DataFrame, started_at: pd.Timestamp, horizon: pd.Timedelta) -> pd.DataFrame:
    """
    Return both arms by assignment, whatever became of the message: ``arm, customers, with_cart, rate, low, high``.

    Counted are customers with any cart within `horizon` of the start of the campaign, the same hours for both arms.
    Answers to a customer's own request are left out, because they were never held out.
    """
    within = carts[(carts["at"] >= started_at) & (carts["at"] <= started_at + horizon)]
    drawn = sends[sends["kind"] != "request"]
    has_cart = drawn["customer_id"].isin(within["customer_id"])
    rows = [
        (arm, int((drawn["arm"] == arm).sum()), int((has_cart & (drawn["arm"] == arm)).sum()))
        for arm in (arm_names.TREATED, arm_names.HOLDOUT)
    ]
    frame = pd.DataFrame(rows, columns=["arm", "customers", "with_cart"])
    rated = _with_rates(frame.rename(columns={"customers": "total", "with_cart": "customers"}))
    return rated.rename(columns={"total": "customers", "customers": "with_cart"})[
        ["arm", "customers", "with_cart", "rate", "low", "high"]
    ]


def lift(both: pd.DataFrame, share: float, *, complete: bool) -> pd.DataFrame:
    """
    Return one row: what the messages added, by the difference of the arms (from `arms`), and a verdict in words.

    Columns: ``difference, low, high`` (shares of customers), ``carts, carts_low, carts_high`` (more among the
    treated), ``detectable`` (the smallest rise that this size would show four times in five), ``sample_ratio`` (how
    likely so uneven a split is), ``complete`` (the horizon is over) and ``verdict``.
    """
    treated, held = both.itertuples(index=False)
    low, high = newcombe(treated.with_cart, treated.customers, held.with_cart, held.customers)
    difference = treated.rate - held.rate
    everybody = treated.customers + held.customers
    base = (treated.with_cart + held.with_cart + 0.5) / (everybody + 1)
    likely = sample_ratio(treated.customers, held.customers, share)
    row = {
        "difference": difference,
        "low": low,
        "high": high,
        "carts": difference * treated.customers,
        "carts_low": low * treated.customers,
        "carts_high": high * treated.customers,
        "detectable": detectable(base, treated.customers, held.customers),
        "sample_ratio": likely,
        "complete": complete,
        "verdict": verdict(low, high, likely, complete=complete),
    }
    return pd.DataFrame([row])


def verdict(low: float, high: float, likely: float = np.nan, *, complete: bool = True) -> str:
    """
    Return what the interval of the lift allows one to say, in words.

    >>> verdict(0.012, 0.05)
    'The messages brought carts: between 1.2 and 5.0 more customers with a cart in every 100.'
    """
    if np.isnan(low):
        return "Cannot tell: nobody to compare with. Hold out a share of the customers to learn what messages add."
    if likely < UNLIKELY:
        return "Cannot tell: the arms are not of the sizes that were drawn, so the comparison cannot be trusted."
    if low <= 0 <= high:
        words = (
            f"Cannot tell{'' if complete else ' yet'}: anything from {_per_hundred(-low)} fewer to "
            f"{_per_hundred(high)} more customers with a cart in every 100 is possible."
        )
    elif low > 0:
        words = (
            f"The messages brought carts: between {_per_hundred(low)} and {_per_hundred(high)} more customers "
            f"with a cart in every 100."
        )
    else:
        words = (
            f"The messages cost carts: between {_per_hundred(-high)} and {_per_hundred(-low)} fewer customers "
            f"with a cart in every 100."
        )
    return words if complete else f"{words} This is an early look: decide when the days of the comparison are over."


def money(carts: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """
    Return what the carts hold, by rule and currency, never summed across currencies.

    Columns: ``rule, currency, carts, attributed_value, rest_value, without_price``. A line without a price adds nothing
    to the values and is counted in ``without_price``.
    """
    told = lines(carts, events)
    known = told[told["value"].notna()]
    by = ["rule", "currency"]
    frame = pd.DataFrame({"carts": told.groupby(by)["message_id"].nunique()})
    for name, part in (("attributed_value", known["attributed"]), ("rest_value", ~known["attributed"])):
        frame[name] = known[part].groupby(by)["value"].agg(total).reindex(frame.index)
        frame[name] = frame[name].astype("object").where(frame[name].notna(), total(known["value"].iloc[:0]))
    frame["without_price"] = told[told["value"].isna()].groupby(by).size().reindex(frame.index, fill_value=0)
    order = {rule: place for place, rule in enumerate(RULES)}
    return frame.reset_index().sort_values(
        by, key=lambda column: column.map(order).fillna(0) if column.name == "rule" else column, ignore_index=True
    )


def _with_rates(frame: pd.DataFrame) -> pd.DataFrame:
    counted = frame.astype({"customers": "int64", "total": "int64"})
    low, high = wilson(counted["customers"], counted["total"])
    rate = counted["customers"] / counted["total"].where(counted["total"] > 0)
    return counted.assign(rate=rate.astype("float64"), low=low, high=high)


def _per_hundred(share: float) -> str:
    return f"{100 * share + 0.0:.1f}"
