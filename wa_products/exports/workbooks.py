"""
Excel workbooks as rows of text, one list a sheet: what a cell shows, without what Excel did to it.

A whole number is written without a decimal point; one of 16 digits or more, whose end Excel lost, the way Excel shows
it (``1.23456789012346E+15``), so that it is refused as an id. Dates come as ISO. Cells merged downwards all hold the
value of the first.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from wa_products.errors import DataError
from wa_products.exports.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wa_products.exports.headers import Header
    from wa_products.exports.sources import Source

_INSTALL = "pip install 'wa-products[excel]'"
_HEAD = 60
_EXACT = 10**15
_DELIMITER = "\t"


@dataclass(frozen=True, eq=False)
class Sheet:
    """One sheet: the name of its file with its own, and its rows; row ``i`` of the list is row ``i + 1`` in Excel."""

    file: str
    rows: list[list[str]] = field(repr=False)

    def head(self) -> str:
        """Return the first rows as tab-separated text, one record a row."""
        written = io.StringIO()
        csv.writer(written, delimiter=_DELIMITER, lineterminator="\n").writerows(self.rows[:_HEAD])
        return written.getvalue()

    def records(self, header: Header) -> Iterator[Record]:
        """Yield the rows below `header`; where it stood in one cell, each row's first cell is split as it was."""
        whole = header.delimiter == _DELIMITER and not header.unwrap
        for number, cells in enumerate(self.rows[header.above + 1 :], header.above + 2):
            if not any(cells):
                continue
            split = cells if whole else next(csv.reader([_first(cells)], delimiter=header.delimiter), [])
            yield Record(number, split)


def sheets(source: Source) -> list[Sheet]:
    """
    Return the visible sheets that hold anything.

    Raises DataError where python-calamine is not installed, the workbook has a password or cannot be read.
    """
    if b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e" in source.read():
        raise DataError(f"{source.file} has a password: save it without one, or save the sheet as CSV (UTF-8)")
    try:
        import python_calamine as calamine  # noqa: PLC0415  # an optional library
    except ImportError as error:
        raise DataError(
            f"{source.file} is an Excel workbook, which python-calamine reads: {_INSTALL}, or save the sheet as CSV"
        ) from error
    try:
        with calamine.CalamineWorkbook.from_object(io.BytesIO(source.read())) as book:
            shown = [sheet.name for sheet in book.sheets_metadata if sheet.visible == calamine.SheetVisibleEnum.Visible]
            read = [Sheet(f"{source.file}/{name}", _rows(book.get_sheet_by_name(name))) for name in shown]
    except calamine.PasswordError as error:
        raise DataError(f"{source.file} has a password: save it without one, or save the sheet as CSV") from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise DataError(f"{source.file} is no workbook that can be read ({error}): save the sheet as CSV") from error
    filled = [sheet for sheet in read if sheet.rows]
    if not filled:
        raise DataError(f"{source.file} is an empty workbook: export it again")
    return filled


def _rows(sheet: Any) -> list[list[str]]:  # noqa: ANN401  # a sheet of the optional library
    rows = [[_text(cell) for cell in cells] for cells in sheet.to_python(skip_empty_area=False)]
    merged = getattr(sheet, "merged_cell_ranges", None)  # older versions do not tell
    for (top, left), (bottom, right) in merged or ():
        if left == right:
            for row in rows[top + 1 : bottom + 1]:
                row[left] = rows[top][left]
    return rows if any(any(cells) for cells in rows) else []


def _first(cells: list[str]) -> str:
    return next((cell for cell in cells if cell), "")


def _text(cell: object) -> str:
    """
    Return what a cell shows.

    >>> _text(42.0), _text(0.1 + 0.2), _text(1234567890123456.0), _text(dt.datetime(2026, 11, 1))
    ('42', '0.3', '1.23456789012346E+15', '2026-11-01')
    """
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float | int):
        return _number(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ") if cell.time() != dt.time() else cell.date().isoformat()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def _number(value: float) -> str:
    if abs(value) >= _EXACT:
        return f"{value:.14E}"
    if value == int(value):
        return str(int(value))
    return f"{Decimal(f'{value:.15g}'):f}"
