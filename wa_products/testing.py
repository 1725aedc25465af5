"""
For those who write their own recommender: the contract as a check, and a small shop with known answers.

>>> from wa_products.recommenders import Popular
>>> check_recommender(Popular())
"""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd

from wa_products import frames
from wa_products.datasets import Dataset
from wa_products.proposals import KINDS, PAIR
from wa_products.recommenders.histories import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wa_products.recommenders import Recommender

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
_UNKNOWN_CUSTOMER = "nobody the shop ever heard of"


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


def check_recommender(recommender: Recommender, data: Dataset | None = None, k: int = 3) -> None:
    """
    Raise AssertionError, in words, where `recommender` breaks the contract on `data` (default: `small_shop`).

    The recommender itself is left as it was: copies of it are fitted. Checked are: a name; `fit` returns the
    recommender; the same answer twice; at most `k` rows a customer, each product once; only customers asked for and
    products that can be sent; unknown and no customers are harmless; the data is left as it was; nothing later than
    ``as_of`` is looked at; a fitted recommender pickles and answers as before.
    """
    data = small_shop() if data is None else data
    name = getattr(recommender, "name", "")
    _hold(isinstance(name, str) and bool(name), "a recommender needs a name, a text that is not empty")
    given = _frames(data)
    fitted = copy.deepcopy(recommender)
    _hold(fitted.fit(data) is fitted, f"{name}.fit must return the recommender itself")
    customers = list(data.customers)
    answer = fitted.recommend(customers, k)
    _check_rows(answer, customers, k, data.catalog, name)
    _check_customers(fitted, customers, k, data.catalog)
    _check_repeats(recommender, fitted, answer, data, k)
    for table, frame in _frames(data).items():
        _hold(frame.equals(given[table]), f"{name} changed {table}: work on a copy")


def _hold(fact: bool, otherwise: str) -> None:  # noqa: FBT001  # a fact to be true is what this is for
    if not fact:
        raise AssertionError(otherwise)


def _frames(data: Dataset) -> dict[str, pd.DataFrame]:
    names = ("catalog", "orders", "inbound", "sends", "threads")
    return {name: getattr(data, name).copy(deep=True) for name in names}


def _check_rows(answer: pd.DataFrame, asked: Iterable[str], k: int, catalog: pd.DataFrame, name: str) -> None:
    _hold(isinstance(answer, pd.DataFrame), f"{name}.recommend must return a DataFrame, got {type(answer).__name__}")
    missing = sorted({*PAIR, "score"} - set(answer.columns))
    _hold(not missing, f"{name}.recommend lacks the columns {missing}")
    strangers = sorted(set(answer["customer_id"]) - set(asked))
    _hold(not strangers, f"{name} answers for customers it was not asked about: {strangers[:3]}")
    unsendable = sorted(set(answer["product_retailer_id"]) - _sendable(catalog))
    _hold(not unsendable, f"{name} proposes products that cannot be sent: {unsendable[:3]}")
    _hold(not answer.duplicated(PAIR).any(), f"{name} proposes the same product to a customer twice")
    most = answer.groupby("customer_id").size().max() if len(answer) else 0
    _hold(most <= k, f"{name} gives {most} products to one customer, asked for at most {k}")
    _hold(bool(answer["score"].notna().all()), f"{name} gives a score that is missing")
    if "probability" in answer:
        known = answer["probability"].dropna()
        _hold(bool(known.between(0, 1).all()), f"{name} gives a probability outside 0 to 1")
    if "kind" in answer:
        odd = sorted(set(answer["kind"]) - KINDS)
        _hold(not odd, f"{name} gives the kinds {odd}; a proposal is one of {sorted(KINDS)}")


def _sendable(catalog: pd.DataFrame) -> set[str]:
    return set(catalog.loc[catalog["sendable"], "product_retailer_id"])


def _check_customers(fitted: Recommender, customers: list[str], k: int, catalog: pd.DataFrame) -> None:
    name = fitted.name
    nobody = fitted.recommend([], k)
    _check_rows(nobody, [], k, catalog, name)
    _check_rows(fitted.recommend([_UNKNOWN_CUSTOMER], k), [_UNKNOWN_CUSTOMER], k, catalog, name)
    _check_rows(fitted.recommend(customers, 1), customers, 1, catalog, name)
    some = customers[::2]
    _check_rows(fitted.recommend(some, k), some, k, catalog, name)


def _check_repeats(recommender: Recommender, fitted: Recommender, answer: pd.DataFrame, data: Dataset, k: int) -> None:
    name, customers = fitted.name, list(data.customers)
    _hold(_same(fitted.recommend(customers, k), answer), f"{name} answers differently when asked twice")
    again = copy.deepcopy(recommender).fit(data).recommend(customers, k)
    _hold(_same(again, answer), f"{name} answers differently when fitted again to the same data")
    foreseen = copy.deepcopy(recommender).fit(_with_another_future(data)).recommend(customers, k)
    _hold(_same(foreseen, answer), f"{name} looks past as_of: a change in the future changes its answer")
    restored = pickle.loads(pickle.dumps(fitted))  # noqa: S301  # our own bytes, made in this line
    _hold(_same(restored.recommend(customers, k), answer), f"{name} answers differently after pickling")


def _same(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    return left.reset_index(drop=True).equals(right.reset_index(drop=True))


def _with_another_future(data: Dataset) -> Dataset:
    """Return `data` with a year of other purchases and messages after ``as_of``, of its own customers and products."""
    tomorrow = data.as_of + DAY
    orders, inbound = data.orders.tail(500), data.inbound.tail(100)
    later = orders.assign(
        order_id="later-" + orders["order_id"],
        ordered_at=tomorrow + (orders["ordered_at"] - orders["ordered_at"].min()),
        product_retailer_id=orders["product_retailer_id"].to_numpy()[::-1],
    )
    said = inbound.assign(
        message_id="later-" + inbound["message_id"],
        received_at=tomorrow + (inbound["received_at"] - inbound["received_at"].min()),
        product_retailer_id=data.catalog["product_retailer_id"].iloc[0] if len(data.catalog) else "",
    )
    return replace(
        data,
        orders=pd.concat([data.orders, later], ignore_index=True),
        inbound=pd.concat([data.inbound, said], ignore_index=True),
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
