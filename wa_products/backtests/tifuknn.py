"""
TIFUKNN (Hu et al., SIGIR 2020): a customer's own frequencies, older baskets weighing less, and those of neighbours.

Written anew on sparse matrices. Groups of baskets are as even as possible, counted from the last; the decay within a
group runs from its last basket, as the paper has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from scipy import sparse

from wa_products.backtests.books import Book, tally
from wa_products.recommenders import protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wa_products.datasets import Dataset

CELLS = 2**22  # of a block of dense rows at once
MOST_NEIGHBOURS = 20_000  # customers among whom neighbours are sought; in a larger shop every n-th of them


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The parameters of the paper: m groups, decay within and across them, k neighbours, and the own share alpha."""

    groups: int = 7
    within: float = 0.9
    across: float = 0.7
    neighbours: int = 300
    alpha: float = 0.7

    @property
    def vector(self) -> tuple[int, float, float]:
        """What the customers' vectors depend on."""
        return self.groups, self.within, self.across


VECTORS = ((1, 1.0, 1.0), (3, 0.9, 0.9), (7, 0.9, 0.7), (7, 1.0, 0.9))
NEIGHBOURS, ALPHAS = (100, 300, 900), (0.5, 0.7, 0.9, 0.97)
GRID = tuple(
    Setting(groups=m, within=within, across=across, neighbours=k, alpha=alpha)
    for (m, within, across), k, alpha in product(VECTORS, NEIGHBOURS, ALPHAS)
)


class TifuKnn:
    """TIFUKNN with one setting. Customers without a purchase get nothing."""

    name = "tifuknn"

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = setting or Setting()

    def fit(self, data: Dataset) -> Self:
        """Make the vectors of all customers from their baskets up to ``data.as_of``; a basket is a day."""
        book = Book.of(data)
        self._customers = book.customers
        live = book.products.isin(protocol.sendable(data.catalog))
        self._products = book.products[live]
        self._own = vectors(book, data.as_of, self.setting.vector)
        self._sent = self._own[:, np.flatnonzero(live)].tocsr()
        return self

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Return the `k` products of the highest score, own frequencies and neighbours' together."""
        code = np.sort(self._customers.get_indexer(protocol.asked(customer_ids)))
        code = code[code >= 0]
        parts = [(code[:0], code[:0], np.zeros(0))]
        for block in self._blocks(code):
            (_, near), *_ = nearest_means(self._own, self._sent, block, [self.setting.neighbours])
            score = self.setting.alpha * self._sent[block].toarray() + (1 - self.setting.alpha) * near
            row, column = _highest(score, k)
            parts.append((block[row], column, score[row, column]))
        who, what, score = (np.concatenate(part) for part in zip(*parts, strict=True))
        rows = {"customer_id": self._customers[who], "product_retailer_id": self._products[what], "score": score}
        return protocol.best(pd.DataFrame(rows), k)

    def hits(self, asked: pd.Index, coming: pd.DataFrame, grid: Sequence[Setting]) -> Iterator[tuple[Setting, int]]:
        """Yield how many first products each setting has right, in parts; all of `grid` share this model's vectors."""
        if self._products.empty:
            return
        truth = np.append(np.unique(self._keys(coming)), -1)
        code = np.sort(self._customers.get_indexer(asked))
        numbers = sorted({setting.neighbours for setting in grid})
        for block in self._blocks(code[code >= 0]):
            own = self._sent[block].toarray()
            for number, near in nearest_means(self._own, self._sent, block, numbers):
                for setting in grid:
                    if setting.neighbours == number:
                        score = setting.alpha * own + (1 - setting.alpha) * near
                        first = block * len(self._products) + score.argmax(axis=1)
                        right = truth[np.searchsorted(truth[:-1], first)] == first
                        yield setting, int((right & (score.max(axis=1) > 0)).sum())

    def _keys(self, pairs: pd.DataFrame) -> np.ndarray:
        """Return one number for each of the pairs that can be proposed."""
        customer = self._customers.get_indexer(pairs["customer_id"]).astype("int64")
        product = self._products.get_indexer(pairs["product_retailer_id"])
        return (customer * len(self._products) + product)[(customer >= 0) & (product >= 0)]

    def _blocks(self, code: np.ndarray) -> Iterator[np.ndarray]:
        return blocks(code, max(self._own.shape))


def blocks(code: np.ndarray, width: int) -> Iterator[np.ndarray]:
    """Yield `code` in parts whose dense rows of `width` cells fit into `CELLS`."""
    step = max(CELLS // max(width, 1), 1)
    for start in range(0, len(code), step):
        yield code[start : start + step]


def vectors(book: Book, as_of: pd.Timestamp, setting: tuple[int, float, float]) -> sparse.csr_array:
    """Return one row a customer: the decayed share of their baskets that hold each product."""
    groups, within, across = setting
    ago = book.days(as_of)
    longest = int(ago.max(initial=0)) + 1
    visits, of_visit, _ = tally(book.customer * longest + ago)
    customer = visits // longest
    first = np.flatnonzero(np.diff(customer, prepend=-1))
    back = np.arange(len(visits)) - np.repeat(first, np.diff(first, append=len(visits)))  # 0 is the last basket
    number = np.bincount(customer, minlength=len(book.customers))[customer]
    used = np.minimum(number, groups)
    base, longer = number // np.maximum(used, 1), number % np.maximum(used, 1)
    late = back < longer * (base + 1)
    rest = back - longer * (base + 1)
    size = np.where(late, base + 1, base)
    group = np.where(late, back // (base + 1), longer + rest // np.maximum(base, 1))
    place = np.where(late, back % (base + 1), rest % np.maximum(base, 1))
    weight = within**place * across**group / np.maximum(size * used, 1)
    cells = tally(of_visit * max(len(book.products), 1) + book.product)[0]
    visit, what = cells // max(len(book.products), 1), cells % max(len(book.products), 1)
    shape = (len(book.customers), len(book.products))
    return sparse.coo_array((weight[visit], (customer[visit], what)), shape=shape).tocsr()


def nearest_means(
    own: sparse.csr_array, sent: sparse.csr_array, block: np.ndarray, numbers: Sequence[int]
) -> list[tuple[int, np.ndarray]]:
    """Return, for each of the growing `numbers`, the mean over that many nearest customers of the rows of `sent`."""
    pool = np.arange(0, own.shape[0], -(-own.shape[0] // MOST_NEIGHBOURS) or 1)
    others = own[pool]
    length = (others**2).sum(axis=1)
    distance = length[None, :] - 2 * (own[block] @ others.T).toarray()
    distance[pool[None, :] == block[:, None]] = np.inf
    most = min(max(numbers), max(len(pool) - 1, 0))
    near = np.argsort(distance, axis=1, kind="stable")[:, :most]
    total, done, found = np.zeros((len(block), sent.shape[1])), 0, []
    for number in numbers:
        upto = min(number, most)
        rows = np.repeat(np.arange(len(block)), upto - done)
        cells = (np.ones(len(rows)), (rows, near[:, done:upto].ravel()))
        total = total + (sparse.coo_array(cells, shape=(len(block), len(pool))).tocsr() @ sent[pool]).toarray()
        done = upto
        found.append((number, total / max(upto, 1)))
    return found


def tuned(lessons: Iterable[tuple[Dataset, pd.Index, pd.DataFrame]], grid: Sequence[Setting] = GRID) -> Setting:
    """
    Return the setting of `grid` with the most hits at rank 1 over the `lessons`; the first of equals.

    A lesson is a shop at an earlier cutoff, the customers asked about, and the pairs bought within the horizon after.
    They are taken one after the other, so that they need not all be in memory.
    """
    hits = dict.fromkeys(grid, 0)
    for past, asked, coming in lessons:
        for vector in dict.fromkeys(setting.vector for setting in grid):
            model = TifuKnn(Setting(groups=vector[0], within=vector[1], across=vector[2])).fit(past)
            for setting, number in model.hits(asked, coming, [each for each in grid if each.vector == vector]):
                hits[setting] += number
    return max(hits, key=lambda setting: hits[setting])


def _highest(score: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the cells of each row that are no lower than its k-th highest, and above 0."""
    if k < 1 or not score.size:
        return np.zeros(0, dtype="int64"), np.zeros(0, dtype="int64")
    place = max(score.shape[1] - k, 0)
    least = np.partition(score, place, axis=1)[:, place]
    row, column = np.nonzero((score >= least[:, None]) & (score > 0))
    return row, column
