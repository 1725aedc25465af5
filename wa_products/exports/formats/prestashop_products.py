"""
PrestaShop and thirty bees products, as their CSV import and their product list name the columns.

Prices are often without tax, so not what a customer pays; the file's header says which, or does not.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.exports.contract import Format, Options
from wa_products.exports.currencies import exponent_of
from wa_products.exports.names import normal
from wa_products.exports.shops import Sheet, amounts_of, build_shop, each, either, reduced

if TYPE_CHECKING:
    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_ID, _NAME, _SKU = ("Product ID", "ID", "ID product"), ("Name *", "Name"), ("Reference #", "Reference")
_WITH_TAX = ("Price tax included", "Price tax incl.", "Price (tax incl.)", "Final price")
_UNCLEAR = ("Price tax excluded or Price tax included", "Price tax excl. or Price tax incl.", "Price")
_WITHOUT_TAX = ("Price tax excluded", "Price tax excl.", "Price (tax excl.)", "Base price")
_ACTIVE = ("Active (0/1)", "Active", "Status")
_QUANTITY = ("Quantity", "Quantity for sale")
_CATEGORIES = ("Categories (x;y;z...)", "Categories (x,y,z...)", "Categories", "Category")
_IMAGES = ("Image URLs (x;y;z...)", "Image URLs (x,y,z...)", "Image URLs", "Image")
_LATER = ("Out of stock", "Action when out of stock", "When out of stock")
_ORDERABLE = ("Available for order (0 = No; 1 = Yes)", "Available for order (0 = No, 1 = Yes)", "Available for order")
_FROM = ("Discount from (yyyy-mm-dd)", "Discount from", "Reduction from (yyyy-mm-dd)")
_TO = ("Discount to (yyyy-mm-dd)", "Discount to", "Reduction to (yyyy-mm-dd)")
_AMOUNT = ("Discount amount", "Reduction amount")
_PERCENT = ("Discount percent", "Reduction percent", "Reduction per cent")
_TEXTS = ("Description", "Short description", "Summary")
_BRAND = ("Manufacturer", "Brand")
_USED = (*_ID, *_NAME, *_SKU, "Description", *_BRAND, "EAN13", "URL rewritten", "Visibility")
_NO_DATE = "0000-00-00"


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the products, one row each, by their product id."""
    sheet = Sheet(table)
    price = _price(sheet, found)
    pictures = sheet.text(*_IMAGES).map(lambda text: re.split(r"\s*[;,]\s*(?=https?://)", text))
    text = sheet.text(_TEXTS[0])
    for name in _TEXTS[1:]:
        text = either(text, sheet.text(name))
    fields = {
        "product_retailer_id": sheet.text(*_ID),
        "title": sheet.raw(*_NAME),
        "description": text,
        "price": price,
        "sale_price": _discounted(sheet, price, options.currency),
        "sale_starts": sheet.text(*_FROM).replace(_NO_DATE, ""),
        "sale_ends": sheet.text(*_TO).replace(_NO_DATE, ""),
        "brand": sheet.text(*_BRAND),
        "product_type": _category(sheet),
        "image_link": pictures.map(lambda links: links[0]).astype("str"),
        "visibility": _visibility(sheet),
    }
    if sheet.has(*_QUANTITY):
        fields["availability"] = _availability(sheet)
    own = {
        "shop_id": sheet.text(*_ID),
        "sku": sheet.raw(*_SKU),
        "gtin": sheet.raw("EAN13"),
        "handle": sheet.text("URL rewritten"),
        "additional_image_link": pictures.map(lambda links: ",".join(links[1:])).astype("str"),
    }
    return build_shop(sheet, options, found, system="PrestaShop", fields=fields, own=own, used=_USED)


def _price(sheet: Sheet, found: Found) -> pd.Series:
    """Return the prices that customers pay where the file has them; else the others, with a warning."""
    hint = "these are not what customers pay where tax is added: the Meta catalog's price is the one that is shown"
    for names, code in ((_WITH_TAX, ""), (_WITHOUT_TAX, "price_without_tax"), (_UNCLEAR, "price_tax_unclear")):
        if not sheet.has(*names):
            continue
        if code:
            column = sheet.table.names(*names)[0]
            found.add(code, "warning", column=column, action="read as it stands", hint=hint)
        return sheet.raw(*names)
    raise AssertionError("a file without any price was recognised")


def _discounted(sheet: Sheet, price: pd.Series, currency: str) -> pd.Series:
    full = amounts_of(price, currency)
    amounts, percents = amounts_of(sheet.text(*_AMOUNT), currency), amounts_of(sheet.text(*_PERCENT), currency)
    cent = Decimal(1).scaleb(-exponent_of(currency))
    return pd.Series(
        [
            reduced(whole, amount=amount, percent=percent, cent=cent)
            for whole, amount, percent in zip(full, amounts, percents, strict=True)
        ],
        dtype="str",
    )


def _category(sheet: Sheet) -> pd.Series:
    names = sheet.table.names(*_CATEGORIES)
    between = "," if names and "," in names[0] else ";"
    return each(sheet.text(*_CATEGORIES), lambda text: text.partition(between)[0].strip())


def _visibility(sheet: Sheet) -> pd.Series:
    off = sheet.text(*_ACTIVE).str.casefold().isin(["0", "no", "false", "disabled"])
    off |= sheet.text("Visibility").str.casefold() == "none"
    return pd.Series(np.where(off, "hidden", "published"), dtype="str")


def _availability(sheet: Sheet) -> pd.Series:
    quantity = sheet.text(*_QUANTITY)
    left = pd.to_numeric(quantity, errors="coerce")
    words = quantity.where(left.isna(), left.gt(0).map({True: "in stock", False: "out of stock"})).astype("str")
    words = words.where(~((sheet.text(*_LATER) == "1") & left.le(0)), "backorder")
    return words.where(sheet.text(*_ORDERABLE) != "0", "out of stock")


FORMAT = Format(
    name="a PrestaShop products export",
    readers={"catalog": read},
    required=(
        _ID,
        _NAME,
        (*_WITH_TAX, *_UNCLEAR, *_WITHOUT_TAX),
        (*_SKU, "Active (0/1)"),
        (*_ACTIVE, *_CATEGORIES[:2]),
    ),
    known=frozenset(normal(name) for name in (*_USED, *_CATEGORIES, *_IMAGES, *_FROM, *_TO, *_QUANTITY, *_ORDERABLE)),
)
