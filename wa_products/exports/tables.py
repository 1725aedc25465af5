"""
A table of text: distinct-coded columns, the record number and physical line of each row.

`read` reads a table through the tolerant splitter, row by row, and notes what it had to set aside or mend.
`wa_products.exports.fast` reads clean large files to the very same table.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from wa_products.errors import DataError
from wa_products.exports.columns import Column
from wa_products.exports.names import normal, words
from wa_products.exports.records import quotes_are_data, split_records
from wa_products.exports.rows import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wa_products.exports.headers import Header
    from wa_products.exports.issues import Found
    from wa_products.exports.records import Record

_BLOCK = 65_536
_REPEATED = re.compile(r" \(\d+\)$")  # what `unique_names` adds
_TOTALS = frozenset(
    words(
        """
    total totals grand_total subtotal gesamt gesamtsumme summe totale totaal suma razem total_general
    итого всего toplam genel_toplam jumlah المجموع الاجمالي
    """
    )
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """Columns by their name in the file; `records` numbers the rows from 1, in file order."""

    file: str
    columns: Mapping[str, Column] = field(repr=False)
    records: np.ndarray = field(repr=False)
    find_lines: Callable[[], np.ndarray] = field(repr=False)

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def lines(self) -> np.ndarray:
        """The physical line on which each row starts, from 1."""
        return self.find_lines()

    def names(self, *accepted: str) -> list[str]:
        """Return the columns of the file that carry one of these names, in the order of `accepted`."""
        by_normal: dict[str, list[str]] = {}
        for name in self.columns:
            by_normal.setdefault(normal(_REPEATED.sub("", name)), []).append(name)
        return [name for key in dict.fromkeys(map(normal, accepted)) for name in by_normal.get(key, [])]

    def column(self, *accepted: str) -> Column:
        """
        Return the column with one of these names; where there is none, one of blanks.

        Raises DataError where two such columns disagree, since only the shop can know which one is meant.
        """
        found = [self.columns[name] for name in self.names(*accepted)]
        if not found:
            return Column.constant("", len(self))
        column = found[0]
        for other in found[1:]:
            self._agree(column, other, self.names(*accepted))
            column = column.or_else(other)
        return column

    def _agree(self, one: Column, other: Column, names: list[str]) -> None:
        both = ~one.is_blank & ~other.is_blank
        if (one.texts()[both] != other.texts()[both]).any():
            at = int(np.flatnonzero(both)[0])
            raise DataError(
                f"{self.file} has two columns for one field, {' and '.join(map(repr, names))}, that disagree "
                f"(as in record {self.records[at]}): remove the one that is not meant"
            )

    def keep(self, rows: np.ndarray) -> Table:
        """Return the table of these rows (a mask)."""
        if rows.all():
            return self
        columns = {name: column.take(rows).compact() for name, column in self.columns.items()}
        return Table(file=self.file, columns=columns, records=self.records[rows], find_lines=lambda: self.lines[rows])


def read_table(text: str, header: Header, wanted: frozenset[str] | None, found: Found) -> Table:
    """Read all of `text` under `header`; rows that cannot be read are set aside with their reason."""
    quoting = not quotes_are_data(io.StringIO(text), header.delimiter, header.lines, len(header.names))
    stream = split_records(text, header.delimiter, header.lines, unwrap=header.unwrap, quoting=quoting)
    return read_records(stream, header, wanted, found, cut=not text.endswith(("\n", "\r")))


def read_records(
    stream: Iterable[Record], header: Header, wanted: frozenset[str] | None, found: Found, *, cut: bool = False
) -> Table:
    """Return the table of the records below `header`. `cut`: the last one may have lost its end."""
    names = unique_names(header.names)
    places = chosen(names, wanted)
    order = list(range(len(names)))
    blocks: list[list[pa.DictionaryArray]] = [[] for _ in places]
    batch: list[list[str]] = []
    at: list[tuple[int, int]] = []
    for row in rows(stream, len(names), found, cut=cut):
        if again := _header_again(row.cells, header.names):
            order = again
            repeated_headers([row.number], [row.line], found)
            continue
        at.append((row.number, row.line))
        batch.append([row.cells[place] for place in order])
        if len(batch) == _BLOCK:
            _flush(batch, places, blocks)
            batch = []
    _flush(batch, places, blocks)
    columns = {names[place]: joined(parts) for place, parts in zip(places, blocks, strict=True)}
    placed = np.asarray(at, dtype="int64").reshape(-1, 2)
    table = Table(file=found.file, columns=columns, records=placed[:, 0], find_lines=lambda: placed[:, 1])
    return tidy(table, found)


def unique_names(names: Sequence[str]) -> list[str]:
    """Return the header names with each blank named by its place and each repetition numbered."""
    seen: Counter[str] = Counter()
    result = []
    for place, name in enumerate(names, 1):
        seen[name] += 1
        result.append(f"column {place}" if not name else name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


def chosen(names: Sequence[str], wanted: frozenset[str] | None) -> list[int]:
    """Return the places of the wanted columns; None wants all."""
    return [place for place, name in enumerate(names) if wanted is None or normal(_REPEATED.sub("", name)) in wanted]


def joined(parts: Sequence[pa.DictionaryArray]) -> Column:
    """Return the parts of a column as one."""
    return Column.encoded(pa.chunked_array(parts).unify_dictionaries().combine_chunks())


def repeated_headers(rows: Sequence[int], lines: Sequence[int] | None, found: Found) -> None:
    """Note the header rows met below the first, as in files that were joined."""
    found.set_aside += len(rows)
    found.add(
        "repeated_header",
        "info",
        rows=rows,
        lines=lines,
        action="row set aside",
        hint="the header stands here once more, as in joined files",
    )


def tidy(table: Table, found: Found) -> Table:
    """Return the table without blank rows and without a total at its foot."""
    blank = np.ones(len(table), dtype=bool)
    for column in table.columns.values():
        blank &= column.is_blank
        if not blank.any():
            break
    if blank.any():
        found.rows_in -= int(blank.sum())
        found.add(
            "blank_rows",
            "info",
            rows=table.records[blank][:1],
            lines=table.lines[blank][:1],
            values=[f"{int(blank.sum())} rows"],
            action="not counted as rows",
            hint="rows without content; the first is named",
        )
        table = table.keep(~blank)
    return _without_footer(table, found)


def _without_footer(table: Table, found: Found) -> Table:
    last = [column[len(table) - 1].strip() for column in table.columns.values()] if len(table) else []
    filled = [cell for cell in last if cell]
    if not filled or len(filled) * 2 > len(table.columns) or normal(filled[0]) not in _TOTALS:
        return table
    found.set_aside += 1
    found.add(
        "footer",
        "info",
        rows=table.records[-1:],
        lines=table.lines[-1:],
        values=filled[:1],
        action="row set aside",
        hint="a total at the foot of the table is no row of it",
    )
    return table.keep(np.arange(len(table)) < len(table) - 1)


def _header_again(cells: Sequence[str], names: Sequence[str]) -> list[int]:
    """Return the places of the header's columns where `cells` repeat it, in the same or another order; else []."""
    stripped = [cell.strip() for cell in cells]
    if stripped == list(names):
        return list(range(len(names)))
    if len(set(names)) == len(names) and sorted(stripped) == sorted(names):
        return [stripped.index(name) for name in names]
    return []


def _flush(batch: list[list[str]], places: Sequence[int], blocks: list[list[pa.DictionaryArray]]) -> None:
    for place, parts in zip(places, blocks, strict=True):
        parts.append(pa.array([cells[place] for cells in batch], pa.large_string()).dictionary_encode())
