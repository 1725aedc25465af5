"""Frames of orders to Arrow tables and back: amounts as the text of their Decimal, times in UTC, texts as they are."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from wa_products import frames

if TYPE_CHECKING:
    from pathlib import Path

MONEY = {b"kind": b"money"}
_LARGEST_DICTIONARY = 1 << 26  # bytes: so that repeated texts stay codes, however many there are


def to_table(frame: pd.DataFrame) -> pa.Table:
    """Return `frame` as a table; object columns are amounts."""
    fields, arrays = [], []
    for name, values in frame.items():
        array = _array(values)
        arrays.append(array)
        fields.append(pa.field(str(name), array.type, metadata=MONEY if values.dtype == "object" else None))
    return pa.table(arrays, schema=pa.schema(fields))


def _array(values: pd.Series) -> pa.Array:
    if values.dtype == "object":
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    if values.dtype == frames.DTYPES["text"]:
        return pa.array(values, pa.string())
    return pa.array(values)


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return the frame that `to_table` was given; texts that some of the lines lack are blank."""
    columns = {field.name: _series(table.column(field.name), field) for field in table.schema}
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def _series(column: pa.ChunkedArray, field: pa.Field) -> pd.Series:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if (field.metadata or {}).get(b"kind") == MONEY[b"kind"]:
        return _amounts(column)
    if pa.types.is_string(column.type):
        return column.fill_null("").to_pandas().astype(frames.DTYPES["text"])
    if pa.types.is_timestamp(column.type):
        return column.to_pandas().astype(frames.DTYPES["time"])
    return column.to_pandas()


def _amounts(column: pa.ChunkedArray) -> pd.Series:
    codes, texts = pd.factorize(column.to_pandas())  # -1 where there is no amount
    different = np.array([*(Decimal(text) for text in texts), None], dtype=object)
    return pd.Series(different[codes], dtype="object")


def to_categories(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame whose texts are categories: codes, which cost next to nothing to make."""
    whole = table.unify_dictionaries().combine_chunks()
    columns = {
        name: pd.Series(whole.column(name).to_pandas())
        if not pa.types.is_dictionary(whole.column(name).type)
        else pd.Series(_categorical(whole.column(name)))
        for name in whole.column_names
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)


def _categorical(column: pa.ChunkedArray) -> pd.Categorical:
    if not column.num_chunks:
        return pd.Categorical([], categories=pd.Index([], dtype="str"))
    array = column.chunk(0)
    codes = array.indices.to_numpy(zero_copy_only=False)
    return pd.Categorical.from_codes(
        codes, categories=pd.Index(array.dictionary.to_pandas(), dtype="str"), validate=False
    )


def are_in(texts: pa.ChunkedArray, among: pa.Array) -> pa.ChunkedArray:
    """Return which of `texts` are `among` others; of texts that are coded, each different one is looked up once."""
    if not pa.types.is_dictionary(texts.type):
        return pc.is_in(texts, value_set=among)
    told = [pc.is_in(chunk.dictionary, value_set=among).take(chunk.indices) for chunk in texts.chunks]
    return pa.chunked_array(told, pa.bool_())


def trimmed(table: pa.Table) -> pa.Table:
    """Return a table whose coded texts know no text that none of its rows has."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            texts = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, texts.dictionary_encode())
    return table


def write(table: pa.Table, path: Path) -> None:
    """Write a table to one file, in one row group where that is not too many rows."""
    parquet.write_table(
        table, path, compression="zstd", row_group_size=1 << 21, dictionary_pagesize_limit=_LARGEST_DICTIONARY
    )


def read(path: Path, columns: list[str] | None = None, *, coded: bool = False) -> pa.Table:
    """Return these columns of a file; those it lacks are not there. With `coded`, texts are read as codes."""
    schema = parquet.read_schema(path)
    wanted = [name for name in (columns or schema.names) if name in schema.names]
    texts = [name for name in wanted if coded and pa.types.is_string(schema.field(name).type)]
    with parquet.ParquetFile(path, read_dictionary=texts, memory_map=True) as file:
        return file.read(wanted, use_threads=False)


def chosen(table: pa.Table, columns: list[str] | None, *, coded: bool) -> pa.Table:
    """Return these columns of a table as `read` gives them from a file."""
    some = table.select([name for name in (columns or table.column_names) if name in table.column_names])
    texts = [name for name in some.column_names if coded and pa.types.is_string(some.schema.field(name).type)]
    for name in texts:
        some = some.set_column(some.schema.get_field_index(name), name, some[name].dictionary_encode())
    return some


def rows(path: Path) -> int:
    """Return how many lines a file has."""
    return int(parquet.read_metadata(path).num_rows)
