"""
The law: which proposals may be sent, to whom, and for every other row the reason why not.

Rows are marked, never dropped. A row bears the first reason that applies, in the order of `_refusals`: the
thread, the product, the policy, then the proposal chosen for the same customer, then the caps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import arms, frames, windows
from wa_products.errors import DataError
from wa_products.limits import Limits
from wa_products.policies import KINDS, TITLE_LENGTH, Policy, shorten, texts
from wa_products.recommenders import withheld

if TYPE_CHECKING:
    from wa_products.datasets import Dataset

__all__ = ["KINDS", "REACHED", "SEND", "SKIP", "TITLE_LENGTH", "Policy", "limits", "select", "shorten", "waterfall"]

SEND, SKIP = "send", "skip"
REACHED = frozenset({"accepted", "unknown"})


def select(proposals: pd.DataFrame, data: Dataset, policy: Policy | None = None) -> pd.DataFrame:
    """
    Return the rows of `proposals`, in their order, with ``decision``, ``reason`` and what the message would hold.

    At most one row a customer is ``send``; every other is ``skip`` with its reason. Added are ``closes_at``,
    ``title``, ``price`` (what the customer pays at ``data.as_of``), ``currency``, ``body``, ``footer`` and
    ``propensity``, the chance with which the row was to be the customer's one: 1 and 0 unless the policy explores.
    What of the policy holds when sending is in ``attrs["limits"]``, from where a review takes it into its plan.
    Raises DataError where a column is missing or a customer has the same product twice.
    """
    policy = policy or Policy()
    frames.require(proposals, frames.PROPOSALS, "the proposals")
    if (twice := proposals.duplicated(["customer_id", "product_retailer_id"])).any():
        row = proposals[twice].iloc[0]
        raise DataError(f"customer {row.customer_id} has product {row.product_retailer_id!r} proposed twice")
    shop = data if data.stored is None else data.of(pd.Index(proposals["customer_id"].unique()))
    rows = _enriched(proposals, shop)
    reason = _refusals(rows, shop, policy)
    drawn = _drawn(rows[reason == ""], policy, f"explore {data.as_of.isoformat()}")
    reason = _one_each(reason, drawn, policy)
    rows["reason"] = reason
    rows["propensity"] = drawn["propensity"].reindex(rows.index, fill_value=0.0)
    rows["decision"] = pd.Series(np.where(reason == "", SEND, SKIP), index=rows.index, dtype="str")
    rows["body"], rows["footer"] = texts(rows, policy), policy.footer
    kept = [column for column in (*frames.SELECTED, *proposals.columns) if column in rows.columns]
    selected = frames.conform(rows[list(dict.fromkeys(kept))], frames.SELECTED, "the selected rows")
    selected.attrs["limits"] = policy.limits(data.timezone).to_dict()
    return selected.set_index(proposals.index)


def limits(chosen: pd.DataFrame, data: Dataset) -> Limits:
    """Return the limits that the selected rows carry; those of the default policy where they lost them."""
    told = chosen.attrs.get("limits")
    return Policy().limits(data.timezone) if told is None else Limits.from_dict(told)


def waterfall(chosen: pd.DataFrame) -> tuple[tuple[str, int], ...]:
    """
    Return how many customers of a selected frame get no message, by the reason of the row that came closest.

    Each customer counts once; those with a row to send are not counted. In the order in which reasons apply.
    """
    frames.require(chosen, ("customer_id", "decision", "reason"), "the selected rows")
    step = chosen["reason"].map(_ladder)
    furthest = chosen.assign(step=step).sort_values("step", kind="stable").groupby("customer_id").last()
    lost = furthest[furthest["decision"] != SEND]
    counted = lost.groupby(["step", "reason"]).size()
    return tuple((str(reason), int(customers)) for (_, reason), customers in counted.items())


_LADDER = (
    "no thread",
    "window closed",
    "opted out",
    "no address",
    "not in catalog",
    "not sendable",
    "kind not wanted",
    "product not wanted",
    "probability too low",
    "messaged lately",
    "sent and ignored lately",
    "just bought",
    "in an open cart",
    "refunded lately",
    "outranked",
    "another was tried",
    "product cap reached",
    "campaign cap reached",
    "",
)


def _ladder(reason: str) -> int:
    return _LADDER.index(reason.partition(":")[0])


def _enriched(proposals: pd.DataFrame, data: Dataset) -> pd.DataFrame:
    added = ["closes_at", "title", "price", "currency"]
    rows = proposals.drop(columns=added, errors="ignore").reset_index(drop=True)
    threads = data.threads.set_index("customer_id")
    rows = rows.join(threads[["last_inbound_at", "closes_at", "opted_out", "to", "recipient"]], on="customer_id")
    catalog = data.catalog.drop_duplicates("product_retailer_id").set_index("product_retailer_id")
    price = catalog["sale_price"].where(catalog["sale_price"].notna(), catalog["price"])
    known = catalog.assign(price=price, in_catalog=True)
    return rows.join(
        known[["title", "price", "currency", "sendable", "not_sendable_reason", "in_catalog"]],
        on="product_retailer_id",
    )


def _refusals(rows: pd.DataFrame, data: Dataset, policy: Policy) -> pd.Series:
    request = (rows["kind"] == "request") & ~_answered(rows, data)
    addressed = rows["to"].fillna("").ne("") | rows["recipient"].fillna("").ne("")
    held = withheld.withheld(data)
    unwanted = False if policy.products is None else ~rows["product_retailer_id"].isin(policy.products)
    conditions = {
        "no thread": rows["last_inbound_at"].isna() & ~addressed,
        "window closed": ~windows.is_open(rows["closes_at"], data.as_of, policy.margin),
        "opted out": rows["opted_out"].eq(True),
        "no address": ~addressed,
        "not in catalog": rows["in_catalog"].isna(),
        "not sendable": ~rows["sendable"].eq(True),
        "kind not wanted": ~rows["kind"].isin(policy.kinds),
        "product not wanted": pd.Series(unwanted, rows.index),
        "probability too low": ~request & ~(rows["probability"].fillna(0.0) >= policy.min_probability),
        "messaged lately": ~request & _messaged_since(rows, data, policy.rest_days, ["customer_id"]),
        "sent and ignored lately": ~request & _messaged_since(rows, data, policy.ignored_days, withheld.PAIR),
        "just bought": ~request & withheld.among(rows, withheld.just_bought(data, policy.just_bought_days)),
        **{why: ~request & withheld.among(rows, held[held["reason"] == why]) for why in withheld.HELD},
    }
    reason = np.select(list(conditions.values()), list(conditions), default="")
    detailed = np.where(reason == "not sendable", "not sendable: " + rows["not_sendable_reason"].fillna(""), reason)
    return pd.Series(detailed, index=rows.index, dtype="str")


def _messaged_since(rows: pd.DataFrame, data: Dataset, days: float, keys: list[str]) -> pd.Series:
    recent = data.sends[(data.sends["at"] > data.as_of - pd.Timedelta(days=days)) & data.sends["outcome"].isin(REACHED)]
    if recent.empty:
        return pd.Series(data=False, index=rows.index)
    return pd.Series(pd.MultiIndex.from_frame(rows[keys]).isin(pd.MultiIndex.from_frame(recent[keys])), rows.index)


def _answered(rows: pd.DataFrame, data: Dataset) -> pd.Series:
    """Return which rows are of customers who got a message since they last wrote: what they asked is answered."""
    reached = data.sends[data.sends["outcome"].isin(REACHED)].groupby("customer_id")["at"].max()
    return reached.reindex(rows["customer_id"]).set_axis(rows.index) >= rows["last_inbound_at"]


def _drawn(eligible: pd.DataFrame, policy: Policy, key: str) -> pd.DataFrame:
    """
    Return the rows that may be sent, each customer's best first, the customers in the order of their best.

    ``place`` is 0 for the best, ``chosen`` is True for one row a customer, and ``propensity`` the chance of that.
    """
    ordered = eligible.assign(request=eligible["kind"] == "request").sort_values(
        ["request", "probability", "rank", "customer_id", "product_retailer_id"],
        ascending=[False, False, True, True, True],
        na_position="last",
    )
    by = ordered.groupby("customer_id", sort=False)
    place, number = by.cumcount(), by["rank"].transform("size")
    share = np.where(by["request"].transform("any"), 0.0, policy.explore)
    draw = arms.draw(key, ordered["customer_id"]) if policy.explore else pd.Series(1.0, index=ordered.index)
    explored = draw < share
    pick = np.where(explored, np.floor(draw / np.where(share > 0, share, 1.0) * number), 0)
    found = ordered.assign(
        place=place,
        chosen=place == np.minimum(pick, number - 1),
        propensity=share / number + np.where(place == 0, 1 - share, 0.0),
        turn=by.ngroup(),
    )
    return found.sort_values(["turn", "place"], kind="stable")


def _one_each(reason: pd.Series, drawn: pd.DataFrame, policy: Policy) -> pd.Series:
    """Leave the chosen row of each customer, then no more than the caps allow, in the order of the customers' best."""
    result = reason.copy()
    result[drawn.index[~drawn["chosen"]]] = "outranked"
    result[drawn.index[~drawn["chosen"] & (drawn["place"] == 0)]] = "another was tried"
    ordered = drawn[drawn["chosen"]]
    if policy.max_per_product is not None:
        within = ordered.groupby("product_retailer_id").cumcount() < policy.max_per_product
        result[ordered.index[~within]] = "product cap reached"
        ordered = ordered[within]
    if policy.max_sends is not None:
        result[ordered.index[policy.max_sends :]] = "campaign cap reached"
    return result
