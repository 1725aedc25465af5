"""Shops of any size for the review, made by hand: proposals already decided upon, threads, catalog, pictures."""

import base64
from decimal import Decimal

import pandas as pd

from wa_products import frames
from wa_products.datasets import Dataset

AS_OF = pd.Timestamp("2026-11-20 09:00Z")
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HOSTILE = (
    "<img src=x onerror=\"window.fired='img'\">",
    "<script>window.fired='script'</script>",
    '"><svg onload="window.fired=\'svg\'">',
    "javascript:window.fired='url'",
    "${window.fired='template'}",
    "<iframe srcdoc=\"<script>parent.fired='frame'</script>\">",
    "\u202eevil \u2066<b>title",
    "</textarea><img src=x onerror=\"window.fired='textarea'\">",
)


def _products(titles, link):
    n = len(titles)
    made = pd.DataFrame(
        {
            "product_retailer_id": [f"sku-{i:04d}" for i in range(n)],
            "title": titles,
            "price": [Decimal(f"{5 + i % 90}.50") for i in range(n)],
            "sale_price": [Decimal(f"{4 + i % 90}.25") if i % 5 == 0 else None for i in range(n)],
            "currency": "GBP",
            "availability": "in stock",
            "image_link": link,
            "visibility": "published",
            "sendable": True,
        }
    )
    return frames.conform(made, frames.CATALOG, "catalog")


def _messages(customers, text):
    made = pd.DataFrame(
        {
            "message_id": [f"wamid.in{i}" for i in range(len(customers))],
            "customer_id": customers,
            "wa_id": [f"447700900{i % 1000:03d}" for i in range(len(customers))],
            "received_at": [AS_OF - pd.Timedelta(minutes=7 * (i % 150)) for i in range(len(customers))],
            "kind": ["enquiry" if i % 3 == 0 else "text" for i in range(len(customers))],
            "product_retailer_id": ["sku-0001" if i % 3 == 0 else "" for i in range(len(customers))],
            "text": text,
        }
    )
    return frames.conform(made, frames.INBOUND, "inbound")


def _chosen(customers, catalog, why):
    n = len(customers)
    product = catalog.iloc[[i % len(catalog) for i in range(n)]].reset_index(drop=True)
    skipped = [i % 10 == 9 for i in range(n)]
    made = pd.DataFrame(
        {
            "customer_id": customers,
            "product_retailer_id": product["product_retailer_id"],
            "kind": [("reorder", "recommendation", "request")[i % 3] for i in range(n)],
            "source": [("reorder", "popular", "requested")[i % 3] for i in range(n)],
            "score": [1 - i / n for i in range(n)],
            "probability": [round(0.9 - 0.8 * i / n, 6) for i in range(n)],
            "horizon_days": 14.0,
            "due_at": AS_OF + pd.Timedelta(days=3),
            "why": why,
            "rank": 1,
            "decision": ["skip" if skip else "send" for skip in skipped],
            "reason": ["window closed" if skip else "" for skip in skipped],
            "closes_at": [AS_OF + pd.Timedelta(minutes=1440 - 7 * (i % 150)) for i in range(n)],
            "title": product["title"],
            "price": product["sale_price"].where(product["sale_price"].notna(), product["price"]),
            "currency": product["currency"],
            "body": [f"Running low on {title[:60]}? Here it is again." for title in product["title"]],
            "footer": "Reply STOP to opt out",
        }
    )
    return frames.conform(made, frames.SELECTED, "chosen")


def proposals(n, *, titles=None, why="Bought every 28 days, last 25 days ago.", text="hello", link="", pictures=True):
    """Return `n` selected rows, one a customer and every tenth of them skipped, and the shop they come from."""
    catalog = _products(titles or [f"Coffee beans {i} kg" for i in range(1, 151)], link)
    customers = [f"c{i:016x}" for i in range(n)]
    data = Dataset(
        catalog=catalog,
        orders=frames.empty(frames.ORDERS),
        inbound=_messages(customers, text),
        as_of=AS_OF,
        catalog_id="900000000000001",
        currency="GBP",
        region="GB",
        pictures=dict.fromkeys(catalog["product_retailer_id"], PIXEL) if pictures else {},
    )
    return _chosen(customers, catalog, why), data


def hostile(n=40):
    """Return rows whose titles, reasons, messages and links would run or load something if they were markup."""
    return proposals(n, titles=list(HOSTILE), why=HOSTILE[0], text=HOSTILE[1], link="javascript:window.fired='link'")
