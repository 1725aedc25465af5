"""
WooCommerce orders one row an order, as order export plugins write them: each item in a cell of its own, or all in one.

WebToffee has ``line_item_1 ... line_item_N`` with ``name:Tea|product_id:13|sku:A12|quantity:1|total:8.00|tax:1.44``;
others one column ``line_items`` with such items between semicolons. Names may hold ``|`` and ``:``: a key counts only
where it is one of the known ones.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from wa_products.exports import aliases
from wa_products.exports.contract import Format, Options
from wa_products.exports.listed import Listed, each, number
from wa_products.exports.money import read_amounts
from wa_products.exports.names import normal
from wa_products.exports.orders import build_orders

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from wa_products.exports.columns import Column
    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_ONE = re.compile(r"line_item_\d+")
_KEYS = (
    *("name", "id", "product_id", "_product_id", "sku", "quantity", "qty", "total", "total_tax", "tax", "sub_total"),
    *("subtotal", "subtotal_tax", "tax_data", "variation_id", "_variation_id", "refunded", "refunded_qty", "meta"),
)
_KEY = re.compile(rf"(?:^|\|)(?P<key>{'|'.join(_KEYS)}):")
_WORDY = frozenset({"name", "sku", "meta"})
_NEXT = re.compile(r";\s*(?=(?:id|name|product_id):)")
_AMOUNT = re.compile(r"(?:^|\|)(?:amount|total):(?P<amount>[^|;]+)")
_PHONES = (("Billing phone", "Billing country"), ("Shipping phone", "Shipping country"))
_REQUIRED = (("order_id", "order_number", "id"), ("order_date", "date", "date_created", "created_at"))
_ITEMS = ("line_items", "line_item_1")
_NOT_ITEMS = ("shipping_total", "fee_total", "tax_total")
_NAMED = {
    "order_id": ("order_id", "id", "order_number"),
    "ordered_at": _REQUIRED[1],
    "quantity": _ITEMS,
    "unit_price": _ITEMS,
    "subtotal": ("order_total", "total"),
    "Billing phone": ("billing_phone", "phone"),
    "Shipping phone": ("shipping_phone",),
}


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the order lines; `found` counts them, and orders without items, as rows."""
    columns = {name: column.texts().tolist() for name, column in _columns(table).items()}
    cells = [table.columns[name].texts().tolist() for name in table.columns if _holds_items(name)]
    found.rows_in -= len(table)
    listed = Listed(table.file, _PHONES, _names(table))
    for row, record in enumerate(table.records.tolist()):
        order = {name: values[row] for name, values in columns.items()}
        items = [
            item
            for column in cells
            for text in _NEXT.split(column[row].strip())
            if text.strip(" ;") and (item := _item(text, record, found))
        ]
        excluded = aliases.no_purchase(order["status"]) or _refunded(order, record, found)
        said = {"status": aliases.status_of(order["status"]), "excluded": excluded, "subtotal": _subtotal(order)}
        listed.add({**order, **said}, items, record, found)
    return build_orders(listed.lines(), options, found)


def _names(table: Table) -> dict[str, str]:
    """Return what the file calls the fields that have a column of their own."""
    there = {field: table.names(*names) for field, names in _NAMED.items()}
    return {field: names[0] for field, names in there.items() if names}


def _subtotal(order: dict[str, str]) -> str:
    """Return what the items come to: the total less shipping, fees and tax, where all are told."""
    total, *others = (number(order[name]) for name in ("total", *_NOT_ITEMS))
    known = [amount for amount in others if amount is not None]
    return format(total - sum(known), "f") if total is not None and len(known) == len(others) else ""


def _columns(table: Table) -> dict[str, Column]:
    billing = table.column("billing_country")
    shipping = table.column("shipping_country")
    return {
        "order_id": table.column("order_id", "id").or_else(table.column("order_number")).stripped(),
        "ordered_at": table.column(*_REQUIRED[1]),
        "email": table.column("billing_email").or_else(table.column("customer_email", "email")),
        "shop_customer": table.column("customer_user").or_else(table.column("customer_id")).recoded(_known),
        "currency": table.column("order_currency", "currency"),
        "status": table.column("status", "order_status"),
        "total": table.column("order_total", "total"),
        **{name: table.column(name) for name in _NOT_ITEMS},
        "refunds": table.column("refund_items", "refunds"),
        "Billing phone": table.column("billing_phone").or_else(table.column("phone")),
        "Billing country": billing.or_else(shipping),
        "Shipping phone": table.column("shipping_phone"),
        "Shipping country": shipping.or_else(billing),
    }


def _holds_items(name: str) -> bool:
    return normal(name) == "line_items" or bool(_ONE.fullmatch(normal(name)))


def _item(text: str, record: int, found: Found) -> dict[str, str] | None:
    """Return the fields of one item, None where the cell is no item: it is noted and set aside."""
    said = dict(_pairs(text))
    title, quantity = said.get("name", "").strip(), said.get("quantity") or said.get("qty") or "1"
    ids = [said.get(key, "") for key in ("_variation_id", "variation_id", "product_id", "_product_id")]
    item_id = next((known for value in ids if (known := _known(value))), "")
    if not (title or item_id or said.get("sku")):
        found.rows_in += 1
        found.set_aside += 1
        hint = "an item is written as name:..|product_id:..|sku:..|quantity:..|total:.."
        found.add("item_unreadable", "error", rows=[record], values=[text], action="row set aside", hint=hint)
        return None
    total, count = number(said.get("total")), number(quantity)
    price = each(total, count) if total is not None and count else said.get("total", "") if count == 1 else ""
    return {
        "title": title,
        "item_id": item_id,
        "sku": said.get("sku", ""),
        "quantity": quantity,
        "unit_price": price,
    }


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """
    Yield the keys of an item with their values, the first of each.

    A value runs to the next known key; one that is no text ends at the first ``|``, where a shop's own keys follow.
    """
    seen: set[str] = set()
    marks = []
    for mark in _KEY.finditer(text.strip()):
        if mark["key"] not in seen:
            seen.add(mark["key"])
            marks.append(mark)
    ends = [*(mark.start() for mark in marks[1:]), len(text.strip())]
    for mark, end in zip(marks, ends[: len(marks)], strict=True):
        value = text.strip()[mark.end() : end]
        yield mark["key"], value if mark["key"] in _WORDY else value.partition("|")[0].strip()


def _refunded(order: dict[str, str], record: int, found: Found) -> str:
    """Return ``refunded`` where the refunds reach the order's total; note smaller ones."""
    amounts = read_amounts([match["amount"] for match in _AMOUNT.finditer(order["refunds"])], currency=False).amounts
    back = sum((abs(amount) for amount in amounts if amount is not None), Decimal(0))
    if not back:
        return ""
    total = read_amounts([order["total"]], currency=False).amounts[0]
    if total is None or back >= total:
        return "refunded"
    found.add(
        "partly_refunded",
        "warning",
        rows=[record],
        column="refund_items",
        values=[str(back)],
        action="row kept",
        hint="the export does not tell which line was refunded: all of them count as bought",
    )
    return ""


def _known(value: str) -> str:
    """Return an id, ``""`` for the 0 that stands for none."""
    return value.strip() if value.strip().strip("0") else ""


FORMAT = Format(
    name="a WooCommerce orders export, one row an order",
    readers={"orders": read},
    required=(*_REQUIRED, _ITEMS, ("order_total", "total", "order_currency", "currency", "billing_email", "status")),
    known=frozenset(
        {"order_number", "billing_phone", "billing_country", "refund_items", "line_item_2", "customer_note"}
    ),
)
