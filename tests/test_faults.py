import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.postgres import binaries
from wa_products.ledger import Ledger, opening

ROOT = Path(__file__).parent.parent


def test_a_ledger_that_another_process_is_making(tmp_path):
    """While another process writes the tables of a new ledger, the change to write-ahead waits, as SQLite would not."""
    path = tmp_path / "ledger.db"
    Ledger(f"sqlite:///{path}").close()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    assert other.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    other.execute("BEGIN IMMEDIATE")
    later = threading.Timer(0.3, other.close)
    later.start()
    engine = opening._sqlite(make_url(f"sqlite:///{path}"))
    opening._write_ahead(engine)
    with engine.connect() as ours:
        assert ours.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()
    later.join()


def faults(*arguments):
    """Play runs of the fault campaign in a process of its own; return its exit code and what it printed."""
    command = [sys.executable, ROOT / "benchmarks" / "faults.py", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("ledger", ["sqlite", "postgres"])
def test_no_fault_breaks_a_promise(ledger):
    """In twenty seeded runs among faults, kills and second senders nobody gets two, none is late, none is lost."""
    if ledger == "postgres" and binaries() is None:
        pytest.skip("no PostgreSQL server on this machine")
    code, told = faults("--runs", "20", "--ledger", ledger)
    assert code == 0, told
    assert "20 runs" in told


@pytest.mark.slow
def test_the_usual_sender_breaks_them():
    """The same runs catch a sender without a ledger at doubles and at messages past the window."""
    code, told = faults("--runs", "8", "--naive")
    assert code == 1, told
    counts = dict(part.split() for part in told.partition("must be 0: ")[2].partition("\n")[0].split(", "))
    assert int(counts["doubles"]) > 0
    assert int(counts["late"]) > 0
