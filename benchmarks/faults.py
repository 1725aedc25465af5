"""
Seeded runs of campaigns against a faulty Cloud API over HTTP, each run checked: nobody twice, nobody late, nobody lost.

    python benchmarks/faults.py --runs 1000 --ledger sqlite|postgres [--seed 0] [--workers 8] [--run N] [--naive]

A run sends 20 to 60 messages while senders are killed, frozen and interrupted at any point, two send at once, windows
close, and the server loses answers, resets, drips, throttles, refuses and tells the outcome before the answer. What
must be 0: `doubles` and `late` as the server counts them by its own clock; `lost`, customers without an outcome;
`unsettled`, messages whose webhook left them unknown; `wrong`, where ledger and server disagree; senders that broke
or hung, or never came to an end; `again`, a sender with nothing left to do that failed. `--naive` plays the
same runs with the usual sender without a ledger, to show that these runs find what they look for. `--run` plays one.
"""

import argparse
import gc
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from multiprocessing.connection import wait
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads and forks do not go together
sys.path.insert(0, str(Path(__file__).parent.parent))

import psycopg
from cloud import serving
from faulty_runs import Script, play

from tests import postgres

MUST_BE_0 = ("doubles", "late", "lost", "unsettled", "wrong", "crashed", "hung", "unended", "again")
TOLD = ("kills", "planned", "requests", "messages", "closed", "unknown", "for a person")


def main():
    """Play the runs asked for, print the table, and return 1 where a promise was broken."""
    options = _options()
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wa-faults-", ignore_cleanup_errors=True))
        server = None
        if options.ledger == "postgres":
            Path(folder).chmod(0o755)
            place = Path(folder) / "postgres"
            place.mkdir()
            server = stack.enter_context(postgres.serving(place))
        verdicts = dict(_played(options, folder, server))
    return _print(options, verdicts, time.monotonic() - began)


def _options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--ledger", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=8, help="runs at once; they mostly wait")
    parser.add_argument("--run", type=int, help="only this one")
    parser.add_argument("--naive", action="store_true", help="the usual sender instead, without a ledger")
    return parser.parse_args()


def _played(options, folder, server):
    """Yield each run's number and verdict, played by several processes that each have their own Cloud API."""
    gc.freeze()
    runs = range(options.runs) if options.run is None else [options.run]
    context, pipes, processes = multiprocessing.get_context("fork"), [], []
    for worker in range(min(options.workers, len(runs))):
        ours, theirs = context.Pipe(duplex=False)
        arguments = (runs[worker :: options.workers], theirs, options, folder, server)
        processes.append(context.Process(target=_work, args=arguments))
        processes[-1].start()
        theirs.close()
        pipes.append(ours)
    done = 0
    while pipes:
        for pipe in wait(pipes):
            try:
                yield pipe.recv()
            except EOFError:
                pipes.remove(pipe)
                continue
            done += 1
            if done % 50 == 0:
                print(f"{done} of {len(runs)} runs", file=sys.stderr, flush=True)
    for process in processes:
        process.join()


def _work(runs, pipe, options, folder, server):
    with serving() as cloud:
        for run in runs:
            url = f"sqlite:///{folder}/{run}.db" if server is None else _database(server, f"run_{run}")
            marks = f"{folder}/{run}.marks" if options.naive else None
            pipe.send((run, play(Script.of(options.seed, run), cloud, url, marks)))
            _remove(folder, server, run)


def _database(server, name):
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


def _remove(folder, server, run):
    for path in Path(folder).glob(f"{run}.*"):
        path.unlink()
    if server is not None:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE run_{run} WITH (FORCE)")


def _print(options, verdicts, seconds):
    total = Counter()
    for verdict in verdicts.values():
        total.update({name: verdict.get(name, 0) for name in (*MUST_BE_0, *TOLD)})
    missing = (options.runs if options.run is None else 1) - len(verdicts)
    sender = "the usual sender" if options.naive else "wa_products"
    print(f"{sender}, {options.ledger}, seed {options.seed}: {len(verdicts)} runs in {seconds:.0f} s")
    for names, about in ((TOLD, "played"), (MUST_BE_0, "must be 0")):
        print(f"{about:>10}: " + ", ".join(f"{name} {total[name]:,}" for name in names))
    if verdicts:
        nearest = max(verdict["nearest"] for verdict in verdicts.values())
        print(f"the latest message came {-nearest:.1f} s before its window closed (0 or less is late)")
    broken = {
        run: {name: verdict[name] for name in MUST_BE_0 if verdict.get(name)} for run, verdict in verdicts.items()
    }
    for run, what in sorted(broken.items()):
        if what:
            print(f"run {run}: {', '.join(f'{name} {count}' for name, count in what.items())}")
    if missing:
        print(f"{missing} runs did not end")
    return int(missing > 0 or any(broken.values()))


if __name__ == "__main__":
    sys.exit(main())
