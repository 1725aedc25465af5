"""
Exports as shops have them -> clean frames, and every row set aside with its reason.

`read_catalog`, `read_orders` and `read_inbound` read one file of any known format; `load` reads a folder. Formats
are told apart by content; `wa_products.exports.formats` says how to add one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from wa_products.exports import crosswalk
from wa_products.exports.contract import Kind, Options
from wa_products.exports.folders import load
from wa_products.exports.issues import counted, masked, refuse, summary
from wa_products.exports.joining import stacked, stacked_issues
from wa_products.exports.overlaps import told_once
from wa_products.exports.readers import read_file
from wa_products.exports.rejected import write_rejected

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["crosswalk", "load", "masked", "read_catalog", "read_inbound", "read_orders", "summary", "write_rejected"]


def read_catalog(
    path: str | PathLike[str],
    currency: str | None = None,
    *,
    region: str | None = None,
    timezone: str | None = None,
    as_of: pd.Timestamp | None = None,
    strict: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return the catalog and the issues of any catalog export.

    `currency` is the shop's, for prices that name none; sale prices are those of `as_of`, by default of now. Raises
    DataError for a file that is missing, empty or of no known format; with `strict` for the first error in it.
    """
    return _read("catalog", path, _options(currency, region, timezone, as_of), strict=strict)


def read_orders(
    path: str | PathLike[str],
    region: str | None = None,
    timezone: str | None = None,
    *,
    currency: str | None = None,
    as_of: pd.Timestamp | None = None,
    strict: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return the order lines and the issues of any orders export.

    `region` (ISO 3166) is the country of national phone numbers where the row names none; `timezone` that of times
    without an offset. Raises DataError for a file that is missing, empty or of no known format; with `strict` for the
    first error in it.
    """
    return _read("orders", path, _options(currency, region, timezone, as_of), strict=strict)


def read_inbound(
    path: str | PathLike[str], region: str | None = None, timezone: str | None = None, *, strict: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return the inbound messages and the issues of a webhook log or of an export of threads.

    `region`, `timezone` and `strict` are as in `read_orders`, the former two for thread exports. Raises DataError for
    any other file, and for one whose times also move when the shop writes.
    """
    return _read("inbound", path, _options(None, region, timezone, None), strict=strict)


def _options(currency: str | None, region: str | None, timezone: str | None, as_of: pd.Timestamp | None) -> Options:
    return Options(
        as_of=as_of if as_of is not None else pd.Timestamp.now("UTC"),
        currency=(currency or "").upper(),
        region=(region or "").upper(),
        timezone=timezone or "",
    )


def _read(
    kind: Kind, path: str | PathLike[str], options: Options, *, strict: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    parts = read_file(Path(path), options, kind)
    frame, issues = parts[0].frame, parts[0].issues
    if len(parts) > 1:
        frame, again = told_once(kind, stacked([part.frame for part in parts], kind))
        issues = stacked_issues([*(part.issues for part in parts), again])
    if strict:
        refuse(issues)
    return frame, counted(issues, [part.found.counts(part.kind) for part in parts])
