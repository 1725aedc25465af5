"""What customers share at a cutoff: the rhythms, the sales and the company of products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wa_products.recommenders import companions, rhythms, runs
from wa_products.recommenders.ranked.moments import BASKETS_SEEN, Shared
from wa_products.recommenders.ranked.signs import SPELLS, any_within

if TYPE_CHECKING:
    from wa_products.recommenders.ranked.moments import Past

EARLIER = 4
FEW = 8.0  # purchases by which a product's own rate is shrunk towards that of its shelf
HEAD = 64  # of the popular products so many are looked at for those a customer never bought


def shared(past: Past, worth: np.ndarray) -> Shared:
    """Return what `past` tells of the products; `worth` is True for those that can be proposed at all."""
    size, codes = len(past.own.past.products), past.codes
    of_shelf = [np.unique(code, return_index=True)[1] for code in codes]  # a product of each shelf
    coarser = [[code[some] for code in codes[:at]] for at, some in enumerate(of_shelf)]
    return Shared(
        own=rhythms.beliefs(past.own.found, codes[1:], size),
        levels=[
            rhythms.beliefs(level.found, groups, len(level.past.products))
            for level, groups in zip(past.levels, coarser, strict=True)
        ],
        beside=companions.companions(past.own.past, past.cutoff - BASKETS_SEEN * past.horizon),
        product=_signs(past),
        head=_head(past, worth),
    )


def _head(past: Past, worth: np.ndarray) -> np.ndarray:
    found = past.own.found
    buyers = np.bincount(found.product[found.since <= 2 * past.horizon], minlength=len(worth))
    head = np.argsort(-np.where(worth, buyers, -1), kind="stable")[:HEAD]
    return head[worth[head] & (buyers[head] > 0)]


def _signs(past: Past) -> dict[str, np.ndarray]:
    """Return how many buy each product, whether more or fewer lately, and how often it is bought again."""
    lines, found, age, horizon = past.own.past, past.own.found, past.age, past.horizon
    size = len(lines.products)
    buyers = np.bincount(found.product, minlength=size)
    again = np.bincount(found.product, weights=found.times > 1, minlength=size)
    shop = (again.sum() + 1) / (buyers.sum() + 2)
    sold = {w: np.bincount(lines.product[age <= w * horizon], minlength=size) for w in (0.5, 1, 2, 6)}
    last = np.full(size, np.inf)
    np.minimum.at(last, lines.product, age)
    return {
        "buyers": buyers,
        "bought again": (again + FEW * shop) / (buyers + FEW),
        "lines a buyer": (np.bincount(lines.product, minlength=size) + 1) / (buyers + 1),
        "last by anyone": last,
        "sold": sold[2] / max(sold[2].sum(), 1),
        "trend half": _trend(sold[0.5], sold[2]),
        "trend one": _trend(sold[1], sold[6]),
        "trend two": _trend(sold[2], sold[6]),
        **_kept_up(past, size),
    }


def _trend(short: np.ndarray, long: np.ndarray) -> np.ndarray:
    """Return the logarithm of the product's share of the short window over that of the long one, shrunk to 0."""
    usual = (long + 1) / (long.sum() + len(long))
    return np.log((short + 4) / (short.sum() * usual + 4))


def _kept_up(past: Past, size: int) -> dict[str, np.ndarray]:
    """Return how often those who had bought it twice bought it again in the last spells, shrunk to its shelf."""
    found = past.own.found
    hits, tries = np.zeros(size), np.zeros(size)
    for spell in range(EARLIER):
        before = past.age > (spell + 1) * past.horizon
        lately = past.age <= (spell + 1 + SPELLS) * past.horizon
        regular = (runs.sums(before, found.starts) > 1) & (runs.sums(before & lately, found.starts) > 0)
        again = any_within(past, spell, spell + 1)[regular]
        hits += np.bincount(found.product[regular], weights=again, minlength=size)
        tries += np.bincount(found.product[regular], minlength=size)
    believed = np.full(size, (hits.sum() + 1) / (tries.sum() + 2))
    columns = {}
    for number, codes in enumerate(past.codes[1:]):
        total = np.bincount(codes, weights=hits)[codes], np.bincount(codes, weights=tries)[codes]
        believed = (total[0] + FEW * believed) / (total[1] + FEW)
        columns[f"shelf {number} kept up"] = believed
    return columns | {"kept up": (hits + FEW * believed) / (tries + FEW)}
