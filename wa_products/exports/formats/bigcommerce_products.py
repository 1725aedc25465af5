"""
BigCommerce products CSV: a row a product, below it a row a SKU with the options it stands for.

Rows of rules change prices and pictures by condition; they are no products and are set aside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.exports.contract import Format, Options
from wa_products.exports.names import normal
from wa_products.exports.shops import (
    PARENT,
    PARENT_UNKNOWN,
    Sheet,
    blank,
    build_shop,
    each,
    either,
    note_alike,
    unique_ids,
)

if TYPE_CHECKING:
    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_KIND, _NAME, _SKU = ("Item Type",), ("Product Name", "Name"), ("Product Code/SKU", "SKU")
_ID = ("Product ID", "ID")
_STOCK = ("Current Stock Level", "Current Stock", "Stock Level")
_USED = (*_NAME, *_SKU, "Product Description", "Description", "Brand Name", "Price", "Sale Price")
_NO = frozenset({"n", "no", "false", "0"})
_OPTION = re.compile(r"\[[A-Z]+\](?P<name>[^=]+)=(?P<value>[^,\[]*)")


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return products and their SKUs, one row each; ids are the product's, for SKUs the SKU."""
    sheet = Sheet(_without_rules(table, found))
    kinds = sheet.text(*_KIND).str.casefold()
    product, child = (kinds == "product").to_numpy(), (kinds == "sku").to_numpy()
    parent = _parents(product, child)
    identity, sku = sheet.text(*_ID), sheet.raw(*_SKU)
    choices = each(sheet.text(*_NAME), _chosen).where(child, "")
    group = _of(parent, identity)
    note_alike(sheet, group, choices, found)
    names = sheet.raw(*_NAME)
    fields = {
        "product_retailer_id": either(identity.where(~child, unique_ids(sku, identity)), sku),
        "title": names.where(~child, _of(parent, names)),
        "description": _inherited(sheet, parent, "Product Description", "Description"),
        "price": _inherited(sheet, parent, "Price", "Calculated Price"),
        "sale_price": _inherited(sheet, parent, "Sale Price").replace({"0": "", "0.00": "", "0.0000": ""}),
        "brand": _inherited(sheet, parent, "Brand Name", "Brand"),
        "product_type": each(_inherited(sheet, parent, "Category", "Categories"), lambda text: text.partition(";")[0]),
        "image_link": _inherited(sheet, parent, "Product Image URL - 1", "Product Image File - 1"),
        "item_group_id": group,
        "visibility": _visibility(sheet, parent),
        "reason": _reason(sheet, child, parent, found),
    }
    if sheet.has(*_STOCK):
        fields["availability"] = _availability(sheet, parent)
    own = {"shop_id": identity, "sku": sku, "options": choices, "gtin": sheet.raw("Product UPC/EAN")}
    return build_shop(sheet, options, found, system="BigCommerce", fields=fields, own=own, used=_USED)


def _without_rules(table: Table, found: Found) -> Table:
    kinds = Sheet(table).text(*_KIND)
    other = ~kinds.str.casefold().isin(["product", "sku"])
    found.set_aside += int(other.sum())
    hint = "only rows of products and SKUs are something to sell"
    Sheet(table).note(found, other, ("no_product", "info", _KIND[0], "row set aside", hint), kinds)
    return table.keep((~other).to_numpy())


def _parents(product: np.ndarray, child: np.ndarray) -> np.ndarray:
    """Return for each SKU the place of the product above it, -1 for none."""
    last = np.maximum.accumulate(np.where(product, np.arange(len(product)), -1)) if len(product) else product
    return np.where(child, last, -1).astype("int64")


def _of(parent: np.ndarray, texts: pd.Series) -> pd.Series:
    above = texts.to_numpy(dtype=object)[parent] if len(texts) else texts
    return pd.Series(np.where(parent >= 0, above, ""), dtype="str")


def _inherited(sheet: Sheet, parent: np.ndarray, *names: str) -> pd.Series:
    found = blank(len(sheet))
    for name in names:
        found = either(found, sheet.raw(name))
    return either(found, _of(parent, found))


def _chosen(name: str) -> str:
    """Return the options in the name of a SKU, such as ``[RT]Size=M,[S]Colour=Red``."""
    return " / ".join(match["value"].strip() for match in _OPTION.finditer(name)) or name


def _visibility(sheet: Sheet, parent: np.ndarray) -> pd.Series:
    said = _inherited(sheet, parent, "Product Visible?", "Product Visible")
    bought = _inherited(sheet, parent, "Allow Purchases?")
    off = said.str.casefold().isin(_NO) | bought.str.casefold().isin(_NO)
    return pd.Series(np.where(off, "hidden", "published"), dtype="str")


def _reason(sheet: Sheet, child: np.ndarray, parent: np.ndarray, found: Found) -> pd.Series:
    orphan = child & (parent < 0)
    hint = "the row of its product is not in the file"
    said = "row kept, cannot be sent"
    sheet.note(found, orphan, ("parent_missing", "error", _KIND[0], said, hint), sheet.text(*_SKU))
    has = np.isin(np.arange(len(sheet)), parent[parent >= 0])
    return pd.Series(np.select([orphan, has], [PARENT_UNKNOWN, PARENT], default=""), dtype="str")


def _availability(sheet: Sheet, parent: np.ndarray) -> pd.Series:
    tracked = _inherited(sheet, parent, "Track Inventory").str.casefold()
    count = sheet.text(*_STOCK)
    left = pd.to_numeric(count, errors="coerce")
    words = count.where(left.isna(), left.gt(0).map({True: "in stock", False: "out of stock"})).astype("str")
    return words.where(~tracked.isin(["none", "off", *_NO]), "in stock")


FORMAT = Format(
    name="a BigCommerce products export",
    readers={"catalog": read},
    required=(_KIND, _NAME, _SKU, ("Price",)),
    known=frozenset(map(normal, (*_USED, *_ID, *_STOCK, "Product Type", "Cost Price", "Retail Price", "Category"))),
)
