"""Exports of orders for the tests to write, and what to ask of their issues."""

import csv
import io

A, B, C = "+447700900201", "+447700900202", "+447700900203"


def codes(issues):
    """Return the codes of the issues."""
    return set(issues["code"])


def row_of(issues, code):
    """Return record and physical line of the issues of one code."""
    some = issues[issues["code"] == code]
    return list(zip(some["row"], some["line"], strict=True))


def table(*rows, delimiter=","):
    """Return rows of cells as CSV text."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def lines(*texts):
    """Return a log of these lines."""
    return "".join(f"{line}\n" for line in texts)


def woo(number, phone=A, **changes):
    """Return one order of the REST API, version 3."""
    order = {
        "id": number,
        "number": f"N{number}",
        "status": "processing",
        "currency": "GBP",
        "date_created": "2026-03-22T16:28:02",
        "date_created_gmt": "2026-03-22T19:28:02",
        "total": "29.35",
        "customer_id": 0,
        "billing": {"country": "GB", "email": f"Buyer{number}@Example.com", "phone": phone},
        "shipping": {"country": "GB", "phone": ""},
        "line_items": [item(93, quantity=2, total="6.00"), item(22, 23, name="Mug &ndash; Blue", total="12.00")],
        "refunds": [],
    }
    return {**order, **changes}


def item(product, variation=0, *, name="Tea", quantity=1, total="3.00", sku=""):
    """Return one line of a REST order."""
    return {
        "name": name,
        "product_id": product,
        "variation_id": variation,
        "quantity": quantity,
        "total": total,
        "subtotal": total,
        "sku": sku,
        "price": float(total) / quantity,
    }


def cart(number, phone=A, **message):
    """Return the body of a cart sent in a chat."""
    order = {
        "catalog_id": "1",
        "product_items": [
            {"product_retailer_id": "beans-1kg", "quantity": "2", "item_price": 9.5, "currency": "GBP"},
            {"product_retailer_id": "tea-100", "quantity": 1, "item_price": 6, "currency": "GBP"},
        ],
    }
    sent = {"from": phone[1:], "id": f"wamid.{number}", "timestamp": "1779000000", "type": "order", "order": order}
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "5"}, "messages": [{**sent, **message}]}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "9", "changes": [{"field": "messages", "value": value}]}],
    }
