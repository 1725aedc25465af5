"""
Orders that several exports hold: told by their id and time, never by a name alone.

Shops number from #1001, so one number may stand for two orders; those differ in time and both stay, told apart.
An order that comes again is kept once, as the last export tells it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from wa_products.exports.columns import Column
    from wa_products.exports.issues import Found

_CONTENT = ["line_no", "customer_id", "product_retailer_id", "title", "quantity", "currency", "status", "is_purchase"]


def settled(orders: pd.DataFrame, instance: np.ndarray, found: Found) -> pd.DataFrame:
    """
    Return the orders with each order once; `instance` numbers the times that an order is told, for each line.

    What goes is noted and counted in `found` as merged. The same id at another time is another order: its id gets
    its time, so that order and line still name one row.
    """
    starts = np.flatnonzero(orders["line_no"].to_numpy() == 1)
    ids = orders["order_id"].take(starts)
    if _rising(pa.array(ids, pa.large_string())) or ids.is_unique:
        return orders
    often = ids[ids.duplicated(keep=False)].unique()
    rows = np.flatnonzero(orders["order_id"].isin(often).to_numpy())
    told = _told(orders.take(rows), instance[rows])
    merged = told["at"].to_numpy()[told["dropped"].to_numpy()]
    _note(told, found)
    kept = np.ones(len(orders), dtype=bool)
    kept[rows[merged]] = False
    return _named_apart(orders, told, rows)[kept]


def told_once(ids: Column) -> bool:
    """Return whether no two orders have one id; `ids` holds the id of each."""
    texts = ids.values.take(pa.array(ids.codes))  # noqa: PD011  # no frame's values
    return _rising(texts) or len(ids.deduplicated().values) == len(ids)


def _rising(texts: pa.Array) -> bool:
    """Return whether each id is above the one before, or each below: shops number so, and then none stands twice."""
    longer = np.diff(np.asarray(pc.binary_length(texts)))
    here, before = texts.slice(1), texts.slice(0, max(0, len(texts) - 1))
    above, below = np.asarray(pc.greater(here, before)), np.asarray(pc.less(here, before))
    return bool(((longer > 0) | ((longer == 0) & above)).all() or ((longer < 0) | ((longer == 0) & below)).all())


def _told(some: pd.DataFrame, instance: np.ndarray) -> pd.DataFrame:
    """Return one row a line: its order's id, time and telling, and whether that telling is dropped, and why."""
    content = [name for name in _CONTENT if name in some.columns]
    lines = pd.util.hash_pandas_object(some[content].assign(price=some["unit_price"].astype("str")), index=False)
    told = pd.DataFrame(
        {
            "at": np.arange(len(some)),
            "order_id": some["order_id"].to_numpy(),
            "ordered_at": some["ordered_at"].to_numpy(),
            "instance": instance,
            "source_row": some["source_row"].to_numpy(),
        }
    )
    told["content"] = pd.Series(lines.to_numpy()).groupby(instance).transform("sum")
    order = told.groupby(["order_id", "ordered_at"])
    told["dropped"] = told["instance"] != order["instance"].transform("last")
    told["differs"] = order["content"].transform("nunique") > 1
    return told


def _note(told: pd.DataFrame, found: Found) -> None:
    dropped = told[told["dropped"]]
    found.merged += len(dropped)
    once = dropped.drop_duplicates("instance")
    for code, severity, some, hint in (
        (
            "order_repeated",
            "info",
            once[~once["differs"]],
            "this order stands in the files again, with the same content",
        ),
        ("order_differs", "warning", once[once["differs"]], "the files tell this order differently: the last is kept"),
    ):
        if len(some):
            found.add(
                code,
                severity,  # type: ignore[arg-type]  # one of the two written above
                column="order_id",
                values=list(some["order_id"]),
                rows=list(some["source_row"]),
                action="row merged",
                hint=hint,
            )


def _named_apart(orders: pd.DataFrame, told: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """Return the orders with the time added to an id that several orders have."""
    several = told.groupby("order_id")["ordered_at"].transform("nunique") > 1
    if not several.any():
        return orders
    places = rows[told["at"].to_numpy()[several.to_numpy()]]
    ids = orders["order_id"].to_numpy(dtype=object).copy()
    times = orders["ordered_at"].take(places).dt.strftime(" (%Y-%m-%d %H:%M)")
    ids[places] = orders["order_id"].take(places).to_numpy(dtype=object) + times.to_numpy(dtype=object)
    return orders.assign(order_id=pd.Series(ids, index=orders.index, dtype="str"))
