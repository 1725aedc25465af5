"""A real PostgreSQL server of our own for the tests, started once and stopped at the end; and ledgers on it."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from wa_products.ledger import Ledger

_NUMBER = count(1)


def binaries():
    """Return the folder of the newest PostgreSQL server on this machine, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def serving(folder, *, durable=False):
    """
    Run a PostgreSQL server on a free port with its data in `folder`; yield its URL.

    Unless `durable` it does not wait for the disk, which no test can tell.
    """
    as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_owner:
        shutil.chown(folder, "postgres")
    data, bin_ = folder / "data", binaries()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    subprocess.run([*as_owner, bin_ / "initdb", "-D", data, "-A", "trust", "-U", "wa", "-N"], check=True, **quiet)
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync={'on' if durable else 'off'}"
    )
    subprocess.run([*as_owner, bin_ / "pg_ctl", "-D", data, "-w", "-o", options, "start"], check=True, **quiet)
    try:
        yield f"postgresql://wa@127.0.0.1:{port}"
    finally:
        subprocess.run([*as_owner, bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=True, **quiet)


@pytest.fixture(scope="session")
def postgres():
    """Yield the URL of a PostgreSQL server. Skipped where none is installed, but never in CI."""
    if binaries() is None and not os.environ.get("CI"):
        pytest.skip("no PostgreSQL server on this machine")
    with tempfile.TemporaryDirectory(prefix="wa-pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with serving(Path(folder)) as url:
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request, tmp_path):
    """Return the URL of a new, empty ledger: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    url = room(request.getfixturevalue("postgres"))
    if os.environ.get("LEDGERS_IN_PARTS"):
        Ledger(url).close()
        partition(url)
    return url


def partition(url):
    """Put the large tables of a ledger into parts, in the words of the documentation."""
    page = (Path(__file__).parent.parent / "docs" / "scaling.md").read_text(encoding="utf-8")
    block, analyze = page.partition("```postgresql\n")[2].partition("```")[0].rsplit("ANALYZE", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(block)
        connection.execute(f"ANALYZE{analyze}")


def room(server):
    """Return the URL of a new schema of the server's: as empty as a new database, and made in no time."""
    name = f"ledger_{next(_NUMBER)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{server}/postgres?options=-csearch_path%3D{name}"
