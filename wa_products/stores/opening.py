"""A store as a `Dataset`: its orders by part, what was kept beside them, and what a ledger heard since."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from wa_products import frames, identities
from wa_products.datasets import REMEMBERED, Dataset
from wa_products.exports.catalogs import catalog_at
from wa_products.exports.issues import Found
from wa_products.exports.joining import together
from wa_products.exports.readers import Part
from wa_products.stores import manifests, tables
from wa_products.stores.lines import StoredOrders

if TYPE_CHECKING:
    from wa_products.exports.contract import Kind
    from wa_products.ledger import Ledger
    from wa_products.parts import Stored

KEPT = {"catalog": frames.CATALOG, "inbound": frames.INBOUND, "issues": frames.ISSUES}
_MOMENT = pd.Timedelta("1us")
_MOST_WORKERS = 8


def opened(root: str | Path, as_of: pd.Timestamp | None = None, ledger: Ledger | None = None) -> Dataset:
    """
    Return the shop that the store at `root` holds, as of `as_of`: the moment of opening where that is None.

    What `ledger` stored joins in, as in `wa_products.load`. Its messages are given to the customers whom the store
    knows; two customers of the store whom the ledger proves to be one stay two until the store is built again.
    """
    root = Path(root)
    manifest = manifests.read(root)
    shop = manifest.shop
    moment = as_of or (pd.Timestamp(shop["as_of"]) if shop.get("as_of") else pd.Timestamp.now("UTC"))
    beside = {name: kept(root, name) for name in KEPT}
    orders = StoredOrders(
        root=root, manifest=manifest, workers=min(os.cpu_count() or 1, _MOST_WORKERS), progress=True
    ).before(moment + _MOMENT)
    inbound = beside["inbound"]
    if ledger is not None:
        carts, inbound = _joined(orders, beside, ledger.remembered(moment - REMEMBERED))
        orders = orders.with_lines(carts[carts["ordered_at"] <= moment])
    return Dataset(
        catalog=catalog_at(beside["catalog"], moment),
        orders=orders,
        inbound=inbound[inbound["received_at"] <= moment],
        as_of=moment,
        issues=beside["issues"],
        sends=ledger.sends(moment - REMEMBERED) if ledger is not None else frames.empty(frames.SENDS),
        catalog_id=shop.get("catalog_id", ""),
        currency=shop.get("currency", ""),
        region=shop.get("region", ""),
        timezone=shop.get("timezone") or "UTC",
    )


def keep(root: Path, name: str, frame: pd.DataFrame) -> None:
    """Keep a frame beside the orders in place of an earlier one."""
    beside = root / f".{name}.new"
    tables.write(tables.to_table(frame.reset_index(drop=True)), beside)
    beside.replace(root / f"{name}.parquet")


def kept(root: Path, name: str) -> pd.DataFrame:
    """Return a frame that was kept beside the orders; an empty one where none was."""
    path = root / f"{name}.parquet"
    return tables.to_frame(tables.read(path)) if path.is_file() else frames.empty(KEPT.get(name, frames.ISSUES))


def _joined(
    orders: StoredOrders, beside: dict[str, pd.DataFrame], heard: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return carts and messages of the store and a ledger, under the ids that the store has for the customers."""
    first = _first_lines(orders, heard)
    parts = [part("catalog", beside["catalog"]), part("inbound", beside["inbound"]), part("orders", first)]
    found = together(parts, heard)
    lines = found["orders"]
    known = lines["order_id"].isin(first["order_id"])
    renamed = lines[known].merge(first[["order_id", "line_no", "customer_id"]], on=["order_id", "line_no"])
    back = renamed.drop_duplicates("customer_id_x").set_index("customer_id_x")["customer_id_y"]
    return under(lines[~known], back), under(found["inbound"], back)


def under(frame: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Return `frame` with other ids for the customers who have one in `names`."""
    ids = frame["customer_id"]
    return frame.assign(customer_id=names.reindex(ids).set_axis(frame.index).fillna(ids).astype("str"))


def _first_lines(orders: StoredOrders, heard: pd.DataFrame) -> pd.DataFrame:
    """Return the first order line of each customer of the store who was heard of."""
    aliases = [("phone", "wa_id"), ("user", "user_id"), ("phone", "previous_wa_id"), ("user", "previous_user_id")]
    named = {identities.customer_id(kind, alias) for kind, column in aliases for alias in heard[column].unique()}
    if not (named := named - {""}):
        return frames.empty(frames.ORDERS)

    def first(some: Stored) -> pd.DataFrame:
        lines = some.frame()
        return lines[lines["customer_id"].isin(named)].drop_duplicates("customer_id")

    return pd.concat(replace(orders, progress=False).each(first), ignore_index=True)


def part(kind: Kind, frame: pd.DataFrame) -> Part:
    """Return a frame as a file would have given it."""
    return Part(kind, frame, frames.empty(frames.ISSUES), Found("", rows_in=len(frame), kept=len(frame)))
