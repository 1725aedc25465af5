"""The conversation with one customer: what they wrote and filled into carts, what was sent, and how far it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wa_products.codes import rule
from wa_products.widgets.moments import told
from wa_products.widgets.shelves import amount
from wa_products.widgets.waiting import SILENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from wa_products.widgets.shelves import Shelf
    from wa_products.widgets.shops import Shop

BUBBLES, LENGTH, LINES = 24, 1_000, 6
NOT_SENT = frozenset({"", "held out", "skipped", "window closed"})
WORDS = {
    "accepted": "taken by WhatsApp",
    "sent": "✓ sent",
    "delivered": "✓✓ delivered",
    "read": "✓✓ read",
    "expired": "✕ not delivered within 30 days",
    "unknown": "? no answer came: it may be on its way, a webhook will tell",
}


def talk(
    customer: str, shop: Shop, shelf: Shelf, texts: Mapping[str, tuple[str, str]], timezone: str
) -> list[dict[str, Any]]:
    """
    Return the last bubbles, oldest first, fit for a browser.

    `texts` has the body and footer of messages by send id, as far as they are known here.
    """
    bubbles = [*_theirs(customer, shop, shelf), *_ours(customer, shop, shelf, texts)]
    ordered = sorted(bubbles, key=lambda bubble: bubble[0])[-BUBBLES:]
    return [{**bubble, "at": told(at, timezone)} for at, bubble in ordered]


def _theirs(customer: str, shop: Shop, shelf: Shelf) -> list[tuple[pd.Timestamp, dict[str, Any]]]:
    inbound = shop.data.inbound
    rows = inbound[(inbound["customer_id"] == customer) & ~inbound["kind"].isin(SILENT)]
    carts = _carts(customer, shop, shelf)
    return [
        (
            row.received_at,
            {
                "from": "customer",
                "text": row.text[:LENGTH],
                "kind": row.kind,
                "about": shelf.title(row.product_retailer_id),
                "cart": carts.get(row.message_id, []),
            },
        )
        for row in rows.sort_values("received_at", kind="stable").tail(BUBBLES).itertuples()
    ]


def _carts(customer: str, shop: Shop, shelf: Shelf) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of each cart by the id of its message."""
    orders = shop.data.orders
    carts = orders[(orders["customer_id"] == customer) & (orders["status"] == "cart")]
    found: dict[str, list[dict[str, Any]]] = {}
    for line in carts.sort_values("line_no").itertuples():
        facts = shelf.facts(line.product_retailer_id)
        title = facts["title"] or line.title or line.product_retailer_id
        price = {"price": amount(line.unit_price), "currency": line.currency}
        found.setdefault(line.order_id, []).append({"title": title, "quantity": float(line.quantity), **price})
    return {order: lines[:LINES] for order, lines in found.items()}


def _ours(
    customer: str, shop: Shop, shelf: Shelf, texts: Mapping[str, tuple[str, str]]
) -> list[tuple[pd.Timestamp, dict[str, Any]]]:
    rows = shop.sends[(shop.sends["customer_id"] == customer) & ~shop.sends["outcome"].isin(NOT_SENT)]
    found = []
    for row in rows.sort_values("at", kind="stable").tail(BUBBLES).itertuples():
        body, footer = texts.get(row.send_id, ("", ""))
        # The card as it was planned: the catalog may have changed since.
        facts = shelf.facts(row.product_retailer_id) | {"title": row.title, "was": ""}
        facts |= {"price": amount(row.price), "currency": row.currency}
        status, bad = standing(row)
        bubble = {"from": "shop", "card": facts, "body": body, "footer": footer, "status": status, "bad": bad}
        found.append((row.at, bubble))
    return found


def standing(row: Any) -> tuple[str, bool]:  # noqa: ANN401  # a row of the ledger, with the columns of `states`
    """Return how far a message came, in words, and whether that is a failure."""
    if row.state in ("failed", "refused"):
        code = int(row.failed_code if row.state == "failed" else row.code)
        details = row.failed_details if row.state == "failed" else row.details
        return f"✕ not delivered: {rule(code).meaning} (code {code})" + (f", {details}" if details else ""), True
    return WORDS.get(row.state, row.state), row.state in ("expired", "unknown")
