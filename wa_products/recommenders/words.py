"""Which product a customer means: the words of a message against the titles of the catalog, on the safe side."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

PLAIN = re.compile(r"[a-z0-9]+")
WITHOUT_BLANKS = "".join(  # Thai, Lao, Tibetan, Burmese, Khmer, kana, Han
    f"{chr(first)}-{chr(last)}"
    for first, last in (
        *((0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x4DBF)),
        *((0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)),
    )
)
UNSPACED = re.compile(f"[{WITHOUT_BLANKS}]+")
RUN = re.compile(f"[{WITHOUT_BLANKS}]+|[^{WITHOUT_BLANKS}]+")
LEFT_OUT = {  # marks that one may write or leave: accents, Hebrew points, Arabic vowels; and the Arabic stretch
    code: None
    for code in (*range(0x300, 0x370), *range(0x591, 0x5C8), *range(0x64B, 0x660), 0x640, 0x670)
    if unicodedata.category(chr(code)) in {"Mn", "Lm"}
}
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

    Where a script has no blanks between words, each two neighbouring letters are one, as search engines do.

    >>> words("Crème brûlée, CRÈME 100 g")
    ('creme', 'brulee', '100', 'g')
    >>> words("हरी चाय"), words("茉莉绿茶100克")
    (('हरी', 'चाय'), ('茉莉', '莉绿', '绿茶', '100', '克'))
    """
    if text.isascii():
        return tuple(dict.fromkeys(PLAIN.findall(text.lower())))
    bare = unicodedata.normalize("NFKD", text.casefold()).translate(LEFT_OUT)
    kept = "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in bare)
    runs = (run for word in unicodedata.normalize("NFC", kept).split() for run in RUN.findall(word))
    return tuple(dict.fromkeys(part for run in runs for part in _parts(run)))


def _parts(run: str) -> Iterable[str]:
    """Return a word itself, or of a script without blanks its pairs of neighbouring letters with their marks."""
    if not UNSPACED.match(run):
        return (run,)
    letters: list[str] = []
    for letter in run:
        if letters and unicodedata.category(letter)[0] == "M":
            letters[-1] += letter
        else:
            letters.append(letter)
    return map("".join, pairwise(letters)) if len(letters) > 1 else letters


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
    """
    The titles of a catalog, indexed by word. A rare word weighs more than a common one.

    Products whose titles have the same words stand in one entry of `products`, as (id, item group) by id; `full` is
    the weight of all words of the entry's title. `having` leads from a word to entries, `spelt` from a word with or
    without one of its letters to the words of titles.
    """

    products: list[list[tuple[str, str]]]
    titles: list[tuple[str, ...]]
    full: list[float]
    having: dict[str, list[int]]
    spelt: dict[str, list[str]]
    weight: dict[str, float]

    @classmethod
    def of(cls, catalog: pd.DataFrame) -> Self:
        """Index the titles of `catalog`, sendable or not: a product that cannot be sent is still what is meant."""
        columns = catalog[["product_retailer_id", "item_group_id", "title"]].sort_values("product_retailer_id")
        entries: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
        for product, group, title in columns.itertuples(index=False):
            entries[words(title)].append((product, group or product))
        titles = list(entries)
        having: dict[str, list[int]] = defaultdict(list)
        spelt: dict[str, list[str]] = defaultdict(list)
        for at, title in enumerate(titles):
            for word in filter(names, title):
                having[word].append(at)
        for word in having:
            for part in near(word):
                spelt[part].append(word)
        weight = {word: log(1 + len(titles) / len(places)) for word, places in having.items()}
        full = [sum(weight[word] for word in filter(names, title)) for title in titles]
        products = list(entries.values())
        return cls(products=products, titles=titles, full=full, having=dict(having), spelt=dict(spelt), weight=weight)

    def match(self, text: str) -> Match | None:
        """
        Return the one product (or item group) that `text` names, or None where it names none or several.

        A title is named where 60 % of the weight of its words is in the text, each exact or with one slip, and no other
        title is named by the same words and more. Among equals the sizes and numbers in the text decide, and among the
        variants of one item group then the smaller id.
        """
        said = words(text)
        heard = self._heard(said)
        share = self._named(heard)
        here = {at: heard.keys() & set(self.titles[at]) for at in share}
        precise = [at for at in share if not any(here[at] < here[other] for other in share)]
        top = max((share[at] for at in precise), default=0.0)
        leading = [at for at in precise if share[at] > top - ALIKE]
        sizes = {at: sum(word in said for word in self.titles[at] if not names(word)) for at in leading}
        meant = [pair for at in leading if sizes[at] == max(sizes.values()) for pair in self.products[at]]
        return Match(min(meant)[0], top) if len({group for _, group in meant}) == 1 else None

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

    def _named(self, heard: dict[str, float]) -> dict[int, float]:
        """Return the entries of which enough was said, with the share of their weight."""
        said: dict[int, float] = defaultdict(float)
        for word, certainty in heard.items():
            for at in self.having[word]:
                said[at] += certainty * self.weight[word]
        return {at: value / self.full[at] for at, value in said.items() if value >= ENOUGH * self.full[at]}
