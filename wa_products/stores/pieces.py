"""A table of orders cut into pieces that are tables of orders themselves: each with the header, no order in two."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from wa_products.errors import DataError
from wa_products.exports.fast import line_ends
from wa_products.exports.headers import locate
from wa_products.exports.readers import TABLES, head_of
from wa_products.exports.sources import kind_of, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wa_products.exports.headers import Header

_LOOKED_BACK = 10_000  # lines of one order at most
_QUOTE, _NEWLINE = ord('"'), ord("\n")


class Piece(NamedTuple):
    """Some records of a table, with its header; how many `records` they are, on how many `lines`."""

    content: bytes
    records: int
    lines: int


def header_of(path: Path) -> Header | None:
    """Return the header of a table of orders that can be cut: a plain file, each of its quotes round a whole cell."""
    source = next(opened(path), None)
    try:
        if source is None or source.path is None or kind_of(source) != "table":
            return None
        header, form = locate(head_of(source), TABLES, source.file)
    except DataError:
        return None
    cuttable = "orders" in form.readers and not header.unwrap and line_ends(path, header.delimiter) > 0
    return header if cuttable else None


def pieces(path: Path, header: Header, size: int) -> Iterator[Piece]:
    """
    Yield the table at `path` in pieces of about `size` bytes.

    A piece ends where the first cell of a record is another than that of the record before and not blank: exports that
    write an order on several rows begin each row with it.
    """
    with path.open("rb") as file:
        top = b"".join(file.readline() for _ in range(header.lines))
        rest = b""
        while data := file.read(size):
            data = rest + data
            starts = _starts(data)
            last = _cut(data, starts, header.delimiter.encode())
            if not last:
                rest = data
                continue
            end = int(starts[last])
            yield Piece(top + data[:end], last, data.count(b"\n", 0, end))
            rest = data[end:]
        if rest:
            yield Piece(top + rest, len(_starts(rest)) - rest.endswith(b"\n"), rest.count(b"\n"))


def _starts(data: bytes) -> np.ndarray:
    """Return where records start, the first at 0; the end is one more where a line ends there."""
    letters = np.frombuffer(data, dtype=np.uint8)
    ends, quotes = np.flatnonzero(letters == _NEWLINE), np.flatnonzero(letters == _QUOTE)
    return np.append(0, ends[np.searchsorted(quotes, ends) % 2 == 0] + 1)


def _cut(data: bytes, starts: np.ndarray, delimiter: bytes) -> int:
    """Return the last record that can begin the next piece, 0 where there is none."""
    known = len(starts) - 2  # the last record may be cut off, so that its first cell is not known
    for place in range(known, max(known - _LOOKED_BACK, 0), -1):
        own, before = (_first_cell(data, int(starts[at]), delimiter) for at in (place, place - 1))
        if own.strip(b'" ') and own != before:
            return place
    return 0


def _first_cell(data: bytes, start: int, delimiter: bytes) -> bytes:
    return data[start : data.find(b"\n", start)].split(delimiter, 1)[0]
