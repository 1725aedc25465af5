"""`wa-products report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wa_products.commands.shared import LEDGER_HELP, OK, command, ledger_url
from wa_products.errors import SettingsError

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    report = command(commands, "report", run, "one offline HTML file of a campaign", "c1 webhooks.jsonl")
    report.add_argument("campaign")
    report.add_argument("webhooks", nargs="*", help="webhook logs to take in first")
    report.add_argument("--ledger", help=LEDGER_HELP)
    report.add_argument("--out", type=Path, default=Path("report.html"))
    report.add_argument("--horizon", default="7D", help="carts count for so long; default: %(default)s")
    report.add_argument("--prompt", default="4h", help="a cart is a prompt answer for so long; default: %(default)s")
    report.add_argument("--shop", type=Path, help="folder of exports: for variants, and orders and money arm by arm")
    report.add_argument("--contacts", type=Path, help="also write who got what and what came of it (.csv or .xlsx)")
    report.add_argument("--addresses", action="store_true", help="with --shop: put addresses into the contacts, too")


def run(arguments: argparse.Namespace) -> int:
    """Take in the webhooks, measure, and write the report."""
    from wa_products.campaigns import listen, measure  # noqa: PLC0415  # each command loads only what it needs
    from wa_products.exports import load  # noqa: PLC0415
    from wa_products.ledger import Ledger  # noqa: PLC0415
    from wa_products.reports import report, save_contacts  # noqa: PLC0415

    if arguments.addresses and not (arguments.shop and arguments.contacts):
        raise SettingsError("--addresses goes with --shop and --contacts: they say whose, and where to")
    data = None if arguments.shop is None else load(arguments.shop)
    with Ledger(ledger_url(arguments)) as ledger:
        for source in arguments.webhooks:
            print(f"{len(listen(source, ledger=ledger)):,} new events from {source}")
        window = {"horizon": arguments.horizon, "prompt": arguments.prompt}
        results = measure(ledger, campaign=arguments.campaign, data=data, **window)
        print(repr(results))
        print(f"The report is {report(results, arguments.out)}")
        if arguments.contacts is not None:
            threads = data.threads if data is not None and arguments.addresses else None
            print(f"The contacts are in {save_contacts(results, arguments.contacts, threads=threads)}")
    return OK
