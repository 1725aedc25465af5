"""`wa-products resolve`: the sends of which nobody knows, and what a person says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from wa_products.commands.shared import LEDGER_HELP, OK, command, needed_ledger_url
from wa_products.errors import DataError

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands
    from wa_products.ledger import Ledger


def add(commands: Commands) -> None:
    """Add the command."""
    resolve = command(
        commands,
        "resolve",
        run,
        "list the sends of which no answer and no webhook came, or mark what became of them",
        "SEND_ID --not-sent --by Ada",
    )
    resolve.add_argument("send_ids", nargs="*", metavar="SEND_ID", help="those to mark; none lists them all")
    what = resolve.add_mutually_exclusive_group()
    what.add_argument("--sent", action="store_true", help="it is in the chat: never send it again")
    what.add_argument("--not-sent", action="store_true", help="it is not in the chat: the next run may send it")
    resolve.add_argument("--by", default="", help="who looked; it is written down")
    resolve.add_argument("--ledger", help=LEDGER_HELP)


def run(arguments: argparse.Namespace) -> int:
    """List the unknown sends, or mark those that were named."""
    from wa_products.ledger import Ledger  # noqa: PLC0415  # each command loads only what it needs

    if arguments.send_ids and not (arguments.sent or arguments.not_sent):
        raise DataError("say what became of them: --sent or --not-sent")
    if not arguments.send_ids and (arguments.sent or arguments.not_sent):
        raise DataError("name the send ids to mark; wa-products resolve alone lists them")
    now = pd.Timestamp.now("UTC")
    with Ledger(needed_ledger_url(arguments)) as ledger:
        if not arguments.send_ids:
            return _list(ledger, now)
        marked = ledger.resolve(arguments.send_ids, sent=arguments.sent, by=arguments.by, now=now)
    print(f"{marked:,} marked as {'sent' if arguments.sent else 'not sent; wa-products send may send them now'}")
    return OK


def _list(ledger: Ledger, now: pd.Timestamp) -> int:
    found = ledger.unknowns(now)
    for row in found.itertuples():
        print(
            f"{row.send_id}  {row.at:%Y-%m-%d %H:%M} UTC  {row.campaign}  {row.customer_id}  {row.title}: {row.details}"
        )
    if not found.empty:
        print(f"{len(found):,} unknown. Listen to the webhooks first; then look into each chat, and mark it.")
    elif fresh := len(ledger.unknowns(now, pd.Timedelta(0))):
        print(f"{fresh:,} sent within minutes and not answered yet: wait for the webhooks, then look again.")
    else:
        print("No send is unknown.")
    return OK
