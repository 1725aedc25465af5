"""The contract of a recommender as a check that says in words what is broken."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from wa_products.proposals import KINDS, PAIR
from wa_products.testing.shops import small_shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from wa_products.datasets import Dataset
    from wa_products.recommenders import Recommender

Answer = TypeVar("Answer")
DAY = pd.Timedelta(days=1)
LATER_ORDERS, LATER_MESSAGES = 500, 100
_STRANGER = "nobody the shop ever heard of"


def check_recommender(recommender: Recommender, data: Dataset | None = None, k: int = 3) -> None:
    """
    Raise AssertionError, in words, where `recommender` breaks the contract on `data` (default: `small_shop`).

    The recommender itself is left as it was: copies of it are fitted. Checked are: a name; `fit` returns the
    recommender; the same answer twice, after another fit, and from a copy; at most `k` rows a customer, each product
    once; only customers asked for and products that can be sent, ids as text; unknown and no customers are harmless;
    data and customers are left as they were; nothing later than ``as_of`` is looked at; a fitted recommender pickles
    and answers as before.
    """
    name = getattr(recommender, "name", "")
    _hold(isinstance(name, str) and bool(name), "a recommender needs a name, a text that is not empty")
    shop = small_shop() if data is None else data
    given = _frames(shop)
    check = _Check(name=name, recommender=recommender, data=shop, k=k)
    fitted = check.fitted(shop)
    answer = check.asked(fitted, list(shop.customers), k)
    check.customers(fitted)
    check.repeats(fitted, answer)
    for table, frame in _frames(shop).items():
        _hold(frame.equals(given[table]), f"{name} changed {table}: work on a copy")


@dataclass(frozen=True, eq=False, kw_only=True)
class _Check:
    """A recommender under test, and the shop it is tested on."""

    name: str
    recommender: Recommender
    data: Dataset
    k: int

    def fitted(self, data: Dataset) -> Recommender:
        """Return a copy of the recommender, fitted to `data`."""
        made = copy.deepcopy(self.recommender)
        returned = self._works(lambda: made.fit(data), "fit")
        _hold(returned is made, f"{self.name}.fit must return the recommender itself")
        return made

    def asked(self, fitted: Recommender, customers: list[str], k: int, words: str = "") -> pd.DataFrame:
        """Return what is recommended to `customers`, its rows checked."""
        given = list(customers)
        what = f"recommend{words}"
        answer = self._works(lambda: fitted.recommend(given, k), what)
        _hold(given == customers, f"{self.name}.{what} changed the list of customers it was given")
        self._rows(answer, customers, k)
        return answer

    def customers(self, fitted: Recommender) -> None:
        """Check other choices of customers: none, unknown, some, and one product each."""
        everybody = list(self.data.customers)
        self.asked(fitted, [], self.k, " for no customers")
        self.asked(fitted, [_STRANGER], self.k, " for an unknown customer")
        self.asked(fitted, [*everybody[::2], _STRANGER], self.k, " for some customers")
        self.asked(fitted, everybody, 1, " of one product each")

    def repeats(self, fitted: Recommender, answer: pd.DataFrame) -> None:
        """Check that the answer hangs on nothing but the data up to ``as_of``."""
        name, data, everybody = self.name, self.data, list(self.data.customers)

        def held(found: Recommender, otherwise: str) -> None:
            _hold(_same(self.asked(found, everybody, self.k), answer), f"{name} {otherwise}")

        held(fitted, "answers differently when asked twice")
        held(self.fitted(data), "answers differently when fitted again to the same data")
        elsewhere = self.fitted(replace(data, orders=data.orders.iloc[::2], inbound=data.inbound.iloc[::2]))
        self._works(lambda: elsewhere.fit(data), "fit, a second time,")
        held(elsewhere, "keeps something of the data it was fitted to before")
        future = self.fitted(_with_another_future(data))
        held(future, "looks past as_of: a change in the future changes its answer")
        restored = self._works(
            lambda: pickle.loads(pickle.dumps(fitted)),  # noqa: S301  # our own bytes, made in this line
            "pickle, once fitted,",
        )
        held(restored, "answers differently after pickling")

    def _works(self, call: Callable[[], Answer], what: str) -> Answer:
        try:
            return call()
        except Exception as error:
            raise AssertionError(f"{self.name}.{what} must work, it raised {type(error).__name__}: {error}") from error

    def _rows(self, answer: pd.DataFrame, customers: list[str], k: int) -> None:
        name = self.name
        _hold(isinstance(answer, pd.DataFrame), f"{name}.recommend must return a DataFrame, not a {_kind(answer)}")
        missing = sorted({*PAIR, "score"} - set(answer.columns))
        _hold(not missing, f"{name}.recommend lacks the columns {missing}; it has {sorted(map(str, answer.columns))}")
        for column in PAIR:
            odd = [value for value in answer[column] if not isinstance(value, str)]
            _hold(not odd, f"{name} gives a {column} that is no text: {odd[:1]}")
        strangers = sorted(set(answer["customer_id"]) - set(customers))
        _hold(not strangers, f"{name} answers for customers it was not asked about: {strangers[:3]}")
        catalog = self.data.catalog
        live = catalog.loc[catalog["sendable"], "product_retailer_id"]
        unsendable = sorted(set(answer["product_retailer_id"]) - set(live))
        _hold(not unsendable, f"{name} proposes products that cannot be sent: {unsendable[:3]}")
        _hold(not answer.duplicated(PAIR).any(), f"{name} proposes the same product to a customer twice")
        most = answer.groupby("customer_id").size().max() if len(answer) else 0
        _hold(most <= k, f"{name} gives {most} products to one customer, asked for at most {k}")
        _hold(bool(answer["score"].notna().all()), f"{name} gives a score that is missing")
        self._welcome(answer)

    def _welcome(self, answer: pd.DataFrame) -> None:
        """Check the columns that need not be there."""
        if "probability" in answer:
            known = answer["probability"].dropna()
            _hold(bool(known.between(0, 1).all()), f"{self.name} gives a probability outside 0 to 1")
        if "horizon_days" in answer:
            _hold(bool((answer["horizon_days"].dropna() > 0).all()), f"{self.name} gives a horizon_days not above 0")
        if "kind" in answer:
            odd = sorted(set(answer["kind"]) - KINDS)
            _hold(not odd, f"{self.name} gives the kinds {odd}; a proposal is one of {sorted(KINDS)}")


def _hold(fact: bool, otherwise: str) -> None:  # noqa: FBT001  # a fact to be true is what this is for
    if not fact:
        raise AssertionError(otherwise)


def _kind(value: object) -> str:
    return type(value).__name__


def _frames(data: Dataset) -> dict[str, pd.DataFrame]:
    names = ("catalog", "orders", "inbound", "sends", "threads", "issues")
    return {name: getattr(data, name).copy(deep=True) for name in names}


def _same(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    return left.reset_index(drop=True).equals(right.reset_index(drop=True))


def _with_another_future(data: Dataset) -> Dataset:
    """Return `data` with a year of other purchases, messages and sends after ``as_of``, of the same customers."""
    tomorrow = data.as_of + DAY
    orders, inbound = data.orders.tail(LATER_ORDERS), data.inbound.tail(LATER_MESSAGES)
    later = orders.assign(
        order_id="later-" + orders["order_id"],
        ordered_at=tomorrow + (orders["ordered_at"] - orders["ordered_at"].min()),
        product_retailer_id=orders["product_retailer_id"].to_numpy()[::-1],
    )
    product = data.catalog["product_retailer_id"].iloc[0] if len(data.catalog) else ""
    said = inbound.assign(
        message_id="later-" + inbound["message_id"],
        received_at=tomorrow + (inbound["received_at"] - inbound["received_at"].min()),
        product_retailer_id=product,
    )
    sent = pd.DataFrame({"customer_id": orders["customer_id"].unique()})
    sent = sent.assign(campaign="later", product_retailer_id=product, outcome="accepted", at=tomorrow)
    return replace(
        data,
        orders=pd.concat([data.orders, later], ignore_index=True),
        inbound=pd.concat([data.inbound, said], ignore_index=True),
        sends=pd.concat([data.sends, sent], ignore_index=True).astype(data.sends.dtypes),
    )
