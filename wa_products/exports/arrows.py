"""
Frames to Arrow tables that Parquet keeps well, and back to the very same frames.

Columns of few distinct texts become codes, a column of one text a word, an amount the text of its Decimal: `1.50`
stays `1.50`. Equal amounts share one object again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from wa_products import frames
from wa_products.exports.columns import same, series

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Said = dict[str, Any]  # of one column: its name, its kind, and for a column of one text that text
_PLAIN, _CODES, _ONE, _MONEY = "plain", "codes", "one", "money"
_SAMPLE, _REPEATING = 1 << 16, 4
_NUMBERS = ("int64", "float64", "bool")


class UncachedError(Exception):
    """A frame holds what is not kept: another kind of value or index than this package's frames have."""


def to_arrow(frame: pd.DataFrame) -> tuple[pa.Table, list[Said]]:
    """Return a frame as a table, and of each column what `from_arrow` needs to know. Raises UncachedError."""
    if not isinstance(frame.index, pd.RangeIndex) or not frame.index.equals(pd.RangeIndex(len(frame))):
        raise UncachedError
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    said: list[Said] = []
    for place, name in enumerate(frame.columns):
        if not isinstance(name, str):
            raise UncachedError
        kind, array = _column(frame[name])
        said.append({"name": name, "kind": kind})
        if kind == _ONE:
            said[-1]["text"] = array
        else:
            columns[str(place)] = array
    return pa.table(columns), said


def from_arrow(
    read: Callable[[str], pa.ChunkedArray], said: Sequence[Mapping[str, Any]], rows: int, each: Callable[..., Any] = map
) -> pd.DataFrame:
    """
    Return the frame that `to_arrow` was given; `read` gives a column of its table.

    `each` maps a function over the columns, in their order, perhaps several at a time.
    """

    def values(place: int, column: Mapping[str, Any]) -> pd.Series | np.ndarray:
        return same(column["text"], rows) if column["kind"] == _ONE else _values(read(str(place)), column, rows)

    made = each(values, range(len(said)), said)
    named = {column["name"]: found for column, found in zip(said, made, strict=True)}
    return pd.DataFrame(named, index=pd.RangeIndex(rows), copy=False)


def read_as_codes(said: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns of the table that are kept as codes."""
    return [str(place) for place, column in enumerate(said) if column["kind"] in {_CODES, _MONEY}]


def _column(values: pd.Series) -> tuple[str, Any]:
    """Return the kind of a column and what is kept of it: an array, or its only text."""
    if values.dtype == "object":
        return _MONEY, _amounts(values)
    if values.dtype == frames.DTYPES["time"]:
        return _PLAIN, pa.array(values.dt.tz_localize(None).to_numpy(), pa.timestamp("us"))
    if values.dtype != "str":
        if str(values.dtype) not in _NUMBERS:
            raise UncachedError
        return _PLAIN, pa.array(values.to_numpy())
    array = pa.chunked_array(_chunks(pa.array(values.array)), pa.large_string())
    if len(array) and not array.null_count and pc.all(pc.equal(array, array[0])).as_py():
        return _ONE, array[0].as_py()
    sample = array.slice(0, _SAMPLE)
    few = pc.count_distinct(sample).as_py() * _REPEATING < len(sample)
    return _CODES if few else _PLAIN, array


def _chunks(array: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    parts = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    return [part.cast(pa.large_string()) for part in parts]


def _amounts(values: pd.Series) -> pa.Array:
    """Return amounts as codes of their texts, looked at once an object: many rows share one."""
    objects = values.to_numpy()
    codes, numbers = pd.factorize(np.fromiter(map(id, objects), "int64", len(objects)))
    first = np.zeros(len(numbers), dtype="int64")
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    distinct = [objects[place] for place in first]
    if not all(amount is None or isinstance(amount, Decimal) for amount in distinct):
        raise UncachedError
    texts = pa.array([None if amount is None else str(amount) for amount in distinct], pa.large_string())
    return texts.take(pa.array(codes)).dictionary_encode()


def _values(column: pa.ChunkedArray, said: Mapping[str, Any], rows: int) -> pd.Series | np.ndarray:
    if said["kind"] == _MONEY:
        return _decimals(column, rows)
    if said["kind"] == _CODES:
        parts = [part.dictionary.cast(pa.large_string()).take(part.indices) for part in column.chunks]
        return series(pa.chunked_array(parts, pa.large_string()))
    if pa.types.is_large_string(column.type):
        return series(column)
    numbers = np.empty(rows, dtype=column.type.to_pandas_dtype())  # the caller's own, to be written to
    at = 0
    for part in column.chunks:
        numbers[at : at + len(part)] = part.to_numpy(zero_copy_only=False)
        at += len(part)
    return pd.Series(pd.DatetimeIndex(numbers).tz_localize("UTC")) if pa.types.is_timestamp(column.type) else numbers


def _decimals(column: pa.ChunkedArray, rows: int) -> np.ndarray:
    amounts: dict[str | None, Decimal | None] = {None: None}
    result = np.empty(rows, dtype=object)
    at = 0
    for part in column.chunks:
        texts = part.dictionary.to_pylist()
        for text in texts:
            amounts.setdefault(text, Decimal(text))
        shared = np.empty(len(texts) + 1, dtype=object)
        shared[:] = [*(amounts[text] for text in texts), None]
        codes = part.indices.fill_null(len(texts)).to_numpy()
        result[at : at + len(codes)] = shared[codes]
        at += len(codes)
    return result
