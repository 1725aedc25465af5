"""`wa-products sign`: a person lets runs send by a policy, until a day and up to a number of messages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from wa_products.commands.shared import OK, command
from wa_products.errors import DataError, SettingsError

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    sign = command(
        commands,
        "sign",
        run,
        "sign a policy (TOML), so that scheduled runs may send by it without you",
        "policy.toml --by Ana --until 2026-12-31 --at-most 500",
    )
    sign.add_argument("policy", type=Path, help="kinds, products, min_probability, max_sends and so on, as wa.Policy")
    sign.add_argument("--by", required=True, help="your name: you answer for what is sent by it")
    sign.add_argument("--until", required=True, metavar="DATE", help="from when it covers nothing any more (UTC)")
    sign.add_argument(
        "--at-most", required=True, type=int, metavar="NUMBER", help="messages in all, over all campaigns"
    )


def run(arguments: argparse.Namespace) -> int:
    """Sign, and print what was signed in full, with what the file leaves unsaid."""
    from wa_products import approvals  # noqa: PLC0415  # each command loads only what it needs

    if os.environ.get("WA_RUN_FOLDER"):
        raise SettingsError("a scheduled run cannot sign: a person does")
    until = _moment(arguments.until)
    now = pd.Timestamp.now("UTC")
    signed = approvals.sign(arguments.policy, by=arguments.by, at=now, until=until, at_most=arguments.at_most)
    for name, value in signed.policy.to_dict().items():
        print(f"{name:<17} {'any' if value is None else value}")
    print(f"{arguments.policy} is {signed}")
    return OK


def _moment(text: str) -> pd.Timestamp:
    try:
        at = pd.Timestamp(text)
    except ValueError:
        at = pd.NaT
    if at is pd.NaT:
        raise DataError(f"--until is a day such as 2026-12-31, not {text!r}")
    return at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")
