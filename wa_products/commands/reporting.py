"""`wa-products report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wa_products.commands.shared import LEDGER_HELP, OK, command, ledger_url

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


def run(arguments: argparse.Namespace) -> int:
    """Take in the webhooks, measure, and write the report."""
    from wa_products.campaigns import listen, measure  # noqa: PLC0415  # each command loads only what it needs
    from wa_products.ledger import Ledger  # noqa: PLC0415
    from wa_products.reports import report  # noqa: PLC0415

    with Ledger(ledger_url(arguments)) as ledger:
        for source in arguments.webhooks:
            print(f"{len(listen(source, ledger=ledger)):,} new events from {source}")
        results = measure(ledger, campaign=arguments.campaign)
        print(repr(results))
        print(f"The report is {report(results, arguments.out)}")
    return OK
