"""Writes the reference pages that the code itself tells: commands, settings, data tables, error codes."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from meanings import ABOUT_SETTINGS, COLUMNS, OWN

from wa_products import codes, errors, frames, plans
from wa_products.commands import parser
from wa_products.exports.formats import FORMATS
from wa_products.metrics.failures import WHAT_TO_DO, explain
from wa_products.settings import RECEIVING, SECRETS, SENDING, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py from the code; `make docs` writes it again. -->\n\n"


def pages() -> dict[str, str]:
    """Return each page by its name."""
    made = {
        "commands.md": _commands(),
        "settings.md": _settings(),
        "tables.md": _tables(),
        "errors.md": _errors(),
        "formats.md": _formats(),
    }
    return {name: NOTE + text.strip() + "\n" for name, text in made.items()}


def _table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    names = list(header)
    lines = [names, ["---"] * len(names), *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


# Commands


def _commands() -> str:
    made = parser()
    (known,) = (action for action in made._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    parts = [
        "# Commands\n\n"
        "`wa-products COMMAND --help` says the same. `python -m wa_products` is the same program.\n\n"
        + _table(
            ("exit code", "means"),
            [
                ("0", "done"),
                ("1", "failed: the check, the run, the database, the Cloud API"),
                ("2", "bad input, parameters or settings: nothing was done"),
                ("3", "done, and more sends failed than allowed"),
                ("130", "interrupted; what was done is in the ledger, run it again to go on"),
            ],
        )
    ]
    parts += [_command(name, command) for name, command in known.choices.items()]
    return "\n".join(parts)


def _command(name: str, command: argparse.ArgumentParser) -> str:
    summary = str(command.description)
    usage = " ".join(command.format_usage().removeprefix("usage: ").split())
    usage = fill(usage, 88, subsequent_indent="    ", break_on_hyphens=False)
    example = str(command.epilog or "").removeprefix("example: ")
    rows = [
        (_names(action), (action.help or "").replace("%(default)s", str(action.default)))
        for action in command._actions  # noqa: SLF001  # argparse offers no other way to them
        if not isinstance(action, argparse._HelpAction)  # noqa: SLF001
    ]
    table = "\n" + _table(("argument", "means"), rows) if rows else ""
    return f"## {name}\n\n{summary[0].upper() + summary[1:]}\n\n```text\n{usage}\n```\n\n```sh\n{example}\n```\n{table}"


def _names(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{action.metavar or action.dest}`"
    value = "" if action.nargs == 0 else f" {action.metavar or '|'.join(action.choices or ()) or action.dest.upper()}"
    return ", ".join(f"`{name}{value}`" for name in action.option_strings)


# Settings


def _settings() -> str:
    uses = {"sending": SENDING, "receiving": RECEIVING, "catalog check": ("business_account_id",)}
    rows = []
    for part in fields(Settings):
        needed = ", ".join(use for use, names in uses.items() if part.name in names)
        default = f"`{part.default}`" if part.default else ""
        secret = "yes" if part.name in SECRETS else ""
        rows.append((f"`WA_{part.name.upper()}`", ABOUT_SETTINGS[part.name], needed, default, secret))
    return _ABOUT_SETTINGS.format(table=_table(("variable", "means", "needed for", "default", "secret"), rows))


_ABOUT_SETTINGS = """
# Settings

All settings come from the environment; blank counts as missing. Each command asks for what it needs and names
everything that is missing at once. Secrets stand in no output, log, notebook or ledger. Where Meta shows each stands
in [going live](../live.md).

{table}
A secret may also lie in a file that `WA_TOKEN_FILE`, `WA_APP_SECRET_FILE` or `WA_VERIFY_TOKEN_FILE` names, or in the
system's keyring: `WA_KEYRING` names the service, the entry is called as the variable, and the extra `keyring` is
needed. The environment comes before the file, the file before the keyring.

In Python: `wa.Settings.from_env()`, or `wa.Settings(phone_number_id=...)` with the names in lower case and without
`WA_`.

What only the shop knows stands beside its exports, in `shop.toml`: see [exports](../exports.md#shoptoml).
"""


# Data tables

KINDS = {
    "text": 'text; `""` is unknown',
    "time": "time, UTC; `NaT` is unknown",
    "money": "`Decimal`, its currency beside it; `None` is unknown",
    "number": "number; `NaN` is unknown",
    "integer": "whole number",
    "flag": "true or false",
}
FRAMES: dict[str, tuple[Mapping[str, frames.Kind], str]] = {
    "catalog": (frames.CATALOG, "`data.catalog`: one row a product (variant). Key: `product_retailer_id`."),
    "orders": (frames.ORDERS, "`data.orders`: one row an order line. Key: `order_id, line_no`."),
    "inbound": (frames.INBOUND, "`data.inbound`: one row a message of a customer. Key: `message_id`."),
    "threads": (frames.THREADS, "`data.threads`: one row a customer who ever wrote. Derived from `inbound`."),
    "issues": (frames.ISSUES, "`data.issues`: one row for each cell, row or file that was not as it should be."),
    "sends": (frames.SENDS, "`data.sends`: what a ledger says was sent in any campaign of the last 400 days."),
    "proposals": (frames.PROPOSALS, "What `propose` returns. Key: `customer_id, product_retailer_id`."),
    "selected": (frames.SELECTED, "What `select` returns: every proposal, marked."),
    "plan": (plans.ROWS, "`plan.rows`: what was approved, one row a customer, as a plan's file holds it."),
    "outcomes": (frames.OUTCOMES, "What `send` returns: one row a planned customer. Key: `campaign, customer_id`."),
    "events": (frames.EVENTS, "What `listen` and `ledger.events()` return. Key: `event_id`; a cart has a row a line."),
}


def _tables() -> str:
    parts = [
        "# Data tables\n\n"
        "All frames are pandas. Ids are text, so that leading zeros stay; nothing is ever summed across currencies; "
        "columns of your own pass through every function; no function changes the frame it is given.\n\n"
        + _table(("kind", "how it is held"), KINDS.items())
    ]
    for name, (shape, about) in FRAMES.items():
        rows = [(f"`{column}`", kind, OWN.get((name, column)) or COLUMNS[column]) for column, kind in shape.items()]
        parts.append(f"## {name}\n\n{about}\n\n" + _table(("column", "kind", "means"), rows))
    return "\n".join(parts)


# Formats


def _formats() -> str:
    rows = [
        (known.name, " and ".join(known.readers), ", ".join(f"`{names[0]}`" for names in known.required) or told)
        for known in FORMATS
        for told in [{"json": "its objects", "xml": "its elements"}.get(known.shape, "")]
    ]
    return (
        "# Formats\n\n"
        "Files are told apart by their content: a table by the columns that it must have (each may have one of several "
        "names, the first is shown; case, spaces and underscores do not matter), JSON and XML by what is in them. "
        "Where two fit, the one with more known columns wins. Tables may be CSV, TSV or, with the extra `excel`, "
        "workbooks; any of them `.gz`. Some are known only to be refused, with what to export instead.\n\n"
        + _table(("export", "gives", "recognised by"), rows)
    )


# Errors

_HEADER = ("means", "raised as", "the sender")
_ACTIONS = {
    "retry": "waits {pause:g} s{number}, then tries again, four tries in all; a later run may try again",
    "drop": "tries no more in this campaign",
    "fix": "tries no more: the request or the data must be mended",
    "stop": "stops the campaign; a later run may try again",
}
RAISED = (
    errors.DataError, errors.SettingsError, errors.PlanError, errors.LedgerError, errors.CloudAPIError,
    errors.WindowClosed, errors.RateLimited, errors.NotInCatalog, errors.AuthError, errors.RecipientError,
    errors.NotSent, errors.OutcomeUnknown, errors.TooManyFailures, errors.RunError,
)  # fmt: skip


def _errors() -> str:
    known = [(str(code), code, "", rule) for code, rule in codes.RULES.items()]
    known += [(f"{found[0]} to {found[-1]}", found[0], "", rule) for found, rule in codes.RANGES]
    known += [(f"131009, “{words}”", 131009, words, rule) for words, rule in codes.DETAILS_OF_131009]
    by_class: dict[str, list[tuple[str, codes.Rule]]] = {name: [] for name in WHAT_TO_DO}
    for shown, code, details, rule in known:
        by_class[_class(code, details)].append((shown, rule))
    about = (
        "# Errors\n\n"
        "Errors of the Cloud API come at once, or later by webhook, or both. The codes are grouped by what you can do. "
        "What to do in your case stands in `results.failures`, in the report and, message by message, in "
        "`results.failed`. 131009 alone says only that a value is bad: its details tell which.\n"
    )
    parts = [about]
    for name, what_to_do in WHAT_TO_DO.items():
        rows = [_row(shown, rule) for shown, rule in by_class[name]]
        table = "\n" + _table(("code", *_HEADER), rows) if rows else ""
        parts.append(f"## {name}\n\n{what_to_do}\n{table}")
    uncoded = [_row(str(status), rule) for status, rule in codes.UNCODED.items()]
    parts.append(
        "## Answers without a code\n\n"
        "By HTTP status. A 5xx without a code is not here: whether the message was taken is not known, so the send is "
        "`unknown` and never tried again by itself.\n\n" + _table(("status", *_HEADER), uncoded)
    )
    raised = [(f"`{error.__name__}`", " ".join(str(error.__doc__).split("\n\n")[0].split())) for error in RAISED]
    parts.append(
        "## Python errors\n\nAll are `wa.WaProductsError`; those without `wa.` are in `wa_products.errors`.\n\n"
        + _table(("error", "means"), raised)
    )
    return "\n".join(parts)


def _class(code: int, details: str) -> str:
    return "account" if code == 0 else explain(code, details)[0]


def _row(shown: str, rule: codes.Rule) -> tuple[str, ...]:
    return shown, rule.meaning, f"`{rule.error.__name__}`", _action(rule)


def _action(rule: codes.Rule) -> str:
    told = _ACTIONS[rule.action].format(pause=rule.pause, number=" with all messages" if rule.whole_number else "")
    return (
        told
        + ("; leaves the customer out until they write" if rule.suppress else "")
        + ("; leaves the product out of this run" if rule.product else "")
    )


if __name__ == "__main__":
    for page, text in pages().items():
        (HERE / page).write_text(text, encoding="utf-8")
