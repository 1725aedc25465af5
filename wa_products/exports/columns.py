"""
A column of text as codes and distinct values.

Exports repeat themselves: a million order lines name a few hundred titles, prices and countries. What is expensive
(parsing money, times and phones) is done once a distinct value, and what is large (five million rows) is integers.
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_BLOCK = 1 << 19
_FEW = 1 << 16
_SHARED = 1 << 17
_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None  # glibc has it alone


@dataclass(frozen=True, eq=False)
class Column:
    """
    Text, one value a row: row ``i`` holds ``values[codes[i]]``. No value is missing; unknown is ``""``.

    The values of a column that hardly repeats itself are its runs, so one may stand among them twice.
    """

    codes: np.ndarray
    values: pa.Array

    @classmethod
    def of(cls, texts: Iterable[str]) -> Column:
        """Return the column of these texts."""
        array = pa.array(texts, pa.large_string())
        whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array  # a series may come in parts
        return cls.encoded(whole.dictionary_encode())

    @classmethod
    def encoded(cls, array: pa.DictionaryArray) -> Column:
        """Return the column of an Arrow dictionary array without missing values."""
        return cls(array.indices.to_numpy(zero_copy_only=False), array.dictionary.cast(pa.large_string()))

    @classmethod
    def runs(cls, part: pa.Array) -> Column:
        """
        Return the column of Arrow texts coded by runs of equal values: cheap where most values occur once.

        Its first value is ``""``, whether a row is blank or not.
        """
        starts = np.ones(len(part), dtype=bool)
        starts[1:] = np.asarray(pc.not_equal(part.slice(1), part.slice(0, max(0, len(part) - 1))))
        blank = np.asarray(pc.equal(pc.binary_length(part), 0))
        starts &= ~blank
        codes = np.cumsum(starts, dtype=np.int32)
        codes[blank] = 0
        values = part.filter(pa.array(starts)).cast(pa.large_string())
        return cls(codes, pa.concat_arrays([pa.array([""], pa.large_string()), values]))

    @classmethod
    def constant(cls, text: str, rows: int) -> Column:
        """Return a column that holds `text` in each of `rows` rows."""
        return cls(np.broadcast_to(np.int32(0), rows), pa.array([text], pa.large_string()))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> str:
        return str(self.values[int(self.codes[row])].as_py())

    @cached_property
    def distinct(self) -> list[str]:
        """The values to which the codes point, in order of the codes."""
        return list(self.values.to_pylist())

    @cached_property
    def is_blank(self) -> np.ndarray:
        """Which rows hold nothing but blanks."""
        trimmed = (pc.binary_length(pc.utf8_trim_whitespace(part)) for part in _blocks(self.values))
        return np.concatenate([np.asarray(pc.equal(lengths, 0)) for lengths in trimmed])[self.codes]

    def changes(self) -> np.ndarray:
        """Return which rows hold another value than the row above; the first row always does."""
        changed = np.ones(len(self), dtype=bool)
        changed[1:] = self.codes[1:] != self.codes[:-1]
        if len(self.values) <= _FEW and len(self.values.unique()) == len(self.values):
            return changed
        places = np.flatnonzero(changed)[1:]
        changed[places] = self._differ(self.codes[places - 1], self.codes[places])
        return changed

    def _differ(self, above: np.ndarray, here: np.ndarray) -> np.ndarray:
        """Return which pairs of codes stand for two texts; texts are compared where neither place nor length tells."""
        following = np.append(np.asarray(pc.not_equal(self.values[:-1], self.values[1:])), True)
        next_one = here == above + 1
        lengths = np.asarray(pc.binary_length(self.values))
        differ = np.where(next_one, following[above], lengths[above] != lengths[here])
        unsure = np.flatnonzero(~differ & ~next_one)
        one, other = (self.values.take(pa.array(codes[unsure])) for codes in (above, here))
        differ[unsure] = np.asarray(pc.not_equal(one, other))
        return differ

    def deduplicated(self) -> Column:
        """Return the same column with each of its values but once."""
        compact = self.compact()
        again = pc.dictionary_encode(compact.values)
        return Column(again.indices.to_numpy(zero_copy_only=False)[compact.codes], again.dictionary)

    def texts(self) -> pd.Series:
        """Return the column as a pandas ``str`` series; long stretches of one value share their memory."""
        if len(self.values) == 1:
            return same(self.distinct[0], len(self))
        blocks = []
        shared: dict[int, pa.Array] = {}
        for at in range(0, len(self), _SHARED):
            codes = self.codes[at : at + _SHARED]
            one = int(codes[0]) if len(codes) == _SHARED and (codes == codes[0]).all() else -1
            block = shared.get(one)
            blocks.append(self.values.take(pa.array(codes)) if block is None else block)
            if one >= 0:
                shared[one] = blocks[-1]
        return series(pa.chunked_array(blocks, pa.large_string()))

    def map(self, function: Callable[[str], Any]) -> np.ndarray:
        """Return ``function(value)`` for each row as objects, called once a distinct value."""
        return self.spread([function(value) for value in self.distinct])

    def spread(self, per_value: list[Any]) -> np.ndarray:
        """Return for each row, as objects, what `per_value` holds for its distinct value."""
        results = np.empty(len(per_value), dtype=object)
        results[:] = per_value
        return results[self.codes]

    def where(self, function: Callable[[str], bool]) -> np.ndarray:
        """Return which rows hold a value for which `function` is true."""
        return np.fromiter(map(function, self.distinct), bool, len(self.distinct))[self.codes]

    def recoded(self, function: Callable[[str], str]) -> Column:
        """Return the column of ``function(value)``."""
        parts = [pa.array(map(function, block.to_pylist()), pa.large_string()) for block in _blocks(self.values)]
        again = pa.concat_arrays(parts).dictionary_encode()
        return Column(again.indices.to_numpy(zero_copy_only=False)[self.codes], again.dictionary)

    def stripped(self) -> Column:
        """Return the column without blanks at the ends of its values, and with only the values that occur."""
        compact = self.compact()
        if all(pc.utf8_trim_whitespace(part).equals(part) for part in _blocks(compact.values)):
            return compact
        again = pc.utf8_trim_whitespace(compact.values).dictionary_encode()
        return Column(again.indices.to_numpy(zero_copy_only=False)[compact.codes], again.dictionary)

    def take(self, rows: np.ndarray) -> Column:
        """Return the column of these rows (positions or a mask)."""
        if len(self.values) == 1:
            count = int(rows.sum()) if rows.dtype == bool else len(rows)
            return Column(np.broadcast_to(np.int32(0), count), self.values)
        return Column(self.codes[rows], self.values)

    def compact(self) -> Column:
        """Return the same column with only the values that occur."""
        used = np.zeros(len(self.values), dtype=bool)
        used[self.codes] = True
        if not used.any():
            return Column(self.codes, self.values[:0])
        first, end = int(used.argmax()), len(used) - int(used[::-1].argmax())
        if used[first:end].all():
            return self if end - first == len(used) else Column(self.codes - np.int32(first), self.values[first:end])
        position = np.cumsum(used, dtype=np.int32) - 1
        return Column(position[self.codes], self.values.filter(pa.array(used)))

    def or_else(self, other: Column) -> Column:
        """Return this column, with the value of `other` in the rows where this one is blank."""
        blank = self.is_blank
        return self.placed(blank, other.take(blank).compact()) if blank.any() else self

    def placed(self, rows: np.ndarray, other: Column) -> Column:
        """Return this column with `other` in these rows (a mask), one value of it a row."""
        both = pa.concat_arrays([self.values, other.values]).dictionary_encode()  # noqa: PD011  # no frame's values
        mapping = both.indices.to_numpy(zero_copy_only=False)
        codes = mapping[self.codes]
        codes[rows] = mapping[other.codes + len(self.values)]
        return Column(codes, both.dictionary)


def _blocks(values: pa.Array) -> list[pa.Array]:
    """Return an array in parts of some size, so that what is made of each of them takes little room."""
    return [values.slice(at, _BLOCK) for at in range(0, max(1, len(values)), _BLOCK)]


def release() -> None:
    """Give the memory that was freed back to the system, so that what comes next takes the place of what went."""
    pa.default_memory_pool().release_unused()
    if _TRIM is not None:
        _TRIM(0)


def series(array: pa.Array | pa.ChunkedArray) -> pd.Series:
    """Return an Arrow text array as a pandas ``str`` series."""
    return pd.Series(pd.arrays.ArrowStringArray(array, dtype=pd.StringDtype(na_value=np.nan)))


def same(text: str, rows: int) -> pd.Series:
    """Return a ``str`` series of one text; its rows share their memory."""
    block = 65_536
    full, rest = divmod(rows, block)
    chunk = pa.array([text] * min(rows, block), pa.large_string())
    return series(pa.chunked_array([*[chunk] * full, chunk.slice(0, rest)], pa.large_string()))
