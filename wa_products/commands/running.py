"""`wa-products run`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wa_products.commands.shared import FAILED, OK, TOO_MANY_FAILURES, command

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    run = command(
        commands,
        "run",
        run_notebook,
        "run a notebook from the top, its parameters checked first; a dry run unless --live and dry_run=false",
        "notebooks/70_daily_campaign.ipynb -p shop=/srv/exports -p policy=/srv/policy.toml",
    )
    run.add_argument("notebook", type=Path)
    run.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=(
            "may be repeated; policy=FILE (signed by wa-products sign) and plan=FILE (reviewed) say what may be sent, "
            "and nothing else is"
        ),
    )
    run.add_argument("--live", action="store_true", help="really send; wants -p dry_run=false and the settings as well")
    run.add_argument("--runs", type=Path, default=Path("runs"), help="where each run gets a folder of its own")
    run.add_argument(
        "--on-failure",
        default="",
        metavar="COMMAND|URL",
        help="gets the summary of a run that failed, was refused or was killed before the next one began",
    )


def run_notebook(arguments: argparse.Namespace) -> int:
    """Run the notebook and say where its folder is; 1 where a cell failed, 3 above the failure rate."""
    from wa_products import runs  # noqa: PLC0415  # each command loads only what it needs

    made = runs.run(
        arguments.notebook,
        arguments.parameter,
        live=arguments.live,
        runs=arguments.runs,
        on_failure=arguments.on_failure,
        progress=sys.stderr.isatty(),
    )
    print(f"{made.state}: {made.folder}")
    for line in filter(None, [made.error, *made.notes]):
        print(f"wa-products run: {line}", file=sys.stderr)
    return {runs.SUCCEEDED: OK, runs.TOO_MANY: TOO_MANY_FAILURES}.get(made.state, FAILED)
