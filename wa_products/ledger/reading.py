"""
Millions of facts out of the ledger without a Python object for each: query results as Arrow tables and as frames.

PostgreSQL is read over a connection of Arrow's own, a file of SQLite by `pump`; a few rows, or what is in memory, row
by row.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_manager import Error
from sqlalchemy import Text, cast, func, literal, select, text
from sqlalchemy.dialects import postgresql, sqlite

from wa_products.errors import LedgerError
from wa_products.ledger.schema import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import ColumnElement, Connection, Select, TextualSelect

    from wa_products.ledger.people import People

    Query = Select[Any] | TextualSelect

LARGE = 200_000  # values: fewer are read before another process has begun
# How PostgreSQL plans what the ledger asks. To compile a query takes a fifth of a second, more than most run here. What
# is looked up by id lies in memory or on no spinning disk; else it thinks a campaign's ids dearer than all there are.
PLANNING = ("SET jit = off", "SET random_page_cost = 1.1")
PUMP = Path(__file__).with_name("pump.py")
_TYPES: dict[type, pa.DataType] = {str: pa.large_string(), int: pa.int64(), float: pa.float64(), bytes: pa.binary()}
_LISTED = {
    "sqlite": "SELECT value AS id FROM json_each(:ids)",
    "postgresql": "SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)) AS id",
}
_SQLITE = sqlite.dialect()
_POSTGRESQL = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


def read(connection: Connection, *queries: Query, rows: int) -> list[pa.Table]:
    """
    Return what each query finds, each column of the type that the tables say; missing only where they allow it.

    `rows` is about how many each finds, which decides in which way they are read.

    Only what is committed is surely seen. Raises LedgerError where the database fails.
    """
    url = connection.engine.url
    is_large = rows * sum(len(query.selected_columns) for query in queries) >= LARGE
    if url.get_backend_name() == "postgresql" and is_large:
        found = _by_arrow(url.set(drivername="postgresql").render_as_string(hide_password=False), queries)
    elif url.database and url.database != ":memory:" and is_large:
        found = _by_pump(url.database, queries)
    else:
        return [read_few(connection, query) for query in queries]
    try:
        return [table.cast(_shape(query)) for table, query in zip(found, queries, strict=True)]
    except (Error, pa.ArrowException) as error:
        words = " ".join(str(error).split())
        raise LedgerError(f"the ledger {url.render_as_string(hide_password=True)} cannot be read: {words}") from None


def read_few(connection: Connection, query: Query) -> pa.Table:
    """Return what `read` returns of one query, row by row, over the ledger's own connection."""
    shape = _shape(query)
    rows = connection.execute(query).all()
    columns = zip(*rows, strict=True) if rows else [[]] * len(shape)
    return pa.table([pa.array(list(each), field.type) for each, field in zip(columns, shape, strict=True)], shape)


def among(connection: Connection, ids: Iterable[str]) -> Select[Any]:
    """Return the query for some ids, however many, to look for them; each once."""
    words = literal(json.dumps(list(dict.fromkeys(ids))), Text)
    if connection.dialect.name == "postgresql":
        return select(func.jsonb_array_elements_text(cast(words, postgresql.JSONB)).column_valued("id"))
    return select(func.json_each(words).table_valued("value").c.value)


def asking(connection: Connection, words: str, ids: Iterable[str], *columns: ColumnElement[Any]) -> TextualSelect:
    """Return the query for `columns` that `words` say, where ``{0}`` stands for some ids, however many."""
    said = text(words.format(_LISTED[connection.dialect.name]))
    return said.bindparams(ids=json.dumps(list(ids))).columns(*columns)


def _by_arrow(uri: str, queries: tuple[Query, ...]) -> Iterator[pa.Table]:
    from adbc_driver_postgresql.dbapi import connect  # noqa: PLC0415  # of the extra `postgres`

    with closing(connect(uri)) as connection:
        with closing(connection.cursor()) as cursor:
            for words in PLANNING:
                cursor.execute(words)
        for query in queries:
            with closing(connection.cursor()) as cursor:
                words, values = _said(query, _POSTGRESQL)
                cursor.execute(words, values or None)
                yield cursor.fetch_arrow_table()


def _by_pump(path: str, queries: tuple[Query, ...]) -> Iterator[pa.Table]:
    """Yield what `pump` reads. Its errors go to where ours go."""
    asked = {"path": path, "queries": [_said(query, _SQLITE) for query in queries]}
    command = [sys.executable, "-P", str(PUMP)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pump:  # noqa: S603  # our own
        pump.stdin.write(json.dumps(asked).encode())  # type: ignore[union-attr]  # it is a pipe
        pump.stdin.close()  # type: ignore[union-attr]
        for _ in queries:
            with pa.ipc.open_stream(pump.stdout) as stream:
                yield stream.read_all()


def _said(query: Query, dialect: Any) -> tuple[str, list[Any]]:  # noqa: ANN401  # SQLAlchemy's, of either base
    words = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return str(words), [words.params[name] for name in words.positiontup or ()]


def _shape(query: Query) -> pa.Schema:
    return pa.schema([(column.name, _TYPES[column.type.python_type]) for column in query.selected_columns])


def frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame: text as text, ``""`` where it is missing."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_large_string(column.type):
            whole = pc.fill_null(column, "") if column.null_count else column
            columns[name] = pd.Series(pd.array(whole, dtype="str"), copy=False)
        else:
            columns[name] = pd.Series(column.to_numpy(), copy=False)
    return pd.DataFrame(columns, copy=False)


def numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Return whole numbers, 0 where one is missing."""
    return pc.fill_null(column, 0).to_numpy()


def moments(column: pa.ChunkedArray) -> pd.Series:
    """Return the times of microseconds, missing for 0."""
    return times(pd.Series(numbers(column), copy=False))


def places(ids: pa.ChunkedArray, among: pa.ChunkedArray) -> np.ndarray:
    """Return where each of `ids` stands first in `among`, -1 where it does not."""
    if not len(ids):
        return np.empty(0, "int64")
    return pc.fill_null(pc.index_in(ids, value_set=among.combine_chunks()), -1).to_numpy().astype("int64")


def last(of: np.ndarray, rank: np.ndarray, size: int) -> np.ndarray:
    """Return for each of `size` the fact of the highest rank that is `of` it, -1 where none is."""
    best = np.full(size, np.iinfo("int64").min)
    known = of >= 0
    np.maximum.at(best, of[known], rank[known])
    found = np.full(size, -1)
    chosen = np.flatnonzero(known)
    chosen = chosen[rank[chosen] == best[of[chosen]]]
    found[of[chosen]] = chosen
    return found


def picked(column: pa.ChunkedArray, at: np.ndarray) -> pa.ChunkedArray:
    """Return the values of `column` at these places, missing at -1."""
    return column.take(pa.array(at, mask=at < 0))


def headed(ids: pa.ChunkedArray, people: People) -> pa.ChunkedArray:
    """Return the one id of each customer."""
    if not people:
        return ids
    known, heads = people.table.columns
    at = places(ids, known)
    return pc.coalesce(picked(heads, at), ids)
