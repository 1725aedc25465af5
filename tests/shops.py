"""A shop small enough to know every answer by heart."""

from decimal import Decimal

import pandas as pd

from wa_products import frames, identities
from wa_products.datasets import Dataset

AS_OF = pd.Timestamp("2026-11-20 09:00Z")
NUMBERS = {name: f"44770090000{n}" for n, name in enumerate(("ada", "bob", "cyd", "dee", "eve"))}
IDS = {name: identities.customer_id("phone", number) for name, number in NUMBERS.items()}


def catalog(**changes):
    """Return four products: beans and tea for sale, an empty shelf of soap, a hidden sample; `changes` by column."""
    rows = pd.DataFrame(
        {
            "product_retailer_id": ["beans-1kg", "tea-100", "soap-5l", "sample"],
            "title": ["Coffee beans 1 kg", "Green tea 100 g", "Soap refill 5 l", "Secret sample"],
            "price": [Decimal("18.00"), Decimal("6.50"), Decimal("22.00"), Decimal("1.00")],
            "sale_price": [Decimal("15.00"), None, None, None],
            "currency": "GBP",
            "availability": ["in stock", "in stock", "out of stock", "in stock"],
            "visibility": ["published", "published", "published", "hidden"],
            "sendable": [True, True, False, False],
            "not_sendable_reason": ["", "", "out of stock", "hidden"],
        }
    )
    return frames.conform(rows.assign(**changes), frames.CATALOG, "catalog")


def inbound(rows=None):
    """Return messages as (name, hours before `AS_OF`, text); by default ada, bob and cyd wrote within a day."""
    rows = rows or [("ada", 2, "hello"), ("bob", 20, "hi"), ("cyd", 5, "STOP"), ("dee", 30, "hello")]
    made = pd.DataFrame(
        {
            "message_id": [f"wamid.in{n}" for n in range(len(rows))],
            "customer_id": [IDS[name] for name, _, _ in rows],
            "wa_id": [NUMBERS[name] for name, _, _ in rows],
            "received_at": [AS_OF - pd.Timedelta(hours=hours) for _, hours, _ in rows],
            "kind": "text",
            "text": [text for _, _, text in rows],
        }
    )
    return frames.conform(made, frames.INBOUND, "inbound")


def orders(rows=None):
    """Return purchases as (name, days before `AS_OF`, product); by default ada buys beans every 28 days."""
    rows = rows or [("ada", days, "beans-1kg") for days in (109, 81, 53, 25)] + [("eve", 40, "tea-100")]
    made = pd.DataFrame(
        {
            "order_id": [f"#{1000 + n}" for n in range(len(rows))],
            "line_no": 1,
            "customer_id": [IDS[name] for name, _, _ in rows],
            "ordered_at": [AS_OF - pd.Timedelta(days=days) for _, days, _ in rows],
            "product_retailer_id": [product for _, _, product in rows],
            "quantity": 1.0,
            "unit_price": Decimal("18.00"),
            "currency": "GBP",
            "status": "paid",
            "is_purchase": True,
            "phone": ["+" + NUMBERS[name] for name, _, _ in rows],
        }
    )
    return frames.conform(made, frames.ORDERS, "orders")


def shop(**changes):
    """Return the small shop, with any part of it replaced."""
    parts = {
        "catalog": catalog(),
        "orders": orders(),
        "inbound": inbound(),
        "as_of": AS_OF,
        "catalog_id": "900000000000001",
        "currency": "GBP",
        "region": "GB",
    }
    return Dataset(**{**parts, **changes})


def proposals(rows):
    """Return proposals of (name, product, probability) or (name, product, probability, kind)."""
    full = [(*row, "reorder") if len(row) == 3 else row for row in rows]
    made = pd.DataFrame(
        {
            "customer_id": [IDS[row[0]] for row in full],
            "product_retailer_id": [row[1] for row in full],
            "kind": [row[3] for row in full],
            "source": "test",
            "score": [row[2] for row in full],
            "probability": [row[2] for row in full],
            "horizon_days": 14.0,
            "rank": 1,
        }
    )
    return frames.conform(made, frames.PROPOSALS, "proposals")
