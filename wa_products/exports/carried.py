"""
Rows to orders where an order's own columns stand on its first row alone, on each of its rows, or on some.

What an order names is carried to its other rows and never beyond them: an order without a phone must not get the
phone of the order above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wa_products.exports.columns import Column
    from wa_products.exports.issues import Found


@dataclass(frozen=True, eq=False)
class Carried:
    """
    The orders of a table.

    `known` says which rows belong to an order; `order` numbers the order of each such row; `columns` hold one value
    an order, under the names given.
    """

    known: np.ndarray
    order: np.ndarray
    columns: dict[str, Column]


def carry(key: Column, columns: Mapping[str, Column], records: np.ndarray, found: Found) -> Carried:
    """
    Return the orders of rows whose order numbers are `key` and whose order columns are `columns`.

    A row without number and order columns belongs to the order above it, in a file that never repeats a number from
    one row to the next. A row with a number alone belongs to the rows around it of that number, else to the only
    order of that number. What belongs to none, or to one of several, is set aside.
    """
    columns = {name: column.deduplicated() for name, column in columns.items()}
    filled = {name: ~column.is_blank for name, column in columns.items()}
    some = np.logical_or.reduce([np.zeros(len(key), dtype=bool), *filled.values()])
    leads = ~key.is_blank | some
    leader = _last(leads)
    there = leads if _repeats(key) else leader >= 0
    number = _numbers(key.deduplicated(), leader)
    starts = _starts(number, columns, filled)
    order = np.cumsum(starts) - 1
    order, known = _attached(order, number, some, there)
    _note_lost(key, known, (order != np.cumsum(starts) - 1) & known, records, found)
    kept, compact = np.unique(order[known], return_inverse=True)
    heads = _firsts(order, known)
    values = {}
    for name, column in columns.items():
        first = _firsts(order, filled[name] & known)
        values[name] = column.take(np.where(first < 0, heads, first)[kept]).compact()
    return Carried(known, compact, values)


def _repeats(key: Column) -> bool:
    codes, given = key.deduplicated().codes, ~key.is_blank
    return bool((given[1:] & given[:-1] & (codes[1:] == codes[:-1])).any())


def _last(here: np.ndarray) -> np.ndarray:
    """Return for each row the last row up to it that is `here`, -1 where there is none."""
    return np.maximum.accumulate(np.where(here, np.arange(len(here)), -1)) if len(here) else np.zeros(0, dtype=int)


def _numbers(key: Column, leader: np.ndarray) -> np.ndarray:
    """Return a code of each row's order number, carried down to rows without one; rows that lead without one differ."""
    nameless = np.asarray(key.is_blank)[leader] if len(leader) else np.zeros(0, dtype=bool)
    return np.where(nameless, len(key.values) + leader, key.codes[leader])


def _starts(number: np.ndarray, columns: Mapping[str, Column], filled: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return which rows start an order: another number, or the same with another value in an order column."""
    starts = np.diff(number, prepend=-1) != 0
    run = _last(starts)
    for name, column in columns.items():
        before = np.concatenate([[-1], _last(filled[name])[:-1]]) if len(number) else number
        starts |= filled[name] & (before >= run) & (column.codes != column.codes[before])
    return starts


def _attached(
    order: np.ndarray, number: np.ndarray, some: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of each row and whether it is known, rows that stand apart given to their only order."""
    has_head = np.zeros(int(order[-1]) + 1 if len(order) else 0, dtype=bool)
    has_head[order[some]] = True
    apart = known & ~has_head[order]
    if not apart.any():
        return order, known
    orders, first = np.unique(order, return_index=True)
    numbers, at, count = np.unique(number[first][has_head[orders]], return_index=True, return_counts=True)
    place = np.searchsorted(numbers, number[apart])
    inside = np.minimum(place, max(len(numbers) - 1, 0))
    there = (numbers[inside] == number[apart]) if len(numbers) else np.zeros(int(apart.sum()), dtype=bool)
    sole = there & (count[inside] == 1) if len(numbers) else there
    result, is_known = order.copy(), known.copy()
    result[np.flatnonzero(apart)[sole]] = orders[has_head[orders]][at[inside[sole]]]
    is_known[np.flatnonzero(apart)[there & ~sole]] = False
    return result, is_known


def _firsts(order: np.ndarray, here: np.ndarray) -> np.ndarray:
    """Return for each order its first row that is `here`, -1 where it has none."""
    first = np.full(int(order.max(initial=-1)) + 1, -1)
    backwards = np.flatnonzero(here)[::-1]
    first[order[backwards]] = backwards
    return first


def _note_lost(key: Column, known: np.ndarray, apart: np.ndarray, records: np.ndarray, found: Found) -> None:
    if apart.any():
        hint = "the rows of an order stand together in an export that nobody sorted"
        values = key.take(apart).texts()
        found.add(
            "rows_apart",
            "warning",
            rows=records[apart],
            column="order_id",
            values=values,
            action="row kept",
            hint=hint,
        )
    if not known.all():
        found.set_aside += int((~known).sum())
        found.add(
            "no_first_row",
            "error",
            rows=records[~known],
            column="order_id",
            values=key.take(~known).texts(),
            action="row set aside",
            hint="no row above, or more than one order, says whose order this row belongs to",
        )
