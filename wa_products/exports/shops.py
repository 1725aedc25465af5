"""
A shop platform's products to the canonical catalog: what the formats of shop exports share.

Their ids are the shop's own. What WhatsApp can show is named by the Meta catalog alone, so no row of theirs can be
sent; `wa_products.exports.enrichment` joins them to Meta's items.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.exports.catalogs import build_catalog
from wa_products.exports.columns import Column
from wa_products.exports.money import read_amounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from wa_products.exports.contract import Options
    from wa_products.exports.issues import Found, Severity
    from wa_products.exports.tables import Table

SYSTEM = "shop_system"
LINE = "source_line"
NO_META = "no Meta catalog"
PARENT = "parent of variants"
PARENT_UNKNOWN = "parent unknown"
GIFT_CARD = "gift card"
GROUPED = "group of products"
COLUMNS = ("shop_id", "sku", "gtin", "handle", "options", "additional_image_link")
_BETWEEN = " / "


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table of products as pandas text, one column a field that the format asks for."""

    table: Table

    def __len__(self) -> int:
        return len(self.table)

    def has(self, *names: str) -> bool:
        """Whether the file has a column of one of these names."""
        return bool(self.table.names(*names))

    def text(self, *names: str) -> pd.Series:
        """Return the column of one of these names, without blanks around its values; blank where there is none."""
        return self.table.column(*names).stripped().texts() if len(self) else blank(0)

    def raw(self, *names: str) -> pd.Series:
        """Return the column of one of these names, character for character; blank where there is none."""
        return self.table.column(*names).texts()

    def recoded(self, change: Callable[[str, pd.Series], pd.Series | None]) -> Sheet:
        """Return the sheet with each column as `change` of its name and texts; None leaves it."""
        columns = dict(self.table.columns)
        for name, column in self.table.columns.items():
            changed = change(name, column.texts())
            columns[name] = column if changed is None else Column.of(list(changed))
        return Sheet(replace(self.table, columns=columns))

    def note(
        self,
        found: Found,
        where: pd.Series | np.ndarray,
        said: tuple[str, Severity, str, str, str],
        values: pd.Series | None = None,
    ) -> None:
        """Note an issue (code, severity, column, action, hint) for each row of `where`, with its value."""
        mask = np.asarray(where, dtype=bool)
        if not mask.any():
            return
        code, severity, column, action, hint = said
        shown = values[mask] if values is not None else ()
        found.add(code, severity, rows=self.table.records[mask], column=column, values=shown, action=action, hint=hint)


def blank(rows: int, text: str = "") -> pd.Series:
    """Return a text series of one value."""
    return pd.Series([text] * rows, dtype="str")


def either(first: pd.Series, other: pd.Series) -> pd.Series:
    """Return `first`, with the value of `other` where it is blank."""
    return first.where(first.str.strip() != "", other)


def each(texts: pd.Series, function: Callable[[str], str]) -> pd.Series:
    """Return ``function(value)`` for each row, called once a distinct value."""
    return Column.of(list(texts)).recoded(function).texts()


def filled_within(groups: pd.Series, texts: pd.Series) -> pd.Series:
    """Return `texts` with each blank filled by the first value of its own group; rows of a blank group stay."""
    first = texts.where(texts.str.strip() != "").groupby(groups.to_numpy()).transform("first")
    known = (groups != "") & first.notna()
    return texts.where((texts.str.strip() != "") | ~known, first).astype("str")


def joined(parts: Iterable[pd.Series], rows: int, between: str = _BETWEEN) -> pd.Series:
    """Return the filled values of each row, joined."""
    columns = [part.tolist() for part in parts]
    if not columns:
        return blank(rows)
    texts = [between.join(value for value in row if value) for row in zip(*columns, strict=True)]
    return pd.Series(texts, dtype="str")


def unique_ids(preferred: pd.Series, fallback: pd.Series) -> pd.Series:
    """Return `preferred` where it names one row alone, else `fallback`: SKUs are often blank or used twice."""
    alone = (preferred.str.strip() != "") & ~preferred.duplicated(keep=False)
    return preferred.where(alone, fallback)


def keyed(group: pd.Series, options: pd.Series, between: str = ":") -> pd.Series:
    """Return the key of a variant: its product's handle, id or title, with its options after `between`."""
    return group.where((options == "") | (group == ""), group + between + options)


def on_sale(price: pd.Series, compare_at: pd.Series, currency: str) -> tuple[pd.Series, pd.Series]:
    """Return the regular and the sale price: what was crossed out is the regular one where it lies above the price."""
    both = Column.of([*price, *compare_at])
    amounts = both.spread(read_amounts(both.distinct, currency, currency=False).amounts)
    now, before = amounts[: len(price)], amounts[len(price) :]
    lower = pd.Series(
        [a is not None and b is not None and a < b for a, b in zip(now, before, strict=True)], dtype="bool"
    )
    return price.where(~lower, compare_at), price.where(lower, "")


def amounts_of(texts: pd.Series, currency: str) -> list[Decimal | None]:
    """Return the amounts of a column of prices; None where a cell holds none or leaves doubt."""
    column = Column.of(list(texts))
    return list(column.spread(read_amounts(column.distinct, currency, currency=False).amounts))


def reduced(
    full: Decimal | None, *, amount: Decimal | None = None, percent: Decimal | None = None, cent: Decimal
) -> str:
    """Return a price less an amount or less a part of a hundred, in whole `cent`; blank where nothing is taken off."""
    if full is None or not (amount or percent):
        return ""
    less = full - (amount or full * (percent or Decimal(0)) / 100)
    return format(less.quantize(cent), "f") if less > 0 else ""


def build_shop(
    sheet: Sheet,
    options: Options,
    found: Found,
    *,
    system: str,
    fields: Mapping[str, pd.Series],
    own: Mapping[str, pd.Series],
    used: Iterable[str] = (),
) -> pd.DataFrame:
    """
    Return the canonical catalog of a shop export, no row of it sendable.

    `fields` are as in `catalogs.FIELDS`; `own` are the shop's `COLUMNS`. The file's other columns pass through, but
    for those of the names `used`.
    """
    table = sheet.table
    gone = set(table.names(*used))
    extra = {name: Column.of(list(own[name])) for name in COLUMNS if name in own}
    others = {name: column for name, column in table.columns.items() if name not in gone and name not in COLUMNS}
    rows = replace(table, columns={**extra, **others})
    exempt = Column.constant("COUNTRY_ORIGIN_EXEMPT", len(table))  # India's rules are Meta's to check, not the shop's
    columns = {name: Column.of(list(texts)) for name, texts in fields.items()}
    catalog = build_catalog(rows, {**columns, "compliance": exempt}, options, found)
    _note_shop_ids(system, found)
    at = np.searchsorted(table.records, catalog["source_row"])
    reason = catalog["not_sendable_reason"]
    return catalog.assign(
        **{name: blank(len(catalog)) for name in COLUMNS if name not in own},
        **{SYSTEM: blank(len(catalog), system), LINE: np.asarray(table.lines, dtype="int64")[at]},
        sendable=False,
        not_sendable_reason=reason.where(reason != "", NO_META),
    )


def note_alike(sheet: Sheet, group: pd.Series, options: pd.Series, found: Found) -> None:
    """Note the variants of one product that have the same options: nothing tells them apart."""
    both = pd.DataFrame({"group": group, "options": options})
    alike = both.duplicated(keep=False) & (options != "") & (group != "")
    hint = "variants of one product differ in at least one option"
    sheet.note(found, alike, ("variants_alike", "warning", "options", "row kept", hint), options)


def _note_shop_ids(system: str, found: Found) -> None:
    found.add(
        "shop_ids",
        "info",
        column="product_retailer_id",
        values=[system],
        action="kept as the shop's ids, not sendable",
        hint="messages name products by the ids of the Meta catalog: load that beside this file to join the two",
    )
