"""A small made-up shop for the tests of the sandbox: customers with a rhythm, threads, a catalog with its faults."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.datasets import Dataset
from wa_products.identities import customer_id

AS_OF = pd.Timestamp("2026-11-20 09:00", tz="UTC")
CATALOG_ID = "194830000000001"
HIDDEN, UNREVIEWED, OUT_OF_STOCK = "P-HIDDEN", "P-OUTDATED", "P-GONE"


def phone(number: int) -> str:
    """Digits of the `number`-th phone of the ranges that no real subscriber has: +1 NXX 555 01XX."""
    return f"1{201 + number // 100}5550{100 + number % 100}"


def shop(customers: int = 60, products: int = 12, seed: int = 1) -> Dataset:
    """Return the shop; every third thread is closed, and every tenth customer is known by a user id alone."""
    draws = np.random.default_rng(seed)
    orders, inbound = [], []
    for n in range(customers):
        user_only = n % 10 == 9
        wa_id, user_id = ("", f"US.{900 + n}") if user_only else (phone(n), "")
        who = customer_id("user", user_id) if user_only else customer_id("phone", wa_id)
        hours = 30.0 if n % 3 == 2 else float(draws.uniform(1, 20))
        inbound.append(
            {"message_id": f"in-{n}", "customer_id": who, "wa_id": wa_id, "user_id": user_id, "kind": "text"}
            | {"received_at": AS_OF - pd.Timedelta(hours=hours), "text": "hello"}
        )
        favourite, period = int(draws.integers(products)), int(draws.integers(10, 40))
        orders += [
            {"order_id": f"O{n}-{k}", "line_no": 1, "customer_id": who, "product_retailer_id": f"P{favourite}"}
            | {"ordered_at": AS_OF - pd.Timedelta(days=period * k + 5), "quantity": 1.0, "currency": "EUR"}
            | {"unit_price": Decimal("7.99"), "is_purchase": True, "phone": f"+{wa_id}" if wa_id else ""}
            for k in range(1, 6)
        ]
    return Dataset(
        catalog=_catalog(products),
        orders=frames.conform(pd.DataFrame(orders), frames.ORDERS, "orders"),
        inbound=frames.conform(pd.DataFrame(inbound), frames.INBOUND, "inbound"),
        as_of=AS_OF,
        catalog_id=CATALOG_ID,
    )


def _catalog(products: int) -> pd.DataFrame:
    names = [f"P{n}" for n in range(products)]
    rows = pd.DataFrame({"product_retailer_id": [*names, HIDDEN, UNREVIEWED, OUT_OF_STOCK]})
    rows = rows.assign(title="Title of " + rows["product_retailer_id"], currency="EUR", availability="in stock")
    rows["price"] = [Decimal(5 + n) if n % 2 else Decimal("7.99") for n in range(len(rows))]
    rows = rows.set_index("product_retailer_id")
    rows.loc[HIDDEN, "visibility"] = "hidden"
    rows.loc[UNREVIEWED, "review"] = "outdated"
    rows.loc[OUT_OF_STOCK, "availability"] = "out of stock"
    return frames.conform(rows.fillna({"visibility": "", "review": ""}).reset_index(), frames.CATALOG, "catalog")
