"""
What the receiver takes in a second, and what it loses when it is killed: a client delivers each event until 200.

    python benchmarks/receiving.py [rate] [kills] [refusals] [--events 20000] [--kills 10]

`rate`      events a second with the client on the same machine, a tenth of them delivered twice: SQLite, PostgreSQL,
            and beside them the same server that answers 200 and stores nothing.
`kills`     the same while the receiver is killed (kill -9) ten times: events that were answered with 200 and are not
            in the ledger, and rows that are there twice.
`refusals`  forged, oversized, malformed and dawdling requests between good ones: what was answered, what changed.
"""

import argparse
import os
import socket
import sys
import tempfile
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))

import httpx
import psycopg

from tests import postgres
from tests.deliveries import Receiver, deliver, receipts, signed
from wa_products.ledger import Ledger
from wa_products.receiver import BODY_LIMIT

ROOT = Path(__file__).parent.parent
PARTS = ("rate", "kills", "refusals")
_NUMBER = count(1)


def main():
    """Print a table for each part asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    if wrong := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(wrong))}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wa-bench-", ignore_cleanup_errors=True)))
        folder.chmod(0o755)
        server = stack.enter_context(postgres.serving(_place(folder), durable=True))
        urls = {"SQLite": lambda: f"sqlite:///{folder / f'{next(_NUMBER)}.db'}", "PostgreSQL": lambda: _room(server)}
        for part in options.parts or PARTS:
            {"rate": rate, "kills": kills, "refusals": refusals}[part](options, urls, folder)


def rate(options, urls, folder):
    """Print events a second, and the processor time of the receiver for each."""
    print(f"\n{options.events:,} events, a tenth delivered twice{_load()}")
    print(f"{'':34}{'events/s':>10}{'us of CPU':>11}{'lost':>6}{'x storing nothing':>19}")
    nothing = _run(options.events, Receiver("", ROOT, app="tests.deliveries:nothing"), None)
    _told("storing nothing", nothing, nothing)
    for name, url in urls.items():
        where = url()
        _told(name, _run(options.events, Receiver(where, folder), where), nothing)


def kills(options, urls, folder):
    """Print what is lost when the receiver is killed."""
    print(f"\n{options.events:,} events, the receiver killed {options.kills} times{_load()}")
    print(f"{'':34}{'events/s':>10}{'attempts':>10}{'lost':>6}{'twice':>7}")
    for name, url in urls.items():
        where = url()
        receiver = Receiver(where, folder)
        receiver.begin()
        bodies, ids = receipts(options.events)
        told = deliver(receiver, bodies, kills=options.kills)
        receiver.end()
        lost, twice = missing(where, ids)
        print(f"{name:34}{options.events / told.seconds:>10,.0f}{told.attempts:>10,}{lost:>6,}{twice:>7,}", flush=True)


def refusals(_options, urls, folder):
    """Print how bad requests are answered, and how many bodies they left in the ledger."""
    where = urls["SQLite"]()
    receiver = Receiver(where, folder)
    receiver.begin()
    address, body = f"http://127.0.0.1:{receiver.port}/", receipts(1)[0][0]
    cases = {
        "no signature": (body, {}),
        "forged": (body, {"X-Hub-Signature-256": signed(body, "another secret")}),
        "malformed": (b"{", {"X-Hub-Signature-256": signed(b"{")}),
        "oversized": (b" " * (BODY_LIMIT + 1), {"X-Hub-Signature-256": signed(b" " * (BODY_LIMIT + 1))}),
    }
    print("\nrefusals")
    for name, (content, headers) in cases.items():
        print(f"{name:34}{httpx.post(address, content=content, headers=headers).status_code:>10}")
    for name, head in (("slow headers", b"POST / HT"), ("slow body", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{")):
        with socket.create_connection(("127.0.0.1", receiver.port), 60) as line, suppress(ConnectionError):
            line.sendall(head)
            print(f"{name:34}{line.recv(100).partition(b' ')[2][:3].decode() or 'hung up':>10}", flush=True)
    receiver.end()
    with Ledger(where) as ledger:
        print(f"{'bodies stored by all of these':34}{len(list(ledger.webhooks())):>10}")


def _run(events, receiver, where):
    """Return events a second, the receiver's seconds of processor time for each, and how many are lost."""
    receiver.begin()
    began = receiver.used()
    bodies, ids = receipts(events)
    told = deliver(receiver, bodies)
    used = receiver.used() - began
    receiver.end()
    return events / told.seconds, used / told.attempts, missing(where, ids)[0] if where else 0


def missing(url, ids):
    """Return how many of these events are not in the ledger, and how many of its events are there twice."""
    with Ledger(url) as ledger:
        stored = ledger.events()["event_id"]
        with ledger._engine.begin() as connection:  # noqa: SLF001
            rows = connection.exec_driver_sql("SELECT count(*), count(DISTINCT event_id) FROM wa_events").one()
    return len(set(ids) - set(stored)), rows[0] - rows[1]


def _told(name, told, peer):
    print(f"{name:34}{told[0]:>10,.0f}{told[1] * 1e6:>11,.0f}{told[2]:>6,}{told[0] / peer[0]:>19.2f}", flush=True)


def _place(folder):
    place = folder / "postgres"
    place.mkdir()
    return place


def _room(server):
    name = f"ledger_{next(_NUMBER)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


def _load():
    return f"; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
