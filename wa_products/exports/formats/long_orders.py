"""
Any long table of order lines, by the names that shops give its columns: who, what, when.

A WooCommerce export with one row an item is such a table too; its order columns may stand on the first row of an
order alone. `aliases` holds the names. Where two columns claim one field and disagree, the shop is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.exports import aliases
from wa_products.exports.carried import carry
from wa_products.exports.columns import Column
from wa_products.exports.contract import Format, Options
from wa_products.exports.listed import each
from wa_products.exports.money import read_amounts
from wa_products.exports.names import normal
from wa_products.exports.orders import Lines, build_orders
from wa_products.exports.wa_ids import ids_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_WHO = (
    *(aliases.WA_ID, aliases.USER_ID, aliases.WHATSAPP, aliases.PHONE, aliases.SHIPPING_PHONE, aliases.BILLING_PHONE),
    *(aliases.EMAIL, aliases.BILLING_EMAIL, aliases.CUSTOMER, aliases.BUYER),
)
_WHAT = (aliases.RETAILER_ID, aliases.VARIANT_ID, aliases.PRODUCT_ID, aliases.SKU, aliases.TITLE, aliases.ITEM)
_WHEN = (aliases.TIME, aliases.CLOCK)
_REST = (
    *(aliases.NAME, aliases.LINK, aliases.QUANTITY, aliases.PRICE, aliases.LINE_TOTAL, aliases.ORDER_ID),
    *(aliases.ORDER_NUMBER, aliases.RECEIPT, aliases.CURRENCY, aliases.STATUS, aliases.PAYMENT_STATUS),
    *(aliases.CANCELLED_AT, aliases.EVENT, aliases.COUNTRY, aliases.SHIPPING_COUNTRY),
    *(aliases.ORDER_SUBTOTAL, aliases.ORDER_DISCOUNT),
)
_PHONES = {
    "WhatsApp": aliases.WHATSAPP,
    "Phone": aliases.PHONE,
    "Shipping phone": aliases.SHIPPING_PHONE,
    "Billing phone": aliases.BILLING_PHONE,
}
_NAMED = {
    "order_id": (aliases.ORDER_ID, aliases.ORDER_NUMBER, aliases.RECEIPT),
    "ordered_at": _WHEN,
    "quantity": (aliases.QUANTITY,),
    "unit_price": (aliases.PRICE, aliases.LINE_TOTAL),
    "status": (aliases.STATUS, aliases.PAYMENT_STATUS),
    "currency": (aliases.CURRENCY,),
    "subtotal": (aliases.ORDER_SUBTOTAL,),
    "wa_id": (aliases.WA_ID,),
    "customer": (aliases.CUSTOMER, aliases.BUYER),
    **{name: (names,) for name, names in _PHONES.items()},
}
_BOUGHT = frozenset({"purchase", "purchased", "order", "ordered", "sale", "sold", "payment", "transaction", "bought"})
_PHONE = re.compile(r"\+[\d ().-]{7,20}")
_COUNTRY = 2


@dataclass(frozen=True, eq=False)
class _Orders:
    """The orders of a table: its rows that belong to one, the place of each row's order, a value an order a column."""

    table: Table
    order: np.ndarray
    columns: dict[str, Column]


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the order lines; rows without an order number are one order where customer and time are the same."""
    orders = _orders(table, found)
    columns = orders.columns
    numbers = _order_ids(orders)
    of_line = pd.Series(numbers.deduplicated().codes[orders.order])
    email, customer, phone = _buyers(columns, found)
    wa_id, user_id, unclear = ids_of(columns["wa_id"], columns["user_id"])
    phones = [("wa_id", unclear, columns["country"]), *_phones(columns), ("customer", phone, columns["country"])]
    lines = Lines(
        file=table.file,
        records=orders.table.records,
        line_no=of_line.groupby(of_line).cumcount().to_numpy() + 1,
        order=orders.order,
        fields=_of_lines(orders.table, options.currency),
        order_fields={
            "order_id": numbers,
            "ordered_at": columns["ordered_at"],
            "wa_id": wa_id,
            "user_id": user_id,
            "email": email,
            "shop_customer": customer,
            "currency": columns["currency"],
            "status": columns["status"].or_else(columns["payment_status"]).recoded(aliases.status_of),
            "excluded": _excluded(columns),
            "subtotal": columns["subtotal"],
            "discount": columns["discount"],
        },
        phones=[one for one in phones if not one[1].is_blank.all()],
        names=_names(table),
    )
    return build_orders(lines, options, found)


def _names(table: Table) -> dict[str, str]:
    """Return what the file calls the fields that issues name, each by the first of its columns."""
    there = {field: [name for tier in tiers for name in table.names(*tier)] for field, tiers in _NAMED.items()}
    return {field: names[0] for field, names in there.items() if names}


def _orders(table: Table, found: Found) -> _Orders:
    columns = {
        "number": _first(table, aliases.ORDER_ID, aliases.ORDER_NUMBER, aliases.RECEIPT),
        "ordered_at": _times(table),
        "wa_id": table.column(*aliases.WA_ID),
        "user_id": table.column(*aliases.USER_ID),
        "email": _first(table, aliases.EMAIL, aliases.BILLING_EMAIL),
        "shop_customer": table.column(*aliases.CUSTOMER),
        "buyer": table.column(*aliases.BUYER),
        "currency": table.column(*aliases.CURRENCY),
        "status": table.column(*aliases.STATUS),
        "payment_status": table.column(*aliases.PAYMENT_STATUS),
        "cancelled_at": table.column(*aliases.CANCELLED_AT),
        "event": table.column(*aliases.EVENT),
        "subtotal": table.column(*aliases.ORDER_SUBTOTAL),
        "discount": table.column(*aliases.ORDER_DISCOUNT),
        "country": _any(table, aliases.COUNTRY),
        "shipping_country": _any(table, aliases.SHIPPING_COUNTRY),
        **{name: table.column(*names) for name, names in _PHONES.items()},
    }
    key = columns.pop("number")
    if key.is_blank.all():
        return _Orders(table, np.arange(len(table)), {"number": key, **columns})
    carried = carry(key, columns, table.records, found)
    heads = np.unique(carried.order, return_index=True)[1]
    number = key.take(carried.known).take(heads)
    return _Orders(table.keep(carried.known), carried.order, {"number": number, **carried.columns})


def _first(table: Table, *tiers: tuple[str, ...]) -> Column:
    """Return the column of the first tier that has one, the next where that is blank."""
    here = [table.column(*tier) for tier in tiers if table.names(*tier)] or [table.column("")]
    column = here[0]
    for other in here[1:]:
        column = column.or_else(other)
    return column.stripped()


def _any(table: Table, names: tuple[str, ...]) -> Column:
    """Return the country in the first of these columns that names one: a hint for phones, so they may disagree."""
    column = table.column("")
    for name in table.names(*names):
        column = column.or_else(table.columns[name].recoded(_iso))
    return column


def _times(table: Table) -> Column:
    """Return the times; a clock in a column of its own is put behind a date that has none."""
    date, clock = table.column(*aliases.TIME), table.column(*aliases.CLOCK)
    if not table.names(*aliases.CLOCK):
        return date
    if not table.names(*aliases.TIME):
        return clock
    bare = ~date.where(lambda value: ":" in value) & ~clock.is_blank & ~date.is_blank
    joined = date.take(bare).texts().str.strip() + " " + clock.take(bare).texts().str.strip()
    return date.placed(bare, Column.of(joined.tolist())) if bare.any() else date


def _order_ids(orders: _Orders) -> Column:
    """Return each order's number; made from file, customer and time where it has none."""
    columns, given = orders.columns, orders.columns["number"]
    if not given.is_blank.any():
        return given
    who = columns["wa_id"]
    for name in ("user_id", *_PHONES, "shop_customer", "email", "buyer"):
        who = who.or_else(columns[name])
    key = who.texts() + "\x1f" + columns["ordered_at"].texts()
    made = pd.Series(pd.factorize(key)[0] + 1, dtype="str")
    return given.or_else(Column.of((orders.table.file + ":" + made).tolist()))


def _buyers(columns: dict[str, Column], found: Found) -> tuple[Column, Column, Column]:
    """
    Return e-mails, the shop's own customer ids, and phones among what stands for the customer.

    A name is no key, since two customers may share it; ids have a digit, or stand in a column that is called an id.
    """
    given = columns["shop_customer"].recoded(lambda value: f"id:{value.strip()}" if value.strip() else "")
    given = given.or_else(columns["buyer"].recoded(lambda value: f"name:{value.strip()}" if value.strip() else ""))
    names = given.where(lambda value: _kind(value) == "name")
    if names.any():
        found.add(
            "customer_is_a_name",
            "warning",
            values=[f"{int(names.sum())} orders"],
            action="not used as customer",
            hint="two customers may have one name: export their phone, e-mail or number",
        )
    parts = {kind: given.recoded(_only(kind)) for kind in ("email", "id", "phone")}
    return columns["email"].or_else(parts["email"]), parts["id"], parts["phone"]


def _only(kind: str) -> Callable[[str], str]:
    return lambda value: value.partition(":")[2] if _kind(value) == kind else ""


def _kind(value: str) -> str:
    """Return what a customer's value, marked with where it stands, is: email, phone, id, name; ``""`` for blank."""
    column, _, text = value.partition(":")
    if not text:
        return ""
    if "@" in text:
        return "email"
    if _PHONE.fullmatch(text):
        return "phone"
    return "id" if any(c.isdigit() for c in text) or (column == "id" and " " not in text) else "name"


def _phones(columns: dict[str, Column]) -> list[tuple[str, Column, Column]]:
    shipping = columns["shipping_country"].or_else(columns["country"])
    regions = {"Shipping phone": shipping}
    return [(name, columns[name], regions.get(name, columns["country"].or_else(shipping))) for name in _PHONES]


def _of_lines(table: Table, currency: str) -> dict[str, Column]:
    ids = table.column(*aliases.VARIANT_ID).recoded(_known).or_else(table.column(*aliases.PRODUCT_ID).recoded(_known))
    fields = {
        "product_retailer_id": table.column(*aliases.RETAILER_ID),
        "item_id": ids if _has_ids(table) else table.column(*aliases.ITEM).recoded(_unbroken),
        "sku": table.column(*aliases.SKU),
        "title": _first(table, aliases.TITLE, aliases.ITEM, aliases.NAME),
        "link": table.column(*aliases.LINK),
        "quantity": table.column(*aliases.QUANTITY),
        "unit_price": _prices(table, currency),
    }
    if not table.names(*aliases.QUANTITY):
        del fields["quantity"]
    return fields


def _has_ids(table: Table) -> bool:
    return bool(table.names(*_one_of(aliases.RETAILER_ID, aliases.VARIANT_ID, aliases.PRODUCT_ID, aliases.SKU)))


def _unbroken(value: str) -> str:
    """Return what may be an id: a word without blanks."""
    return value.strip() if " " not in value.strip() else ""


def _prices(table: Table, currency: str) -> Column:
    """Return what one piece cost; where only the line's total is told, that by the quantity."""
    if table.names(*aliases.PRICE) or not table.names(*aliases.LINE_TOTAL):
        return table.column(*aliases.PRICE)
    total, quantity = table.column(*aliases.LINE_TOTAL), table.column(*aliases.QUANTITY)
    pairs = pd.DataFrame({"total": total.texts(), "quantity": quantity.texts()}).drop_duplicates()
    amounts = read_amounts(pairs["total"].tolist(), currency)
    counts = read_amounts(pairs["quantity"].tolist(), currency=False).amounts
    price = {
        key: f"{code} {each(amount, count)}".strip() if amount is not None and count else key[0]
        for key, amount, code, count in zip(
            pairs.itertuples(index=False, name=None), amounts.amounts, amounts.currencies, counts, strict=True
        )
    }
    return Column.of([price[key] for key in zip(total.texts(), quantity.texts(), strict=True)])


def _excluded(columns: dict[str, Column]) -> Column:
    """Return why each order is no purchase, by its status, its payment, its event or its cancellation."""
    reason = columns["status"].recoded(aliases.no_purchase)
    reason = reason.or_else(columns["payment_status"].recoded(aliases.no_purchase))
    reason = reason.or_else(columns["cancelled_at"].recoded(lambda value: "cancelled" if value.strip() else ""))
    return reason.or_else(columns["event"].recoded(_no_purchase_event))


def _no_purchase_event(value: str) -> str:
    said = normal(value).split("_")
    reason = next((found for word in said if (found := aliases.no_purchase(word))), "")
    return reason or ("" if said == [""] or _BOUGHT & set(said) else f"event {value.strip()}")


def _known(value: str) -> str:
    """Return an id, ``""`` for the 0 that stands for none."""
    return value.strip() if value.strip().strip("0") else ""


def _iso(country: str) -> str:
    plain = country.strip().upper()
    return plain if len(plain) == _COUNTRY else ""


def _one_of(*fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for names in fields for name in names)


_EVERY = frozenset(map(normal, _one_of(*_WHO, *_WHAT, *_WHEN, *_REST)))
FORMAT = Format(
    name="a long table of order lines",
    readers={"orders": read},
    required=(_one_of(*_WHO), _one_of(*_WHEN), _one_of(*_WHAT)),
    known=_EVERY,
    wanted=_EVERY,
)
NAMED = Format(
    name="a long table of order lines with names as titles",
    readers={"orders": read},
    required=(*FORMAT.required[:2], aliases.NAME, _one_of(aliases.QUANTITY, aliases.PRICE, aliases.LINE_TOTAL)),
    known=_EVERY,
    wanted=_EVERY,
)
WOOCOMMERCE = Format(
    name="a WooCommerce orders export, one row an item",
    readers={"orders": read},
    required=(
        ("order_number", "order_id"),
        ("order_date", "date"),
        ("item_name",),
        ("quantity_refund", "item_quantity", "quantity"),
        ("phone_billing", "billing_phone", "email_billing", "billing_email"),
    ),
    known=_EVERY,
    wanted=_EVERY,
)
