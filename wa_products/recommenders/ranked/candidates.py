"""Which products are weighed for a customer: their own of late, those bought together with them, and popular ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wa_products.recommenders import runs

if TYPE_CHECKING:
    from wa_products.recommenders.ranked.moments import Moment

OWN, TOGETHER, POPULAR = 15, 5, 5
HEAD = 64  # of the popular products so many are looked at for those the customer never bought
HALF_LIFE = 6.0  # in horizons


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidates:
    """Customers and products to weigh, sorted by customer; `pair` is the place among the own pairs, -1 for new ones."""

    customer: np.ndarray
    product: np.ndarray
    pair: np.ndarray

    def __len__(self) -> int:
        return len(self.customer)


def candidates(moment: Moment, worth: np.ndarray, some: np.ndarray) -> Candidates:
    """
    Return the candidates of the customers that are True in `some`.

    `worth` is True for the products that can be proposed at all. Each customer gets the own products bought most and
    latest, and products never bought: those drawn by what was bought last, and what others buy lately.
    """
    own = _own(moment, worth, some)
    keys = [found[0] * np.int64(len(worth)) + found[1] for found in (_drawn(moment, worth), _popular(moment, worth))]
    new = np.unique(np.concatenate(keys))
    customer, product = np.divmod(new, np.int64(len(worth))) if len(worth) else (new, new)
    fresh = some[customer] & (moment.own.places(customer, product) < 0)
    found = moment.own.found
    customer = np.concatenate([found.customer[own], customer[fresh]])
    product = np.concatenate([found.product[own], product[fresh]])
    pair = np.concatenate([own, np.full(fresh.sum(), -1)])
    order = np.argsort(customer, kind="stable")
    return Candidates(customer=customer[order], product=product[order], pair=pair[order])


def _own(moment: Moment, worth: np.ndarray, some: np.ndarray) -> np.ndarray:
    found = moment.own.found
    weighed = np.flatnonzero(worth[found.product] & some[found.customer])
    first = runs.ranks(found.customer[weighed], moment.decayed(HALF_LIFE * moment.horizon)[weighed]) < OWN
    return weighed[first]


def _drawn(moment: Moment, worth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    drawn = moment.drawn.tocoo()
    customer, product = drawn.row.astype("int64"), drawn.col.astype("int64")
    new = worth[product] & (moment.own.places(customer, product) < 0)
    customer, product, value = customer[new], product[new], drawn.data[new]
    first = runs.ranks(customer, value) < TOGETHER
    return customer[first], product[first]


def _popular(moment: Moment, worth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    past, found = moment.own.past, moment.own.found
    buyers = np.bincount(found.product[found.since <= 2 * moment.horizon], minlength=len(worth))
    head = np.argsort(-np.where(worth, buyers, -1), kind="stable")[:HEAD]
    head = head[worth[head] & (buyers[head] > 0)]
    customers = len(past.customers)
    customer, product = np.repeat(np.arange(customers), len(head)), np.tile(head, customers)
    new = moment.own.places(customer, product) < 0
    customer, product = customer[new], product[new]
    first = runs.ranks(customer, np.zeros(len(customer))) < POPULAR
    return customer[first], product[first]
