"""A small shop with known answers."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from wa_products import frames
from wa_products.datasets import Dataset

AS_OF = pd.Timestamp("2026-06-01 12:00", tz="UTC")
MONTHLY, SIX_WEEKLY = 28, 42
_PRODUCTS = (
    ("tea", "Assam tea", "", "in stock"),
    ("honey", "Heather honey", "", "in stock"),
    ("candle", "Beeswax candle", "", "in stock"),
    ("soap-100", "Lavender soap 100 g", "soap", "out of stock"),
    ("soap-200", "Lavender soap 200 g", "soap", "in stock"),
    ("vase", "Clay vase", "", "out of stock"),
)


def small_shop() -> Dataset:
    """
    Return a shop of six products and 53 customers whose next purchase is known, as of `AS_OF`.

    ``tea-00`` to ``tea-27`` buy ``tea`` every 28 days for a year, ``tea-NN`` last did NN days ago; ``honey-00`` to
    ``honey-20`` buy ``honey`` every 42 days, the last time twice NN days ago. ``soap`` bought ``soap-100``, now out of
    stock, every 28 days, last 25 days ago; its sibling ``soap-200`` can be sent. ``asker`` never bought and asked
    about ``candle`` an hour ago, ``writer`` named honey in a text, ``newcomer`` said hello. ``vase`` cannot be sent.
    """
    bought = [
        *[row for n in range(MONTHLY) for row in _rhythm(f"tea-{n:02}", "tea", MONTHLY, n, 12)],
        *[row for n in range(21) for row in _rhythm(f"honey-{n:02}", "honey", SIX_WEEKLY, 2 * n, 8)],
        *_rhythm("soap", "soap-100", MONTHLY, 25, 12),
        ("tea-00", "candle", 200.0),
        ("tea-01", "candle", 15.0),
        ("honey-03", "vase", 20.0),
    ]
    inbound = [
        ("asker", "enquiry", "", "candle"),
        ("writer", "text", "Hi, is the hether honey back?", ""),
        ("newcomer", "text", "Hello!", ""),
        ("tea-25", "text", "Good morning", ""),
    ]
    return Dataset(
        catalog=_catalog(),
        orders=_orders(bought),
        inbound=_inbound(inbound),
        as_of=AS_OF,
        catalog_id="1",
        currency="GBP",
    )


def _rhythm(customer: str, product: str, every: int, last: int, times: int) -> list[tuple[str, str, float]]:
    """Return (customer, product, days ago) for `times` purchases `every` so many days, give or take two."""
    wobble = (0, 1, -1, 2, 0, -2, 1, -1)
    return [(customer, product, last + every * n + (wobble[(n + last) % 8] if n else 0)) for n in range(times)]


def _catalog() -> pd.DataFrame:
    columns = ["product_retailer_id", "title", "item_group_id", "availability"]
    rows = pd.DataFrame(_PRODUCTS, columns=columns)
    in_stock = rows["availability"] == "in stock"
    reason = pd.Series("", index=rows.index).where(in_stock, "out of stock")
    full = rows.assign(price=Decimal("9.50"), currency="GBP", sendable=in_stock, not_sendable_reason=reason)
    return frames.conform(full, frames.CATALOG, "the catalog")


def _orders(bought: list[tuple[str, str, float]]) -> pd.DataFrame:
    rows = pd.DataFrame(bought, columns=["customer_id", "product_retailer_id", "ago"])
    full = rows.drop(columns="ago").assign(
        order_id=[f"order-{n:04}" for n in range(len(rows))],
        line_no=1,
        ordered_at=AS_OF - pd.to_timedelta(rows["ago"], unit="D") - pd.Timedelta(hours=1),
        quantity=1.0,
        unit_price=Decimal("9.50"),
        currency="GBP",
        status="paid",
        is_purchase=True,
    )
    return frames.conform(full.sort_values("ordered_at", ignore_index=True), frames.ORDERS, "the orders")


def _inbound(messages: list[tuple[str, str, str, str]]) -> pd.DataFrame:
    rows = pd.DataFrame(messages, columns=["customer_id", "kind", "text", "product_retailer_id"])
    full = rows.assign(
        message_id=[f"wamid.{n}" for n in range(len(rows))],
        wa_id=[f"4477009000{n:02}" for n in range(len(rows))],
        received_at=AS_OF - pd.Timedelta(hours=1),
    )
    return frames.conform(full, frames.INBOUND, "the messages")
