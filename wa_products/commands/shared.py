"""What all commands share: exit codes, the help with its example, which ledger is meant, how findings are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wa_products.errors import DataError
from wa_products.settings import Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import TypeAlias

    import pandas as pd

    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # it has no other name

OK, FAILED, BAD_INPUT, TOO_MANY_FAILURES, INTERRUPTED = 0, 1, 2, 3, 130
LEDGER_HELP = "ledger URL; default: WA_LEDGER, else sqlite:///ledger.db"


def command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], summary: str, example: str = ""
) -> argparse.ArgumentParser:
    """Add a command with its one-line summary and an example of its use; return its parser."""
    added = commands.add_parser(
        name, help=summary, description=summary + ".", epilog=f"example: wa-products {name} {example}".rstrip()
    )
    added.set_defaults(run=run)
    return added


def ledger_url(arguments: argparse.Namespace) -> str:
    """Return the URL of the ledger that is meant."""
    return arguments.ledger or Settings.from_env(needs=()).ledger


def known_ledger_url(arguments: argparse.Namespace) -> str:
    """Return the URL of the ledger where one was named or lies in this folder, else ``""``: none is made to read it."""
    url = ledger_url(arguments)
    return "" if url == Settings().ledger and not arguments.ledger and not Path("ledger.db").exists() else url


def needed_ledger_url(arguments: argparse.Namespace) -> str:
    """Return what `known_ledger_url` does; raise DataError where that is none."""
    if url := known_ledger_url(arguments):
        return url
    raise DataError("there is no ledger.db in this folder: name the ledger with --ledger or WA_LEDGER")


def show_findings(table: pd.DataFrame) -> None:
    """Print the findings of a check, each with what to do."""
    width = max(map(len, table["name"]), default=0)
    for finding in table.itertuples():
        print(f"{finding.state:<5} {finding.name:<{width}}  {finding.what}")
        if finding.what_to_do:
            print(f"{'':<{width + 8}}-> {finding.what_to_do}")
