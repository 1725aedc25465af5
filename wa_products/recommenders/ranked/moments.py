"""A shop at a cutoff: purchases by product, by shelf and altogether, all from before it, and what customers share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from wa_products.recommenders import companions, histories, rhythms, runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy import sparse

    from wa_products.recommenders.companions import Companions
    from wa_products.recommenders.histories import History, Pairs
    from wa_products.recommenders.rhythms import Beliefs, Rhythm

BASKETS_SEEN, HALF_LIFE = 12, 2.0  # in horizons


@dataclass(frozen=True, eq=False, kw_only=True)
class Shop:
    """
    All purchases of some customers up to ``as_of``, by product, by shelf and altogether.

    `levels` are the product and the shelves, the whole shop (the coarsest) first among these. `codes` has the shelf of
    each product, an array a level. `horizon` is in days.
    """

    whole: History
    levels: Sequence[History]
    codes: Sequence[np.ndarray]
    horizon: int

    @classmethod
    def of(cls, whole: History, shelves: Sequence[np.ndarray], horizon: int) -> Shop:
        """Return the shop with the purchases of each of its `shelves`, and of all of them together, sorted once."""
        whole.visit  # noqa: B018  # counted once for all cutoffs
        codes = [np.zeros(len(whole.products), dtype="int64"), *shelves]
        levels = [whole.by_shelf(code, int(code.max(initial=-1)) + 1) for code in codes]
        return cls(whole=whole, levels=levels, codes=codes, horizon=horizon)

    def at(self, cutoff: int) -> Past:
        """Return what was bought before day `cutoff`."""
        levels = [Level.of(level, cutoff) for level in self.levels]
        return Past(
            own=Level.of(self.whole, cutoff), levels=levels, codes=self.codes, cutoff=cutoff, horizon=self.horizon
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Level:
    """Purchases before a cutoff, and their pairs; a shelf is a coarser product."""

    past: History
    found: Pairs

    @classmethod
    def of(cls, whole: History, cutoff: int) -> Level:
        """Return the purchases of `whole` before day `cutoff`."""
        past = whole.upto(cutoff)
        return cls(past=past, found=histories.pairs(past, cutoff))

    def places(self, customer: np.ndarray, product: np.ndarray) -> np.ndarray:
        """Return the pair of each customer and product, -1 where it was never bought."""
        size = np.int64(len(self.past.products))
        return runs.members(customer * size + product, self.found.customer * size + self.found.product)


@dataclass(frozen=True, eq=False, kw_only=True)
class Past:
    """What some customers bought before day `cutoff`."""

    own: Level
    levels: Sequence[Level]
    codes: Sequence[np.ndarray]
    cutoff: int
    horizon: int

    @property
    def visitors(self) -> np.ndarray:
        """The customers who bought anything."""
        return self.levels[0].found.customer

    @cached_property
    def age(self) -> np.ndarray:
        """Days since each purchase."""
        return self.cutoff - self.own.past.time

    def decayed(self, half_life: float) -> np.ndarray:
        """Return for each pair its purchases, each half as much for every `half_life` days that it is older."""
        return runs.sums(np.exp2(-self.age / half_life), self.own.found.starts)

    def of_customers(self, some: np.ndarray) -> Past:
        """Return only what the customers bought that are True in `some`."""
        if some.all():
            return self
        own, *levels = (Level.of(level.past.of_customers(some), self.cutoff) for level in (self.own, *self.levels))
        return replace(self, own=own, levels=levels)


@dataclass(frozen=True, eq=False, kw_only=True)
class Shared:
    """
    What customers share when day `cutoff` begins, from the purchases of all or of a sample of them.

    `own` and `levels` are beliefs on the gaps of products and of shelves, `beside` what is bought together, by the
    baskets of the last dozen horizons; `product` are signs and `head` the popular products to offer, most bought first.
    """

    own: Beliefs
    levels: Sequence[Beliefs]
    beside: Companions
    product: dict[str, np.ndarray]
    head: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment:
    """What could be known of some customers when a day began: what they bought, and what they share with all others."""

    past: Past
    shared: Shared

    @cached_property
    def own(self) -> Rhythm:
        """The rhythm of each own pair."""
        return rhythms.rhythm(self.past.own.found, self.shared.own)

    @cached_property
    def levels(self) -> list[Rhythm]:
        """The rhythm of each pair of each level."""
        known = zip(self.past.levels, self.shared.levels, strict=True)
        return [rhythms.rhythm(level.found, beliefs) for level, beliefs in known]

    @cached_property
    def drawn(self) -> sparse.csr_matrix:
        """How much the latest purchases of each customer (row) speak for each product (column)."""
        past = self.past
        return companions.drawn(past.own.past, past.cutoff, HALF_LIFE * past.horizon, self.shared.beside)
