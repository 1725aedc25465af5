"""Adding facts that may be there already: the same words for both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Table


def insert_new(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *keys: str
) -> set[tuple[Any, ...]]:
    """Insert what is not there yet, by any of the table's unique keys; return the `keys` of the rows that are new."""
    if not rows:
        return set()
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table).on_conflict_do_nothing().returning(*(table.c[key] for key in keys))
    return {tuple(row) for row in connection.execute(statement, list(rows))}
