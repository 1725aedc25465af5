"""The planned products as Meta has them now, beside what the plan and the export say."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products import arms, frames
from wa_products.exports import read_catalog
from wa_products.preflight.findings import FAIL, OK, WARN, Finding, asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wa_products.client import Client
    from wa_products.datasets import Dataset
    from wa_products.plans import Plan

FIELDS = (
    "id,retailer_id,name,price,sale_price,sale_price_start_date,sale_price_end_date,currency,availability,visibility,"
    "review_status,capability_to_review_status,capabilities_disabled_by_user"
)
AT_ONCE = 50
TOO_MANY = 0.2
GONE = "not in Meta's catalog"


def differences(client: Client, plan: Plan | None, data: Dataset | None) -> list[Finding]:
    """Return one finding a product that Meta has otherwise than planned, or that it would refuse; one if all agree."""
    expected = _expected(plan, data)
    if expected.empty:
        return []

    def look() -> list[Finding]:
        now = _as_meta_has_it(client, expected["product_retailer_id"].tolist(), str(expected["currency"].iloc[0]))
        both = expected.merge(now, on="product_retailer_id", how="left", suffixes=("", "_now"))
        found = [_finding(row, int(both["messages"].sum())) for row in both.to_dict("records")]
        agree = Finding("products", OK, f"{len(both):,} products are at Meta as they were planned")
        return [each for each in found if each] or [agree]

    return asked("products", "the products of the catalog", look)


def _expected(plan: Plan | None, data: Dataset | None) -> pd.DataFrame:
    """Return the products that are to be sent with price, currency, availability, and how many messages show each."""
    columns = ["product_retailer_id", "price", "currency", "availability"]
    if data is None:
        known = pd.DataFrame({name: pd.Series(dtype="object") for name in [*columns, "sendable"]})
    else:
        rows = data.catalog.drop_duplicates("product_retailer_id")
        known = rows.assign(price=_paid(rows))[[*columns, "sendable"]]
    if plan is None:
        return known[known["sendable"].eq(True)][columns].assign(messages=1)
    sent = plan.rows[plan.arms == arms.TREATED]
    first = sent.drop_duplicates("product_retailer_id")[["product_retailer_id", "price", "currency"]]
    counts = sent["product_retailer_id"].value_counts().rename("messages").reset_index()
    stock = known[["product_retailer_id", "availability"]].astype({"product_retailer_id": "str"})
    return first.merge(counts, on="product_retailer_id").merge(stock, on="product_retailer_id", how="left")


def _as_meta_has_it(client: Client, names: Sequence[str], currency: str) -> pd.DataFrame:
    """Return what Meta's catalog says of these products, read as an export of it would be."""
    items = list(_items(client, names))
    columns = ["product_retailer_id", "price", "currency", "availability", "review", "not_sendable_reason"]
    if not items:
        return frames.empty(frames.CATALOG)[columns].assign(is_there=pd.Series(dtype="bool"))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "products.json"
        path.write_text(json.dumps({"data": items}), encoding="utf-8")
        found, _ = read_catalog(path, currency or None)
    found = found.drop_duplicates("product_retailer_id")
    return found.assign(price=_paid(found))[columns].assign(is_there=True)


def _items(client: Client, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(names), AT_ONCE):
        wanted = json.dumps({"retailer_id": {"is_any": list(names[start : start + AT_ONCE])}})
        yield from client.pages(f"{client.catalog_id}/products", fields=FIELDS, filter=wanted)


def _paid(catalog: pd.DataFrame) -> pd.Series:
    """Return what the customer pays: the sale price where there is one."""
    return catalog["sale_price"].where(catalog["sale_price"].notna(), catalog["price"])


def _finding(row: dict[str, Any], total: int) -> Finding | None:
    """Return what to know of one product, None where Meta has it as planned."""
    name, messages = f"product {row['product_retailer_id']}", int(row["messages"])
    why = GONE if row["is_there"] is not True else str(row["not_sendable_reason"])
    share = f"; {messages:,} of {total:,} messages" if total > 1 else ""
    if why:
        state = FAIL if messages > TOO_MANY * total else WARN
        todo = "load the shop again and plan anew; Meta refuses it or shows it as unavailable"
        return Finding(name, state, f"{why} at Meta now{share}", todo)
    told = []
    if pd.notna(row["price"]) and pd.notna(row["price_now"]) and _price(row) != _price(row, "_now"):
        told.append(f"{_price(row)} when planned, {_price(row, '_now')} at Meta now")
    if isinstance(stock := row["availability"], str) and stock not in ("", "unknown", row["availability_now"]):
        told.append(f"{stock} in the export, {row['availability_now']} at Meta now")
    todo = "customers see what Meta has: plan anew if the text or the choice hangs on it"
    return Finding(name, WARN, "; ".join(told) + share, todo) if told else None


def _price(row: dict[str, Any], when: str = "") -> str:
    return f"{row[f'price{when}'].normalize():f} {row[f'currency{when}']}"
