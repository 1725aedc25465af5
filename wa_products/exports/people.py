"""
One customer id for all that is proved to be one customer, in orders and messages alike.

Proof is one message with two ids, a change of number that Meta reports, or the one rule a country of `match_key`.
A number that somebody else uses after its change belongs to two people: what came before goes with the first.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from wa_products import frames, identities
from wa_products.exports.issues import Found

_WITH_TWO_FORMS = ("55", "52", "54")
_CHANGED = "number changed"


def identified(orders: pd.DataFrame, inbound: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return both frames with one customer_id for all aliases of a customer, that of the first seen; and the issues."""
    pairs, _ = identities.links(orders, inbound)
    reused = _reused(orders, inbound)
    if len(reused):
        orders = _given_back(orders, "phone", "ordered_at", reused)
        inbound = _given_back(inbound, "wa_id", "received_at", reused)
        pairs = pairs[~((pairs["rule"] == _CHANGED) & pairs["left"].isin(reused["before"]))]
    if len(pairs):
        seen = pd.concat([_seen(orders, "ordered_at"), _seen(inbound, "received_at")])
        one = identities.canonical(pairs, seen.groupby("id")["at"].min())
        orders, inbound = _renamed(orders, one), _renamed(inbound, one)
    return orders, inbound, _issues(orders, inbound, reused)


def _reused(orders: pd.DataFrame, inbound: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers still in use after they were changed: ``digits, until, before, now`` (the last two ids)."""
    changed = inbound[(inbound["previous_wa_id"] != "") & (inbound["wa_id"] != "")]
    if changed.empty:
        return pd.DataFrame(columns=["digits", "until", "now", "before"])
    last = changed.groupby("previous_wa_id").agg(until=("received_at", "max"), now=("customer_id", "last"))
    used = pd.concat(
        [
            orders.loc[orders["phone"] != "", ["phone", "ordered_at"]].set_axis(["digits", "at"], axis=1),
            inbound.loc[inbound["wa_id"] != "", ["wa_id", "received_at"]].set_axis(["digits", "at"], axis=1),
        ]
    )
    used = used.assign(digits=used["digits"].str.lstrip("+"))
    latest = used[used["digits"].isin(last.index)].groupby("digits")["at"].max().reindex(last.index)
    again = last[latest > last["until"]].rename_axis("digits").reset_index()
    return again.assign(before=again["digits"].map(lambda digits: identities.customer_id("phone", digits)))


def _given_back(frame: pd.DataFrame, number: str, at: str, reused: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with what came from a number before its change given to who had it then."""
    by_number = reused.set_index("digits")
    digits = frame[number].str.lstrip("+")
    theirs = digits.isin(by_number.index) & (frame[at] <= digits.map(by_number["until"]))
    return frame.assign(customer_id=frame["customer_id"].where(~theirs, digits.map(by_number["now"])).astype("str"))


def _seen(frame: pd.DataFrame, at: str) -> pd.DataFrame:
    return frame[["customer_id", at]].set_axis(["id", "at"], axis=1)


def _renamed(frame: pd.DataFrame, one: pd.Series) -> pd.DataFrame:
    codes, ids = pd.factorize(frame["customer_id"])
    mapped = one.reindex(ids).to_numpy(dtype=object)
    known = pd.array(np.where(pd.isna(mapped), ids.to_numpy(dtype=object), mapped), dtype="str")
    return frame.assign(customer_id=pd.Series(known.take(codes), index=frame.index)) if len(ids) else frame


def _issues(orders: pd.DataFrame, inbound: pd.DataFrame, reused: pd.DataFrame) -> pd.DataFrame:
    found = Found("")
    shared = _shared(orders, inbound)
    if shared:
        hint = "their numbers differ only in the digit that Brazil, Mexico and Argentina add: ask before joining them"
        found.add("match_key_shared", "warning", column="phone", values=shared, action="kept apart", hint=hint)
    if len(reused):
        hint = "somebody used the number after its owner had changed it: what came before went with the owner"
        values = [f"{len(reused)} numbers"]
        found.add("number_reused", "warning", column="wa_id", values=values, action="kept apart", hint=hint)
    return found.frame(np.zeros(0, dtype="int64"), None) if found.parts else frames.empty(frames.ISSUES)


def _shared(orders: pd.DataFrame, inbound: pd.DataFrame) -> list[str]:
    """Return, for each match key of several customers, their ids in one text."""
    numbers = pd.concat([_numbers(orders, "phone"), _numbers(inbound, "wa_id")]).drop_duplicates()
    numbers = numbers.assign(key=numbers["digits"].map(identities.match_key))
    forms = numbers.groupby("key")["digits"].transform("nunique") > 1
    by_key = numbers[forms].drop_duplicates(["key", "customer"]).groupby("key")["customer"].agg(sorted)
    return [" and ".join(customers) for customers in by_key if len(customers) > 1]


def _numbers(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the customers and digits of the numbers that may be written in two forms."""
    two_forms = frame[column].str.startswith((*_WITH_TWO_FORMS, *(f"+{code}" for code in _WITH_TWO_FORMS)))
    some = frame.loc[two_forms, ["customer_id", column]]
    return pd.DataFrame({"customer": some["customer_id"], "digits": some[column].str.lstrip("+")})
