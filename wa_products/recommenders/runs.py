"""Sums, ranks and picks over rows that are sorted so that equal keys stand in one run: linear passes, no group-by."""

from __future__ import annotations

import numpy as np

ROOM = 4  # cells of a table that may stand empty for each that is filled


def changes(*columns: np.ndarray) -> np.ndarray:
    """Return where any of the sorted `columns` differs from the row before; True in the first row."""
    new = np.zeros(len(columns[0]), dtype=bool)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return new


def ends(starts: np.ndarray, size: int) -> np.ndarray:
    """Return the last row of each run, given the first ones and the number of rows."""
    return np.append(starts[1:], size)[: len(starts)] - 1


def sums(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the sum of `values` over each run; of True and False it is how often they are True."""
    if not len(starts):
        return np.zeros(0)
    if values.dtype != bool:
        return np.add.reduceat(values, starts, dtype="float64")
    upto = np.zeros(len(values) + 1, dtype="int64")
    np.cumsum(values, out=upto[1:])
    return np.diff(upto[np.append(starts, len(values))]).astype("float64")


def places(group: np.ndarray) -> np.ndarray:
    """Return the place of each row within its run of the sorted `group`, from 0."""
    starts = np.flatnonzero(changes(group))
    return np.arange(len(group)) - np.repeat(starts, np.diff(np.append(starts, len(group))))


def unique(values: np.ndarray) -> np.ndarray:
    """Return each of the whole numbers once, sorted; that of numpy hashes, which takes longer than to sort."""
    ordered = np.sort(values)
    return ordered[changes(ordered)]


def ranks(group: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return the place of each row within its group from 0, by falling `value`; ties go to the earlier row."""
    starts = np.flatnonzero(changes(group))
    sizes = np.diff(np.append(starts, len(group)))
    if len(starts) * sizes.max(initial=0) <= ROOM * len(group) and (np.diff(group[starts]) > 0).all():
        return _ranks_in_rows(value, sizes)
    order = np.lexsort((-value, group))
    place = np.empty(len(group), dtype="int64")
    place[order] = places(group[order])
    return place


def _ranks_in_rows(value: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the ranks within runs that are so short that to sort a row of a table for each is the fastest way."""
    inside = np.arange(sizes.max(initial=0)) < sizes[:, None]
    table = np.full(inside.shape, np.inf)
    table[inside] = -value
    rank = np.empty(inside.shape, dtype="int64")
    np.put_along_axis(rank, np.argsort(table, axis=1, kind="stable"), np.arange(inside.shape[1])[None], axis=1)
    return rank[inside]


def below_best(group: np.ndarray, value: np.ndarray, groups: int) -> np.ndarray:
    """Return how far each `value` lies below the highest of its group."""
    highest = np.full(groups, -np.inf)
    np.maximum.at(highest, group, value)
    return highest[group] - value


def members(keys: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return the place of each of `keys` in the sorted `of`, -1 where it is not there."""
    if not len(of):
        return np.full(len(keys), -1)
    place = np.minimum(np.searchsorted(of, keys), len(of) - 1)
    return np.where(of[place] == keys, place, -1)
