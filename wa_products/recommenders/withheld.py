"""What a customer is not offered now, however much they like it: in an open cart, given back, or ignored lately."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from wa_products.datasets import Dataset

PAIR = ["customer_id", "product_retailer_id"]
CART, REFUNDED = "cart", "refund"
CART_DAYS, REFUND_DAYS, IGNORED_DAYS = 3, 90, 30
HELD = CARTED, RETURNED = "in an open cart", "refunded lately"
REACHED = frozenset({"accepted", "unknown"})


def withheld(data: Dataset) -> pd.DataFrame:
    """
    Return the pairs not to offer at ``data.as_of``: ``customer_id, product_retailer_id, reason``, each once.

    The reasons: ``in an open cart`` (a cart of the last three days, nothing ordered since), ``refunded lately`` (given
    back within 90 days, not bought since), ``sent and ignored lately`` (sent within 30 days, not bought since).
    """
    return pd.concat(data.each(_withheld), ignore_index=True)


def _withheld(data: Dataset) -> pd.DataFrame:
    lines = _lately(data, max(CART_DAYS, REFUND_DAYS, IGNORED_DAYS))
    status = lines["status"].str.lower()
    bought = lines[lines["is_purchase"] & (status != CART)]
    carts = lines[(status == CART) & _within(lines["ordered_at"], data, CART_DAYS)]
    returned = lines[
        ~lines["is_purchase"] & status.str.contains(REFUNDED) & _within(lines["ordered_at"], data, REFUND_DAYS)
    ]
    sends = data.sends[data.sends["outcome"].isin(REACHED) & _within(data.sends["at"], data, IGNORED_DAYS)]
    parts = [
        _not_since(carts, bought, ["customer_id"]).assign(reason=CARTED),
        _not_since(returned, bought, PAIR).assign(reason=RETURNED),
        _not_since(sends.rename(columns={"at": "ordered_at"}), bought, PAIR).assign(reason="sent and ignored lately"),
    ]
    found = pd.concat(parts, ignore_index=True)[[*PAIR, "reason"]]
    return found[found["customer_id"] != ""].drop_duplicates(PAIR, ignore_index=True)


def just_bought(data: Dataset, days: float) -> pd.DataFrame:
    """Return the pairs (``customer_id, product_retailer_id``) bought within the last `days`."""
    return pd.concat(data.each(lambda part: _just_bought(part, days)), ignore_index=True)


def _just_bought(data: Dataset, days: float) -> pd.DataFrame:
    lines = _lately(data, days)
    return lines.loc[lines["is_purchase"] & (lines["status"].str.lower() != CART), PAIR]


def _lately(data: Dataset, days: float) -> pd.DataFrame:
    """Return the order lines of the last `days` that name a product, with what is asked of them here."""
    lines = data.lines(*PAIR, "ordered_at", "status", "is_purchase")
    some = lines[_within(lines["ordered_at"], data, days) & (lines["product_retailer_id"] != "")]
    return some.astype({"customer_id": "str", "product_retailer_id": "str", "status": "str"})


def among(rows: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series:
    """Return which of `rows` are of a customer and product that stand in `pairs`."""
    if pairs.empty:
        return pd.Series(data=False, index=rows.index)
    found = pd.MultiIndex.from_frame(rows[PAIR]).isin(pd.MultiIndex.from_frame(pairs[PAIR]))
    return pd.Series(found, index=rows.index)


def offered(rows: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Return the rows (``customer_id, product_retailer_id``) that are not in `held`."""
    return rows[~among(rows, held)]


def _within(at: pd.Series, data: Dataset, days: float) -> pd.Series:
    return (at <= data.as_of) & (at > data.as_of - pd.Timedelta(days=days))


def _not_since(rows: pd.DataFrame, bought: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the rows after which nothing was bought under the same `keys`."""
    some = bought[bought["customer_id"].isin(rows["customer_id"])]
    last = some.groupby(keys)["ordered_at"].max().rename("last")
    both = rows[[*PAIR, "ordered_at"]].merge(last, left_on=keys, right_index=True, how="left")
    return both[~(both["last"] > both["ordered_at"])]
