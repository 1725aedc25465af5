"""`wa-products doctor`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wa_products.commands.shared import FAILED, OK, command, show_findings

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    command(
        commands,
        "doctor",
        run,
        "look at this machine: versions, settings (masked), ledger, disk, browser, clock, what is missing for what",
    )


def run(_arguments: argparse.Namespace) -> int:
    """Print what was found; 1 where something fails."""
    from wa_products.client import SystemClock  # noqa: PLC0415  # each command loads only what it needs
    from wa_products.preflight.machine import doctor  # noqa: PLC0415

    found = doctor(os.environ, SystemClock())
    show_findings(found)
    return FAILED if (found["state"] == "fail").any() else OK
