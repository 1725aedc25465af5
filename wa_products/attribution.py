"""
Which message a cart answers, and how sure that is. Who, not how much more: that only the holdout tells.

An ``order`` webhook does not name the message it answers (Meta, "Order messages webhook reference"), so a cart is
held against the messages its customer received, and the first rule that fits in the order of `RULES` wins.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.states import states, unique_events

RULES: dict[str, str] = {
    "exact": "certain",
    "same item": "high",
    "enquiry-assisted": "medium",
    "assisted": "low",
    "late": "low",
    "forwarded": "weak",
    "organic": "",
}
EXPLANATIONS: dict[str, str] = {
    "exact": "the cart names the message it answers",
    "same item": "the product of the message is in the cart, within {prompt} of its delivery",
    "enquiry-assisted": "the customer asked about the product of the message in between, within {lookback}",
    "assisted": "a cart within {prompt} of the message, with other products",
    "late": "the product of the message is in the cart, after {prompt} but within {lookback}",
    "forwarded": "a product of the campaign, in the cart of somebody the campaign did not plan for",
    "organic": "none of these",
}
ANSWERS = frozenset({"exact", "same item", "enquiry-assisted", "assisted", "late"})
CARTS: dict[str, frames.Kind] = {
    "message_id": "text",
    "customer_id": "text",
    "at": "time",
    "rule": "text",
    "confidence": "text",
    "candidates": "integer",
    "send_id": "text",
    "wamid": "text",
    "kind": "text",
    "product_retailer_id": "text",
    "title": "text",
    "lines": "integer",
    "currency": "text",
    "attributed_value": "money",
    "rest_value": "money",
    "price_at_send": "money",
    "price_in_cart": "money",
}
_SEND = ["send_id", "wamid", "kind", "product_retailer_id", "title"]


def attribute(
    rows: pd.DataFrame, events: pd.DataFrame, lookback: str | pd.Timedelta = "7D", prompt: str | pd.Timedelta = "24h"
) -> pd.DataFrame:
    """
    Return one row a cart: when, by which rule it is put down to which message, and what it is worth.

    The columns are those of `CARTS` and ``lag`` (time since the message was delivered, or since the last sign of it
    on its way). ``candidates`` counts the messages that the same rule could have named; the latest of them wins.
    ``attributed_value`` is the worth of the lines with the product of the message, ``rest_value`` of the others, both
    in ``currency``; None where a price is unknown or the cart mixes currencies: `lines` has each line by itself.
    Raises DataError for a look-back that is no length of time.
    """
    longest, soon = span(lookback), min(span(prompt), span(lookback))
    sends = received(states(rows, events), events)
    lines = _lines(events)
    carts = lines.groupby("message_id", as_index=False).agg(
        customer_id=("customer_id", "first"), at=("at", "first"), context_id=("context_id", "max"), lines=("n", "size")
    )
    claims = _claims(carts, lines, sends, longest, soon)
    strangers = carts[~carts["customer_id"].isin(rows["customer_id"]) & ~carts["message_id"].isin(claims["message_id"])]
    found = pd.concat([claims, _forwarded(strangers, lines, sends, longest)], ignore_index=True)
    result = carts.merge(found, on="message_id", how="left")
    result["rule"] = result["rule"].astype("object").fillna("organic").astype("str")
    result["confidence"] = result["rule"].map(RULES)
    priced = result.merge(_worth(_attributed(lines, result)), on="message_id", how="left")
    shaped = frames.conform(priced, CARTS, "carts").sort_values(["at", "message_id"], ignore_index=True)
    return shaped[[*CARTS, "lag"]]


def lines(carts: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """
    Return one row a line of the attributed `carts`: its value in its own currency, and whether it is ``attributed``.

    Columns: message_id, n, product_retailer_id, quantity, unit_price, currency, value, attributed, rule.
    """
    told = _lines(events)
    told = told[told["message_id"].isin(carts["message_id"])]
    return _attributed(told, carts)[
        ["message_id", "n", "product_retailer_id", "quantity", "unit_price", "currency", "value", "attributed", "rule"]
    ]


def received(known: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """
    Return those of the `known` states that can have been seen, with ``received_at`` and ``enquired_at``, by send id.

    A message that failed and was never delivered cannot be answered. ``enquired_at`` is when its customer first asked
    about its product, or replied to it, afterwards.
    """
    seen = known[known["accepted"] & ~known["state"].eq("failed")]
    at = seen["delivered_at"].fillna(seen["sent_at"]).fillna(seen["at"])
    sends = seen.assign(received_at=at).sort_values("send_id", ignore_index=True)
    asked = unique_events(events, ["enquiry", "inbound"])
    asked = asked[(asked["kind"] == "enquiry") | (asked["context_id"] != "")]
    pairs = sends[["send_id", "customer_id", "wamid", "product_retailer_id", "received_at"]].merge(
        asked[["customer_id", "kind", "at", "context_id", "product_retailer_id"]],
        on="customer_id",
        suffixes=("", "_asked"),
    )
    about = (pairs["kind"] == "enquiry") & (pairs["product_retailer_id"] == pairs["product_retailer_id_asked"])
    reply = (pairs["context_id"] != "") & (pairs["context_id"] == pairs["wamid"])
    first = pairs[(about | reply) & (pairs["at"] >= pairs["received_at"])].groupby("send_id")["at"].min()
    return sends.assign(enquired_at=first.reindex(sends["send_id"]).astype(frames.DTYPES["time"]).array)


def span(length: str | pd.Timedelta) -> pd.Timedelta:
    """Return `length` as a time span; raise DataError where it is none, or not above zero."""
    try:
        result = pd.Timedelta(length)
    except ValueError as error:
        raise DataError(f"{length!r} is no length of time; write for example '24h' or '7D'") from error
    if not result > pd.Timedelta(0):
        raise DataError(f"a length of time must be above zero, got {length!r}")
    return result


def _lines(events: pd.DataFrame) -> pd.DataFrame:
    told = unique_events(frames.require(events, frames.EVENTS, "events"), ["cart"])
    message = told["event_id"].str.replace(r":\d+$", "", regex=True)
    values = [_value(*line) for line in zip(told["quantity"], told["unit_price"], strict=True)]
    told = told.assign(message_id=message, value=pd.Series(values, index=told.index, dtype="object"))
    return told.assign(n=told.groupby("message_id").cumcount() + 1)


def _value(quantity: float, unit_price: Decimal | None) -> Decimal | None:
    if unit_price is None or not np.isfinite(quantity):
        return None
    return Decimal(str(quantity)).normalize() * unit_price


def _claims(
    carts: pd.DataFrame, lines: pd.DataFrame, sends: pd.DataFrame, lookback: pd.Timedelta, prompt: pd.Timedelta
) -> pd.DataFrame:
    """Return the winning message of each cart that one of the customer's own messages, or its context, explains."""
    named = carts[carts["context_id"] != ""].merge(sends, left_on="context_id", right_on="wamid", suffixes=("", "_s"))
    own = carts.merge(sends, on="customer_id", suffixes=("", "_s"))
    pairs = pd.concat([named.assign(rule="exact"), own.assign(rule="")], ignore_index=True)
    pairs["lag"] = pairs["at"] - pairs["received_at"]
    basket = pd.MultiIndex.from_frame(lines[["message_id", "product_retailer_id"]])
    inside = pd.MultiIndex.from_frame(pairs[["message_id", "product_retailer_id"]]).isin(basket)
    after = pairs["lag"] >= pd.Timedelta(0)
    early, known = after & (pairs["lag"] <= prompt), after & (pairs["lag"] <= lookback)
    fits = {
        "exact": pairs["rule"] == "exact",
        "same item": early & inside,
        "enquiry-assisted": known & (pairs["enquired_at"] <= pairs["at"]),
        "assisted": early,
        "late": known & inside,
    }
    pairs["rule"] = np.select(list(fits.values()), list(fits), default="")
    return _best(pairs[pairs["rule"] != ""])


def _best(pairs: pd.DataFrame) -> pd.DataFrame:
    ranked = pairs.assign(place=pairs["rule"].map({rule: place for place, rule in enumerate(RULES)}))
    ranked = ranked.sort_values(
        ["message_id", "place", "received_at", "send_id"], ascending=[True, True, False, True]
    ).drop_duplicates(["message_id", "rule", "send_id"])
    counts = ranked.groupby(["message_id", "place"])["send_id"].transform("size")
    best = ranked.assign(candidates=counts).drop_duplicates("message_id")
    return best.rename(columns={"price": "price_at_send", "currency": "currency_at_send"})[
        ["message_id", "rule", "lag", "candidates", *_SEND, "price_at_send", "currency_at_send"]
    ]


def _forwarded(carts: pd.DataFrame, lines: pd.DataFrame, sends: pd.DataFrame, lookback: pd.Timedelta) -> pd.DataFrame:
    """Return the carts of people outside the plan with a product of the campaign; the sender cannot be known."""
    by_time = sends[["product_retailer_id", "title", "received_at"]].sort_values(["received_at", "product_retailer_id"])
    by_time["upto"] = by_time.groupby("product_retailer_id").cumcount() + 1
    wanted = lines.loc[lines["message_id"].isin(carts["message_id"]), ["message_id", "product_retailer_id", "at"]]
    wanted = wanted[wanted["product_retailer_id"] != ""].assign(since=lambda frame: frame["at"] - lookback)
    product = {"by": "product_retailer_id", "right_on": "received_at"}
    near = pd.merge_asof(wanted.sort_values("at"), by_time, left_on="at", tolerance=lookback, **product)
    older = pd.merge_asof(
        near[near["received_at"].notna()].sort_values("since"),
        by_time[["product_retailer_id", "received_at", "upto"]].rename(columns={"upto": "before"}),
        left_on="since",
        allow_exact_matches=False,
        suffixes=("", "_before"),
        **product,
    )
    counted = older.assign(
        rule="forwarded",
        lag=older["at"] - older["received_at"],
        candidates=(older["upto"] - older["before"].fillna(0)).astype("int64"),
        price_at_send=None,
        currency_at_send="",
    )
    first = counted.sort_values(["message_id", "lag", "product_retailer_id"]).drop_duplicates("message_id")
    keep = ["message_id", "rule", "lag", "candidates", "product_retailer_id", "title", "price_at_send"]
    return first[[*keep, "currency_at_send"]]


def _attributed(lines: pd.DataFrame, carts: pd.DataFrame) -> pd.DataFrame:
    columns = [name for name in ("message_id", "rule", "product_retailer_id", "currency_at_send") if name in carts]
    both = lines.merge(carts[columns], on="message_id", suffixes=("", "_of_message"))
    answered = both["rule"] != "organic"
    return both.assign(attributed=answered & (both["product_retailer_id"] == both["product_retailer_id_of_message"]))


def _worth(lines: pd.DataFrame) -> pd.DataFrame:
    """Return one row a cart: its currency, what its attributed lines and the rest are worth, the price of the item."""
    currencies = lines.groupby("message_id")["currency"].agg(["min", "max"])
    single = currencies["min"] == currencies["max"]
    parts = {
        "attributed_value": lines[lines["attributed"]].groupby("message_id")["value"].agg(total),
        "rest_value": lines[~lines["attributed"]].groupby("message_id")["value"].agg(total),
    }
    result = pd.DataFrame({"currency": currencies["min"].where(single, "")})
    for name, values in parts.items():
        known = values.astype("object").reindex(result.index[single], fill_value=Decimal(0))
        result[name] = known.reindex(result.index).astype("object")
    asked = lines[lines["attributed"] & (lines["currency"] == lines["currency_at_send"])]
    result["price_in_cart"] = asked.groupby("message_id")["unit_price"].first().reindex(result.index)
    return result.reset_index()


def total(values: pd.Series) -> Decimal | None:
    """Return the sum of money in one currency, exact; None where one of `values` is unknown."""
    amounts = list(values)
    return None if any(amount is None for amount in amounts) else sum(amounts, Decimal(0))
