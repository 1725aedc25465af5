"""
Wix products CSV: a row a product, and below it a row a variant that says only what it costs more.

A variant's price is its product's with the surcharge; the product's discount is taken from that.
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
from wa_products.exports.shops import (
    PARENT,
    PARENT_UNKNOWN,
    Sheet,
    amounts_of,
    blank,
    build_shop,
    each,
    filled_within,
    joined,
    keyed,
    note_alike,
    reduced,
    unique_ids,
)

if TYPE_CHECKING:
    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_MEDIA = "https://static.wixstatic.com/media/"
_CHOICES = tuple(f"productOptionDescription{n}" for n in range(1, 7))
_USED = ("handleId", "name", "description", "sku", "brand", "price")
_DISCOUNTS = {"PERCENT": "percent", "AMOUNT": "amount"}
_NO = frozenset({"false", "0", "no"})
_KEPT = "row kept, cannot be sent"


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return products and variants, one row each; ids are the product's, for variants the SKU or the options."""
    sheet = Sheet(table)
    handle, variant = sheet.text("handleId"), sheet.text("fieldType").str.casefold() == "variant"
    choices = joined([each(sheet.text(name), _chosen) for name in _CHOICES], len(sheet)).where(variant, "")
    note_alike(sheet, handle, choices, found)
    sku = sheet.raw("sku")
    price, sale = _prices(sheet, handle, variant, options, found)
    pictures = filled_within(handle, sheet.text("productImageUrl")).map(_pictures)
    fields = {
        "product_retailer_id": handle.where(~variant, unique_ids(sku, keyed(handle, choices))),
        "title": filled_within(handle, sheet.raw("name")),
        "description": filled_within(handle, sheet.raw("description")),
        "price": price,
        "sale_price": sale,
        "brand": filled_within(handle, sheet.raw("brand")),
        "product_type": filled_within(handle, each(sheet.text("collection"), lambda text: text.partition(";")[0])),
        "image_link": pictures.map(lambda links: links[0] if links else "").astype("str"),
        "item_group_id": handle.where(variant, ""),
        "visibility": _visibility(sheet, handle, variant),
        "reason": _reason(sheet, handle, variant, found),
    }
    if sheet.has("inventory"):
        fields["availability"] = each(sheet.text("inventory"), _availability)
    own = {
        "shop_id": handle.where(~variant, ""),
        "sku": sku,
        "options": choices,
        "additional_image_link": pictures.map(lambda links: ",".join(links[1:])).astype("str"),
    }
    return build_shop(sheet, options, found, system="Wix", fields=fields, own=own, used=_USED)


def _chosen(text: str) -> str:
    """Return the option a variant has, without the colour code that stands before its name."""
    return re.sub(r"^#[0-9a-fA-F]{3,8}:|^rgba?\([^)]*\):", "", text).strip()


def _pictures(text: str) -> list[str]:
    names = [name.strip() for name in text.split(";") if name.strip()]
    return [name if name.casefold().startswith("http") else _MEDIA + name for name in names]


def _visibility(sheet: Sheet, handle: pd.Series, variant: pd.Series) -> pd.Series:
    hidden = sheet.text("visible").str.casefold().isin(_NO)
    above = handle.isin(set(handle[hidden & ~variant]))
    shown = pd.Series(np.where(hidden | above, "hidden", "published"), dtype="str")
    return shown if sheet.has("visible") else blank(len(sheet))


def _availability(said: str) -> str:
    """Return in stock or out of stock for a count, the file's own word for any other."""
    return ("in stock" if int(said) > 0 else "out of stock") if re.fullmatch(r"-?\d{1,9}", said) else said


def _reason(sheet: Sheet, handle: pd.Series, variant: pd.Series, found: Found) -> pd.Series:
    orphan = variant & ~handle.isin(set(handle[~variant]))
    hint = "the row of its product is not in the file"
    sheet.note(found, orphan, ("parent_missing", "error", "handleId", _KEPT, hint), handle)
    parent = ~variant & handle.isin(set(handle[variant])) & (handle != "")
    return pd.Series(np.select([orphan, parent], [PARENT_UNKNOWN, PARENT], default=""), dtype="str")


def _prices(
    sheet: Sheet, handle: pd.Series, variant: pd.Series, options: Options, found: Found
) -> tuple[pd.Series, pd.Series]:
    """Return the regular price, surcharge included, and the price with the discount where there is one."""
    written = sheet.raw("price")
    of_product = filled_within(handle, written.where(~variant, ""))
    base = amounts_of(of_product, options.currency)
    more = amounts_of(sheet.text("surcharge"), options.currency)
    unread = variant & (sheet.text("surcharge") != "") & pd.Series([amount is None for amount in more], dtype="bool")
    hint = "the surcharge is no plain amount, so this variant has no price"
    sheet.note(found, unread, ("surcharge_unreadable", "error", "surcharge", _KEPT, hint), sheet.text("surcharge"))
    full = [
        None if price is None or lost else price + (extra or 0)
        for price, extra, lost in zip(base, more, unread, strict=True)
    ]
    price = pd.Series(
        [
            _plain(amount) if extra and is_variant else text
            for amount, extra, is_variant, text in zip(full, more, variant, of_product, strict=True)
        ],
        dtype="str",
    ).where(~unread, "")
    mode = filled_within(handle, sheet.text("discountMode")).str.upper()
    value = amounts_of(filled_within(handle, sheet.text("discountValue")), options.currency)
    cent = Decimal(1).scaleb(-exponent_of(options.currency))
    sale = [
        reduced(amount, **{_DISCOUNTS[kind]: off}, cent=cent) if kind in _DISCOUNTS else ""
        for amount, kind, off in zip(full, mode, value, strict=True)
    ]
    return price, pd.Series(sale, dtype="str")


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else format(amount, "f")


FORMAT = Format(
    name="a Wix products export",
    readers={"catalog": read},
    required=(("handleId",), ("fieldType",), ("name",), ("price",)),
    known=frozenset(
        normal(name)
        for name in (*_USED, *_CHOICES, "productImageUrl", "collection", "surcharge", "visible", "discountMode")
    ),
)
