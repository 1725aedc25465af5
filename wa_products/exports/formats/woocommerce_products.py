"""
WooCommerce products CSV, its header in the language of whoever exported it.

A variable product has no price; its variations have, and point to it by ``id:20`` or by its SKU. What they lack
(title, text, categories, brand, pictures, stock) is their parent's, and so is not being published.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from wa_products.exports.contract import Format, Options
from wa_products.exports.names import normal
from wa_products.exports.shops import (
    GROUPED,
    PARENT,
    PARENT_UNKNOWN,
    Sheet,
    blank,
    build_shop,
    each,
    either,
    joined,
    keyed,
    note_alike,
)
from wa_products.exports.translations import NAMES, attribute_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_USED = ("id", "sku", "gtin", "name", "description", "brands")
_ESCAPED = ("'=", "'+", "'-", "'@")
_COMMA = re.compile(r"(?<!\\),\s*")
_KEPT = "row kept, cannot be sent"
_PUBLISHED = {"1": "published", "": "published", "2": "published", "0": "hidden", "-1": "draft"}


@dataclass(frozen=True, eq=False)
class _Export(Sheet):
    """The file, with the name of the column that holds each field."""

    columns: Mapping[str, str]

    def field(self, field: str) -> pd.Series:
        """Return a field without the apostrophe that the exporter puts before what looks like a formula."""
        if field not in self.columns:
            return blank(len(self))
        texts = self.table.columns[self.columns[field]].stripped().texts()
        return each(texts, lambda text: text[1:] if text.startswith(_ESCAPED) else text)


class _Family(NamedTuple):
    """Which rows are variations, and for each row the place of its parent's row, -1 for none."""

    variation: np.ndarray
    parent: np.ndarray

    def inherited(self, texts: pd.Series) -> pd.Series:
        """Return `texts`, with those of its parent where a variation has none."""
        return either(texts, self.of_parent(texts))

    def of_parent(self, texts: pd.Series) -> pd.Series:
        """Return for each variation the text of its parent, else blank."""
        above = texts.to_numpy(dtype=object)[self.parent] if len(texts) else texts
        return pd.Series(np.where(self.parent >= 0, above, ""), dtype="str")


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return products and variations, one row each; ids are WooCommerce's, else the SKU."""
    sheet = _Export(table, _columns(table, found))
    kinds = sheet.field("type").str.casefold()
    identity, sku, named = sheet.field("id"), sheet.field("sku"), sheet.field("name")
    family = _family(sheet, kinds, identity, sku)
    choices = _options(sheet, family)
    price, sale = _prices(sheet)
    pictures = [_listed(text) for text in family.inherited(sheet.field("images"))]
    key = either(identity, sku)
    fields = {
        "product_retailer_id": key,
        "title": either(named, keyed(family.of_parent(named), choices, " - ")),
        "description": family.inherited(_described(sheet)),
        "price": price,
        "sale_price": sale,
        "sale_starts": sheet.field("sale_starts"),
        "sale_ends": sheet.field("sale_ends"),
        "brand": family.inherited(sheet.field("brands")),
        "product_type": each(family.inherited(sheet.field("categories")), lambda text: next(iter(_listed(text)), "")),
        "image_link": pd.Series([links[0] if links else "" for links in pictures], dtype="str"),
        "item_group_id": family.of_parent(key),
        "visibility": _visibility(sheet, family, found),
        "reason": _reason(sheet, kinds, family, found),
        **_stock(sheet, family),
    }
    note_alike(sheet, fields["item_group_id"], choices, found)
    own = {
        "shop_id": identity,
        "sku": sku,
        "gtin": sheet.field("gtin"),
        "options": choices,
        "additional_image_link": pd.Series([",".join(links[1:]) for links in pictures], dtype="str"),
    }
    used = [sheet.columns[field] for field in _USED if field in sheet.columns]
    return build_shop(sheet, options, found, system="WooCommerce", fields=fields, own=own, used=used)


def _columns(table: Table, found: Found) -> dict[str, str]:
    """Return the file's column of each field; where a plugin's has a name for the same, the exporter's own is used."""
    columns = {}
    for field, accepted in NAMES.items():
        names = table.names(*accepted)
        if not names:
            continue
        columns[field] = names[0]
        for other in names[1:]:
            hint = f"{names[0]!r} is used, this one passes through"
            found.add("two_columns_one_field", "warning", column=other, action="column not used", hint=hint)
    return columns


def _listed(text: str) -> list[str]:
    r"""Return the members of a list, whose own commas stand as ``\,``."""
    return [part.replace("\\,", ",").strip() for part in _COMMA.split(text) if part.strip()]


def _family(sheet: _Export, kinds: pd.Series, identity: pd.Series, sku: pd.Series) -> _Family:
    variation = kinds.str.contains("variation").to_numpy(dtype=bool)
    by_id = {value: place for place, value in enumerate(identity) if value}
    by_sku: dict[str, list[int]] = {}
    for place, value in enumerate(sku):
        if value and not variation[place]:
            by_sku.setdefault(value, []).append(place)
    find = _finder(by_id, by_sku)
    named = sheet.field("parent")
    places = [find(value) if is_child else -1 for value, is_child in zip(named, variation, strict=True)]
    return _Family(variation, np.array(places, dtype="int64"))


def _finder(by_id: dict[str, int], by_sku: dict[str, list[int]]) -> Callable[[str], int]:
    def find(named: str) -> int:
        if named.casefold().startswith("id:"):
            return by_id.get(named[3:].strip(), -1)
        rows = by_sku.get(named, [])
        return rows[0] if len(rows) == 1 else -1

    return find


def _options(sheet: _Export, family: _Family) -> pd.Series:
    """Return the attribute values of each variation; those of other products are no choice."""
    numbers = {}
    for name in sheet.table.columns:
        kind, number = attribute_of(name)
        if kind == "value":
            numbers[number] = name
    values = joined([sheet.text(numbers[number]) for number in sorted(numbers)], len(sheet))
    return values.where(family.variation, "")


def _prices(sheet: _Export) -> tuple[pd.Series, pd.Series]:
    regular, sale = sheet.field("regular_price"), sheet.field("sale_price")
    return either(regular, sale), sale.where(regular != "", "")


def _described(sheet: _Export) -> pd.Series:
    text = either(sheet.field("description"), sheet.field("short_description"))
    return each(text, lambda value: re.sub(r"(?<!\\)\\n", "\n", value).replace("\\\\n", "\\n"))


def _visibility(sheet: _Export, family: _Family, found: Found) -> pd.Series:
    """Return published, hidden or draft; a variation is no more visible than its parent."""
    said = sheet.field("published")
    hint = "1 is published, 0 private, -1 a draft: read as hidden"
    sheet.note(
        found, ~said.isin(_PUBLISHED), ("published_unknown", "warning", "Published", "read as hidden", hint), said
    )
    own = each(said, lambda value: _PUBLISHED.get(value, "hidden"))
    own = own.where((sheet.field("visibility").str.casefold() != "hidden") | (own != "published"), "hidden")
    above = family.of_parent(own)
    return above.where(~above.isin(["", "published"]), own)


def _reason(sheet: _Export, kinds: pd.Series, family: _Family, found: Found) -> pd.Series:
    orphan = family.variation & (family.parent < 0)
    hint = "the row of its parent is not in the file: export all types of products"
    sheet.note(found, orphan, ("parent_missing", "error", "Parent", _KEPT, hint), sheet.field("parent"))
    variable = kinds.str.contains("variable").to_numpy(dtype=bool)
    childless = variable & ~np.isin(np.arange(len(sheet)), family.parent)
    hint = "a variable product is sold by its variations, of which the file has none"
    sheet.note(found, childless, ("parent_without_variants", "warning", "Type", _KEPT, hint), kinds)
    grouped = kinds.str.contains("grouped").to_numpy(dtype=bool)
    words = np.select([orphan, variable, grouped], [PARENT_UNKNOWN, PARENT, GROUPED], default="")
    return pd.Series(words, dtype="str")


def _stock(sheet: _Export, family: _Family) -> dict[str, pd.Series]:
    """Return availability and inventory as far as the file has them; a variation may keep its parent's stock."""
    has_word, has_count = "in_stock" in sheet.columns, "stock" in sheet.columns
    if not has_word and not has_count:
        return {}
    count = sheet.field("stock")
    count = family.inherited(count.where(count.str.casefold() != "parent", ""))
    word = family.inherited(sheet.field("in_stock").replace("parent", ""))
    later = family.inherited(sheet.field("backorders")).str.casefold().isin(["1", "notify", "yes"])
    if not has_word:
        left = pd.to_numeric(count, errors="coerce")
        word = count.where(left.isna(), left.gt(0).map({True: "in stock", False: "out of stock"})).astype("str")
        word = word.where(~(later & left.le(0)), "backorder")
    return {"availability": word, "inventory": count.where(~later, "")}


FORMAT = Format(
    name="a WooCommerce products export",
    readers={"catalog": read},
    required=(
        NAMES["type"],
        NAMES["name"],
        (*NAMES["id"], *NAMES["sku"]),
        tuple(name for field in ("regular_price", "published", "parent", "visibility") for name in NAMES[field]),
    ),
    known=frozenset(normal(name) for names in NAMES.values() for name in names)
    | frozenset(normal(f"Attribute {n} {part}") for n in (1, 2) for part in ("name", "value(s)", "visible")),
)
