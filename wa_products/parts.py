"""
Customers in parts: one belongs to the same part everywhere, in memory, in a store and on a cluster.

A customer's place is a number in [0, 1) by hash of the id, uniform over customers. Of 64 parts the first holds the
places below 1/64, so it is also a random sample of the customers; and it is all of the first of 32 parts' one half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Made = TypeVar("Made")
HASH = "siphash-2-4 of UTF-8, 53 bits"
_LOST_BITS, _SCALE = np.uint64(11), 2.0**-53


def places(customers: pd.Index | pd.Series) -> np.ndarray:
    """
    Return the place of each of `customers`, which are different ids, in [0, 1).

    >>> places(pd.Index(["447700900000", "447700900001"])).round(6).tolist()
    [0.260433, 0.700539]
    """
    ids = np.asarray(customers, dtype=object)
    return (pd.util.hash_array(ids, categorize=False) >> _LOST_BITS).astype("float64") * _SCALE


def places_of_rows(customers: pd.Series) -> np.ndarray:
    """Return the place of the customer of each row; an id that comes again is looked at once."""
    codes, ids = pd.factorize(customers)
    return places(ids)[codes] if len(ids) else np.zeros(len(customers))


def share_of(number: int, enough: int) -> float:
    """
    Return the largest of 1, 1/2, 1/4, ... of so many rows that is not more than enough.

    >>> share_of(1_000, 1_000), share_of(1_001, 1_000), share_of(0, 1_000)
    (1.0, 0.5, 1.0)
    """
    return 0.5 ** max(0, int(np.ceil(np.log2(max(number, 1) / enough))))


def belong(places: np.ndarray, part: Stored) -> np.ndarray:
    """Return which of `places` are those of a part."""
    return (places >= part.number / part.parts) & (places < (part.number + 1) / part.parts)


class Stored(Protocol):
    """
    Order lines that need not fit into memory, in parts of customers; what a `Dataset` can hold for its orders.

    All of them are part 0 of 1.
    """

    @property
    def number(self) -> int:
        """Which part these lines are, from 0."""

    @property
    def parts(self) -> int:
        """Of how many parts."""

    def __len__(self) -> int:
        """Return how many lines there are."""

    def frame(self) -> pd.DataFrame:
        """Return all of them as a frame of orders."""

    def read(self, columns: list[str]) -> pd.DataFrame:
        """Return these columns of all lines, texts as categories, sorted by customer, product and time at best."""

    def before(self, at: pd.Timestamp) -> Stored:
        """Return only the lines earlier than `at`."""

    def first(self, share: float) -> Stored:
        """Return only the lines of customers whose place is below `share`."""

    def of(self, customers: pd.Index) -> Stored:
        """Return only the lines of `customers`."""

    def each(self, function: Callable[[Stored], Made]) -> Iterator[Made]:
        """Return what `function` makes of each part, in the order of the parts."""

    def kept(self, function: Callable[[Stored], pd.DataFrame], question: bytes) -> Iterator[pd.DataFrame]:
        """
        Return the frames that `function` makes of each part; what a run before this one made need not be made again.

        `question` tells all that the frames depend on beside the lines. What is kept goes once all was given.
        """


class Lines:
    """The order lines of one part as a frame in memory."""

    def __init__(self, lines: pd.DataFrame, number: int, parts: int) -> None:
        self.lines, self.number, self.parts = lines, number, parts

    def __len__(self) -> int:
        """Return how many lines there are."""
        return len(self.lines)

    def frame(self) -> pd.DataFrame:
        """Return the lines."""
        return self.lines

    def read(self, columns: list[str]) -> pd.DataFrame:
        """Return these columns of all lines."""
        return self.lines[columns]

    def before(self, at: pd.Timestamp) -> Lines:
        """Return only the lines earlier than `at`."""
        return Lines(self.lines[self.lines["ordered_at"] < at], self.number, self.parts)

    def first(self, share: float) -> Lines:
        """Return only the lines of customers whose place is below `share`."""
        return Lines(self.lines[places_of_rows(self.lines["customer_id"]) < share], self.number, self.parts)

    def of(self, customers: pd.Index) -> Lines:
        """Return only the lines of `customers`."""
        return Lines(self.lines[self.lines["customer_id"].isin(customers)], self.number, self.parts)

    def each(self, function: Callable[[Stored], Made]) -> Iterator[Made]:
        """Return what `function` makes of this one part."""
        return iter([function(self)])

    def kept(self, function: Callable[[Stored], pd.DataFrame], _question: bytes) -> Iterator[pd.DataFrame]:
        """Return what `function` makes of this one part."""
        return self.each(function)
