"""A shop at a cutoff: its purchases by product, by shelf and altogether, all from before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from wa_products.recommenders import companions, histories, rhythms, runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy import sparse

    from wa_products.recommenders.companions import Companions
    from wa_products.recommenders.histories import History, Pairs
    from wa_products.recommenders.rhythms import Rhythm

BASKETS_SEEN, HALF_LIFE = 12, 2.0  # in horizons


@dataclass(frozen=True, eq=False, kw_only=True)
class Shop:
    """
    All purchases up to ``as_of``: `whole` by product, `levels` by shelf (the coarsest, the whole shop, first).

    `codes` has the shelf of each product, an array a level. `horizon` is in days.
    """

    whole: History
    levels: Sequence[History]
    codes: Sequence[np.ndarray]
    horizon: int

    @classmethod
    def of(cls, whole: History, shelves: Sequence[np.ndarray], horizon: int) -> Shop:
        """Return the shop with the purchases of each of its `shelves`, and of all of them together, sorted once."""
        codes = [np.zeros(len(whole.products), dtype="int64"), *shelves]
        levels = [whole.by_shelf(code, int(code.max(initial=-1)) + 1) for code in codes]
        return cls(whole=whole, levels=levels, codes=codes, horizon=horizon)

    def at(self, cutoff: int) -> Moment:
        """Return what could be known when day `cutoff` began."""
        upto = [history.upto(cutoff) for history in self.levels]
        levels = [Level.of(past, cutoff, [*self.codes[:at], None]) for at, past in enumerate(upto)]
        own = Level.of(self.whole.upto(cutoff), cutoff, [*self.codes[1:], None])
        return Moment(own=own, levels=levels, codes=self.codes, cutoff=cutoff, horizon=self.horizon)


@dataclass(frozen=True, eq=False, kw_only=True)
class Level:
    """Purchases before a cutoff, and their pairs with their rhythm; a shelf is a coarser product."""

    past: History
    found: Pairs
    of_pair: Rhythm

    @classmethod
    def of(cls, past: History, cutoff: int, groups: Sequence[np.ndarray | None]) -> Level:
        """Return the pairs of `past`, their rhythm shrunk towards each of `groups`; None stands for the product."""
        found = histories.pairs(past, cutoff)
        codes = [found.product if group is None else group[found.product] for group in groups]
        return cls(past=past, found=found, of_pair=rhythms.rhythm(found, codes))

    def places(self, customer: np.ndarray, product: np.ndarray) -> np.ndarray:
        """Return the pair of each customer and product, -1 where it was never bought."""
        size = np.int64(len(self.past.products))
        return runs.members(customer * size + product, self.found.customer * size + self.found.product)


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment:
    """What could be known of a shop when day `cutoff` began."""

    own: Level
    levels: Sequence[Level]
    codes: Sequence[np.ndarray]
    cutoff: int
    horizon: int

    @cached_property
    def age(self) -> np.ndarray:
        """Days since each purchase."""
        return self.cutoff - self.own.past.time

    @cached_property
    def beside(self) -> Companions:
        """What is bought together, by the baskets of the last dozen horizons."""
        return companions.companions(self.own.past, self.cutoff - BASKETS_SEEN * self.horizon)

    @cached_property
    def drawn(self) -> sparse.csr_matrix:
        """How much the latest purchases of each customer (row) speak for each product (column)."""
        return companions.drawn(self.own.past, self.cutoff, HALF_LIFE * self.horizon, self.beside)

    def decayed(self, half_life: float) -> np.ndarray:
        """Return for each pair its purchases, each half as much for every `half_life` days that it is older."""
        return runs.sums(np.exp2(-self.age / half_life), self.own.found.starts)
