"""
Text to records, whatever happened to the file: quotes that never close, quotes inside cells, rows quoted twice.

The csv module reads strictly; where it cannot go on, the one physical line at fault is read leniently and marked,
and reading goes on with the next line. So one broken quote never swallows the rest of a file.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_QUOTED = re.compile(r'"(?:[^"]|"")*"')


class Record(NamedTuple):
    """One record: its first physical line (from 1), its cells, and ``""`` or what is wrong with its quotes."""

    line: int
    cells: list[str]
    fault: str = ""


class _Lines:
    """Physical lines that can be given back, so that reading starts again after a fault."""

    def __init__(self, text: str, skip: int) -> None:
        self.source = io.StringIO(text, newline="")
        self.waiting: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0
        self.at_end = False
        for _ in range(skip):
            next(self, None)
        self.taken.clear()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.waiting.popleft() if self.waiting else self.source.readline()
        if not line:
            self.at_end = True
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        return line

    def give_back(self) -> str:
        """Give back all but the first line of the record at fault; return that first line."""
        first, *others = self.taken
        self.waiting.extendleft(reversed(others))
        self.number -= len(others)
        self.at_end = False
        return first


def quotes_are_data(lines: Iterable[str], delimiter: str, skip: int, width: int) -> bool:
    r"""
    Return whether tab-separated text has no quoting, as Google writes it: a quote is then part of what it stands in.

    So it is where a cell starts with a quote and does not end with one, on a line that is as wide as the header.

    >>> [quotes_are_data(lines, "\t", 0, 2) for lines in (['"Best" tea\t1'], ['"Best', 'tea"\t1'])]
    [True, False]
    """
    if delimiter != "\t":
        return False
    found = False
    for number, line in enumerate(lines):
        if number < skip or '"' not in line:
            continue
        cells = line.rstrip("\r\n").split("\t")
        if any(cell.startswith('"') and not _QUOTED.fullmatch(cell) for cell in cells):
            if len(cells) != width:
                return False
            found = True
    return found


def split_records(
    text: str, delimiter: str, skip: int = 0, *, unwrap: bool = False, quoting: bool = True
) -> Iterator[Record]:
    """
    Yield the records of `text` after its first `skip` physical lines.

    Faults: ``unclosed quote``, ``stray quote`` (a quote inside a cell) and ``truncated`` (the text ends within
    quotes). `unwrap` reads the single cell of each record once more, for files whose rows were quoted twice. Without
    `quoting` a quote is a character as any.
    """
    lines = _Lines(text, skip)
    rule: Literal[0, 3] = csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=delimiter, strict=True, quoting=rule)
    cut = not text.endswith(("\n", "\r"))
    while True:
        lines.taken.clear()
        line = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            at_end, many = lines.at_end, len(lines.taken) > 1
            first = lines.give_back()
            reader = csv.reader(lines, delimiter=delimiter, strict=True, quoting=rule)
            fault = "truncated" if at_end and cut else "unclosed quote" if at_end or many else "stray quote"
            yield Record(line, lenient(first, delimiter), fault)
            continue
        yield Record(line, _again(cells, delimiter) if unwrap else cells)


def lenient(line: str, delimiter: str) -> list[str]:
    """
    Return the cells of one physical line; a quote closes only before a delimiter or the end of the line.

    >>> lenient('a,"15" screen",9.99', ",")
    ['a', '15" screen', '9.99']
    """
    rest = line.rstrip("\r\n")
    cells = []
    while True:
        end = _closing(rest, delimiter) if rest.startswith('"') else -1
        if end >= 0:
            cell, rest = rest[1:end].replace('""', '"'), rest[end + 1 :]
        else:
            at = rest.find(delimiter)
            cell, rest = (rest, "") if at < 0 else (rest[:at], rest[at:])
        cells.append(cell)
        if not rest:
            return cells
        rest = rest[1:]


def _closing(text: str, delimiter: str) -> int:
    at = text.find('"', 1)
    while at >= 0:
        if text[at + 1 : at + 2] == '"':
            at = text.find('"', at + 2)
        elif text[at + 1 : at + 2] in ("", delimiter):
            return at
        else:
            at = text.find('"', at + 1)
    return -1


def _again(cells: list[str], delimiter: str) -> list[str]:
    filled = [cell for cell in cells if cell.strip()]
    if len(filled) != 1:
        return cells
    return next(iter(csv.reader([filled[0]], delimiter=delimiter)), cells)
