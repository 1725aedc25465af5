"""
Where a table's header is and what separates its cells, told by which format the header fits.

Help rows, title rows and a ``sep=;`` line above the header need no rule of their own: the header is the row, under
some delimiter, that fits a known format best.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wa_products.exports.contract import Format

DELIMITERS = (",", ";", "\t", "|", "~")
_ROWS = 30
_FEWEST = 2
_SHOWN = 12


@dataclass(frozen=True)
class Header:
    """A header row: its names, delimiter, the physical lines up to and with it, the rows above, quoted twice or not."""

    names: tuple[str, ...]
    delimiter: str
    lines: int
    above: int
    unwrap: bool = False


def locate(head: str, formats: Sequence[Format], file: str) -> tuple[Header, Format]:
    """
    Return the header in the first text of a table and the format it fits best.

    Raises DataError that names the nearest format and the columns it misses where no format fits.
    """
    candidates = list(_candidates(head))
    best = max(
        ((form.score(header.names), header, form) for header in candidates for form in formats),
        key=lambda found: (found[0], -found[1].above),
        default=None,
    )
    if best is None or best[0] == 0:
        raise DataError(_unknown(candidates, formats, file))
    return best[1], best[2]


def _candidates(head: str) -> Iterator[Header]:
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        rows: list[list[str]] = []
        try:
            for cells in reader:
                if len(rows) == _ROWS:
                    break
                rows.append(cells)
                yield from _read_as(cells, delimiter, reader.line_num, len(rows) - 1)
        except csv.Error:
            continue


def _read_as(cells: list[str], delimiter: str, lines: int, above: int) -> Iterator[Header]:
    names = tuple(name.strip().lstrip("\ufeff") for name in cells)
    if len(names) >= _FEWEST:
        yield Header(names, delimiter, lines, above)
    filled = [cell for cell in cells if cell.strip()]
    if len(filled) == 1 and delimiter in filled[0]:
        inner = next(csv.reader([filled[0]], delimiter=delimiter), [])
        if len(inner) >= _FEWEST:
            yield Header(tuple(name.strip() for name in inner), delimiter, lines, above, unwrap=True)


def _unknown(candidates: list[Header], formats: Sequence[Format], file: str) -> str:
    scored = [
        (1 - len(form.missing(header.names)) / len(form.required), len(form.required), header, form)
        for header in candidates
        for form in formats
        if form.required
    ]
    share, _, header, form = max(scored, key=lambda found: found[:2], default=(0, 0, None, None))
    if header is None:
        return f"{file} is not a table: none of its first rows has two or more cells"
    if form is None or not share:
        shown = ", ".join(repr(name) for name in max(candidates, key=lambda c: len(c.names)).names[:_SHOWN])
        return f"{file} is of no known format: its first row has the columns {shown}"
    missing = ", ".join(repr(name) for name in form.missing(header.names))
    return f"{file} is of no known format: nearest is {form.name}, of which it lacks {missing}"
