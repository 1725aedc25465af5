"""An approved plan of any size, addressed to numbers that are reserved for fiction."""

from decimal import Decimal

import pandas as pd

from wa_products.identities import customer_id
from wa_products.plans import Plan
from wa_products.settings import Settings

CATALOG = "194836987003835"
SETTINGS = Settings(token="made-up", phone_number_id="1067", catalog_id=CATALOG, rate="80")  # noqa: S106  # made up


def phone(n):
    """Return the digits of the n-th of 80,000 numbers: 555-01xx in each area of North America."""
    return f"1{200 + n // 100}55501{n % 100:02d}"


def plan(size, *, now, campaign="c1", holdout=0.0, closes_at=None):
    """Return the plan of a campaign to customers 0 to `size`, made at `now`; windows close in 20 hours, or as told."""
    rows = pd.DataFrame(
        {
            "customer_id": [customer_id("phone", phone(n)) for n in range(size)],
            "to": [f"+{phone(n)}" for n in range(size)],
            "recipient": "",
            "product_retailer_id": "S7",
            "kind": "reorder",
            "source": "reorder",
            "probability": 0.25,
            "last_inbound_at": now - pd.Timedelta("4h"),
            "closes_at": now + pd.Timedelta("20h") if closes_at is None else closes_at,
            "title": "Coffee beans",
            "price": Decimal("18.00"),
            "currency": "GBP",
            "body": "Running low?",
            "footer": "",
        }
    )
    named = {"campaign": campaign, "catalog_id": CATALOG, "approved_by": "the benchmark"}
    return Plan.make(rows, created_at=now, holdout=holdout, **named)
