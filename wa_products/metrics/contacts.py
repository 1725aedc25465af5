"""The campaign customer by customer, for the shop's own eyes: by customer id, without an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

CONTACTS = [
    *("customer_id", "product_retailer_id", "title", "kind", "source", "probability", "arm", "outcome", "state"),
    *("at", "sent_at", "delivered_at", "read_at", "enquired_at", "opted_out_at"),
    *("failed_class", "failed_code", "failed_meaning", "failed_details", "what_to_do", "left_out", "anomaly"),
    *("cart_at", "cart_rule", "cart_confidence", "cart_message_id"),
]


def contacts(sends: pd.DataFrame, failed: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """
    Return one row a planned customer: `CONTACTS`.

    `failed` and `answers` are those of the results. The cart is the first that follows from the message.
    """
    why = failed.drop_duplicates("send_id").rename(
        columns={
            "class": "failed_class",
            "meaning": "failed_meaning",
            "details": "failed_details",
            "code": "failed_code",
        }
    )[["send_id", "failed_class", "failed_code", "failed_meaning", "failed_details", "what_to_do", "left_out"]]
    first = answers.sort_values(["at", "message_id"]).drop_duplicates("send_id")
    first = first[["send_id", "at", "rule", "confidence", "message_id"]].set_axis(
        ["send_id", "cart_at", "cart_rule", "cart_confidence", "cart_message_id"], axis=1
    )
    known = sends.drop(columns=["failed_code", "failed_details"])
    found = known.merge(why, on="send_id", how="left").merge(first, on="send_id", how="left")
    texts = ["failed_class", "failed_meaning", "failed_details", "what_to_do", "cart_rule", "cart_confidence"]
    filled = {name: found[name].fillna("") for name in [*texts, "cart_message_id"]}
    code = found["failed_code"].fillna(0).astype("int64")
    left_out = found["left_out"].eq(other=True).fillna(False).astype("bool")
    return found.assign(**filled, failed_code=code, left_out=left_out)[CONTACTS]
