"""The campaign customer by customer in a file, for the shop's own eyes: CSV or Excel."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.reports.writing import replaced

if TYPE_CHECKING:
    import os

    from wa_products.metrics import Results

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def save_contacts(results: Results, path: str | os.PathLike[str], *, threads: pd.DataFrame | None = None) -> Path:
    """
    Write ``results.contacts`` to `path` (``.csv`` or ``.xlsx``), whole or not at all, and return the path.

    One row a planned customer: what was sent, how far it came, what failed and what to do, which cart followed. By
    customer id; only where the `threads` of the shop are given (``data.threads``) stands the address beside it. Times
    are UTC. No text of a shop or customer becomes a formula. Raises DataError for another kind of file, a folder, and
    an xlsx file without the extra ``excel``.
    """
    target = Path(path)
    table = results.contacts if threads is None else _addressed(results.contacts, threads)
    if target.suffix.lower() == ".csv":
        return replaced(target, partial(_write_csv, table))
    if target.suffix.lower() == ".xlsx":
        return replaced(target, partial(_write_xlsx, table))
    raise DataError(f"{target.name} is neither .csv nor .xlsx: name the file contacts.csv or contacts.xlsx")


def _addressed(table: pd.DataFrame, threads: pd.DataFrame) -> pd.DataFrame:
    frames.require(threads, ("customer_id", "to", "recipient"), "the threads")
    known = threads.drop_duplicates("customer_id").set_index("customer_id")
    address = known["to"].where(known["to"] != "", known["recipient"])
    found = table["customer_id"].map(address).fillna("").astype("str")
    return pd.concat([table[["customer_id"]], found.rename("address"), table.drop(columns="customer_id")], axis=1)


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write text that a spreadsheet would take for a formula with an apostrophe before it."""
    texts = {name: table[name].astype("str") for name in table.select_dtypes(["str", "object"]).columns}
    safe = {name: values.where(~values.str.startswith(_FORMULAS), "'" + values) for name, values in texts.items()}
    times = {name: table[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name in _times(table)}
    table.assign(**safe, **times).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")


def _write_xlsx(table: pd.DataFrame, path: Path) -> None:
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    times = {name: table[name].dt.tz_localize(None).dt.floor("s") for name in _times(table)}
    try:
        with pd.ExcelWriter(path, engine="xlsxwriter", engine_kwargs={"options": plain}) as book:
            table.assign(**times).to_excel(book, sheet_name="contacts", index=False, freeze_panes=(1, 1))
            book.sheets["contacts"].autofilter(0, 0, len(table), len(table.columns) - 1)
            book.sheets["contacts"].autofit(300)
    except ImportError as error:
        raise DataError(
            'an xlsx file needs the extra: pip install "wa-products[excel]", or name a .csv file'
        ) from error


def _times(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if isinstance(table[name].dtype, pd.DatetimeTZDtype)]
