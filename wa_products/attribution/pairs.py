"""Each cart beside each message that it could answer: what the rules choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.attribution.baskets import grouped
from wa_products.states import are_in, unique_events

if TYPE_CHECKING:
    from collections.abc import Mapping

SEND = ["send_id", "wamid", "kind", "product_retailer_id", "title"]
SEEN = ["customer_id", *SEND, "price", "currency", "received_at", "enquired_at"]
CONTENDERS = ["message_id", "at", "named", "inside", "variant", "enquired", "lag", "received_at"]


def received(known: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """
    Return those of the `known` states that can have been seen, with ``received_at`` and ``enquired_at``, by send id.

    A message that failed and was never delivered cannot be answered.
    """
    found = known if "received_at" in known else asked(known, events)
    return answerable(found).sort_values("send_id", ignore_index=True)


def answerable(known: pd.DataFrame) -> pd.DataFrame:
    """Return `SEEN` of the messages that can have been seen: accepted, and not failed without a delivery."""
    return known.loc[known["accepted"] & ~known["state"].eq("failed"), SEEN]


def asked(known: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """
    Return the `known` states with ``received_at`` and ``enquired_at``.

    ``received_at`` is when the message was delivered, or the last sign of it on its way; ``enquired_at`` when its
    customer first asked about its product, or replied to it, afterwards: missing where nobody did, and for what
    nobody can have seen.
    """
    at = known["delivered_at"].fillna(known["sent_at"]).fillna(known["at"])
    told = unique_events(events, ["enquiry", "inbound"])
    told = told[(told["kind"] == "enquiry") | (told["context_id"] != "")]
    place = np.flatnonzero(are_in(known["customer_id"], told["customer_id"]))
    theirs = known.iloc[place].assign(received_at=at.iloc[place], enquired_at=pd.NaT, place=place)
    sends = answerable(theirs)[_SENT].join(theirs["place"])
    pairs = sends.merge(
        told[["customer_id", "kind", "at", "context_id", "product_retailer_id"]],
        on="customer_id",
        suffixes=("", "_asked"),
    )
    about = (pairs["kind"] == "enquiry") & (pairs["product_retailer_id"] == pairs["product_retailer_id_asked"])
    reply = (pairs["context_id"] != "") & (pairs["context_id"] == pairs["wamid"])
    first = pairs[(about | reply) & (pairs["at"] >= pairs["received_at"])].groupby("place")["at"].min()
    enquired = first.reindex(range(len(known))).astype(frames.DTYPES["time"])
    return known.assign(received_at=at, enquired_at=enquired.set_axis(known.index))


_SENT = ["customer_id", "wamid", "product_retailer_id", "received_at"]


def contenders(
    carts: pd.DataFrame, lines: pd.DataFrame, sends: pd.DataFrame, groups: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """
    Return a row for each cart and each message that it names, or that its customer received before it.

    Columns: those of `CONTENDERS`, of the message (`SEND`), and its price and currency. ``inside``: the product of
    the message, or a variant of it (``variant``), is in the cart or in another of the same basket sent after the
    message was received; ``enquired``: the customer asked about it in between.
    """
    theirs = sends[are_in(sends["customer_id"], carts["customer_id"])]
    own = carts.merge(theirs, on="customer_id", suffixes=("", "_sent")).assign(named=False)
    told = carts[carts["context_id"] != ""]
    quoted = sends[are_in(sends["wamid"], told["context_id"])]
    named = told.merge(quoted, left_on="context_id", right_on="wamid", suffixes=("", "_sent")).assign(named=True)
    pairs = pd.concat([named, own], ignore_index=True)
    pairs["lag"] = pairs["at"] - pairs["received_at"]
    pairs = pairs[pairs["named"] | (pairs["lag"] >= pd.Timedelta(0))]
    baskets = lines.merge(carts[["message_id", "basket_id"]], on="message_id")
    exact = _in_basket(pairs, baskets, None)
    inside = _in_basket(pairs, baskets, groups) if groups else exact
    pairs = pairs.assign(inside=inside, variant=inside & ~exact, enquired=pairs["enquired_at"] <= pairs["at"])
    return pairs[[*CONTENDERS, *SEND, "price", "currency"]]


def _in_basket(pairs: pd.DataFrame, baskets: pd.DataFrame, groups: Mapping[str, str] | None) -> pd.Series:
    """Return whether the product of each pair was put into the basket after its message was received."""
    product = "product_retailer_id"
    put = baskets.assign(product=grouped(baskets[product], groups))
    last = put[put[product] != ""].groupby(["basket_id", "product"])["at"].max()
    wanted = pd.MultiIndex.from_arrays([pairs["basket_id"], grouped(pairs[product], groups)])
    found = last.reindex(wanted).astype(frames.DTYPES["time"]).set_axis(pairs.index)
    return found >= pairs["received_at"]
