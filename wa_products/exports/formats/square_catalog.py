"""Square item library CSV: a row a variation, with a column of stock for each location."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.exports.contract import Format, Options
from wa_products.exports.names import normal
from wa_products.exports.shops import Sheet, build_shop, each, filled_within, keyed, note_alike, unique_ids

if TYPE_CHECKING:
    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_ITEM, _ONLY = ("Item Name", "Name"), "regular"
_YES = frozenset({"y", "yes", "true", "1"})
_USED = ("Token", *_ITEM, "Description", "SKU", "Variation Name", "Price", "GTIN")


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the variations, one row each; ids are the token, else the SKU, else item and variation."""
    sheet = Sheet(table)
    item, sku = sheet.text(*_ITEM), sheet.raw("SKU")
    choices = each(sheet.text("Variation Name"), lambda name: "" if name.casefold() == _ONLY else name)
    note_alike(sheet, item, choices, found)
    token = sheet.text("Token")
    archived = sheet.text("Archived").str.casefold().isin(_YES)
    fields = {
        "product_retailer_id": unique_ids(token, unique_ids(sku, keyed(item, choices))),
        "title": item,
        "description": filled_within(item, sheet.raw("Description")),
        "price": sheet.raw("Price"),
        "product_type": filled_within(item, sheet.text("Category", "Categories", "Reporting Category")),
        "item_group_id": item,
        "visibility": pd.Series(np.where(archived, "archived", "published"), dtype="str"),
    }
    stock = [name for name in table.columns if normal(name).startswith("current_quantity")]
    if stock:
        fields["availability"] = _availability([sheet.text(name) for name in stock])
    own = {"shop_id": token, "sku": sku, "gtin": sheet.raw("GTIN"), "options": choices}
    return build_shop(sheet, options, found, system="Square", fields=fields, own=own, used=_USED)


def _availability(counts: list[pd.Series]) -> pd.Series:
    """Return in stock where any location has some, out of stock where each that counts has none, else blank."""
    numbers = pd.concat([pd.to_numeric(count, errors="coerce") for count in counts], axis=1)
    some, counted = numbers.gt(0).any(axis=1), numbers.notna().any(axis=1)
    return pd.Series(np.select([some, counted], ["in stock", "out of stock"], default=""), dtype="str")


FORMAT = Format(
    name="a Square item library",
    readers={"catalog": read},
    required=(_ITEM, ("Variation Name",), ("Price",), ("SKU",)),
    known=frozenset(map(normal, (*_USED, "Category", "Archived", "Sellable", "Reference Handle"))),
)
