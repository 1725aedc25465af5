"""
Shopify products CSV, under its old and its new column names: the rows of a product share a handle.

What concerns the product stands on its first row alone and is carried down inside the handle. Rows that hold nothing
but a picture are merged into their product. A crossed-out price above the price is the regular one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from wa_products.exports.contract import Format, Options
from wa_products.exports.names import normal
from wa_products.exports.shops import (
    GIFT_CARD,
    Sheet,
    blank,
    build_shop,
    each,
    either,
    filled_within,
    joined,
    keyed,
    note_alike,
    on_sale,
    unique_ids,
)

if TYPE_CHECKING:
    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_HANDLE = ("Handle", "URL handle")
_PRICE = ("Variant Price", "Price")
_COMPARE = ("Variant Compare At Price", "Compare-at price", "Compare At Price")
_SKU = ("Variant SKU", "SKU")
_BARCODE = ("Variant Barcode", "Barcode", "Barcodes")
_QUANTITY = ("Variant Inventory Qty", "Inventory quantity", "Variant Inventory Quantity")
_TRACKER = ("Variant Inventory Tracker", "Inventory tracker")
_POLICY = ("Variant Inventory Policy", "Continue selling when out of stock")
_IMAGE = ("Image Src", "Product image URL")
_VARIANT_IMAGE = ("Variant Image", "Variant image URL")
_BODY = ("Body (HTML)", "Body HTML", "Description")
_PUBLISHED = ("Published", "Published on online store")
_CATEGORY = ("Type", "Custom Product Type", "Product Category", "Standard Product Type")
_VALUES = tuple(f"Option{n} Value" for n in (1, 2, 3))
_OF_PRODUCT = re.compile(
    r"vendor|tags|type|product_category|standard_product_type|custom_product_type|seo_\w+|google_shopping_\w+"
    r"|\w+_product_metafields_\w+|included_\w+|option\d_(name|linked_to)"
)
_USED = ("Title", *_HANDLE, *_BODY, *_PRICE, *_COMPARE, *_SKU, *_BARCODE, "Vendor", "Variant ID")
_ONLY = "Default Title"
_MERGED = "row merged into its product"
_YES, _NO = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the variants of the export, one row each; ids are the SKU where it is unique, else handle and options."""
    table, images = _without_images(table, found)
    sheet = Sheet(table)
    handle = sheet.text(*_HANDLE)
    _note_apart(sheet, handle, found)
    choices = _options(sheet)
    note_alike(sheet, handle, choices, found)
    sku, variant = sheet.raw(*_SKU), sheet.text("Variant ID")
    price, sale = on_sale(sheet.raw(*_PRICE), sheet.raw(*_COMPARE), options.currency)
    first = filled_within(handle, sheet.text(*_IMAGE))
    fields = {
        "product_retailer_id": unique_ids(either(variant, sku), keyed(handle, choices)),
        "title": filled_within(handle, sheet.raw("Title")),
        "description": filled_within(handle, sheet.raw(*_BODY)),
        "price": price,
        "sale_price": sale,
        "brand": filled_within(handle, sheet.raw("Vendor")),
        "product_type": _category(sheet, handle),
        "image_link": either(sheet.text(*_VARIANT_IMAGE), either(first, _by_handle(handle, _first(images)))),
        "item_group_id": handle,
        "visibility": _visibility(sheet, handle),
        "reason": each(
            filled_within(handle, sheet.text("Gift Card")), lambda v: GIFT_CARD if v.casefold() in _YES else ""
        ),
    }
    if sheet.has(*_QUANTITY):
        fields["availability"] = _availability(sheet)
    own = {
        "shop_id": variant,
        "sku": sku,
        "gtin": sheet.raw(*_BARCODE),
        "handle": handle,
        "options": choices,
        "additional_image_link": _more(handle, sheet.text(*_IMAGE), images),
    }
    carried = _carried(sheet, handle)
    return build_shop(carried, options, found, system="Shopify", fields=fields, own=own, used=_USED)


def _without_images(table: Table, found: Found) -> tuple[Table, dict[str, list[str]]]:
    """Return the rows that are variants, and the pictures of those that are none, by handle."""
    sheet = Sheet(table)
    handle, image = sheet.text(*_HANDLE), sheet.text(*_IMAGE)
    bare = pd.Series(True, index=handle.index)
    for names in (("Title",), _PRICE, _SKU, _VARIANT_IMAGE, *((name,) for name in _VALUES)):
        bare &= sheet.text(*names) == ""
    bare &= handle != ""
    product = handle.isin(set(handle[~bare]))
    merged, lost = bare & product, bare & ~product
    found.merged += int(merged.sum())
    found.set_aside += int(lost.sum())
    hint = "a row with nothing but a picture adds that to its product"
    sheet.note(found, merged & (image != ""), ("image_row", "info", "Image Src", _MERGED, hint), image)
    hint = "a row with nothing but its handle says nothing"
    sheet.note(found, merged & (image == ""), ("empty_row", "info", "Handle", _MERGED, hint), handle)
    hint = "the row with this product's title and price is not in the file"
    sheet.note(found, lost, ("no_first_row", "error", "Handle", "row set aside", hint), handle)
    images: dict[str, list[str]] = {}
    for product_handle, link in zip(handle[merged], image[merged], strict=True):
        images.setdefault(product_handle, []).extend([link] if link else [])
    return table.keep((~bare).to_numpy()), images


def _first(images: dict[str, list[str]]) -> dict[str, str]:
    return {handle: links[0] for handle, links in images.items() if links}


def _more(handle: pd.Series, image: pd.Series, images: dict[str, list[str]]) -> pd.Series:
    """Return all pictures of each row's product, in the order of the file, after the first one."""
    every: dict[str, dict[str, None]] = {}
    for product, link in zip(handle, image, strict=True):
        every.setdefault(product, {}).update({link: None} if link else {})
    for product, links in images.items():
        every.setdefault(product, {}).update(dict.fromkeys(links))
    text = {product: ",".join(list(links)[1:]) for product, links in every.items() if product}
    return _by_handle(handle, text)


def _by_handle(handle: pd.Series, texts: dict[str, str]) -> pd.Series:
    return each(handle, lambda value: texts.get(value, ""))


def _note_apart(sheet: Sheet, handle: pd.Series, found: Found) -> None:
    begins = handle != handle.shift(fill_value="\0")
    again = begins & handle.where(begins).duplicated() & (handle != "")
    hint = "the rows of a product stand together in an export that nobody sorted"
    sheet.note(found, again, ("rows_apart", "warning", "Handle", "row kept", hint), handle)


def _options(sheet: Sheet) -> pd.Series:
    """Return the options of each variant, as order lines name them; blank for a product without variants."""
    only = sheet.text("Option1 Value").str.casefold() == _ONLY.casefold()
    values = joined([sheet.text(name) for name in _VALUES], len(sheet))
    return values.where(~only, "")


def _category(sheet: Sheet, handle: pd.Series) -> pd.Series:
    found = blank(len(sheet))
    for name in _CATEGORY:
        found = either(found, sheet.text(name))
    return filled_within(handle, found)


def _visibility(sheet: Sheet, handle: pd.Series) -> pd.Series:
    """Return draft and archived as they are, hidden for what the online store does not show, else published."""
    status = filled_within(handle, sheet.text("Status")).str.casefold()
    shown = filled_within(handle, sheet.text(*_PUBLISHED)).str.casefold()
    seen = each(status, lambda v: "published" if v in {"active", ""} else "hidden" if v == "unlisted" else v)
    known = sheet.has("Status") or sheet.has(*_PUBLISHED)
    return seen.where(~(shown.isin(_NO) & (seen == "published")), "hidden") if known else blank(len(sheet))


def _availability(sheet: Sheet) -> pd.Series:
    """Return in stock for what is left, not tracked or sold beyond its stock; an unreadable quantity stays as it is."""
    tracked = sheet.text(*_TRACKER) != "" if sheet.has(*_TRACKER) else pd.Series(True, index=range(len(sheet)))
    quantity = sheet.text(*_QUANTITY)
    beyond = sheet.text(*_POLICY).str.casefold().isin({"continue", *_YES})
    left = pd.to_numeric(quantity.str.removeprefix("'"), errors="coerce")
    words = quantity.where(left.isna(), left.gt(0).map({True: "in stock", False: "out of stock"}))
    words = words.where(~(beyond & left.le(0)), "available for order")
    return words.where(tracked, "in stock").where(left.notna() | ~tracked, quantity).astype("str")


def _carried(sheet: Sheet, handle: pd.Series) -> Sheet:
    """Return the sheet with every column that concerns the product carried down inside its handle."""
    return sheet.recoded(
        lambda name, texts: filled_within(handle, texts) if _OF_PRODUCT.fullmatch(normal(name)) else None
    )


_TELLING = (*_VALUES[:1], "Option1 Name", *_SKU, *_BODY[:2], *_COMPARE, *_PUBLISHED, *_IMAGE)
FORMAT = Format(
    name="a Shopify products export",
    readers={"catalog": read},
    required=(_HANDLE, ("Title",), _PRICE, _TELLING),
    known=frozenset(
        normal(name)
        for name in (*_USED, *_VALUES, *_QUANTITY, *_TRACKER, *_POLICY, *_IMAGE, *_VARIANT_IMAGE, *_PUBLISHED)
    )
    | frozenset({"status", "gift_card", "option1_name", "tags", "type", "image_position"}),
)
