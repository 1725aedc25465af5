"""One file to canonical frames: unpack, recognise, read, account for each row."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from wa_products import frames
from wa_products.errors import DataError
from wa_products.exports.columns import Column, release
from wa_products.exports.fast import read_quickly
from wa_products.exports.formats import FORMATS
from wa_products.exports.headers import Header, locate
from wa_products.exports.issues import Found
from wa_products.exports.names import normal
from wa_products.exports.records import quotes_are_data
from wa_products.exports.sources import documents, first_document, kind_of, opened
from wa_products.exports.tables import Table, read_records, read_table, tidy
from wa_products.exports.texts import decode, encoding_of, mark_of, note_text
from wa_products.exports.workbooks import sheets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd

    from wa_products.exports.contract import Format, Kind, Options
    from wa_products.exports.sources import Source
    from wa_products.exports.workbooks import Sheet

FAST_FROM = 4_000_000
TABLES = [form for form in FORMATS if form.shape == "table"]
SHAPES = {"catalog": frames.CATALOG, "orders": frames.ORDERS, "inbound": frames.INBOUND}


class Part(NamedTuple):
    """What one file gave of one kind: a canonical frame and the issues of reading it."""

    kind: Kind
    frame: pd.DataFrame
    issues: pd.DataFrame
    found: Found


def read_file(path: Path, options: Options, kind: Kind | None = None) -> list[Part]:
    """
    Return what the file at `path` gives of `kind`, or of every kind where that is None.

    Raises DataError where the file is missing, of no known format, or of another kind than asked for.
    """
    return [part for source in opened(path) for part in _parts(source, options, kind)]


def lines_of(path: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield of each table in the file at `path` its name, the numbers of its records, and their physical lines."""
    for source in opened(path):
        for file, content in _contents(source):
            records, lines = _places(content)(True)  # a closure of one argument
            yield file, records, records if lines is None else lines


def _contents(source: Source) -> Iterator[tuple[str, Any]]:
    shape = kind_of(source)
    if shape != "excel":
        form, header = _recognised(source, shape)
        yield source.file, _content(source, shape, header, form, Found(source.file))
        return
    for sheet in sheets(source):
        with suppress(DataError):
            header, form = locate(sheet.head(), TABLES, sheet.file)
            yield sheet.file, _sheet(sheet, header, form, Found(sheet.file))


def _parts(source: Source, options: Options, kind: Kind | None) -> Iterator[Part]:
    shape = kind_of(source)
    if shape == "excel":
        yield from _of_workbook(source, options, kind)
        return
    form, header = _recognised(source, shape)
    for wanted in _kinds(form, kind, source.file):
        found = Found(source.file)
        yield _part(form, wanted, [_content(source, shape, header, form, found)], options, found)


def _of_workbook(source: Source, options: Options, kind: Kind | None) -> Iterator[Part]:
    """Yield what each sheet of a known format gives; the others are noted. Raises DataError where there is none."""
    fitting: list[tuple[Sheet, Header, Format]] = []
    others: dict[str, DataError] = {}
    for sheet in sheets(source):
        try:
            header, form = locate(sheet.head(), TABLES, sheet.file)
            _kinds(form, kind, sheet.file)
            fitting.append((sheet, header, form))
        except DataError as error:
            others[sheet.file] = error
    if not fitting:
        raise next(iter(others.values()))
    for sheet, header, form in fitting:
        for wanted in _kinds(form, kind, sheet.file):
            found = Found(sheet.file)
            _note_header(header, found)
            _note_sheets(others, found)
            yield _part(form, wanted, [_sheet(sheet, header, form, found)], options, found)
            others = {}


def _sheet(sheet: Sheet, header: Header, form: Format, found: Found) -> Table:
    table = read_records(sheet.records(header), header, form.wanted, found)
    if not len(table) and not found.rows_in:
        raise DataError(f"{sheet.file} has a header but no rows: export it again")
    return table


def _kinds(form: Format, kind: Kind | None, file: str) -> list[Kind]:
    if kind and kind not in form.readers:
        others = " or ".join(f"read_{other}" for other in form.readers)
        raise DataError(f"{file} is {form.name}, which gives no {kind}: use {others}")
    return [kind] if kind else list(form.readers)


def _content(source: Source, shape: str, header: Header | None, form: Format, found: Found) -> Any:  # noqa: ANN401  # table or documents
    if form.table is not None:
        return form.table(source, found)
    return documents(source, found) if shape == "json" else _table(source, shape, header, form, found)


def _part(form: Format, wanted: Kind, contents: list[Any], options: Options, found: Found) -> Part:
    """Return what the one item of `contents` gives; it is taken out, so that its columns can go when they are used."""
    placed = _places(contents[0])
    frame = form.readers[wanted](contents.pop(), options, found)
    release()
    return Part(wanted, frame, found.frame(*placed(found.needs_lines)), found)


def _places(content: Any) -> Callable[[bool], tuple[np.ndarray, np.ndarray | None]]:  # noqa: ANN401  # table or documents
    """Return what tells the records and lines of `content` later, without holding on to its columns."""
    if isinstance(content, Table):
        records, find_lines = content.records, content.find_lines
        return lambda wanted: (records, find_lines() if wanted else None)
    numbers = np.array([document.record for document in content], dtype="int64")
    starts = np.array([document.line for document in content], dtype="int64")
    return lambda _wanted: (numbers, starts)


def _recognised(source: Source, shape: str) -> tuple[Format, Header | None]:
    if shape in {"table", "parquet"}:
        text = head_of(source) if shape == "table" else _parquet_header(source)
        header, form = locate(text, TABLES, source.file)
        return form, header
    sample = first_document(source) if shape == "json" else decode(source.head).text
    for form in FORMATS:
        if form.shape == shape and form.recognise(sample):
            return form, None
    raise DataError(f"{source.file} is {shape.upper()} of no known format{_said(sample)}")


def _said(sample: object) -> str:
    return f": its first document has the keys {sorted(map(str, sample))[:12]}" if isinstance(sample, dict) else ""


def head_of(source: Source) -> str:
    """Return the first text of a table, up to a line end where that is not all of it."""
    text = decode(source.head).text
    whole = source.size <= len(source.head)
    return text if whole else text[: max(text.rfind("\n"), text.rfind("\r")) + 1]


def _table(source: Source, shape: str, header: Header | None, form: Format, found: Found) -> Table:
    if shape == "parquet":
        return _parquet(source, form, found)
    assert header is not None  # noqa: S101  # a table was recognised by its header
    quick = _quick(source, header, form, found)
    if quick is not None:
        return quick
    decoded = decode(source.read())
    note_text(decoded, found)
    _note_header(header, found)
    table = read_table(decoded.text, header, form.wanted, found)
    if not len(table) and not found.rows_in:
        raise DataError(f"{source.file} has a header but no rows: export it again")
    return table


def _quick(source: Source, header: Header, form: Format, found: Found) -> Table | None:
    if source.path is None or source.size < FAST_FROM:
        return None
    offset, mark = mark_of(source.head)
    plain = (mark == "utf-8" and offset == len(b"\xef\xbb\xbf")) or (
        not mark and encoding_of(source.head)[0] == "utf-8"
    )
    if not plain:
        return None
    with source.path.open(encoding="utf-8", errors="replace") as lines:
        if quotes_are_data(lines, header.delimiter, header.lines, len(header.names)):
            return None
    table = read_quickly(source.path, header, form.wanted, found)
    if table is not None:
        _note_header(header, found)
    return table


def _note_header(header: Header, found: Found) -> None:
    if header.above:
        hint = "help or title rows stand above the header"
        found.add("rows_above_header", "info", values=[str(header.above)], action="skipped", hint=hint)
    if header.unwrap:
        hint = "each whole row stands in quotes, as one cell"
        found.add("rows_quoted_twice", "warning", action="unpacked", hint=hint)
    names = [name for name in header.names if name]
    for name in sorted({name for name in names if names.count(name) > 1}):
        hint = "two columns have this name; the first is used unless they disagree"
        found.add("duplicate_column", "warning", column=name, action="numbered", hint=hint)


def _note_sheets(others: dict[str, DataError], found: Found) -> None:
    if others:
        names = [file.rpartition("/")[2] for file in others]
        hint = "these sheets hold no table of this kind"
        found.add("sheets_not_read", "info", values=[", ".join(names)], action="not read", hint=hint)


def _parquet_header(source: Source) -> str:
    try:
        names = parquet.read_schema(pa.BufferReader(source.read())).names
    except pa.ArrowInvalid as error:
        raise DataError(f"{source.file} is a damaged Parquet file: write it again") from error
    return "\t".join(name.replace("\t", " ") for name in names) + "\n"


def _parquet(source: Source, form: Format, found: Found) -> Table:
    read_in = parquet.read_table(pa.BufferReader(source.read()))
    names = [name for name in read_in.column_names if form.wanted is None or normal(name) in form.wanted]
    columns = {name: Column.of(texts_of(read_in.column(name))) for name in names}
    records = np.arange(1, read_in.num_rows + 1, dtype="int64")
    found.rows_in += len(records)
    table = Table(file=found.file, columns=columns, records=records, find_lines=lambda: records)
    return tidy(table, found)


def texts_of(column: pa.ChunkedArray) -> pa.Array:
    """Return a Parquet column as text: times in ISO with their offset, missing values as ``""``."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", tz="UTC" if column.type.tz else None), safe=False)
    if pa.types.is_floating(column.type):
        column = pa.compute.if_else(pa.compute.is_nan(column), pa.scalar(None, column.type), column)
        whole = pa.compute.equal(pa.compute.floor(column), column)
        if pa.compute.all(whole, skip_nulls=True).as_py():
            column = column.cast(pa.int64())
    if pa.types.is_nested(column.type):
        column = pa.chunked_array([[None if v is None else str(v) for v in column.to_pylist()]], pa.large_string())
    return column.cast(pa.large_string()).fill_null("").combine_chunks()
