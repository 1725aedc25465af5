"""The tables of a campaign: every count beside what it is counted out of, every rate with its interval."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wa_products.arms import HOLDOUT, TREATED
from wa_products.attribution import ANSWERS, RULES, money_of
from wa_products.metrics.comparing import arm_sizes, first_carts
from wa_products.metrics.intervals import FINAL, detectable, needed, newcombe, ratio, sample_ratio, wilson
from wa_products.states import SUBMITTED

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        "held out": ((sends["arm"] == HOLDOUT).sum(), len(sends), "planned"),
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
    first, sizes = first_carts(sends, carts, started_at), arm_sizes(sends)
    counts = first.loc[first["at"] <= started_at + horizon, "arm"].value_counts()
    rows = [(arm, sizes[arm], int(counts.get(arm, 0))) for arm in (TREATED, HOLDOUT)]
    frame = pd.DataFrame(rows, columns=["arm", "total", "customers"])
    rated = _with_rates(frame).rename(columns={"total": "customers", "customers": "with_cart"})
    return rated[["arm", "customers", "with_cart", "rate", "low", "high"]]


def lift(both: pd.DataFrame, share: float, delivered: float = np.nan) -> pd.DataFrame:
    """
    Return one row: what the messages added, by the difference of the arms (from `arms`).

    Intervals are of 96 %, meant for one look when the days are over: 1 % of error is left to all looks before.
    Columns: ``difference, low, high`` (shares of customers), ``carts, carts_low, carts_high`` (more among the
    treated), ``ratio, ratio_low, ratio_high`` (the treated rate over the other), ``per_delivered`` with its ends (the
    difference spread over the share of the treated whose message was `delivered`, since the others can have no
    effect), ``detectable`` (the smallest rise that this size would show four times in five) and ``sample_ratio`` (how
    likely so uneven a split is).
    """
    treated, held = both.itertuples(index=False)
    counts = (treated.with_cart, treated.customers, held.with_cart, held.customers)
    low, high = newcombe(*counts, alpha=FINAL)
    difference = treated.rate - held.rate
    times = ratio(*counts, alpha=FINAL)
    reach = delivered if delivered > 0 else np.nan
    row = {
        "difference": difference,
        "low": low,
        "high": high,
        **{f"carts{end}": value * treated.customers for end, value in zip(_ENDS, (difference, low, high), strict=True)},
        **{f"ratio{end}": value for end, value in zip(_ENDS, times, strict=True)},
        **{f"per_delivered{end}": value / reach for end, value in zip(_ENDS, (difference, low, high), strict=True)},
        "detectable": detectable(_base(held), treated.customers, held.customers),
        "sample_ratio": sample_ratio(treated.customers, held.customers, share),
    }
    return pd.DataFrame([row])


def foresight(kinds: pd.Series, rate: float, shares: Iterable[float] = (0.1, 0.2, 0.5)) -> pd.DataFrame:
    """
    Return what a plan can show before it is sent, one row a share held out.

    `kinds` are those of the planned rows (requests are never held out), `rate` the share of customers who send a cart
    anyway, for instance that of the holdout last time. Columns: ``holdout, treated, held_out, detectable`` (the
    smallest rise that would show four times in five, NaN where none would), ``customers_needed`` to show a rise of
    half of `rate`, and ``words``.
    """
    size, rows = int((kinds != "request").sum()), []
    for share in shares:
        held = round(size * share)
        rise = detectable(rate, size - held, held)
        rows.append((share, size - held, held, rise, needed(rate, rate / 2, share), _foreseen(rise, share)))
    names = ["holdout", "treated", "held_out", "detectable", "customers_needed", "words"]
    return pd.DataFrame(rows, columns=names)


_ENDS = ("", "_low", "_high")


def _base(held: Any) -> float:  # noqa: ANN401  # a row of the arms
    """Return the rate without messages, never 0 or 1, so that a power can be told."""
    return (held.with_cart + 0.5) / (held.customers + 1)


def _foreseen(rise: float, share: float) -> str:
    if np.isnan(rise):
        return f"With {share:.0%} held out this campaign is too small to show any lift."
    return f"With {share:.0%} held out this campaign can only see lifts above {100 * rise:.1f} carts in 100 customers."


def money(told: pd.DataFrame) -> pd.DataFrame:
    """
    Return what the carts hold, by rule and currency, never summed across currencies; `told` are the attributed lines.

    Columns: ``rule, currency, carts, attributed_value, rest_value, without_price, repeated_value``. A line without a
    price adds nothing to the values and is counted in ``without_price``; what a customer sent twice within minutes,
    from two devices, counts once, and once more in ``repeated_value``.
    """
    by = ["rule", "currency"]
    known, once = told["value"].notna(), ~told["repeats"]
    frame = pd.DataFrame({"carts": told[once].groupby(by)["message_id"].nunique()})
    parts = {
        "attributed_value": known & once & told["attributed"],
        "rest_value": known & once & ~told["attributed"],
        "repeated_value": known & ~once,
    }
    for name, part in parts.items():
        frame[name] = money_of(told[part], by).reindex(frame.index)
        frame[name] = frame[name].astype("object").where(frame[name].notna(), Decimal(0))
    frame["without_price"] = told[~known].groupby(by).size().reindex(frame.index, fill_value=0)
    order = {rule: place for place, rule in enumerate(RULES)}
    return frame.reset_index().sort_values(
        by, key=lambda column: column.map(order).fillna(0) if column.name == "rule" else column, ignore_index=True
    )[[*by, "carts", "attributed_value", "rest_value", "without_price", "repeated_value"]]


def _with_rates(frame: pd.DataFrame) -> pd.DataFrame:
    counted = frame.astype({"customers": "int64", "total": "int64"})
    low, high = wilson(counted["customers"], counted["total"])
    rate = counted["customers"] / counted["total"].where(counted["total"] > 0)
    return counted.assign(rate=rate.astype("float64"), low=low, high=high)
