"""
Clean large tables through pyarrow, to the very table that the tolerant reader gives.

`line_ends` looks at each quote of the file: a closing one must stand before a delimiter or a line end, an opening one
after it. Where that holds, and the rows are as wide as the header, no reader could read the file in another way.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv

from wa_products.exports.columns import Column
from wa_products.exports.names import normal
from wa_products.exports.tables import Table, chosen, tidy, unique_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wa_products.exports.headers import Header
    from wa_products.exports.issues import Found

_READ = 1 << 21
_REPEATING = 4
_QUOTE, _NEWLINE, _RETURN = ord('"'), ord("\n"), ord("\r")
_TEXT = pa.dictionary(pa.int32(), pa.string())


class _Block(NamedTuple):
    data: np.ndarray
    quotes: np.ndarray
    inside: bool  # whether the block starts within quotes
    has_nul: bool
    line_ends: int


def line_ends(path: Path, delimiter: str) -> int:
    """Return the number of line ends of a file whose quotes each open or close a whole cell; 0 for any other file."""
    edges = np.zeros(256, dtype=bool)
    edges[[_QUOTE, _NEWLINE, _RETURN, ord(delimiter)]] = True
    inside, ends = False, 0
    for block in _blocks(path):
        opening, closing = block.quotes[block.inside :: 2], block.quotes[1 - block.inside :: 2]
        before = np.where(opening > 0, block.data[opening - 1], _NEWLINE)
        after = np.where(closing + 1 < len(block.data), block.data[(closing + 1) % len(block.data)], _NEWLINE)
        if block.has_nul or not (edges[before].all() and edges[after].all()):
            return 0
        inside = bool((len(block.quotes) + block.inside) % 2)
        ends += block.line_ends
    return 0 if inside else ends


def lines(path: Path, rows: int, first: int) -> np.ndarray:
    """Return the physical line of each of `rows` records; the first record starts on line `first`."""
    starts = [np.array([0], dtype="int64")]
    seen = 0
    for block in _blocks(path):
        ends = np.flatnonzero(block.data == _NEWLINE)
        outside = (np.searchsorted(block.quotes, ends) + block.inside) % 2 == 0
        starts.append(np.flatnonzero(outside) + seen + 1)
        seen += len(ends)
    every = np.concatenate(starts) + 1
    return every[every >= first][:rows]


def read_quickly(path: Path, header: Header, wanted: frozenset[str] | None, found: Found) -> Table | None:
    """Return the table of a clean file, or None where the tolerant reader must read it."""
    names = unique_names(header.names)
    here = [names[place] for place in chosen(names, wanted)]
    ends = line_ends(path, header.delimiter) if not header.unwrap and _ends_with_newline(path) else 0
    if not ends:
        return None
    try:
        columns = _columns(path, header, names, here, ends)
    except pa.ArrowInvalid:
        return None
    if _has_header_again(columns):
        return None
    rows = len(next(iter(columns.values())))
    records = np.arange(1, rows + 1, dtype="int64")
    found.rows_in += len(records)
    result = Table(
        file=found.file,
        columns=columns,
        records=records,
        find_lines=lambda: lines(path, rows, header.lines + 1),
    )
    return tidy(result, found)


def _columns(path: Path, header: Header, names: list[str], here: list[str], most: int) -> dict[str, Column]:
    """Return the columns `here` of at most `most` rows, coded by value where values repeat, else by runs."""
    kinds = dict.fromkeys(here, pa.string())
    with _opened(path, header, names, kinds) as sample:
        first = sample.read_next_batch()
    for name in here:
        if first.column(name).dictionary_encode().dictionary.nbytes * _REPEATING < first.column(name).nbytes:
            kinds[name] = _TEXT
    codes = {name: np.empty(most, dtype=np.int32) for name in here}
    values: dict[str, list[pa.Array]] = {name: [] for name in here}
    seen = dict.fromkeys(here, 0)
    rows = 0
    with _opened(path, header, names, kinds) as batches:
        for batch in batches:
            for name in here:
                part = batch.column(name)
                column = Column.encoded(part) if kinds[name] is _TEXT else Column.runs(part)
                codes[name][rows : rows + len(part)] = column.codes + np.int32(seen[name])
                seen[name] += len(column.values)
                values[name].append(column.values)
            rows += batch.num_rows
    return {name: _whole(codes.pop(name)[:rows], values.pop(name), kinds[name]) for name in here}


def _whole(codes: np.ndarray, parts: list[pa.Array], kind: pa.DataType) -> Column:
    column = Column(codes, pa.concat_arrays(parts))
    parts.clear()
    pa.default_memory_pool().release_unused()
    if kind is not _TEXT:
        return column
    again = column.values.dictionary_encode()
    mapping = again.indices.to_numpy(zero_copy_only=False)
    np.take(mapping, codes, out=codes)
    return Column(codes, again.dictionary)


def _opened(path: Path, header: Header, names: list[str], kinds: dict[str, pa.DataType]) -> csv.CSVStreamingReader:
    return csv.open_csv(
        path,
        read_options=csv.ReadOptions(skip_rows=header.lines, column_names=names, block_size=_READ),
        parse_options=csv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(column_types=kinds, include_columns=list(kinds), strings_can_be_null=False),
    )


def _has_header_again(columns: dict[str, Column]) -> bool:
    """Return whether some row may be the header once more: the tolerant reader then looks at each row."""
    names = {normal(name) for name in columns}
    first = next(iter(columns.values()), None)
    return first is not None and any(normal(value) in names for value in _short(first.values))


def _short(values: pa.Array) -> list[str]:
    longest = 64
    lengths = pa.compute.binary_length(values)
    letters = pa.compute.match_substring_regex(values, r"^\s*[^\d\s#+][^\d]*$")
    return list(values.filter(pa.compute.and_(pa.compute.less(lengths, longest), letters)).to_pylist())


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _blocks(path: Path) -> Iterator[_Block]:
    """Yield the file in blocks that end at a line end, each with the places of its quotes."""
    inside, rest = False, b""
    with path.open("rb") as file:
        file.seek(len(BOM_UTF8) if file.read(len(BOM_UTF8)) == BOM_UTF8 else 0)
        while data := file.read(_READ):
            end = data.rfind(b"\n") + 1
            whole, rest = (rest + data[:end], data[end:]) if end else (b"", rest + data)
            if whole:
                block = np.frombuffer(whole, dtype=np.uint8)
                quotes = np.flatnonzero(block == _QUOTE)
                yield _Block(block, quotes, inside, b"\0" in whole, whole.count(b"\n"))
                inside = bool((len(quotes) + inside) % 2)
    if rest:
        block = np.frombuffer(rest, dtype=np.uint8)
        yield _Block(block, np.flatnonzero(block == _QUOTE), inside, b"\0" in rest, rest.count(b"\n"))
