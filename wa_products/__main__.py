"""The `wa-products` command; `python -m wa_products` is the same."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wa_products.errors import DataError, PlanError, SettingsError, WaProductsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OK, FAILED, BAD_INPUT, TOO_MANY_FAILURES, INTERRUPTED = 0, 1, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run one command and return its exit code.

    0 done, 1 failed, 2 bad input or settings, 3 done but more sends failed than allowed, 130 interrupted.
    """
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (DataError, SettingsError, PlanError) as error:
        print(f"wa-products {arguments.command}: {error}", file=sys.stderr)
        return BAD_INPUT
    except WaProductsError as error:
        print(f"wa-products {arguments.command}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(
            f"wa-products {arguments.command}: interrupted; what was done is in the ledger, run it again to go on",
            file=sys.stderr,
        )
        return INTERRUPTED


def _demo(arguments: argparse.Namespace) -> int:
    from wa_products import demo  # noqa: PLC0415  # each command loads only what it needs

    path = demo.run(shop=arguments.shop, out=arguments.out, ledger_url=arguments.ledger)
    print(f"\nThe report is {path}\nOpen it in a browser; it needs no network.")
    print("Next: jupyter lab notebooks/00_quickstart.ipynb, or wa-products plan FOLDER with your own exports.")
    return OK


def _plan(arguments: argparse.Namespace) -> int:
    from wa_products.exports import load  # noqa: PLC0415
    from wa_products.proposals import propose  # noqa: PLC0415
    from wa_products.selection import select, waterfall  # noqa: PLC0415
    from wa_products.widgets import review  # noqa: PLC0415

    data = load(arguments.folder)
    chosen = select(propose(data), data)
    reviewed = review(chosen, data)
    reviewed.approve_all()
    plan = reviewed.plan(campaign=arguments.campaign, approved_by=arguments.approved_by, holdout=arguments.holdout)
    plan.save(arguments.out)
    print(repr(data))
    for reason, customers in waterfall(chosen):
        print(f"{customers:>9,} customers get nothing: {reason}")
    print(f"{plan!r}\nwritten to {arguments.out}, readable by you alone: it holds the addresses to send to.")
    return OK


def _send(arguments: argparse.Namespace) -> int:
    from wa_products.campaigns import send  # noqa: PLC0415
    from wa_products.client import Client  # noqa: PLC0415
    from wa_products.ledger import Ledger  # noqa: PLC0415
    from wa_products.plans import Plan  # noqa: PLC0415
    from wa_products.settings import Settings  # noqa: PLC0415

    plan = Plan.load(arguments.plan)
    settings = Settings.from_env()
    with Ledger(arguments.ledger or settings.ledger) as ledger, Client(settings) as client:
        outcomes = send(plan, ledger=ledger, client=client, dry_run=not arguments.live)
    counts = outcomes["outcome"].value_counts()
    for outcome, n in counts.items():
        print(f"{n:>9,} {outcome}")
    if not arguments.live:
        print("This was a dry run: nothing was sent and nothing written. Add --live to send.")
    tried = int(counts.reindex(["accepted", "refused", "unknown"], fill_value=0).sum())
    failed = int(counts.reindex(["refused", "unknown"], fill_value=0).sum())
    return TOO_MANY_FAILURES if tried and failed / tried > arguments.max_failure_rate else OK


def _report(arguments: argparse.Namespace) -> int:
    from wa_products.campaigns import listen, measure  # noqa: PLC0415
    from wa_products.ledger import Ledger  # noqa: PLC0415
    from wa_products.reports import report  # noqa: PLC0415

    with Ledger(arguments.ledger) as ledger:
        for source in arguments.webhooks:
            print(f"{len(listen(source, ledger=ledger)):,} new events from {source}")
        results = measure(ledger, campaign=arguments.campaign)
        print(repr(results))
        print(f"The report is {report(results, arguments.out)}")
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wa-products",
        description="Decide which one product to show each WhatsApp customer, send it safely, measure what it brought.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = _command(commands, "demo", _demo, "the whole loop on a demo shop, without an account")
    demo.add_argument(
        "--shop",
        default="demo",
        help="demo (made up), completejourney (real shoppers; needs the extra of that name), or a folder of exports",
    )
    demo.add_argument("--out", type=Path, default=Path("wa-products-demo"), help="where ledger, plan and report go")
    demo.add_argument("--ledger", help="another ledger, as a URL; default: a file in --out")

    plan = _command(commands, "plan", _plan, "make an approved plan from a folder of exports", "exports --campaign c1")
    plan.add_argument("folder", type=Path, help="catalog and order exports, webhook logs, shop.toml")
    plan.add_argument("--campaign", required=True, help="its name; a customer gets one message a campaign")
    plan.add_argument("--approved-by", required=True, help="who answers for sending all that the rules let through")
    plan.add_argument("--holdout", type=float, default=0.2, help="share left out to measure against (default 0.2)")
    plan.add_argument("--out", type=Path, default=Path("plan.jsonl"))

    send = _command(commands, "send", _send, "send a plan; a dry run unless --live", "plan.jsonl --live")
    send.add_argument("plan", type=Path)
    send.add_argument("--live", action="store_true", help="really send")
    send.add_argument("--ledger", help="ledger URL; default: WA_LEDGER, else sqlite:///ledger.db")
    send.add_argument("--max-failure-rate", type=float, default=0.2, help="above it the exit code is 3 (default 0.2)")

    report = _command(commands, "report", _report, "one offline HTML file of a campaign", "c1 webhooks.jsonl")
    report.add_argument("campaign")
    report.add_argument("webhooks", nargs="*", help="webhook logs to take in first")
    report.add_argument("--ledger", default="sqlite:///ledger.db")
    report.add_argument("--out", type=Path, default=Path("report.html"))
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    example: str = "",
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=summary, description=summary + ".", epilog=f"example: wa-products {name} {example}".rstrip()
    )
    command.set_defaults(run=run)
    return command


if __name__ == "__main__":
    sys.exit(main())
