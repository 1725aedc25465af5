"""`wa-products campaigns`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from wa_products.commands.shared import LEDGER_HELP, OK, command, needed_ledger_url
from wa_products.errors import DataError

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands

_COUNTS = ["planned", "accepted", "delivered", "read", "failed"]


def add(commands: Commands) -> None:
    """Add the command."""
    about = "all campaigns of a ledger side by side: how far each came, and what it added"
    campaigns = command(commands, "campaigns", run, about, "--since 2026-11-01 --out campaigns.csv")
    campaigns.add_argument("--since", help="leave out what was planned before this day, as 2026-11-01")
    campaigns.add_argument("--horizon", default="7D", help="carts count for so long; default: %(default)s")
    campaigns.add_argument("--out", type=Path, help="also write all columns to this CSV file")
    campaigns.add_argument("--ledger", help=LEDGER_HELP)


def run(arguments: argparse.Namespace) -> int:
    """Print a line a campaign, and write the table where it was asked for."""
    from wa_products.campaigns import overview  # noqa: PLC0415  # each command loads only what it needs
    from wa_products.ledger import Ledger  # noqa: PLC0415
    from wa_products.reports.writing import replaced  # noqa: PLC0415

    since = _day(arguments.since)
    with Ledger(needed_ledger_url(arguments)) as ledger:
        found = overview(ledger, since=since, horizon=arguments.horizon)
    if found.empty:
        print("No campaign was planned" + (f" since {since:%Y-%m-%d}." if since is not None else " yet."))
    else:
        print(_lines(found).to_string(index=False))
    if arguments.out is not None:
        print(f"The table is {replaced(arguments.out, lambda draft: found.to_csv(draft, index=False))}")
    return OK


def _day(words: str | None) -> pd.Timestamp | None:
    try:
        at = pd.Timestamp(words) if words else None
    except ValueError as error:
        raise DataError(f"--since {words!r} is no day: write it as 2026-11-01") from error
    return at if at is None else at.tz_localize("UTC") if at.tzinfo is None else at


def _lines(found: pd.DataFrame) -> pd.DataFrame:
    """Return the table as it is printed: counts, and what was added in customers with a cart in 100."""
    told = pd.DataFrame(
        {"campaign": found["campaign"], "began (UTC)": found["started_at"].dt.strftime("%Y-%m-%d %H:%M")}
    )
    told = told.join(found[_COUNTS].map("{:,}".format))
    return told.assign(**{"added in 100": [_added(row) for row in found.itertuples()]})


def _added(row: object) -> str:
    difference, low, high = (100 * getattr(row, name) for name in ("difference", "low", "high"))
    if pd.isna(difference):
        return "nobody held out"
    return "days not over" if pd.isna(low) else f"{difference:+.1f} ({low:+.1f} to {high:+.1f})"
