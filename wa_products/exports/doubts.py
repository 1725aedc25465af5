"""
What is doubtful in a catalog's rows and cells, each cell noted where it stands.

`catalogs` makes the frame; here it is told why a product cannot be sent, and what else the shop should look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from wa_products.exports.columns import Column
from wa_products.exports.names import normal
from wa_products.exports.sendable import SCIENTIFIC

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

NOT_SENT = "row kept, cannot be sent"
_STATE = "state"  # told by the status or by the visibility
_SHOWN = frozenset({"active", "published", "approved"})
_GTINS = ("gtin", "ean", "ean13", "upc", "barcode", "variant_barcode")
_OPTIONS = ("color", "size", "material", "pattern", "gender", "age_group")
_HINTS: dict[str, tuple[str, str, str, str]] = {  # reason: code, severity, field, hint
    "duplicate id": (
        *("duplicate_id", "error", "product_retailer_id"),
        "Meta ignores every item whose id is not unique: give each its own",
    ),
    "unusable id": (
        *("unusable_id", "error", "product_retailer_id"),
        "an id has at most 100 characters, none hidden, none lost to a spreadsheet",
    ),
    "title missing": ("title_missing", "error", "title", "give the product a title"),
    "currency differs": (
        *("currency_differs", "error", "price"),
        "a catalog has one currency: Meta leaves out the items in another",
    ),
    "India compliance missing": (
        *("india_compliance", "error", "origin_country"),
        "give country of origin and importer, or the exemption",
    ),
    "review not approved": (
        "review_not_approved",
        "warning",
        "review",
        "see in Commerce Manager what is wrong with it",
    ),
    "draft": ("draft", "info", _STATE, "publish it if it should be sold"),
    "hidden": ("hidden", "info", _STATE, "show it if it should be sold"),
    "archived": ("archived", "info", _STATE, "bring it back if it should be sold"),
}


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a table that have an id, with the columns a format named."""

    fields: Mapping[str, Column]
    records: np.ndarray
    given: frozenset[str]

    def __getitem__(self, field: str) -> Column:
        return self.fields.get(field) or Column.constant("", len(self.records))

    def has(self, field: str) -> bool:
        """Whether the format has this field."""
        return field in self.given


def note_where(
    column: Column, wrong: np.ndarray, rows: Rows, found: Found, said: tuple[str, str, str, str, str]
) -> None:
    """Note an issue (code, severity, column, action, hint) with its value for each row that is wrong."""
    if not wrong.any():
        return
    code, severity, name, action, hint = said
    found.add(
        code,
        severity,  # type: ignore[arg-type]  # one of the three severities, written above
        rows=rows.records[wrong],
        column=name,
        values=column.take(wrong).texts(),
        action=action,
        hint=hint,
    )


def note_unsendable(catalog: pd.DataFrame, rows: Rows, found: Found) -> None:
    """Note the products that cannot be sent, but for prices and stock, which are noted where they are read."""
    for reason, (code, severity, field, hint) in _HINTS.items():
        wrong = (catalog["not_sendable_reason"] == reason).to_numpy()
        for name, here in _cells(rows, field, wrong):
            column = "id" if name == "product_retailer_id" else name
            note_where(rows[name], here, rows, found, (code, severity, column, NOT_SENT, hint))
    ids = Column.of(catalog["product_retailer_id"])
    plain = catalog["product_retailer_id"].str.strip().str.casefold()
    alike = (plain.duplicated(keep=False) & ~catalog["product_retailer_id"].duplicated(keep=False)).to_numpy()
    hint = "these ids differ only in case or blanks"
    note_where(ids, alike, rows, found, ("ids_alike", "warning", "id", "row kept", hint))


def _cells(rows: Rows, field: str, wrong: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return the fields whose cells make rows wrong, each with its rows: a state may be told by either of two."""
    if field != _STATE:
        return [(field, wrong)]
    status = rows["status"]
    told = ~status.is_blank & ~status.where(lambda value: value.strip().casefold() in _SHOWN)
    return [("status", wrong & told), ("visibility", wrong & ~told)]


def note_gtins(table: Table, found: Found) -> None:
    """Note the codes whose last digits a spreadsheet has lost; ids are seen to elsewhere."""
    for name in table.names(*_GTINS):
        column = table.columns[name]
        lost = column.where(lambda value: bool(SCIENTIFIC.fullmatch(value.strip())))
        if lost.any():
            found.add(
                "gtin_scientific",
                "warning",
                rows=table.records[lost],
                column=name,
                values=column.take(lost).texts(),
                action="row kept",
                hint="a spreadsheet has rewritten it and its last digits are lost: format the column as text",
            )


def note_alike(catalog: pd.DataFrame, rows: Rows, found: Found) -> None:
    """Note variants of one group that have the same options, or none and the same title."""
    if "options" in catalog.columns:
        return  # a shop's own export, whose format has looked at them
    here = [name for name in catalog.columns if normal(name) in _OPTIONS]
    told = catalog[here].apply(lambda column: column.str.strip().str.casefold())
    some = (told != "").any(axis=1) if here else pd.Series(False, index=catalog.index)
    what = told.assign(group=catalog["item_group_id"], title=catalog["title"].where(~some, ""))
    alike = (what.duplicated(keep=False) & (catalog["item_group_id"] != "")).to_numpy()
    hint = "nothing tells these variants of one group apart: give each its own color, size, material or pattern"
    note_where(
        rows["item_group_id"], alike, rows, found, ("variants_alike", "warning", "item_group_id", "row kept", hint)
    )


def note_links(rows: Rows, found: Found) -> None:
    """Note addresses that are missing or no addresses."""
    for field in ("link", "image_link"):
        column = rows[field]
        if not rows.has(field):
            continue
        wrong = ~column.is_blank & ~column.where(lambda v: v.strip().casefold().startswith(("http://", "https://")))
        hint = "give a full address that starts with https://"
        note_where(column, wrong, rows, found, (f"{field}_unusable", "warning", field, "row kept", hint))
        note_where(column, column.is_blank, rows, found, (f"{field}_missing", "warning", field, "row kept", hint))
