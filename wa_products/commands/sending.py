"""`wa-products check` and `wa-products send`."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wa_products.commands.shared import (
    FAILED,
    LEDGER_HELP,
    OK,
    TOO_MANY_FAILURES,
    command,
    ledger_url,
    show_findings,
)

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from wa_products.client import Client
    from wa_products.commands.shared import Commands
    from wa_products.plans import Plan


def add(commands: Commands) -> None:
    """Add both commands."""
    check = command(
        commands, "check", run_check, "look at account, catalog and planned products before sending", "plan.jsonl"
    )
    check.add_argument("plan", type=Path, nargs="?", help="the plan whose products to compare with Meta's catalog")
    check.add_argument("--exports", type=Path, help="the folder it was made from, to compare the stock too")

    send = command(commands, "send", run_send, "send a plan; a dry run unless --live", "plan.jsonl --live")
    send.add_argument("plan", type=Path)
    send.add_argument("--live", action="store_true", help="really send, after a check that finds no fail")
    send.add_argument("--skip-check", action="store_true", help="send without the check, or in spite of it")
    send.add_argument(
        "--fast", action="store_true", help="for hundreds a second: wants pip install 'wa-products[fast]'"
    )
    send.add_argument("--exports", type=Path, help="the folder it was made from, for the check")
    send.add_argument("--ledger", help=LEDGER_HELP)
    send.add_argument("--max-failure-rate", type=float, default=0.2, help="above it the exit code is 3 (default 0.2)")


def run_check(arguments: argparse.Namespace) -> int:
    """Print what was found; 1 where something fails."""
    from wa_products.client import Client  # noqa: PLC0415  # each command loads only what it needs
    from wa_products.plans import Plan  # noqa: PLC0415
    from wa_products.settings import Settings  # noqa: PLC0415

    plan = None if arguments.plan is None else Plan.load(arguments.plan)
    with Client(Settings.from_env()) as client:
        found = _checked(client, plan, arguments.exports)
    show_findings(found)
    return FAILED if (found["state"] == "fail").any() else OK


def run_send(arguments: argparse.Namespace) -> int:
    """Send, and print the outcomes; 1 where the run was stopped or the check fails, 3 above the failure rate."""
    from wa_products.campaigns import send  # noqa: PLC0415
    from wa_products.client import Client  # noqa: PLC0415
    from wa_products.ledger import Ledger  # noqa: PLC0415
    from wa_products.plans import Plan  # noqa: PLC0415
    from wa_products.settings import Settings  # noqa: PLC0415
    from wa_products.transports import Fast  # noqa: PLC0415

    plan = Plan.load(arguments.plan)
    settings = Settings.from_env()
    with Client(settings, transport=Fast() if arguments.fast else None) as client:
        if arguments.live and not arguments.skip_check and not _passes(client, plan, arguments.exports):
            return FAILED
        with Ledger(ledger_url(arguments)) as ledger, warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always", UserWarning)
            outcomes = send(plan, ledger=ledger, client=client, dry_run=not arguments.live)
    for note in dict.fromkeys(str(each.message) for each in notes):
        print(f"note: {note}", file=sys.stderr)
    _show(outcomes, live=arguments.live)
    return _code(outcomes, arguments.max_failure_rate)


def _checked(client: Client, plan: Plan | None, exports: Path | None) -> pd.DataFrame:
    from wa_products.exports import load  # noqa: PLC0415
    from wa_products.preflight import check  # noqa: PLC0415

    return check(client, plan, None if exports is None else load(exports))


def _passes(client: Client, plan: Plan, exports: Path | None) -> bool:
    """Return whether nothing fails; what is not ok is printed."""
    found = _checked(client, plan, exports)
    show_findings(found[found["state"] != "ok"])
    if (failed := found["state"] == "fail").any():
        names = ", ".join(found.loc[failed, "name"])
        print(
            f"wa-products send: nothing was sent, the check fails at {names}; mend it, or --skip-check", file=sys.stderr
        )
        return False
    return True


def _show(outcomes: pd.DataFrame, *, live: bool) -> None:
    for told, n in Counter(map(_told, outcomes.itertuples())).most_common():
        print(f"{n:>9,} {told}")
    if live:
        posted = outcomes.attrs["posted"]
        print(
            f"{posted:,} requests were made by this run."
            if posted
            else "Nothing was left to send: no request was made."
        )
        return
    late, rate = outcomes.attrs["late"], outcomes.attrs["rate"]
    print(f"{late:>9,} of them would come too late at {rate:g} messages a second")
    print("This was a dry run: nothing was sent and nothing written. Add --live to send.")


def _told(row: Any) -> str:  # noqa: ANN401  # a row of the outcomes frame
    """Return in words what became of a customer; Meta's own words, which may differ for each, stay in the ledger."""
    from wa_products.metrics import explain  # noqa: PLC0415  # each command loads only what it needs

    if row.outcome == "refused":
        return f"refused: {explain(row.code, row.details)[1]} (code {row.code})" if row.code else row.details
    if row.outcome == "skipped" and row.details:
        return row.details if row.details.startswith("dry run") else f"skipped: {row.details}"
    return str(row.outcome)


def _code(outcomes: pd.DataFrame, most: float) -> int:
    from wa_products.metrics.failures import failed_and_tried  # noqa: PLC0415  # each command loads only what it needs

    failed, tried = failed_and_tried(outcomes)
    if outcomes.attrs["stopped"] and not outcomes.attrs["failing"]:
        return FAILED
    return TOO_MANY_FAILURES if outcomes.attrs["failing"] or (tried and failed / tried > most) else OK
