"""Opening a ledger: the engine for either database, the file readable by its owner alone, the tables up to date."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import StaticPool, create_engine, event, func, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from wa_products.errors import LedgerError, SettingsError
from wa_products.ledger.migrations import MIGRATIONS, Migration
from wa_products.ledger.reading import PLANNING
from wa_products.ledger.schema import METADATA, RECORDS, micros

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.engine import ExceptionContext

CACHE, LOG_PAGES = 128 << 20, 16_000
PATIENCE = 60  # seconds to wait for other writers of a file
LOCK = 7_270_114  # PostgreSQL's advisory lock of whoever brings the tables up to date


def engine(url: str) -> Engine:
    """Return the engine of the ledger at `url`, its tables ready. Raises SettingsError in words where it cannot be."""
    target = target_of(url)
    name = target.render_as_string(hide_password=True)
    try:
        made = _sqlite(target) if target.get_backend_name() == "sqlite" else _postgresql(target)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"the ledger {name} needs the package {error.name}: pip install 'wa-products[postgres]'"
        ) from error
    try:
        with writing(made) as connection:
            lock(connection, LOCK)
            _bring_up_to_date(connection, name)
        if target.get_backend_name() == "sqlite":
            _write_ahead(made)
    except DBAPIError as error:
        made.dispose()
        raise SettingsError(f"the ledger {name} cannot be opened: {_words(error)}") from None
    except SettingsError:
        made.dispose()
        raise
    event.listen(made, "handle_error", partial(_tell, name))
    return made


def writing(made: Engine) -> Any:  # noqa: ANN401  # a context manager of SQLAlchemy's without a public name
    """Begin a transaction that writes; on SQLite it waits for other writers at its start, not in its middle."""
    return made.execution_options(wa_writes=True).begin()


def lock(connection: Connection, key: int) -> None:
    """Wait for our turn among writers that share `key`, until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def target_of(url: str) -> URL:
    """Return what the URL of a ledger points to. Raises SettingsError where that is no database of ours."""
    try:
        target = make_url(url)
    except ArgumentError:
        target = None
    backend = target.get_backend_name() if target else ""
    if target is None or backend not in ("sqlite", "postgresql", "postgres"):
        raise SettingsError("the ledger is a URL such as sqlite:///ledger.db or postgresql://user@host/name")
    return target if backend == "sqlite" or "+" in target.drivername else target.set(drivername="postgresql+psycopg")


def _sqlite(target: URL) -> Engine:
    path = target.database or ":memory:"
    in_memory = path == ":memory:"
    if not in_memory:
        _make_private(Path(path))
    options: dict[str, Any] = {"poolclass": StaticPool} if in_memory else {}
    made = _create(target, connect_args={"timeout": PATIENCE, "check_same_thread": False}, **options)

    @event.listens_for(made, "connect")
    def _connected(connection: Any, _record: object) -> None:  # noqa: ANN401  # sqlite3's own
        # Python's implicit BEGIN would start to read and fail at once when it must wait to write.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=FULL")  # NORMAL may forget the last intents when the power goes
        # Ids come in no order, so that every commit touches pages all over: keep them, and write each home but now
        # and then.
        cursor.execute(f"PRAGMA cache_size=-{CACHE // 1024}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
        cursor.close()

    @event.listens_for(made, "begin")
    def _begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("wa_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return made


def _postgresql(target: URL) -> Engine:
    made = _create(target, pool_pre_ping=True)

    @event.listens_for(made, "connect")
    def _connected(connection: Any, _record: object) -> None:  # noqa: ANN401  # psycopg's own
        for words in PLANNING:
            connection.execute(words)
        connection.commit()

    return made


def _create(target: URL, **options: Any) -> Engine:  # noqa: ANN401  # SQLAlchemy's own
    return create_engine(target, hide_parameters=True, **options)  # among them are addresses


def _tell(name: str, context: ExceptionContext) -> None:
    """Say in words what broke in the database, where that is not a fault of the statement."""
    error = context.original_exception
    broke = context.is_disconnect or isinstance(context.sqlalchemy_exception, OperationalError)
    is_interrupt = not isinstance(error, Exception)  # which SQLAlchemy, too, takes for a lost connection
    if broke and not is_interrupt and not context.is_pre_ping:
        raise LedgerError(
            f"the ledger {name} failed: {line(error)}. Mend it, then run again to go on; "
            f"what was not written down is unknown until its webhook comes"
        ) from None


def _write_ahead(made: Engine) -> None:
    """Let readers and a writer work at once. It stays in the file, so it is asked for only once it is surely ours."""
    until = time.monotonic() + PATIENCE
    connection = made.raw_connection()
    try:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode=WAL")  # in memory there is none, and no error
            except sqlite3.OperationalError:
                # Another process opens the new ledger at this moment; for this alone SQLite does not wait by itself.
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return
    finally:
        connection.close()


def _make_private(path: Path) -> None:
    """Make the file before SQLite does, so that it is never readable by others; its companions inherit the mode."""
    if not path.parent.is_dir():
        raise SettingsError(f"the ledger {path} cannot be made: there is no folder {path.parent}")
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _bring_up_to_date(connection: Connection, name: str) -> None:
    tables = set(inspect(connection).get_table_names())
    last = MIGRATIONS[-1]
    if RECORDS.name not in tables:
        own = set(METADATA.tables)
        if (connection.dialect.name == "sqlite" and tables) or tables & own:
            raise SettingsError(f"{name} is a database of something else: give the ledger a file of its own")
        METADATA.create_all(connection)
        _record(connection, last)
        return
    number = connection.scalar(select(func.max(RECORDS.c.number))) or 0
    if number > last.number:
        raise SettingsError(
            f"the ledger {name} was written by a newer wa-products (step {number}, this one knows {last.number}): "
            f"pip install --upgrade wa-products"
        )
    for step in MIGRATIONS:
        if step.number > number:
            step.apply(connection)
            _record(connection, step)


def _record(connection: Connection, step: Migration) -> None:
    now = micros(pd.Timestamp.now("UTC"))
    row = {"number": step.number, "about": step.about, "applied_at": now}
    connection.execute(RECORDS.insert(), row)


def _words(error: DBAPIError) -> str:
    return line(error.orig or error)


def line(error: BaseException) -> str:
    """Return the database's own words on one line; they hold no password."""
    return " ".join(str(error).split()) or type(error).__name__
