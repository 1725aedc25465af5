"""
The rows that were set aside or have an error, as they stand in the file, with what is wrong with each beside it.

What comes out goes back to the shop: mended, it reads like the export it was taken from.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from wa_products import frames
from wa_products.errors import DataError
from wa_products.exports.headers import locate
from wa_products.exports.issues import ASIDE
from wa_products.exports.readers import TABLES, head_of, texts_of
from wa_products.exports.records import quotes_are_data, split_records
from wa_products.exports.sources import kind_of, opened
from wa_products.exports.texts import decode
from wa_products.exports.workbooks import sheets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

    import pandas as pd

    from wa_products.exports.sources import Source

ERRORS = "errors"
NAME = "rejected.csv"
_OWN = 0o600


class _Rows(NamedTuple):
    """A file, or a sheet of one, as rows of cells: its name, its header, and each row's number with its cells."""

    file: str
    header: list[str]
    rows: Iterator[tuple[int, Sequence[str]]]
    number: str = "row"  # what numbers them in the issues: record (row) or physical line


def write_rejected(
    source: str | PathLike[str], issues: pd.DataFrame, to: str | PathLike[str] | None = None
) -> list[Path]:
    """
    Write the rows of `source` that `issues` set aside or call an error to CSV; return the files written.

    `source` is the export that was read, or the folder that was loaded. Each row has its cells as they stand in the
    file, in the file's order, and in the last column, ``errors``, what is wrong. `to` is by default ``rejected.csv``
    beside the export; where `source` is a folder, or a workbook of several sheets, each table gets a file of its own,
    such as ``rejected-orders.csv``. Of JSON and XML, which are no tables, the line where the row stands is written.
    They hold what the export holds, so they are readable by their owner alone.
    """
    frames.require(issues, frames.ISSUES, "issues")
    root = Path(source)
    target = Path(to) if to is not None else (root if root.is_dir() else root.parent) / NAME
    wrong = _wrong(issues)
    names = [name for name in dict.fromkeys(wrong["file"]) if name]
    paths = {name: root / name.partition("/")[0] if root.is_dir() else root for name in names}
    tables = [table for path in dict.fromkeys(paths.values()) for table in _tables(path)]
    several = root.is_dir() or len(tables) > 1
    written: list[Path] = []
    for table in tables:
        said = _said(wrong[wrong["file"] == table.file], table.number)
        if said:
            path = _beside(target, table.file, written) if several else target
            _write(path, table, said)
            written.append(path)
    return written


def is_rejected(path: Path) -> bool:
    """Return whether a file is one that `write_rejected` wrote into the folder of the exports."""
    if path.suffix != ".csv" or not path.name.startswith("rejected"):
        return False
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        return next(csv.reader(file), [""])[-1] == ERRORS


def _wrong(issues: pd.DataFrame) -> pd.DataFrame:
    is_wrong = (issues["severity"] == "error") | issues["action"].str.startswith(ASIDE)
    return issues[is_wrong & (issues["line"] > 0)]


def _said(wrong: pd.DataFrame, number: str) -> dict[int, str]:
    """Return for each row, by its number, what is wrong with it in words."""
    sentences: dict[int, list[str]] = {}
    for issue in wrong.to_dict("records"):
        where = f" in {issue['column']}" if issue["column"] else ""
        sentences.setdefault(issue[number], []).append(f"{issue['code'].replace('_', ' ')}{where}: {issue['hint']}")
    return {at: "; ".join(dict.fromkeys(said)) for at, said in sentences.items()}


def _tables(path: Path) -> Iterator[_Rows]:
    for source in opened(path):
        shape = kind_of(source)
        if shape == "excel":
            yield from _of_workbook(source)
        elif shape == "parquet":
            yield _of_parquet(source)
        else:
            yield _of_text(source) if shape == "table" else _of_lines(source)


def _of_text(source: Source) -> _Rows:
    header, _ = locate(head_of(source), TABLES, source.file)
    text = decode(source.read()).text
    quoting = not quotes_are_data(io.StringIO(text), header.delimiter, header.lines, len(header.names))
    stream = split_records(text, header.delimiter, header.lines, unwrap=header.unwrap, quoting=quoting)
    return _Rows(source.file, list(header.names), enumerate((record.cells for record in stream), 1))


def _of_workbook(source: Source) -> Iterator[_Rows]:
    for sheet in sheets(source):
        try:
            header, _ = locate(sheet.head(), TABLES, sheet.file)
        except DataError:
            continue
        cells = (record.cells for record in sheet.records(header))
        yield _Rows(sheet.file, list(header.names), enumerate(cells, 1))


def _of_parquet(source: Source) -> _Rows:
    table = parquet.read_table(pa.BufferReader(source.read()))
    columns = [texts_of(column).to_pylist() for column in table.columns]
    return _Rows(source.file, table.column_names, enumerate(zip(*columns, strict=True), 1))


def _of_lines(source: Source) -> _Rows:
    """Return the physical lines of what is no table."""
    lines = decode(source.read()).text.split("\n")
    return _Rows(source.file, ["line"], ((number, [line]) for number, line in enumerate(lines, 1)), "line")


def _beside(target: Path, file: str, taken: Sequence[Path]) -> Path:
    stem = f"{target.stem}-{file.replace('/', '-') if '/' in file else Path(file).stem}"
    names = (f"{stem}{again}{target.suffix or '.csv'}" for again in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(path for path in map(target.with_name, names) if path not in taken)


def _write(path: Path, table: _Rows, said: dict[int, str]) -> None:
    again = len(table.header) - 1 if table.header[-1:] == [ERRORS] else None  # it was rejected before
    header = table.header[:again]
    rows = [(_without(cells, again), said[number]) for number, cells in table.rows if number in said]
    width = max([len(header), *(len(cells) for cells, _ in rows)])
    path.touch(mode=_OWN)
    path.chmod(_OWN)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, *[""] * (width - len(header)), ERRORS])
        writer.writerows([*cells, *[""] * (width - len(cells)), what] for cells, what in rows)


def _without(cells: Sequence[str], place: int | None) -> list[str]:
    return [cell for at, cell in enumerate(cells) if at != place]
