"""
Shopify orders CSV: one row a line item, the order's own columns on its first row alone.

They are carried down inside the order and never beyond it: a plain fill would give an order without a phone the
phone of the customer above. Cash on delivery stays ``pending`` for ever and is a purchase all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.exports.columns import Column
from wa_products.exports.contract import Format, Options
from wa_products.exports.names import normal
from wa_products.exports.orders import Lines, build_orders

if TYPE_CHECKING:
    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_PHONES = (("Phone", "Billing Country"), ("Shipping Phone", "Shipping Country"), ("Billing Phone", "Billing Country"))
_HEAD = ("Financial Status", "Currency", "Total", "Subtotal", "Id", "Paid at", "Source", "Shipping Method")
_REQUIRED = ("Name", "Created at", "Lineitem name", "Lineitem quantity", "Lineitem price")
_NAMES = {
    "ordered_at": "Created at",
    "quantity": "Lineitem quantity",
    "unit_price": "Lineitem price",
    "subtotal": "Subtotal",
}
_READ = (
    *_REQUIRED,
    *_HEAD,
    *("Email", "Cancelled at", "Lineitem sku", "Phone", "Shipping Phone", "Billing Phone", "Billing Country"),
    *("Shipping Country", "Payment Method", "Tags", "Refunded Amount", "Fulfillment Status"),
    *("Discount Amount", "Lineitem discount"),
)
_NOT_BOUGHT = frozenset({"cancelled", "voided", "refunded", "expired"})
_TEST_TAGS = frozenset({"test", "test order", "testorder"})
_COUNTRY = 2


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the order lines of the export; what belongs to an order comes from its first row."""
    head, known = _heads(table, found)
    if not known.all():
        table, head = table.keep(known), (np.cumsum(known, dtype=np.int32) - 1)[head[known]]
    given = [table]
    del table  # so that its columns go when they are used
    return build_orders(_lines(given, head, found), options, found)


def _heads(table: Table, found: Found) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the position of its order's first row, and for which rows there is one."""
    name, created = table.column("Name"), table.column("Created at")
    filled, anew = np.zeros(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
    for column in map(table.column, _HEAD):
        here = ~column.is_blank
        filled |= here
        anew |= here & column.changes()
    changed = name.changes() | created.changes()
    is_head = filled & (changed | anew)
    starts = changed | is_head
    head = np.maximum.accumulate(np.where(starts, np.arange(len(table), dtype=np.int32), np.int32(0)))
    lost = ~is_head[head]
    if lost.any():
        _attach(head, lost, is_head, name.deduplicated(), created.deduplicated())
        still = ~is_head[head]
        _note_lost(table, lost & ~still, still, name, found)
        return head, ~still
    return head, ~lost


def _attach(head: np.ndarray, lost: np.ndarray, is_head: np.ndarray, name: Column, created: Column) -> None:
    """Give rows that stand apart from their order the one first row of the same name and time, where there is one."""
    heads = pd.DataFrame({"name": name.codes, "created": created.codes, "at": np.arange(len(head))})[is_head]
    alone = heads[~heads.duplicated(["name", "created"], keep=False)].set_index(["name", "created"])["at"]
    places = np.flatnonzero(lost)
    wanted = pd.MultiIndex.from_arrays([name.codes[places], created.codes[places]])
    found = alone.reindex(wanted).to_numpy(dtype="float64")
    known = ~np.isnan(found)
    head[places[known]] = found[known].astype(int)


def _note_lost(table: Table, apart: np.ndarray, lost: np.ndarray, name: Column, found: Found) -> None:
    if apart.any():
        hint = "the rows of an order stand together in an export that nobody sorted"
        values = name.take(apart).texts()
        rows = table.records[apart]
        found.add("rows_apart", "warning", rows=rows, column="Name", values=values, action="row kept", hint=hint)
    if lost.any():
        found.set_aside += int(lost.sum())
        found.add(
            "no_first_row",
            "error",
            rows=table.records[lost],
            column="Name",
            values=name.take(lost).texts(),
            action="row set aside",
            hint="the first row of this order, with its customer, is not in the file",
        )


def _lines(given: list[Table], head: np.ndarray, found: Found) -> Lines:
    """Return the lines of the one table in `given`, which is taken out."""
    table = given.pop()
    is_head = head == np.arange(len(head), dtype=np.int32)
    heads = np.flatnonzero(is_head)
    order = (np.cumsum(is_head, dtype=np.int32) - 1)[head]
    columns = {name: table.column(name) for name in _READ}
    file, records = table.file, table.records
    del table
    first = {name: columns.pop(name).take(heads).compact() for name in _READ if not name.startswith("Lineitem")}
    billing, shipping = _country(first["Billing Country"]), _country(first["Shipping Country"])
    regions = {"Billing Country": billing.or_else(shipping), "Shipping Country": shipping.or_else(billing)}
    status = _status(first)
    excluded = _excluded(first, status)
    _note_partial(first["Refunded Amount"], excluded, records[heads], found)
    return Lines(
        file=file,
        records=records,
        order=order,
        line_no=_line_numbers(order, heads),
        fields={
            "sku": columns.pop("Lineitem sku"),
            "title": columns.pop("Lineitem name"),
            "quantity": columns.pop("Lineitem quantity"),
            "unit_price": columns.pop("Lineitem price"),
            "line_discount": columns.pop("Lineitem discount"),
        },
        order_fields={
            "order_id": first["Id"].stripped().or_else(first["Name"].stripped()),
            "ordered_at": first["Created at"].stripped(),
            "email": first["Email"],
            "currency": first["Currency"],
            "status": status,
            "excluded": excluded,
            "subtotal": first["Subtotal"],
            "discount": first["Discount Amount"],
        },
        phones=[(column, first[column], regions[country]) for column, country in _PHONES],
        names={**_NAMES, "order_id": "Name" if first["Id"].is_blank.all() else "Id"},
    )


def _line_numbers(order: np.ndarray, heads: np.ndarray) -> np.ndarray:
    step = np.diff(order)
    if not len(step) or (step.min() >= 0 and step.max() <= 1):
        numbers = np.arange(1, len(order) + 1, dtype="int64")
        numbers -= heads.astype(np.int32)[order]
        return numbers
    return pd.Series(order).groupby(order).cumcount().to_numpy() + 1


def _country(column: Column) -> Column:
    return column.deduplicated().recoded(lambda v: v.strip().upper() if len(v.strip()) == _COUNTRY else "")


def _status(first: dict[str, Column]) -> Column:
    paid = first["Financial Status"].deduplicated().recoded(lambda value: normal(value) or "unknown")
    cancelled = ~first["Cancelled at"].is_blank
    return paid.placed(cancelled, Column.constant("cancelled", int(cancelled.sum())))


def _excluded(first: dict[str, Column], status: Column) -> Column:
    """Return why each order is no purchase: cancelled, voided, refunded, expired, test or draft; else ``""``."""
    nobody = first["Email"].is_blank
    for column, _ in _PHONES:
        nobody = nobody & first[column].is_blank
    test = first["Payment Method"].where(lambda v: "bogus" in v.casefold())
    test = test | first["Source"].where(lambda v: "bogus" in v.casefold())
    test = test | first["Tags"].where(lambda v: any(tag.strip().casefold() in _TEST_TAGS for tag in v.split(",")))
    draft = first["Source"].where(lambda v: normal(v) == "shopify_draft_order") & nobody
    reason = status.recoded(lambda value: value if value in _NOT_BOUGHT else "")
    draft = draft & reason.is_blank & ~test
    reason = reason.placed(draft, Column.constant("draft", int(draft.sum())))
    return reason.placed(test, Column.constant("test", int(test.sum())))


def _note_partial(refunded: Column, excluded: Column, records: np.ndarray, found: Found) -> None:
    some = refunded.where(lambda value: bool(value.strip()) and value.strip().strip("0.,") != "")
    rows = some & excluded.is_blank
    if rows.any():
        found.add(
            "partly_refunded",
            "warning",
            rows=records[rows],
            column="Refunded Amount",
            values=refunded.take(rows).texts(),
            action="row kept",
            hint="the file does not tell which line was refunded: all of them count as bought",
        )


FORMAT = Format(
    name="a Shopify orders export",
    readers={"orders": read},
    required=tuple((name,) for name in _REQUIRED),
    known=frozenset(map(normal, _READ)),
    wanted=frozenset(map(normal, _READ)),
)
