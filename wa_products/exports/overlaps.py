"""
What several files tell, but once: items of a catalog, orders, messages.

Files overlap: an export is taken again, a page holds what the one before it held. Where they agree, or the later one
of an order is the newer, one of them stands for all. Where they tell an item of the catalog differently, nobody here
can know which one Meta has, so it cannot be sent.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.exports.issues import Found
from wa_products.exports.repeats import settled
from wa_products.exports.sendable import DUPLICATE_ID, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from wa_products.exports.contract import Kind

_LACKING = dict.fromkeys(["title missing", "price missing", "availability unknown", "India compliance missing"], 2)
_TOLD = ("title", "price", "sale_price_listed", "currency", "availability", "review", "visibility")


def told_once(kind: Kind, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a frame that several files gave with each item, order or message once, and the issues of that."""
    if frame.empty:
        return frame, frames.empty(frames.ISSUES)
    return _ONCE[kind](frame)


def _items(catalog: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    if "source_file" not in catalog:
        return catalog, frames.empty(frames.ISSUES)
    shared = (catalog.groupby("product_retailer_id")["source_file"].transform("nunique") > 1).to_numpy()
    if not shared.any():
        return catalog, frames.empty(frames.ISSUES)
    differ = shared & catalog["product_retailer_id"].isin(_differing(catalog[shared])).to_numpy()
    agreed = catalog[shared & ~differ].sort_values("not_sendable_reason", key=_by_weight, kind="stable")
    again = agreed.index[agreed["product_retailer_id"].duplicated()]
    found: list[pd.DataFrame] = [
        *_noted(
            catalog.loc[again.sort_values()],
            ("item_repeated", "info", "row merged", "another file has this item too, told alike: it counts once"),
        ),
        *_noted(
            catalog[differ],
            (
                *("duplicate_id", "error", "row kept, cannot be sent"),
                "several files tell this item differently: leave the newest export alone in the folder",
            ),
        ),
    ]
    marked = catalog.assign(
        sendable=catalog["sendable"] & ~differ,
        not_sendable_reason=catalog["not_sendable_reason"].mask(differ, DUPLICATE_ID),
    )
    return marked.drop(index=again).reset_index(drop=True), pd.concat(found, ignore_index=True)


def _by_weight(reasons: pd.Series) -> pd.Series:
    """Return the weight of a row: one that forbids the item, one that may be sent, one that lacks something."""
    return reasons.map(lambda reason: _LACKING.get(reason, 0 if reason else 1))


def _differing(shared: pd.DataFrame) -> set[str]:
    """Return the ids that the files tell differently, or of which one file has two; what a file leaves out, agrees."""
    texts = shared.reindex(columns=list(_TOLD)).astype("object").map(_comparable)
    several = texts.groupby(shared["product_retailer_id"]).agg("nunique").gt(1).any(axis=1)
    twice = shared.duplicated(["product_retailer_id", "source_file"])
    return {*several.index[several], *shared.loc[twice, "product_retailer_id"]}


def _comparable(value: object) -> str | None:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    text = value.strip().casefold() if isinstance(value, str) else ""
    return text if text not in {"", UNKNOWN} else None


def _noted(rows: pd.DataFrame, said: tuple[str, str, str, str]) -> list[pd.DataFrame]:
    """Return an issue a row, of each file its own."""
    code, severity, action, hint = said
    result = []
    for file, some in rows.groupby("source_file", sort=False):
        found = Found(str(file))
        found.add(
            code,
            severity,  # type: ignore[arg-type]  # one of the two written above
            rows=some["source_row"].fillna(0).to_numpy(dtype="int64"),
            column="product_retailer_id",
            values=some["product_retailer_id"],
            action=action,
            hint=hint,
        )
        result.append(found.frame(np.zeros(0, dtype="int64"), None))
    return result


def _orders(orders: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    files, names = pd.factorize(orders["source_file"])
    if len(names) == 1:  # its reader has seen to it
        return orders, frames.empty(frames.ISSUES)
    found = Found("")
    once = settled(orders, pd.factorize(orders["order_id"])[0] * len(names) + files, found)
    issues = found.frame(np.zeros(0, dtype="int64"), None)
    if len(issues):
        some = orders.loc[orders["order_id"].isin(issues["value"]), ["order_id", "source_row", "source_file"]]
        file = some.drop_duplicates(["order_id", "source_row"]).set_index(["order_id", "source_row"])["source_file"]
        named = file.reindex(pd.MultiIndex.from_frame(issues[["value", "row"]])).to_numpy()
        issues = issues.assign(file=pd.Series(named, dtype="str").fillna(""))
    return once.reset_index(drop=True), issues


def _messages(inbound: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    once = inbound.drop_duplicates("message_id", ignore_index=True)
    found = Found("")
    if gone := len(inbound) - len(once):
        hint = "another file has these messages too: they count once"
        found.add("message_repeated", "info", values=[f"{gone} messages"], action="merged", hint=hint)
    return once, found.frame(np.zeros(0, dtype="int64"), None)


_ONCE: dict[Kind, Callable[[pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]]] = {
    "catalog": _items,
    "orders": _orders,
    "inbound": _messages,
}
