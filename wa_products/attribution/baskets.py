"""
Carts as shoppers make them, and what they are worth.

A cart lives on one device until it is sent, so somebody with a phone and a tablet may send one purchase in two parts,
or the same cart twice, within minutes. Such carts form one basket.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.states import are_in, unique_events

if TYPE_CHECKING:
    from collections.abc import Mapping

TOGETHER = pd.Timedelta(minutes=10)
LINES = ["message_id", "n", "product_retailer_id", "quantity", "unit_price", "currency", "value", "attributed", "rule"]
_LINE = ["product_retailer_id", "quantity", "unit_price", "currency"]


def cart_lines(events: pd.DataFrame) -> pd.DataFrame:
    """Return the cart events, one a line, with ``message_id``, its number ``n`` and its ``value``."""
    told = unique_events(frames.require(events, frames.EVENTS, "events"), ["cart"])
    values = [_value(*line) for line in zip(told["quantity"], told["unit_price"], strict=True)]
    told = told.assign(
        at=told["at"].astype(frames.DTYPES["time"]),
        message_id=told["event_id"].str.replace(r":\d+$", "", regex=True),
        value=pd.Series(values, index=told.index, dtype="object"),
    )
    return told.assign(n=told.groupby("message_id").cumcount() + 1)


def carts_of(lines: pd.DataFrame) -> pd.DataFrame:
    """
    Return one row a cart: message_id, customer_id, at, context_id, lines, basket_id, repeats.

    Carts of one customer with at most `TOGETHER` between one and the next share the ``basket_id``, the message id of
    the first of them. ``repeats`` marks one with the very lines of an earlier cart of its basket: sent from a second
    device, its money counts once.
    """
    carts = lines.groupby("message_id", as_index=False).agg(
        customer_id=("customer_id", "first"), at=("at", "first"), context_id=("context_id", "max"), lines=("n", "size")
    )
    carts = carts.sort_values(["customer_id", "at", "message_id"], ignore_index=True)
    same = (carts["customer_id"] == carts["customer_id"].shift()) & (carts["customer_id"] != "")
    starts = ~(same & (carts["at"].diff() <= TOGETHER))
    carts["basket_id"] = carts.groupby(starts.cumsum())["message_id"].transform("first")
    shared = carts[carts["basket_id"].duplicated(keep=False)]
    contents = _contents(lines[are_in(lines["message_id"], shared["message_id"])])
    again = shared.assign(contents=shared["message_id"].map(contents)).duplicated(["basket_id", "contents"])
    return carts.assign(repeats=again.reindex(carts.index, fill_value=False))


def lines(carts: pd.DataFrame, events: pd.DataFrame, groups: Mapping[str, str] | None = None) -> pd.DataFrame:
    """
    Return one row a line of the attributed `carts`: its value in its own currency, and whether it is ``attributed``.

    Columns: message_id, n, product_retailer_id, quantity, unit_price, currency, value, attributed, rule.
    """
    told = cart_lines(events)
    return attributed(told[are_in(told["message_id"], carts["message_id"])], carts, groups)[LINES]


def attributed(lines: pd.DataFrame, carts: pd.DataFrame, groups: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return `lines` with the rule of their cart, and whether each is of the product of the message, or a variant."""
    names = ["message_id", "rule", "product_retailer_id", "currency_at_send", "repeats"]
    both = lines.merge(carts[[name for name in names if name in carts]], on="message_id", suffixes=("", "_of_message"))
    same = grouped(both["product_retailer_id"], groups) == grouped(both["product_retailer_id_of_message"], groups)
    return both.assign(attributed=same & (both["rule"] != "organic") & (both["product_retailer_id"] != ""))


def grouped(products: pd.Series, groups: Mapping[str, str] | None) -> pd.Series:
    """Return the group of each product, where it has one: variants of one item share it."""
    if not groups:
        return products
    known = {product: f"group {group}" for product, group in groups.items() if group}
    return products.map(known).fillna(products).astype("str") if known else products


def money_of(lines: pd.DataFrame, by: list[str]) -> pd.Series:
    """Return the exact sum of ``value`` over lines that agree in `by`; None where one of the values is unknown."""
    known = lines["value"].notna()
    sums = lines[known].groupby(by)["value"].sum()
    whole = known.groupby([lines[name] for name in by]).all()
    return sums.reindex(whole.index).astype("object").where(whole, None)


def worth(lines: pd.DataFrame) -> pd.DataFrame:
    """Return one row a cart: its currency, what its attributed lines and the rest are worth, the price of the item."""
    currencies = lines.groupby("message_id")["currency"].agg(["min", "max"])
    single = currencies["min"] == currencies["max"]
    result = pd.DataFrame({"currency": currencies["min"].where(single, "")})
    for name, part in (("attributed_value", lines["attributed"]), ("rest_value", ~lines["attributed"])):
        values = money_of(lines[part], ["message_id"])
        known = values.reindex(result.index[single], fill_value=Decimal(0))
        result[name] = known.reindex(result.index).astype("object").where(single, None)
    asked = lines[lines["attributed"] & (lines["currency"] == lines["currency_at_send"])]
    result["price_in_cart"] = asked.groupby("message_id")["unit_price"].first().reindex(result.index)
    return result.reset_index()


def total(values: pd.Series) -> Decimal | None:
    """Return the sum of money in one currency, exact; None where one of `values` is unknown."""
    amounts = list(values)
    return None if any(amount is None for amount in amounts) else sum(amounts, Decimal(0))


def _value(quantity: float, unit_price: Decimal | None) -> Decimal | None:
    if unit_price is None or not np.isfinite(quantity):
        return None
    return Decimal(str(quantity)).normalize() * unit_price


def _contents(lines: pd.DataFrame) -> dict[str, frozenset[tuple[object, ...]]]:
    """Return what is in each cart, whatever the order of its lines."""
    told: dict[str, list[tuple[object, ...]]] = {}
    for message, *line in lines[["message_id", *_LINE]].itertuples(index=False, name=None):
        told.setdefault(message, []).append(tuple(line))
    return {message: frozenset((line, found.count(line)) for line in found) for message, found in told.items()}
