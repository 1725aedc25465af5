"""
Records to rows as wide as the header: what is ragged is mended where that is safe, else set aside.

Too many cells mean that the cells are shifted: an id, a price or a phone would be another's. Too few are usually
blanks at the end that a spreadsheet left out, unless two neighbours together make one row: then a line break tore it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wa_products.exports.issues import Found
    from wa_products.exports.records import Record

_ASIDE = "row set aside"
_HINTS = {
    "truncated": "the file ends in the middle of this row: export it again",
    "unclosed_quote": "a cell that starts on this line has no closing quote",
    "stray_quote": "double the quotes inside a quoted cell",
    "too_many_cells": "quote cells that hold the delimiter",
    "broken_row": "a line break inside an unquoted cell tore this row in two",
    "short_row": "this row has fewer cells than the header",
}


class Row(NamedTuple):
    """One row: its record number and physical line, both from 1, and as many cells as the header has."""

    number: int
    line: int
    cells: list[str]


def rows(stream: Iterable[Record], width: int, found: Found, *, cut: bool) -> Iterator[Row]:
    """Yield the rows of `stream` that can be read; note the others. `cut`: the text does not end with a line end."""
    held: tuple[int, Record] | None = None
    blank: list[Row] = []
    before = number = 0
    for record in stream:
        number += 1
        size = len(record.cells)
        if size <= 1 < width and not record.fault:
            found.rows_in += 1
            if "".join(record.cells).strip():
                _aside("short_row", number, record, found)
            else:
                blank.append(Row(number, record.line, [""] * width))
            continue
        if held:
            yield from _judged(*held, width, (before, size), found, cut=False)
            before = len(held[1].cells)
        yield from blank
        blank.clear()
        held = number, record
    if held:
        yield from _judged(*held, width, (before, 0), found, cut=cut)
    yield from blank


def _judged(
    number: int, record: Record, width: int, neighbours: tuple[int, int], found: Found, *, cut: bool
) -> Iterator[Row]:
    found.rows_in += 1
    cells, size = record.cells, len(record.cells)
    extra = [cell for cell in cells[width:] if cell.strip()]
    code = record.fault.replace(" ", "_")
    if extra and not code:
        code = "too_many_cells"
    elif size < width and not code:
        torn = any(size + other == width + 1 for other in neighbours if 0 < other < width)
        code = "truncated" if cut else "broken_row" if torn else "short_row"
    if code in {"truncated", "too_many_cells", "broken_row"} or (code.endswith("quote") and size != width):
        _aside(code, number, record, found)
        return
    if code:
        _note(code, number, record, found)
    elif cut:
        found.add(
            "no_line_end",
            "info",
            rows=[number],
            lines=[record.line],
            column="",
            values=[cells[-1]],
            action="row kept",
            hint="the file does not end with a line end: its last cell may be cut short",
        )
    yield Row(number, record.line, (cells + [""] * (width - size))[:width])


def _aside(code: str, number: int, record: Record, found: Found) -> None:
    found.set_aside += 1
    shown = " | ".join(record.cells)
    found.add(code, "error", rows=[number], lines=[record.line], values=[shown], action=_ASIDE, hint=_HINTS[code])


def _note(code: str, number: int, record: Record, found: Found) -> None:
    hint, shown = _HINTS[code], " | ".join(record.cells)
    found.add(code, "warning", rows=[number], lines=[record.line], values=[shown], action="row kept", hint=hint)
