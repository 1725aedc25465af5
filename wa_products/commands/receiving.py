"""`wa-products receive`, `listen` and `reparse`: what comes in from WhatsApp, and reading it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wa_products.commands.shared import LEDGER_HELP, OK, command, ledger_url, needed_ledger_url
from wa_products.settings import RECEIVING, Settings

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands


def add(commands: Commands) -> None:
    """Add the commands."""
    receive = command(commands, "receive", run, "take in webhooks from WhatsApp over HTTP", "--port 8000")
    receive.add_argument("--port", type=int, default=8000, help="default: 8000; 0 takes any that is free")
    receive.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, for a proxy that speaks https")
    receive.add_argument("--ledger", help=LEDGER_HELP)
    hear = command(commands, "listen", listen, "take in webhooks from files, logs and folders", "webhooks.jsonl")
    hear.add_argument("sources", nargs="+", metavar="PATH", help="JSON, JSON lines, logs, .gz too, or a folder of them")
    hear.add_argument("--ledger", help=LEDGER_HELP)
    again = command(commands, "reparse", reparse, "read all stored webhooks again, after a repair of this software")
    again.add_argument("--ledger", help=LEDGER_HELP)


def run(arguments: argparse.Namespace) -> int:
    """Receive until stopped."""
    from wa_products.ledger import Ledger  # noqa: PLC0415  # each command loads only what it needs
    from wa_products.receiver.serving import serve  # noqa: PLC0415

    settings = Settings.from_env(needs=RECEIVING)

    def ready(url: str) -> None:
        print(f"Receiving at {url} into {ledger!r}. Ctrl-C stops.", flush=True)
        print("Meta wants an https address: let a proxy pass it on to here, and enter it with WA_VERIFY_TOKEN in the")
        print("app's WhatsApp settings, subscribed to the fields messages and user_preferences.", flush=True)

    with Ledger(ledger_url(arguments)) as ledger:
        counts = serve(settings, ledger, host=arguments.host, port=arguments.port, ready=ready)
    print(f"{counts.stored:,} webhooks stored, {counts.refused:,} refused, {counts.put_off:,} put off.")
    return OK


def listen(arguments: argparse.Namespace) -> int:
    """Take in what lies in files."""
    from wa_products.campaigns import take_in  # noqa: PLC0415
    from wa_products.ledger import Ledger  # noqa: PLC0415

    with Ledger(ledger_url(arguments)) as ledger:
        for source in arguments.sources:
            print(f"{take_in(source, ledger=ledger):,} new events from {source}")
    return OK


def reparse(arguments: argparse.Namespace) -> int:
    """Read the stored webhooks again."""
    from wa_products.ledger import Ledger  # noqa: PLC0415

    with Ledger(needed_ledger_url(arguments)) as ledger:
        repair = ledger.reparse(progress=True)
    print(f"{repair.webhooks:,} webhooks read again: {repair.added:,} events added, {repair.removed:,} removed.")
    return OK
