"""
A catalog's columns of text to the canonical frame: shared by every catalog format.

A format names its columns in the words of `FIELDS`; here they become amounts, words and times, each cell that
cannot be read is noted, and each product learns why it cannot be sent.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.exports.columns import Column, same
from wa_products.exports.currencies import CODES
from wa_products.exports.doubts import NOT_SENT, Rows, note_alike, note_gtins, note_links, note_unsendable, note_where
from wa_products.exports.money import MONEY_HINTS, read_amounts
from wa_products.exports.prose import has_control, has_markup, is_garbled, to_text
from wa_products.exports.sales import SALE_HINTS, sale_between, sale_holds, sale_window
from wa_products.exports.sendable import (
    IN_STOCK,
    OUT_OF_STOCK,
    UNKNOWN,
    availability,
    compliant_in_india,
    not_sendable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wa_products.exports.contract import Options
    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

TEXTS = ("product_retailer_id", "title", "description", "brand", "link", "image_link", "item_group_id", "product_type")
FIELDS = (
    *TEXTS,
    *("price", "sale_price", "currency", "sale_window", "sale_starts", "sale_ends", "availability", "inventory"),
    *("visibility", "status", "review", "origin_country", "importer", "compliance", "reason"),
)
_LONGEST_TITLE = 200


def build_catalog(table: Table, fields: Mapping[str, Column], options: Options, found: Found) -> pd.DataFrame:
    """
    Return the canonical catalog: one row a row of `table` that has an id.

    `fields` maps names of `FIELDS` to columns of the table; a name that the format does not have is left out. What
    else the table has passes through as text. ``reason`` says in words why a row is nothing to sell, such as a parent
    of variants; such a row needs no price and no stock. `sale_price` is there only where the sale is on at
    ``options.as_of``; ``sale_price_listed, sale_starts_at, sale_ends_at`` keep what the file says.
    """
    found.names.update(_names(table, fields))
    rows = _with_id(table, fields, found)
    catalog = pd.DataFrame({name: rows[name].texts() for name in TEXTS})
    catalog["title"], catalog["description"] = _prose(rows, "title", found), _prose(rows, "description", found)
    catalog = catalog.assign(
        availability=_availability(rows, found),
        visibility=rows["visibility"].texts(),
        review=rows["review"].texts(),
    )
    catalog = _with_prices(catalog, rows, options, found)
    catalog["source_file"] = same(table.file, len(catalog))
    catalog["source_row"] = rows.records
    catalog = _with_extras(catalog, table, fields, rows)
    currency = options.currency or _dominant(catalog["currency"])
    compliant = _compliant(rows, options, currency)
    reason = not_sendable(catalog, currency=currency, status=rows["status"].texts(), compliant=compliant)
    if not rows.has("availability"):
        reason = reason.where(reason != "availability unknown", "")
    reason = rows["reason"].or_else(Column.of(reason)).texts()
    catalog = catalog.assign(not_sendable_reason=reason, sendable=reason == "")
    note_unsendable(catalog, rows, found)
    note_links(rows, found)
    note_gtins(table, found)
    note_alike(catalog, rows, found)
    found.account(len(catalog))
    return frames.conform(catalog_at(catalog, options.as_of), frames.CATALOG, "catalog")


def catalog_at(catalog: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the catalog with `sale_price` only where the sale is on at `as_of`; unchanged where it has no windows."""
    if "sale_price_listed" not in catalog.columns:
        return catalog
    on = sale_holds(catalog["sale_starts_at"], catalog["sale_ends_at"], as_of)
    return catalog.assign(sale_price=catalog["sale_price_listed"].where(on, None).astype("object"))


def _names(table: Table, fields: Mapping[str, Column]) -> dict[str, str]:
    """Return what the file calls the columns that issues name, where a column was taken as it is."""
    ours = {"product_retailer_id": "id", "sale_window": "sale_price_effective_date"}
    by_column = {id(column): name for name, column in table.columns.items()}
    return {
        ours.get(field, field): by_column[id(column)] for field, column in fields.items() if id(column) in by_column
    }


def _with_id(table: Table, fields: Mapping[str, Column], found: Found) -> Rows:
    named = fields["product_retailer_id"]
    missing = named.is_blank
    if missing.any():
        found.set_aside += int(missing.sum())
        found.add(
            "id_missing",
            "error",
            rows=table.records[missing],
            column="id",
            action="row set aside",
            hint="a product without an id cannot be named in a message",
        )
    kept = {name: column.take(~missing).compact() for name, column in fields.items()}
    return Rows(kept, table.records[~missing], frozenset(fields))


def _prose(rows: Rows, field: str, found: Found) -> pd.Series:
    column = rows[field]
    tests: dict[str, tuple[Callable[[str], bool], str, str]] = {
        "markup": (
            has_markup,
            "row kept" if field == "title" else "text without its markup kept",
            "give plain text",
        ),
        "garbled_text": (
            is_garbled,
            "row kept",
            "letters were read in the wrong encoding before this file was made",
        ),
        "control_characters": (has_control, "row kept", "take out hidden characters"),
    }
    if field == "title":
        tests["title_too_long"] = (_is_long, "row kept", "a title has at most 200 characters")
    for code, (test, action, hint) in tests.items():
        severity = "info" if (code, field) == ("markup", "description") else "warning"  # shops write HTML
        note_where(column, column.where(test), rows, found, (code, severity, field, action, hint))
    return column.texts() if field == "title" else column.recoded(to_text).texts()


def _is_long(value: str) -> bool:
    return len(value) > _LONGEST_TITLE


def _availability(rows: Rows, found: Found) -> pd.Series:
    said = rows["availability"]
    words = said.recoded(availability).texts()
    if not rows.has("availability"):
        found.add(
            "availability_not_in_file",
            "warning",
            column="availability",
            action="read as unknown",
            hint="this format does not tell stock; the Meta catalog does",
        )
        return words
    unknown = (words == UNKNOWN).to_numpy() & rows["reason"].is_blank
    hint = "use in stock, out of stock or preorder"
    note_where(said, unknown, rows, found, ("availability_unknown", "error", "availability", NOT_SENT, hint))
    none_left = rows["inventory"].where(lambda value: value.strip().removesuffix(".0") == "0")
    gone = none_left & (words == IN_STOCK).to_numpy()
    hint = "in stock with an inventory of 0: correct one of the two"
    said_so = ("inventory_zero", "warning", "inventory", "read as out of stock", hint)
    note_where(rows["inventory"], gone, rows, found, said_so)
    return words.mask(gone, OUT_OF_STOCK)


def _with_prices(catalog: pd.DataFrame, rows: Rows, options: Options, found: Found) -> pd.DataFrame:
    price, currency = _amounts(rows, "price", options, found)
    listed, sale_currency = _amounts(rows, "sale_price", options, found)
    starts, ends, bad = _windows(rows, options, found)
    known = np.array([amount is not None for amount in listed], dtype=bool)
    same = known & (sale_currency == currency).to_numpy()
    below = np.array([p is None or s is None or s < p for p, s in zip(price, listed, strict=True)], dtype=bool)
    hint = "a sale price lies below the price, in the same currency; it is not used"
    wrong = known & ~(same & below)
    note_where(
        rows["sale_price"], wrong, rows, found, ("sale_price_unusable", "warning", "sale_price", "row kept", hint)
    )
    usable = pd.Series(listed, dtype="object").where(same & below & ~bad, None)
    return catalog.assign(
        price=pd.Series(price, dtype="object"),
        currency=currency,
        sale_price_listed=usable,
        sale_starts_at=starts,
        sale_ends_at=ends,
    )


def _amounts(rows: Rows, field: str, options: Options, found: Found) -> tuple[np.ndarray, pd.Series]:
    column, beside = rows[field], rows["currency"].recoded(lambda code: code.strip().upper())
    default = options.currency if not rows.has("currency") else ""
    read = read_amounts(column.distinct, default, in_use=beside.distinct, currency=not rows.has("currency"))
    codes = Column.of(read.currencies)
    named = Column(codes.codes[column.codes], codes.values)
    faults = column.spread(
        [fault or _sign_fault(amount) for amount, fault in zip(read.amounts, read.faults, strict=True)]
    )
    if rows.has("currency"):
        wanted = beside.texts()
        written = Column.of(column.map(partial(_own_currency, default=options.currency)))
        faults = np.where(
            (faults == "") & (wanted == "") & ~column.is_blank & (named.texts() == ""), "currency_missing", faults
        )
        clash = (written.texts() != "") & (wanted != "") & (written.texts() != wanted)
        faults = np.where((faults == "") & clash, "currency_mismatch", faults)
        unknown = ~wanted.isin([*CODES, ""])
        faults = np.where((faults == "") & unknown & ~column.is_blank, "currency_unknown", faults)
        named = beside.or_else(named)
    amounts = column.spread(read.amounts)
    amounts[faults != ""] = None
    if field == "price":
        faults = np.where(column.is_blank & rows["reason"].is_blank & (faults == ""), "price_missing", faults)
    _note_faults(column, faults, rows, found, field)
    if read.sign == "both":
        hint = "one column, one decimal sign: the plain cells were read, the doubtful ones not"
        found.add("mixed_decimal_signs", "warning", column=field, action="read cell by cell", hint=hint)
    texts = named.texts()
    return amounts, texts.where(faults == "", "") if field == "sale_price" else texts


def _own_currency(value: str, default: str) -> str:
    return read_amounts([value], default).currencies[0] if any(c.isalpha() or c in "$€£¥₹₽" for c in value) else ""


def _sign_fault(amount: object) -> str:
    if amount is None:
        return ""
    return "price_negative" if amount < 0 else "price_zero" if amount == 0 else ""  # type: ignore[operator]  # a Decimal


def _note_faults(column: Column, faults: np.ndarray, rows: Rows, found: Found, field: str) -> None:
    for code in sorted(set(faults) - {""}):
        action = NOT_SENT if field == "price" else "sale price not used"
        hint = MONEY_HINTS.get(code, "give each product a price")
        note_where(column, faults == code, rows, found, (code, "error", field, action, hint))


def _windows(rows: Rows, options: Options, found: Found) -> tuple[pd.Series, pd.Series, np.ndarray]:
    column = rows["sale_window"]
    if rows.has("sale_starts") or rows.has("sale_ends"):
        first, last = rows["sale_starts"].texts(), rows["sale_ends"].texts()
        column = Column.of((first + "\x1f" + last).where((first != "") | (last != ""), ""))
        read = [sale_between(*_halves(v), options.timezone) if v else sale_window("", "") for v in column.distinct]
    else:
        read = [sale_window(value, options.timezone) for value in column.distinct]
    faults = column.spread([window.fault for window in read])
    for code in sorted(set(faults) - {""}):
        said = (code, "warning", "sale_price_effective_date", "row kept", SALE_HINTS[code])
        note_where(column.recoded(lambda v: v.replace("\x1f", "/")), faults == code, rows, found, said)
    stamps = frames.DTYPES["time"]
    starts = pd.to_datetime(pd.Series(column.spread([window.starts for window in read])), utc=True).astype(stamps)
    ends = pd.to_datetime(pd.Series(column.spread([window.ends for window in read])), utc=True).astype(stamps)
    return starts, ends, np.isin(faults, ["sale_window_unreadable", "sale_window_ends_first"])


def _halves(value: str) -> tuple[str, str]:
    first, _, last = value.partition("\x1f")
    return first, last


def _compliant(rows: Rows, options: Options, currency: str) -> np.ndarray:
    if options.region.upper() != "IN" and (options.region or currency != "INR"):
        return np.ones(len(rows.records), dtype=bool)
    return compliant_in_india(rows["origin_country"], rows["importer"], rows["compliance"])


def _with_extras(catalog: pd.DataFrame, table: Table, fields: Mapping[str, Column], rows: Rows) -> pd.DataFrame:
    used = {id(column) for column in fields.values()}
    kept = np.isin(table.records, rows.records)
    taken = {*catalog.columns, *frames.CATALOG}
    extras = {
        name: column.take(kept).texts()
        for name, column in table.columns.items()
        if id(column) not in used and name not in taken
    }
    return pd.DataFrame({**{name: catalog[name] for name in catalog.columns}, **extras})


def _dominant(named: pd.Series) -> str:
    counts = named[named != ""].value_counts()
    return str(min(counts[counts == counts.max()].index)) if len(counts) else ""
