"""`wa-products plan`: from exports to an approved plan, and what it can be expected to show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from wa_products import arms
from wa_products.commands.shared import OK, command, known_ledger_url
from wa_products.errors import DataError

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands
    from wa_products.datasets import Dataset
    from wa_products.plans import Plan

HORIZON = pd.Timedelta("7D")


def add(commands: Commands) -> None:
    """Add the command."""
    plan = command(
        commands,
        "plan",
        run,
        "make an approved plan from a folder of exports",
        "exports --campaign c1 --approved-by me",
    )
    plan.add_argument("folder", type=Path, help="catalog and order exports, webhook logs, shop.toml")
    plan.add_argument("--campaign", required=True, help="its name; a customer gets one message a campaign")
    plan.add_argument("--approved-by", required=True, help="who answers for sending all that the rules let through")
    plan.add_argument("--holdout", type=float, default=0.2, help="share left out to measure against (default 0.2)")
    plan.add_argument("--rest-days", type=float, default=7.0, help="days between two messages to one customer (7)")
    plan.add_argument(
        "--explore", type=float, default=0.0, help="share who get one of their products at random, to learn from (0)"
    )
    plan.add_argument("--max-sends", type=int, help="most messages of the campaign")
    plan.add_argument("--quiet-hours", help="when nothing is sent, by the shop's clock, such as 21:00-08:00")
    plan.add_argument(
        "--ledger", help="what was sent before, as a URL; default: WA_LEDGER, else ledger.db where there is one"
    )
    plan.add_argument("--out", type=Path, default=Path("plan.jsonl"))


def run(arguments: argparse.Namespace) -> int:
    """Make the plan, and print who gets nothing and why, what it can show, and who would come too late."""
    from wa_products.proposals import propose  # noqa: PLC0415  # each command loads only what it needs
    from wa_products.selection import Policy, select, waterfall  # noqa: PLC0415
    from wa_products.widgets import review  # noqa: PLC0415

    policy = Policy(
        rest_days=arguments.rest_days,
        explore=arguments.explore,
        max_sends=arguments.max_sends,
        quiet_hours=_hours(arguments.quiet_hours),
    )
    data = _loaded(arguments)
    chosen = select(propose(data), data, policy)
    reviewed = review(chosen, data)
    reviewed.approve_all()
    plan = reviewed.plan(campaign=arguments.campaign, approved_by=arguments.approved_by, holdout=arguments.holdout)
    plan.save(arguments.out)
    print(repr(data))
    for reason, customers in waterfall(chosen):
        print(f"{customers:>9,} customers get nothing: {reason}")
    print(f"{plan!r}\n{_detectable(plan, data)}\n{_in_time(plan)}")
    print(f"written to {arguments.out}, readable by you alone: it holds the addresses to send to.")
    return OK


def _loaded(arguments: argparse.Namespace) -> Dataset:
    from wa_products.exports import load  # noqa: PLC0415
    from wa_products.ledger import Ledger  # noqa: PLC0415

    if not (url := known_ledger_url(arguments)):
        return load(arguments.folder)
    with Ledger(url) as ledger:
        return load(arguments.folder, ledger=ledger)


def _hours(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    begin, dash, end = text.partition("-")
    if not dash:
        raise DataError(f"--quiet-hours are two times such as 21:00-08:00, not {text!r}")
    return begin.strip(), end.strip()


def _detectable(plan: Plan, data: Dataset) -> str:
    """Return in words the smallest rise that a campaign of this size would show."""
    from wa_products.metrics.intervals import detectable  # noqa: PLC0415

    drawn = plan.rows["kind"] != "request"
    treated, held = int((drawn & (plan.arms == arms.TREATED)).sum()), int((plan.arms == arms.HOLDOUT).sum())
    if not (treated and held):
        return "Nobody is held out, so what the messages bring cannot be told from what comes anyway."
    bought = data.purchases.loc[data.purchases["ordered_at"] > data.as_of - HORIZON, "customer_id"]
    rate = (plan.rows.loc[drawn, "customer_id"].isin(bought).sum() + 0.5) / (treated + held + 1)
    rise = detectable(rate, treated, held)
    shown = "no rise would surely show: plan for more customers"
    if rise == rise:  # noqa: PLR0124  # NaN is not itself
        shown = f"a rise of {rise * 100:.1f} points or more would show four times in five"
    usual = f"{rate:.1%} of them buying within {HORIZON.days} days, as lately"
    return f"{treated:,} treated, {held:,} held out: with {usual}, {shown}."


def _in_time(plan: Plan) -> str:
    """Return in words how many of a plan would come too late at the pace of the number."""
    from wa_products import pacing  # noqa: PLC0415
    from wa_products.campaigns.queues import in_order, late  # noqa: PLC0415
    from wa_products.ledger.sending import plan_rows  # noqa: PLC0415
    from wa_products.settings import Settings  # noqa: PLC0415

    rate = float(Settings.from_env(needs=()).rate or pacing.RATE)
    rows = in_order(row for row in plan_rows(plan) if row["arm"] == arms.TREATED)
    missed = len(late(rows, plan.created_at, rate))
    return f"Sent at once at {rate:g} messages a second, {missed:,} of {len(rows):,} would come too late."
