"""How a ledger is, without a change to it: not made, not climbed, only read."""

from __future__ import annotations

import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from wa_products.errors import SettingsError
from wa_products.ledger import opening, schema
from wa_products.ledger.migrations import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection

_COUNTED = {"campaigns": schema.PLANS, "messages": schema.INTENTS, "webhooks": schema.WEBHOOKS}


@dataclass(frozen=True)
class Health:
    """
    What there is to know of a ledger.

    `step` is that of its tables and `last_step` the one of this version; `size` is in bytes; `faults` are those of
    the database's own check, in its words; `counts` the rows of its main tables; `is_private` that nobody else can
    read the file.
    """

    step: int
    last_step: int
    size: int
    faults: tuple[str, ...]
    counts: dict[str, int]
    is_private: bool


def health(url: str) -> Health | None:
    """Return how the ledger at `url` is, None where there is none yet. Raises SettingsError where it cannot be read."""
    target = opening.target_of(url)
    name = target.render_as_string(hide_password=True)
    path = Path(target.database or "")
    in_file = target.get_backend_name() == "sqlite"
    if in_file:
        if target.database in (None, "", ":memory:") or not path.exists():
            return None
        target = target.set(database=f"file:{path.resolve()}", query={"mode": "ro", "uri": "true"})
    try:
        with _looking(target) as connection:
            tables = set(inspect(connection).get_table_names())
            if schema.RECORDS.name not in tables:
                if tables:
                    raise SettingsError(f"{name} is a database of something else: give the ledger one of its own")
                return None
            words = connection.scalars(text("PRAGMA quick_check")).all() if in_file else ["ok"]
            sized = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            size = connection.scalar(text(sized if in_file else "SELECT pg_database_size(current_database())"))
            counts = {
                name: connection.scalar(select(func.count()).select_from(table)) or 0
                for name, table in _COUNTED.items()
                if table.name in tables
            }
            step = connection.scalar(select(func.max(schema.RECORDS.c.number))) or 0
    except (DBAPIError, ModuleNotFoundError) as error:
        cause = (error.orig if isinstance(error, DBAPIError) else None) or error
        raise SettingsError(f"the ledger {name} cannot be read: {opening.line(cause)}") from None
    mode = path.stat().st_mode if in_file else 0
    faults = tuple(str(word) for word in words if word != "ok")
    private = not mode & (stat.S_IRWXG | stat.S_IRWXO)
    return Health(step, MIGRATIONS[-1].number, int(size or 0), faults, counts, private)


@contextmanager
def _looking(target: URL) -> Iterator[Connection]:
    """Connect to a database for a look, and leave nothing open."""
    engine = create_engine(target, hide_parameters=True)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
