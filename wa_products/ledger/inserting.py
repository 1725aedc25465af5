"""Adding facts that may be there already: the same words for both databases."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Table

PART = 500  # ids asked for in one statement
_INSERT = "INSERT INTO {} ({}) {} ON CONFLICT DO NOTHING"
_UNNEST = "SELECT * FROM unnest({})"


def insert_new(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *keys: str
) -> set[tuple[Any, ...]]:
    """Insert what is not there yet, by any of the table's unique keys; return the `keys` of the rows that are new."""
    if not rows:
        return set()
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table).on_conflict_do_nothing().returning(*(table.c[key] for key in keys))
    return {tuple(row) for row in connection.execute(statement, list(rows))}


def insert_many(connection: Connection, table: Table, names: tuple[str, ...], rows: Iterable[Sequence[Any]]) -> None:
    """Insert many rows of values in the order of `names`, passing over those that are there: many times faster."""
    if values := list(rows):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(_unnested(table, names), tuple(map(list, zip(*values, strict=True))))
        else:
            connection.exec_driver_sql(_marked(table, names), values)


def parts(ids: Sequence[Any]) -> list[list[Any]]:
    """Return `ids` in parts that one statement can ask for."""
    return [list(ids[start : start + PART]) for start in range(0, len(ids), PART)]


@lru_cache
def _marked(table: Table, names: tuple[str, ...]) -> str:
    return _INSERT.format(table.name, _listed(names), f"VALUES ({', '.join('?' * len(names))})")


@lru_cache
def _unnested(table: Table, names: tuple[str, ...]) -> str:
    """Return the statement that takes an array a column: PostgreSQL plans it once, not once a row."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    arrays = ", ".join(f"%s::{table.c[name].type.compile(dialect)}[]" for name in names)
    return _INSERT.format(table.name, _listed(names), _UNNEST.format(arrays))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)
