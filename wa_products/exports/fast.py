"""
Clean large tables through pyarrow, to the very table that the tolerant reader gives.

`line_ends` looks at each quote of the file: a closing one must stand before a delimiter or a line end, an opening one
after it. Where that holds, and the rows are as wide as the header, no reader could read the file in another way.

The file passes through in blocks, and what is kept of them is codes and the values that they point to: the table as
text is never there as a whole.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv

from wa_products.exports.columns import Column, release
from wa_products.exports.names import normal
from wa_products.exports.tables import Table, chosen, tidy, unique_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from wa_products.exports.headers import Header
    from wa_products.exports.issues import Found

_READ = 1 << 20
_LOOKED_AT = 1 << 18
_ROWS = 100_000
_SAMPLE = 8
_REPEATING = 4
_QUOTE, _NEWLINE, _RETURN = ord('"'), ord("\n"), ord("\r")
_TEXT = pa.dictionary(pa.int32(), pa.string())


class _Block(NamedTuple):
    data: np.ndarray
    quotes: np.ndarray
    inside: bool  # whether the block starts within quotes
    plain: bool  # neither NULs nor carriage returns that end no line


def line_ends(path: Path, delimiter: str) -> int:
    """
    Return the number of line ends of a file whose quotes each open or close a whole cell; 0 for any other file.

    A file with NULs, or with carriage returns that end no line, is such another file.
    """
    edges = np.zeros(256, dtype=bool)
    edges[[_QUOTE, _NEWLINE, _RETURN, ord(delimiter)]] = True
    inside, ends = False, 0
    for block in _blocks(path):
        opening, closing = block.quotes[block.inside :: 2], block.quotes[1 - block.inside :: 2]
        before = np.where(opening > 0, block.data[opening - 1], _NEWLINE)
        after = np.where(closing + 1 < len(block.data), block.data[(closing + 1) % len(block.data)], _NEWLINE)
        if not (block.plain and edges[before].all() and edges[after].all()):
            return 0
        inside = bool((len(block.quotes) + block.inside) % 2)
        ends += int(np.count_nonzero(block.data == _NEWLINE))
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
    found.rows_in += rows
    one_line_each = rows == ends - header.lines
    result = Table(
        file=found.file,
        columns=columns,
        records=records,
        find_lines=lambda: records + header.lines if one_line_each else lines(path, rows, header.lines + 1),
    )
    return tidy(result, found)


def _columns(path: Path, header: Header, names: list[str], here: list[str], most: int) -> dict[str, Column]:
    """Return the columns `here` of at most `most` rows, coded by value where values repeat, else by runs."""
    kinds = dict.fromkeys(here, pa.string())
    with _opened(path, header, names, kinds) as batches:
        first = pa.Table.from_batches(list(islice(batches, _SAMPLE)))
    for name in here:
        sample = first.column(name).combine_chunks()
        if sample.dictionary_encode().dictionary.nbytes * _REPEATING < sample.nbytes:
            kinds[name] = _TEXT
    growing = {name: _Growing(np.empty(most, dtype=np.int32)) for name in here}
    with _opened(path, header, names, kinds) as batches:
        for part in _parts(batches):
            for name in here:
                growing[name].add(part.column(name))
    return {name: growing.pop(name).whole() for name in here}


class _Growing:
    """A column that grows at its end: the codes so far, and the values to which they point, part by part."""

    def __init__(self, codes: np.ndarray) -> None:
        self.codes, self.rows = codes, 0
        self.values: list[pa.Array] = []
        self.seen = 0
        self.repeats = False

    def add(self, part: pa.ChunkedArray) -> None:
        self.repeats = pa.types.is_dictionary(part.type)
        if self.repeats:
            column = Column.encoded(part.unify_dictionaries().combine_chunks())
        else:
            column = Column.runs(part.combine_chunks())
        end, known = self.rows + len(part), int(self.seen > 0 and not self.repeats)  # of runs, the blank one is known
        np.add(column.codes, np.int32(self.seen - known), out=self.codes[self.rows : end])
        if known:
            self.codes[self.rows : end][column.codes == 0] = 0
        self.rows = end
        self.seen += len(column.values) - known
        self.values.append(column.values[known:])

    def whole(self) -> Column:
        codes, values = self.codes[: self.rows], pa.concat_arrays(self.values)
        self.values.clear()
        release()
        if self.repeats:
            again = values.dictionary_encode()
            np.take(again.indices.to_numpy(zero_copy_only=False), codes, out=codes, mode="clip")
            values = again.dictionary
        return Column(codes, values)


def _parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield the batches, as many at once as make a part of some size."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= _ROWS:
            yield pa.Table.from_batches(waiting)
            waiting.clear()
    if waiting:
        yield pa.Table.from_batches(waiting)


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
        while data := file.read(_LOOKED_AT):
            end = data.rfind(b"\n") + 1
            whole, rest = (rest + data[:end], data[end:]) if end else (b"", rest + data)
            if whole:
                block = _block(whole, inside=inside)
                yield block
                inside = bool((len(block.quotes) + inside) % 2)
    if rest:
        yield _block(rest, inside=inside)


def _block(data: bytes, *, inside: bool) -> _Block:
    letters = np.frombuffer(data, dtype=np.uint8)
    plain = b"\0" not in data and (b"\r" not in data or data.count(b"\r") == data.count(b"\r\n"))
    return _Block(letters, np.flatnonzero(letters == _QUOTE), inside, plain)
