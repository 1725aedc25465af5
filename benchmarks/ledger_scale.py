"""
What a day's work costs in a ledger that has grown: the same campaign in ledgers of ever more sends.

    python benchmarks/ledger_scale.py [--ledger sqlite|postgres] [--sends 100000 1000000 10000000] [--size 20000]
                                      [--talk ROUNDS] [--folder FOLDER]

Each ledger ends with the same campaigns of `--size` customers, one a day, with receipts, failures, messages and carts,
about three events a send, all made up, and with each round of `--talk` three and a half more, of a customer who writes
and an agent who answers by another tool; a customer gets every 10th of them or every 50th. Printed are how fast it was
written (straight into the tables, indexes made after), how large it is, and what each thing costs in it: seconds, of
processor time too, peak of memory, and how many times the time and memory of the smallest ledger. Beside it the least
that any way must do: counting the campaign's messages and receipts by an index, with the database's own driver.

Each is run in a process of its own. On PostgreSQL the processor time is the client's alone. 10 M sends take 19 GB on
SQLite, with two rounds of talk 43 GB, and a quarter of an hour to write; the files are deleted at the end.
"""

import argparse
import os
import sqlite3
import sys
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))

import pandas as pd
import psycopg
from measuring import _contact, _phone, apart
from sqlalchemy import text

from tests import filled_ledger, postgres
from wa_products.ledger import opening, schema

LAST = 600  # the number behind that of the last campaign: all ledgers end with the same ones
DAY = pd.Timedelta(days=1)
NOW = pd.Timestamp(filled_ledger.when(LAST), unit="us", tz="UTC")
CAMPAIGN = filled_ledger.name(LAST - 1)
BARE = (
    "SELECT COUNT(*) FROM wa_intents WHERE campaign = '{0}'",
    (
        "SELECT COUNT(*) FROM wa_events WHERE kind = 'status' AND send_id IN "
        "(SELECT send_id FROM wa_intents WHERE campaign = '{0}')"
    ),
)


def main():
    """Print a table of each ledger, and at the end what each thing costs beside the smallest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ledger", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--sends", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--size", type=int, default=20_000, help="customers of a campaign")
    parser.add_argument("--talk", type=int, default=0, help="rounds of talk with each customer before each message")
    parser.add_argument("--folder", type=Path, help="where the ledgers are put for as long as it runs")
    options = parser.parse_args()
    first = {}
    for sends in options.sends:
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wa-bench-", dir=options.folder))
            url = stack.enter_context(LEDGERS[options.ledger](Path(folder)))
            _built(url, sends, options.size, options.talk)
            print(f"{'':38}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}{'x first':>9}{'MB x':>7}{'x bare':>9}")
            bare = apart(bare_count, url)
            for name, work in {"by hand: counted by an index": bare_count, **WORK}.items():
                told = bare if work is bare_count else apart(partial(_done, name), url, options.size)
                _print(name, told, first.setdefault(name, told), bare)


def _print(name, told, first, bare):
    used, wall, memory = told
    ratios = f"{wall / first[1]:>9.2f}{memory / first[2]:>7.2f}{wall / bare[1]:>9.1f}"
    print(f"{name:38}{used:>9.2f}{wall:>9.2f}{memory:>9,.0f}{ratios}", flush=True)


@contextmanager
def _in_file(folder):
    yield f"sqlite:///{folder / 'ledger.db'}"


@contextmanager
def _on_server(folder):
    folder.chmod(0o755)
    place = folder / "postgres"
    place.mkdir()
    with postgres.serving(place) as server:
        for setting in ("shared_buffers = '2GB'", "maintenance_work_mem = '1GB'", "max_wal_size = '8GB'"):
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(f"ALTER SYSTEM SET {setting}")
        yield f"{server}/postgres"


LEDGERS = {"sqlite": _in_file, "postgres": _on_server}


def _built(url, sends, size, talk):
    began = time.perf_counter()
    apart(build, url, sends, size, talk)
    taken = time.perf_counter() - began
    with _engine(url) as engine, engine.connect() as connection:
        rows = connection.scalar(text("SELECT MAX(seq) FROM wa_events"))
        bytes_ = connection.scalar(text(SIZES[engine.dialect.name]))
    print(
        f"\n{sends:,} sends, {rows:,} events, {bytes_ / 2**30:.1f} GB, written at {sends / taken:,.0f} sends a second"
        f"{_load()}"
    )


@contextmanager
def _engine(url):
    made = opening.engine(url)
    yield made
    made.dispose()


SIZES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "postgresql": "SELECT pg_database_size(current_database())",
}


def build(url, sends, size, talk):
    """Write a ledger, its indexes last."""
    with _engine(url) as engine:
        indexes = [index for table in schema.METADATA.sorted_tables for index in table.indexes]
        with engine.connect() as connection:
            if is_file := engine.dialect.name == "sqlite":
                for setting in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-4000000", "temp_store=FILE"):
                    connection.connection.driver_connection.execute(f"PRAGMA {setting}")
            with connection.begin():
                for index in indexes:
                    index.drop(connection)
                filled = range(LAST - sends // size, LAST)
                filled_ledger.fill(connection, campaigns=filled, size=size, phone=_phone, talk=talk)
                for index in indexes:
                    index.create(connection)
            if is_file:
                connection.connection.driver_connection.execute("PRAGMA journal_mode=WAL")
        if not is_file:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))


def bare_count(url):
    """Count the messages of a campaign and their receipts, and do nothing with them."""
    name = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(name) if name != url else psycopg.connect(url)) as connection:
        for words in BARE:
            connection.cursor().execute(words.format(CAMPAIGN)).fetchone()


def _done(name, url, size):
    from wa_products.ledger import Ledger  # noqa: PLC0415  # in the process that is measured

    with Ledger(url) as ledger:
        WORK[name](ledger, size)


def _measured(ledger, _size):
    from wa_products.campaigns import measure  # noqa: PLC0415

    measure(ledger, campaign=CAMPAIGN)


def _overview(ledger, since):
    from wa_products.campaigns import overview  # noqa: PLC0415

    overview(ledger, since=since, progress=False)


def _planned(size, campaign="today"):
    from wa_products.identities import customer_id  # noqa: PLC0415
    from wa_products.plans import Plan  # noqa: PLC0415

    digits = [_phone(n) for n in range(size, 2 * size)]  # behind the regulars, who got every 10th campaign
    rows = pd.DataFrame({"customer_id": [customer_id("phone", each) for each in digits]})
    rows = rows.assign(to=[f"+{each}" for each in digits], recipient="", product_retailer_id="S7", kind="reorder")
    rows = rows.assign(source="reorder", probability=0.25, last_inbound_at=NOW - DAY / 6, closes_at=NOW + DAY / 2)
    rows = rows.assign(title="Coffee beans", price=None, currency="GBP", body="Running low?", footer="")
    return Plan.make(rows, created_at=NOW, holdout=0.0, campaign=campaign, catalog_id="1", approved_by="me")


def _registered(ledger, size):
    ledger.register(_planned(size), NOW)


def _rehearsed(ledger, size):
    from wa_products.ledger import sending  # noqa: PLC0415

    rows = sending.plan_rows(_planned(size))
    ledger.decided("today")
    ledger.standings(rows, NOW)
    ledger.reached("today", rows, NOW, days=7)
    ledger.inbound_rate(NOW)


def _claimed(ledger, size):
    from wa_products.ledger import sending  # noqa: PLC0415

    made, done = _planned(size), []
    rows = sending.plan_rows(made)[: size // 10]
    for start in range(0, len(rows), 50):
        claims = ledger.claim(made, rows[start : start + 50], now=NOW, owner="benchmark", done=done)
        done = [sending.Result(claim, sending.ACCEPTED, NOW, wamid=f"wamid.{claim.send_id}") for claim in claims]
    ledger.record("today", done)


def _heard(ledger, size):
    from wa_products.campaigns import listen  # noqa: PLC0415

    def body(n):
        told = {"from": _phone(n), "id": f"wamid.new{n}", "timestamp": str(int(NOW.timestamp())), "type": "text"}
        value = {"messages": [{**told, "text": {"body": "hello"}}], "contacts": [_contact(n)]}
        return {"entry": [{"changes": [{"field": "messages", "value": value}]}]}

    listen([body(n) for n in range(size // 4)], ledger=ledger, progress=False)


def _read_in_parts(ledger, _size):
    for _ in zip(range(3), ledger.events_in_parts(), strict=False):
        pass


def _desk(ledger, _size):
    from tests.shops import shop  # noqa: PLC0415
    from wa_products.widgets.shops import Shop  # noqa: PLC0415

    Shop(shop(), ledger, lambda: NOW - DAY * 5 / 6).refresh()  # when the windows of the last campaign are open


def _loaded(ledger, _size):
    from wa_products import load  # noqa: PLC0415

    load(as_of=NOW, ledger=ledger)


WORK = {
    "rows of a campaign": lambda ledger, _: ledger.rows(CAMPAIGN),
    "measure": _measured,
    "an overview of 30 days": lambda ledger, _: _overview(ledger, NOW - 30 * DAY),
    "unknown sends of a campaign": lambda ledger, _: ledger.unknowns(NOW, campaign=CAMPAIGN),
    "sends of the last 30 days": lambda ledger, _: ledger.sends(NOW - 30 * DAY),
    "answers of the last 30 days": lambda ledger, _: ledger.answers(NOW - 30 * DAY),
    "300,000 events in parts": _read_in_parts,
    "a desk is opened": _desk,
    "a shop is loaded with it": _loaded,
    "a rehearsal": _rehearsed,
    "a plan is registered": _registered,
    "a tenth of it claimed and recorded": _claimed,
    "webhooks listened to": _heard,
    "all of it: answers": lambda ledger, _: ledger.answers(),
    "all of it: sends": lambda ledger, _: ledger.sends(),
    "all of it: an overview": lambda ledger, _: _overview(ledger, None),
    "all of it: unknown sends": lambda ledger, _: ledger.unknowns(NOW),
}


def _load():
    return f"; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
