"""
WooCommerce orders as its REST API gives them (JSON: a list, pages of them, or one a line), older versions included.

Times whose name ends in ``_gmt`` are UTC; without one the shop's own time is read in the shop's zone. A refund names
an amount, not always its lines: an order refunded in full is no purchase, one refunded in part is kept and noted.
"""

from __future__ import annotations

import html
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from wa_products.exports.aliases import no_purchase, status_of
from wa_products.exports.contract import Format, Options
from wa_products.exports.listed import Listed, each, number
from wa_products.exports.orders import build_orders
from wa_products.exports.prose import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from wa_products.exports.issues import Found
    from wa_products.exports.sources import Document

Order = dict[str, Any]
_PAGES = ("orders", "order", "data", "results")
_TIMES = ("date_created_gmt", "date_created", "created_at")
_NAMES = {
    "order_id": "id",
    "quantity": "line_items.quantity",
    "unit_price": "line_items.total",
    "subtotal": "total",
    "Billing phone": "billing.phone",
    "Shipping phone": "shipping.phone",
}
_SUMS = ("total", "shipping_total", "total_tax")
_PHONES = (("Billing phone", "Billing country"), ("Shipping phone", "Shipping country"))


def recognise(document: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Return whether a document is an order of WooCommerce, or a page of them."""
    return any(_is_order(order) for order in _orders(document))


def read(documents: Sequence[Document], options: Options, found: Found) -> pd.DataFrame:
    """Return the order lines; what is no order is set aside."""
    every = [(document.record, order) for document in documents for order in _orders(document.value)]
    orders = [order for _, order in every if _is_order(order)]
    times = (name for name in _TIMES if any(name in order for order in orders))
    listed = Listed(found.file, _PHONES, {**_NAMES, "ordered_at": next(times, "")})
    for record, order in every:
        if _is_order(order):
            listed.add(_fields(order, record, found), _items(order), record, found)
        else:
            _note_strange(record, order, found)
    return build_orders(listed.lines(), options, found)


def _orders(value: Any) -> Iterator[Any]:  # noqa: ANN401  # any JSON value
    """Yield the orders of one order, a list of orders or a page that holds them under a key."""
    if isinstance(value, list):
        for each_value in value:
            yield from _orders(each_value)
        return
    page = next((value[key] for key in _PAGES if key in value), None) if isinstance(value, dict) else None
    if isinstance(page, list | dict) and "line_items" not in value:
        yield from _orders(page)
    else:
        yield value


def _is_order(order: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Return whether this is an order or a refund; Shopify's JSON, with its financial status, is neither."""
    return (
        isinstance(order, dict)
        and isinstance(order.get("line_items"), list)
        and any(name in order for name in _TIMES)
        and "financial_status" not in order
    )


def _fields(order: Order, record: int, found: Found) -> dict[str, str]:
    billing = _part(order, "billing", "billing_address")
    shipping = _part(order, "shipping", "shipping_address")
    status = status_of(_text(order.get("status")))
    return {
        "order_id": _text(order.get("id")) or _text(order.get("number")) or _text(order.get("order_number")),
        "ordered_at": _time(order),
        "email": _text(billing.get("email")) or _text(_part(order, "customer").get("email")),
        "shop_customer": _known(order.get("customer_id")) or _known(_part(order, "customer").get("id")),
        "currency": _text(order.get("currency")),
        "status": status,
        "excluded": no_purchase(status) or _refunded(order, record, found),
        "subtotal": _subtotal(order),
        "Billing phone": _text(billing.get("phone")),
        "Billing country": _text(billing.get("country")) or _text(shipping.get("country")),
        "Shipping phone": _text(shipping.get("phone")),
        "Shipping country": _text(shipping.get("country")) or _text(billing.get("country")),
    }


def _time(order: Order) -> str:
    gmt = _text(order.get("date_created_gmt")).strip()
    if gmt:
        return gmt if gmt.endswith("Z") or "+" in gmt else f"{gmt}Z"
    return _text(order.get("date_created")) or _text(order.get("created_at"))


def _subtotal(order: Order) -> str:
    """Return what the items come to after discounts: the total less shipping, tax and fees, where all are told."""
    fees = order.get("fee_lines")
    if not isinstance(fees, list):
        return ""
    told = [*map(order.get, _SUMS), *(fee.get("total") for fee in fees if isinstance(fee, dict))]
    total, *others = (number(value) for value in told)
    known = [amount for amount in others if amount is not None]
    return format(total - sum(known), "f") if total is not None and len(known) == len(others) else ""


def _items(order: Order) -> list[dict[str, str]]:
    return [_item(item) for item in order["line_items"] if isinstance(item, dict)]


def _item(item: Order) -> dict[str, str]:
    return {
        "item_id": _known(item.get("variation_id")) or _known(item.get("product_id")),
        "sku": _text(item.get("sku")),
        "title": html.unescape(to_text(_text(item.get("name")))).strip(),
        "quantity": _text(item.get("quantity", 1)),
        "unit_price": _price(item),
    }


def _price(item: Order) -> str:
    """Return what one piece cost: the line's total by its quantity, else the price that the line names."""
    total, quantity, price = number(item.get("total")), number(item.get("quantity")), number(item.get("price"))
    if total is not None and quantity:
        return each(total, quantity)
    return each(price, Decimal(1)) if price is not None else ""


def _refunded(order: Order, record: int, found: Found) -> str:
    """Return ``refunded`` for a refund itself and for an order whose refunds reach its total; note smaller ones."""
    if order.get("type") == "shop_order_refund" or ("refunded_by" in order and "billing" not in order):
        return "refunded"
    refunds = order.get("refunds")
    totals = [number(refund.get("total")) for refund in refunds or [] if isinstance(refund, dict)]
    back = sum(abs(total) for total in totals if total is not None)
    if not back:
        return ""
    if back >= (number(order.get("total")) or 0):
        return "refunded"
    found.add(
        "partly_refunded",
        "warning",
        rows=[record],
        column="refunds",
        values=[str(back)],
        action="row kept",
        hint="the export does not tell which line was refunded: all of them count as bought",
    )
    return ""


def _note_strange(record: int, value: object, found: Found) -> None:
    found.rows_in += 1
    found.set_aside += 1
    hint = "an order has line_items and date_created"
    found.add("not_an_order", "error", rows=[record], values=[str(value)], action="row set aside", hint=hint)


def _part(order: Order, *names: str) -> Order:
    return next((order[name] for name in names if isinstance(order.get(name), dict)), {})


def _known(value: object) -> str:
    """Return an id, ``""`` for the 0 that stands for none."""
    text = _text(value).strip()
    return text if text.strip("0") else ""


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


FORMAT = Format(name="WooCommerce orders in JSON", readers={"orders": read}, shape="json", recognise=recognise)
