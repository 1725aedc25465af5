"""The `wa-products` command: what may be typed, and how each command ends."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from wa_products.commands import (
    backtesting,
    demos,
    doctoring,
    planning,
    receiving,
    reporting,
    resolving,
    running,
    sandboxes,
    sending,
    signing,
    storing,
    surveying,
)
from wa_products.commands.shared import BAD_INPUT, FAILED, INTERRUPTED
from wa_products.errors import DataError, PlanError, SettingsError, WaProductsError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (
    *(demos, doctoring, storing, planning, sending, receiving),
    *(resolving, reporting, surveying, signing, running, backtesting, sandboxes),
)

_SETTINGS = (
    "Settings come from the environment, and secrets from nowhere else but a file or the system's keyring: "
    "WA_TOKEN=..., or WA_TOKEN_FILE=FILE, or WA_KEYRING=SERVICE after `keyring set SERVICE WA_TOKEN` "
    "(pip install 'wa-products[keyring]'); likewise WA_APP_SECRET and WA_VERIFY_TOKEN. "
    "`wa-products doctor` shows what is found, and what is missing for what."
)


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run one command and return its exit code.

    0 done, 1 failed, 2 bad input or settings, 3 done but more sends failed than allowed, 130 interrupted.
    """
    arguments = parser().parse_args(argv)
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


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    made = argparse.ArgumentParser(
        prog="wa-products",
        description="Decide which one product to show each WhatsApp customer, send it safely, measure what it brought.",
        epilog=_SETTINGS,
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    return made
