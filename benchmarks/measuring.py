"""
What listening and measuring cost: processor time and memory, beside the least that any way must do.

    python benchmarks/measuring.py [listening] [measuring] [--events 1000000] [--sends 1000000] [--keep FOLDER]

`listening`  a log of webhooks, one event a line, into a new ledger, and the same log again; beside a bare loop that
             parses each line and writes it into one SQLite table without an index.
`measuring`  a campaign with its receipts and carts: reading it out of the ledger, and all of `measure`; beside reading
             the same tables with sqlite3 alone.

Each part runs in a process of its own, so that its memory is its own; counted from when the package is imported.
"""

import argparse
import json
import multiprocessing
import os
import resource
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))

PARTS = ("listening", "measuring")
START = 1_795_334_400  # 2026-11-22 08:00 UTC
MICROS = 1_000_000


def main():
    """Print a table for each part asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--sends", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="where the made log and ledger are kept, and taken from if there")
    options = parser.parse_args()
    if wrong := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(wrong))}")
    with tempfile.TemporaryDirectory(prefix="wa-bench-", ignore_cleanup_errors=True) as folder:
        kept = options.keep or Path(folder)
        for part in options.parts or PARTS:
            {"listening": listening, "measuring": measuring}[part](options, kept, Path(folder))


def listening(options, kept, folder):
    """Print what it costs to take in a log."""
    log = kept / f"webhooks-{options.events}.jsonl"
    if not log.exists():
        write_log(log, options.events)
    print(f"\n{options.events:,} events, one a line, {log.stat().st_size >> 20:,} MB{_load()}")
    heads = ("", "CPU s", "wall s", "peak MB", "x bare")
    print(f"{heads[0]:38}{heads[1]:>9}{heads[2]:>9}{heads[3]:>9}{heads[4]:>9}")
    bare = apart(bare_loop, log, folder / "bare.db")
    _told("a bare loop, nothing joined up", bare, bare)
    _told("taken in, a new ledger", apart(take_in, log, folder / "ledger.db"), bare)
    _told("taken in again, all is there", apart(take_in, log, folder / "ledger.db"), bare)
    _told("listen, and the frame of what is new", apart(hear, log, folder / "another.db"), bare)


def bare_loop(log, path):
    """Parse each line and write it down: no identities, no second telling, no index."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE events (wamid TEXT, status TEXT, at INTEGER, who TEXT, send TEXT, body BLOB)")
        with log.open("rb") as lines:
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", map(_bare_row, lines))


def _bare_row(line):
    told = json.loads(line)["entry"][0]["changes"][0]["value"]["statuses"][0]
    told = [told.get(name) for name in ("id", "status", "timestamp", "recipient_id", "biz_opaque_callback_data")]
    return (*told, line)


def take_in(log, path):
    """Take in a log, as `wa-products listen` does."""
    from wa_products import campaigns  # noqa: PLC0415  # in the process that is measured
    from wa_products.ledger import Ledger  # noqa: PLC0415

    with Ledger(f"sqlite:///{path}") as ledger:
        campaigns.take_in(log, ledger=ledger, progress=False)


def hear(log, path):
    """Listen to a log, as a notebook does."""
    from wa_products.campaigns import listen  # noqa: PLC0415
    from wa_products.ledger import Ledger  # noqa: PLC0415

    with Ledger(f"sqlite:///{path}") as ledger:
        listen(log, ledger=ledger, progress=False)


def measuring(options, kept, _folder):
    """Print what it costs to read a campaign and to measure it."""
    path = kept / f"campaign-{options.sends}.db"
    if not path.exists():
        apart(write_campaign, path, options.sends)
    print(f"\n{options.sends:,} sends, {path.stat().st_size >> 20:,} MB{_load()}")
    heads = ("", "CPU s", "wall s", "peak MB", "x bare")
    print(f"{heads[0]:38}{heads[1]:>9}{heads[2]:>9}{heads[3]:>9}{heads[4]:>9}")
    bare = apart(bare_reading, path)
    _told("sqlite3 alone, rows as tuples", bare, bare)
    _told("rows and events", apart(read_out, path), bare)
    _told("measure", apart(measure_it, path), bare)


def bare_reading(path):
    """Read the tables of a campaign as tuples, and do nothing with them."""
    with sqlite3.connect(path) as connection:
        for table in ("wa_plan_rows", "wa_intents", "wa_attempts", "wa_outcomes", "wa_events"):
            for _ in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608  # our own names
                pass


def read_out(path):
    """Read what measuring goes by."""
    from wa_products.ledger import Ledger  # noqa: PLC0415

    with Ledger(f"sqlite:///{path}") as ledger:
        ledger.rows("c1")
        ledger.events()


def measure_it(path):
    """Measure a campaign."""
    from wa_products.campaigns import measure  # noqa: PLC0415
    from wa_products.ledger import Ledger  # noqa: PLC0415

    with Ledger(f"sqlite:///{path}") as ledger:
        measure(ledger, campaign="c1")


def write_log(path, events):
    """Write a log of receipts: sent, delivered and mostly read of each message, in the shape of 2026."""
    with path.open("wb") as file:
        for n in range(events // 2):
            for status in ("delivered", "read"):
                value = {"statuses": [_receipt(n, status)], "contacts": [_contact(n)], "metadata": _NUMBER}
                body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [_change(value)]}]}
                file.write(json.dumps(body, separators=(",", ":")).encode() + b"\n")


_NUMBER = {"display_phone_number": "15555550100", "phone_number_id": "1067"}


def _change(value):
    return {"value": {"messaging_product": "whatsapp", **value}, "field": "messages"}


def _phone(n):
    return f"1{200 + n // 100 % 800}55501{n % 100:02d}{n // 80_000:02d}"  # longer than any number that can be called


def _contact(n):
    return {"profile": {"name": f"Customer {n}"}, "wa_id": _phone(n), "user_id": f"US.{n:015d}"}


def _wamid(n):
    return f"wamid.{n * 2_654_435_761 % 2**32:032x}"  # in no order, as real ones are


def _receipt(n, status):
    told = {"id": _wamid(n), "status": status, "timestamp": str(START + n // 80), "recipient_id": _phone(n)}
    pricing = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
    return {**told, "recipient_user_id": f"US.{n:015d}", "biz_opaque_callback_data": _send_id(n), "pricing": pricing}


def _send_id(n):
    return f"{n * 2_246_822_519 % 2**32:032x}"


def write_campaign(path, sends):
    """Write the ledger that a campaign leaves behind: a fifth held out; receipts; a cart of every thirtieth."""
    from wa_products.identities import customer_id  # noqa: PLC0415
    from wa_products.ledger import Ledger, opening, schema  # noqa: PLC0415
    from wa_products.ledger.inserting import insert_many  # noqa: PLC0415

    at = START * MICROS
    plan = {"digest": "d", "campaign": "c1", "catalog_id": "1", "approved_by": "me", "waterfall": "[]", "content": ""}
    plan |= {"created_at": at, "expires_at": at + 10**11, "registered_at": at, "holdout": 0.2}

    def rows(first, last):
        for n in range(first, last):
            arm = "holdout" if n % 5 == 0 else "treated"
            yield n, customer_id("phone", _phone(n)), _send_id(n), arm, at + n * 12_500

    with Ledger(f"sqlite:///{path}") as ledger, opening.writing(ledger._engine) as connection:  # noqa: SLF001
        connection.execute(schema.PLANS.insert(), plan)
        for first in range(0, sends, 100_000):
            made = list(rows(first, min(sends, first + 100_000)))
            treated = [row for row in made if row[3] == "treated"]
            for table, values in (
                (schema.PLAN_ROWS, [_planned(*row) for row in made]),
                (schema.INTENTS, [_intent(*row) for row in made]),
                (schema.ATTEMPTS, [_attempt(*row) for row in treated]),
                (schema.OUTCOMES, [_outcome(*row) for row in made]),
                (schema.EVENTS, [event for row in made for event in _events(*row)]),
            ):
                insert_many(connection, table, tuple(values[0]), [tuple(each.values()) for each in values])


def _planned(n, customer, _send, arm, at):
    names = {"digest": "d", "arm": arm, "customer_id": customer, "to": f"+{_phone(n)}", "recipient": ""}
    names |= {"product_retailer_id": f"S{n % 997}", "kind": "reorder", "source": "reorder", "probability": 0.25}
    names |= {"last_inbound_at": at, "closes_at": at + 72 * 10**9, "title": f"Product {n % 997}", "price": "18.00"}
    return {**names, "currency": "GBP", "body": "Running low?", "footer": ""}


def _intent(_n, customer, send, arm, at):
    ids = {"send_id": send, "campaign": "c1", "customer_id": customer, "address": customer}
    return {**ids, "digest": "d", "arm": arm, "at": at}


def _attempt(_n, _customer, send, _arm, at):
    return {"send_id": send, "n": 1, "digest": "d", "owner": "o", "at": at}


def _outcome(n, customer, send, arm, at):
    ids = {"campaign": "c1", "customer_id": customer, "send_id": send, "n": int(arm == "treated")}
    told = {"outcome": "accepted", "wamid": _wamid(n)} if arm == "treated" else {"outcome": "held out", "wamid": ""}
    return {**ids, **told, "details": "", "code": 0, "again": 0, "at": at}


def _events(n, customer, send, arm, at):
    from wa_products import frames  # noqa: PLC0415

    def event(**told):
        values = dict.fromkeys((*frames.EVENTS, "webhook"), "") | {"code": 0, "quantity": None, "unit_price": None}
        return values | {"webhook": 0, "customer_id": customer, "wa_id": _phone(n), "phone_number_id": "1067", **told}

    if arm == "treated":
        for step, status in enumerate(("sent", "delivered", "read") if n % 2 else ("sent", "delivered"), 1):
            ids = {"event_id": f"{_wamid(n)}:{status}", "wamid": _wamid(n), "send_id": send}
            yield event(kind="status", at=at + step * 60 * MICROS, status=status, **ids)
    if n % 30 == 0:
        line = {"product_retailer_id": f"S{n % 997}", "quantity": 1.0, "unit_price": "18.00", "currency": "GBP"}
        yield event(event_id=f"wamid.cart{n}:1", kind="cart", at=at + 3600 * MICROS, status="order", **line)


def apart(work, *arguments):
    """Run `work` in a process of its own; return its seconds of processor time and of wall, and its peak of memory."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_apart, args=(theirs, work, arguments))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        raise SystemExit(f"{work.__name__} failed") from None
    finally:
        process.join()


def _apart(connection, work, arguments):
    import wa_products  # noqa: F401, PLC0415  # as in any notebook, before its first cell that works

    used, began = _used(), time.perf_counter()
    work(*arguments)
    told = _used() - used, time.perf_counter() - began
    connection.send((*told, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _used():
    """Return the seconds of processor time of this process and of those that it began and that ended."""
    told = os.times()
    return told.user + told.system + told.children_user + told.children_system


def _told(name, told, bare):
    used, wall, memory = told
    print(f"{name:38}{used:>9.1f}{wall:>9.1f}{memory:>9,.0f}{used / bare[0]:>9.2f}", flush=True)


def _load():
    return f"; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
