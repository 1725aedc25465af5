"""Which product a customer means: the words of a message against the titles of the catalog, on the safe side."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    import pandas as pd

WORD = re.compile(r"\w+")
SHORTEST_MISSPELT = 4
MISSPELT_COUNTS = 0.9
ENOUGH, ALIKE = 0.6, 1e-9


class Match(NamedTuple):
    """A product that a message names; `share` of its title's weight is in the message."""

    product_retailer_id: str
    share: float


@lru_cache(maxsize=65536)
def words(text: str) -> tuple[str, ...]:
    """
    Return the words of `text` without case and accents, each once.

    >>> words("Crème brûlée, CRÈME 100 g")
    ('creme', 'brulee', '100', 'g')
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return tuple(dict.fromkeys(WORD.findall(bare)))


def names(word: str) -> bool:
    """Return whether `word` can name a product: more than one letter and no digit; sizes and counts cannot."""
    return len(word) > 1 and not any(letter.isdigit() for letter in word)


def near(word: str) -> frozenset[str]:
    """
    Return `word` and what is left of it without one letter; two words that share one differ by one slip.

    >>> sorted(near("soaps"))
    ['oaps', 'saps', 'soap', 'soaps', 'soas', 'sops']
    """
    shorter = {word[:at] + word[at + 1 :] for at in range(len(word))}
    return frozenset({word} | {part for part in shorter if len(part) >= SHORTEST_MISSPELT})


@dataclass(frozen=True, eq=False, kw_only=True)
class Titles:
    """The titles of a catalog, indexed by word. A rare word weighs more than a common one."""

    products: list[tuple[str, str, tuple[str, ...]]]
    having: dict[str, list[int]]
    spelt: dict[str, list[str]]
    weight: dict[str, float]

    @classmethod
    def of(cls, catalog: pd.DataFrame) -> Self:
        """Index the titles of `catalog`, sendable or not: a product that cannot be sent is still what is meant."""
        columns = catalog[["product_retailer_id", "item_group_id", "title"]].sort_values("product_retailer_id")
        products = [(p, group or p, words(title)) for p, group, title in columns.itertuples(index=False)]
        having: dict[str, list[int]] = defaultdict(list)
        spelt: dict[str, list[str]] = defaultdict(list)
        for at, (_, _, title) in enumerate(products):
            for word in title:
                having[word].append(at)
        for word in filter(names, having):
            for part in near(word):
                spelt[part].append(word)
        count = len(products)
        weight = {word: log(1 + count / len(places)) for word, places in having.items()}
        return cls(products=products, having=dict(having), spelt=dict(spelt), weight=weight)

    def match(self, text: str) -> Match | None:
        """
        Return the one product (or item group) that `text` names, or None where it names none or several.

        A title is named where 60 % of the weight of its words is in the text, each exact or with one slip, and no other
        title is named by the same words and more. Among the variants of one group the sizes and numbers in the text
        decide, then the smaller id.
        """
        said = words(text)
        heard = self._heard(said)
        found: dict[int, set[str]] = defaultdict(set)
        for word in heard:
            for at in self.having[word]:
                found[at].add(word)
        share = {at: self._weight(here, heard) / self._full(at) for at, here in found.items()}
        named = [at for at, value in share.items() if value >= ENOUGH]
        named = [at for at in named if not any(found[at] < found[other] for other in named)]
        top = max((share[at] for at in named), default=0.0)
        leading = [at for at in named if share[at] > top - ALIKE]
        if len({self.products[at][1] for at in leading}) != 1:
            return None
        extra = {at: sum(word in said for word in self.products[at][2] if not names(word)) for at in leading}
        chosen = min(leading, key=lambda at: (-extra[at], self.products[at][0]))
        return Match(self.products[chosen][0], top)

    def _heard(self, said: tuple[str, ...]) -> dict[str, float]:
        """Return the words of titles that were said, 1 for exact, a little less for one slip."""
        heard: dict[str, float] = {}
        for word in filter(names, said):
            if word in self.weight:
                heard[word] = 1.0
            elif len(word) >= SHORTEST_MISSPELT:
                for meant in {title for part in near(word) for title in self.spelt.get(part, ())}:
                    heard.setdefault(meant, MISSPELT_COUNTS)
        return heard

    def _weight(self, here: set[str], heard: dict[str, float]) -> float:
        return sum(heard[word] * self.weight[word] for word in here)

    def _full(self, at: int) -> float:
        return sum(self.weight[word] for word in self.products[at][2] if names(word))
