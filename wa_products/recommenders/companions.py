"""Products bought together: which share an order day more often than chance would have it, counted once for a shop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from wa_products.recommenders import runs

if TYPE_CHECKING:
    from wa_products.recommenders.histories import History

BASKET = 30  # of a larger basket the products bought most often count: the pairs of a basket grow with its square
LEAST_BASKETS, LEAST_TOGETHER = 5, 3
MOST = 20
FORGOTTEN = 2.0**-4
DOUBT = 10.0  # baskets by which a share is shrunk towards what chance would give


@dataclass(frozen=True, eq=False, kw_only=True)
class Companions:
    """
    The most telling companions of each product, products (rows) by companions (columns).

    `excess` is the share of the row product's baskets that hold the companion, beyond the share of all baskets that
    do, shrunk where the row product was seldom bought. `both` counts the baskets with both, `times` those with each.
    """

    excess: sparse.csr_matrix
    both: sparse.csr_matrix
    times: np.ndarray

    @cached_property
    def keys(self) -> np.ndarray:
        """The products of each entry of `excess` as one number, sorted."""
        entries = self.excess.tocoo()
        return entries.row * np.int64(len(self.times)) + entries.col


def companions(past: History, since: int) -> Companions:
    """Return at most `MOST` companions a product, from the days not before `since`; none by chance or below."""
    size = len(past.products)
    baskets = _baskets(past, since)
    times = np.asarray(baskets.sum(axis=0)).ravel()
    together = (baskets.T @ baskets).tocoo()
    several = (together.data >= LEAST_TOGETHER) & (together.row != together.col)
    row, col, both = (values[several] for values in (together.row, together.col, together.data))
    excess = (both - times[row] * times[col] / max(baskets.shape[0], 1)) / (times[row] + DOUBT)
    order = np.argsort(row * np.int64(size) + col)
    kept = order[excess[order] > 0]
    kept = kept[runs.ranks(row[kept], excess[kept]) < MOST]
    place = (row[kept], col[kept])
    return Companions(
        excess=sparse.csr_matrix((excess[kept], place), shape=(size, size)),
        both=sparse.csr_matrix((both[kept], place), shape=(size, size)),
        times=times,
    )


def _baskets(past: History, since: int) -> sparse.csr_matrix:
    """Return baskets by products with a 1 where it was bought, baskets capped, seldom bought products left out."""
    times = np.bincount(past.product[past.day >= since], minlength=len(past.products))
    some = (past.day >= since) & (times >= LEAST_BASKETS)[past.product]
    customer, visit, product = past.customer[some], past.visit[some], past.product[some]
    basket = customer * np.int64(visit.max(initial=0) + 1) + visit
    order = np.argsort(basket * np.int64(len(times)) + product, kind="stable")
    basket, product = basket[order], product[order]
    number = np.cumsum(runs.changes(basket)) - 1
    kept = runs.ranks(number, times[product]) < BASKET
    shape = (int(number.max(initial=-1)) + 1, len(past.products))
    return sparse.csr_matrix((np.ones(kept.sum()), (number[kept], product[kept])), shape=shape)


def drawn(past: History, cutoff: int, half_life: float, beside: Companions) -> sparse.csr_matrix:
    """Return how much each customer's (row) purchases, the latest most, speak for each product (column)."""
    return (lately(past, cutoff, half_life) @ beside.excess).tocsr()


def lately(past: History, cutoff: int, half_life: float) -> sparse.csr_matrix:
    """Return the purchases of the last four half-lives, customers by products, each less the older it is."""
    weight = np.exp2((past.time - cutoff) / half_life)
    recent = weight > FORGOTTEN
    entries = (weight[recent], (past.customer[recent], past.product[recent]))
    return sparse.csr_matrix(entries, shape=(len(past.customers), len(past.products)))


def entries(of: sparse.csr_matrix, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return the entries of a matrix at these places; scipy gives a matrix where there are none to give."""
    return np.asarray(of[row, column]).ravel() if len(row) else np.zeros(0)


class Sources(NamedTuple):
    """What speaks most for a product: a product bought lately (-1: none), orders with both, and orders with it."""

    source: np.ndarray
    both: np.ndarray
    times: np.ndarray


def sources(lately: sparse.csr_matrix, beside: Companions, customer: np.ndarray, product: np.ndarray) -> Sources:
    """Return for each customer and product the one of their latest purchases that speaks most for it."""
    customer, product = np.asarray(customer, dtype="int64"), np.asarray(product, dtype="int64")
    counts = np.diff(lately.indptr)[customer]
    offer = np.repeat(np.arange(len(product)), counts)
    entry = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - lately.indptr[customer], counts)
    source = lately.indices[entry].astype("int64")
    place = runs.members(source * len(beside.times) + product[offer], beside.keys)
    excess = np.append(beside.excess.data, 0.0)[place]  # the last of them where the place is -1
    speaks = excess * lately.data[entry]
    best = (runs.ranks(offer, speaks) == 0) & (speaks > 0)
    found = np.full(len(product), -1, dtype="int64")
    found[offer[best]] = source[best]
    both = entries(beside.both, found, product)
    counted = (np.where(found < 0, 0, values).astype("int64") for values in (both, beside.times[found]))
    return Sources(found, *counted)
