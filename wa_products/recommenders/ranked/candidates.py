"""Which products are weighed for a customer: their own of late, those bought together with them, and popular ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wa_products.recommenders import runs

if TYPE_CHECKING:
    from wa_products.recommenders.ranked.moments import Moment

OWN, TOGETHER, POPULAR = 15, 5, 5
HALF_LIFE = 6.0  # in horizons


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidates:
    """Customers and products to weigh, sorted by customer; `pair` is the place among the own pairs, -1 for new ones."""

    customer: np.ndarray
    product: np.ndarray
    pair: np.ndarray

    def __len__(self) -> int:
        return len(self.customer)


def candidates(moment: Moment, worth: np.ndarray) -> Candidates:
    """
    Return the candidates of the customers who bought before.

    `worth` is True for the products that can be proposed at all. Each customer gets the own products bought most and
    latest, and products never bought: those drawn by what was bought last, and what others buy lately.
    """
    bought, size = moment.past.own, np.int64(len(worth))
    own = _own(moment, worth)
    keys = [found[0] * size + found[1] for found in (_drawn(moment, worth), _popular(moment))]
    new = runs.unique(np.concatenate(keys))
    customer, product = np.divmod(new, size) if len(worth) else (new, new)
    fresh = bought.places(customer, product) < 0
    customer = np.concatenate([bought.found.customer[own], customer[fresh]])
    product = np.concatenate([bought.found.product[own], product[fresh]])
    pair = np.concatenate([own, np.full(fresh.sum(), -1)])
    order = np.argsort(customer, kind="stable")
    return Candidates(customer=customer[order], product=product[order], pair=pair[order])


def _own(moment: Moment, worth: np.ndarray) -> np.ndarray:
    found = moment.past.own.found
    weighed = np.flatnonzero(worth[found.product])
    value = moment.past.decayed(HALF_LIFE * moment.past.horizon)[weighed]
    return weighed[runs.ranks(found.customer[weighed], value) < OWN]


def _drawn(moment: Moment, worth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    drawn = moment.drawn.tocoo()
    customer, product = drawn.row.astype("int64"), drawn.col.astype("int64")
    new = worth[product] & (moment.past.own.places(customer, product) < 0)
    customer, product, value = customer[new], product[new], drawn.data[new]
    first = runs.ranks(customer, value) < TOGETHER
    return customer[first], product[first]


def _popular(moment: Moment) -> tuple[np.ndarray, np.ndarray]:
    head, customers = moment.shared.head, moment.past.visitors
    customer, product = np.repeat(customers, len(head)), np.tile(head, len(customers))
    new = moment.past.own.places(customer, product) < 0
    customer, product = customer[new], product[new]
    first = runs.places(customer) < POPULAR
    return customer[first], product[first]
