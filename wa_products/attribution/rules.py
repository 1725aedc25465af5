"""The rules by which a cart is put down to a message, the surest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.attribution.baskets import attributed, cart_lines, carts_of, worth
from wa_products.attribution.pairs import SEND, contenders, received
from wa_products.errors import DataError
from wa_products.states import are_in, states

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES: dict[str, str] = {
    "exact": "certain",
    "same item": "high",
    "enquiry-assisted": "medium",
    "assisted": "low",
    "late": "low",
    "other campaign": "",
    "forwarded": "weak",
    "organic": "",
}
EXPLANATIONS: dict[str, str] = {
    "exact": "the cart names the message it answers",
    "same item": "the product of the message, or a variant of it, is in the cart, within {prompt} of its delivery",
    "enquiry-assisted": "the customer asked about the product of the message in between, within {lookback}",
    "assisted": "a cart within {prompt} of the message, with other products",
    "late": "the product of the message is in the cart, after {prompt} but within {lookback}",
    "other campaign": "a message of another campaign explains it better, or later",
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
    "variant": "flag",
    "basket_id": "text",
    "repeats": "flag",
    "lines": "integer",
    "currency": "text",
    "attributed_value": "money",
    "rest_value": "money",
    "price_at_send": "money",
    "price_in_cart": "money",
}
# The most hours at which exact and same item are right 95 times in 100 by two standard errors, among the sandbox's
# shoppers, whose truth is known (`benchmarks/measuring_truth.py choice`); `placebo` shows what is claimed in vain.
PROMPT = "4h"
_ZERO = pd.Timedelta(0)


def attribute(
    rows: pd.DataFrame,
    events: pd.DataFrame,
    lookback: str | pd.Timedelta = "7D",
    prompt: str | pd.Timedelta = PROMPT,
    *,
    groups: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """
    Return one row a cart: when, by which rule it is put down to which message, and what it is worth.

    The columns are those of `CARTS` and ``lag`` (time since the message was delivered, or since the last sign of it
    on its way). ``candidates`` counts the messages that the same rule could have named; the latest of them wins.
    Carts that one customer sends within minutes are read as one basket (``basket_id``): a product in one of them
    counts for all, and one that ``repeats`` another is the same cart from a second device.
    ``attributed_value`` is the worth of the lines with the product of the message, ``rest_value`` of the others, both
    in ``currency``; None where a price is unknown or the cart mixes currencies: `lines` has each line by itself.
    `groups` gives the item_group_id of products with variants. Raises DataError for a look-back that is no length of
    time.
    """
    sends = received(states(rows, events), events)
    return claimed(
        cart_lines(events), sends, rows["customer_id"], lookback=span(lookback), prompt=span(prompt), groups=groups
    )[0]


def claimed(
    lines: pd.DataFrame,
    sends: pd.DataFrame,
    planned: pd.Series,
    *,
    lookback: pd.Timedelta,
    prompt: pd.Timedelta,
    groups: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return what `attribute` does and the `contenders`, from cart lines and the messages `received`.

    `planned` are the customers of the campaign. Where `sends` has a column ``is_other``, a cart that one of those
    messages explains best belongs to another campaign.
    """
    carts = carts_of(lines)
    pairs = contenders(carts, lines, sends, groups)
    found, own = claims(pairs, lookback, prompt), sends
    if "is_other" in sends:
        is_other = sends["is_other"].eq(other=True)
        found["rule"] = found["rule"].where(~are_in(found["send_id"], sends.loc[is_other, "send_id"]), "other campaign")
        own = sends[~is_other]
    strangers = carts[~are_in(carts["customer_id"], planned) & ~are_in(carts["message_id"], found["message_id"])]
    found = pd.concat([found, _forwarded(strangers, lines, own, lookback)], ignore_index=True)
    result = carts.merge(found, on="message_id", how="left")
    result["rule"] = result["rule"].astype("object").fillna("organic").astype("str")
    result["confidence"] = result["rule"].map(RULES)
    priced = result.merge(worth(attributed(lines, result, groups)), on="message_id", how="left")
    shaped = frames.conform(priced, CARTS, "carts").sort_values(["at", "message_id"], ignore_index=True)
    return shaped[[*CARTS, "lag"]], pairs


def claims(pairs: pd.DataFrame, lookback: pd.Timedelta, prompt: pd.Timedelta) -> pd.DataFrame:
    """Return the winning message of each cart of the `contenders` that one of the rules explains."""
    soon = min(prompt, lookback)
    early, known = (pairs["lag"] >= _ZERO) & (pairs["lag"] <= soon), pairs["lag"].between(_ZERO, lookback)
    fits = {
        "exact": pairs["named"],
        "same item": early & pairs["inside"],
        "enquiry-assisted": known & pairs["enquired"],
        "assisted": early,
        "late": known & pairs["inside"],
    }
    places = {rule: place for place, rule in enumerate(RULES)}
    place = np.select(list(fits.values()), [places[rule] for rule in fits], default=places["organic"])
    ranked = pairs.assign(place=place)[place < places["organic"]]
    ranked = ranked.sort_values(
        ["message_id", "place", "received_at", "send_id"], ascending=[True, True, False, True]
    ).drop_duplicates(["message_id", "place", "send_id"])
    best = ranked.assign(
        rule=ranked["place"].map({place: rule for rule, place in places.items()}).astype("str"),
        candidates=ranked.groupby(["message_id", "place"])["send_id"].transform("size"),
    ).drop_duplicates("message_id")
    return best.rename(columns={"price": "price_at_send", "currency": "currency_at_send"})[
        ["message_id", "rule", "lag", "candidates", "variant", *SEND, "price_at_send", "currency_at_send"]
    ]


def span(length: str | pd.Timedelta) -> pd.Timedelta:
    """Return `length` as a time span; raise DataError where it is none, or not above zero."""
    try:
        result = pd.Timedelta(length)
    except ValueError as error:
        raise DataError(f"{length!r} is no length of time; write for example '24h' or '7D'") from error
    if not result > _ZERO:
        raise DataError(f"a length of time must be above zero, got {length!r}")
    return result


def _forwarded(carts: pd.DataFrame, lines: pd.DataFrame, sends: pd.DataFrame, lookback: pd.Timedelta) -> pd.DataFrame:
    """Return the carts of people outside the plan with a product of the campaign; the sender cannot be known."""
    wanted = lines.loc[are_in(lines["message_id"], carts["message_id"]), ["message_id", "product_retailer_id", "at"]]
    wanted = wanted[wanted["product_retailer_id"] != ""].assign(since=lambda frame: frame["at"] - lookback)
    sent = sends[are_in(sends["product_retailer_id"], wanted["product_retailer_id"])]
    by_time = sent[["product_retailer_id", "title", "received_at"]].sort_values(["received_at", "product_retailer_id"])
    by_time["upto"] = by_time.groupby("product_retailer_id").cumcount() + 1
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
