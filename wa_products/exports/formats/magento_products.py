"""
Magento 2 (Adobe Commerce) products CSV: further rows of a SKU are what other store views call it, not duplicates.

A configurable product is sold by the simple products that it names in ``configurable_variations``; they are not
visible by themselves and are as visible as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from wa_products.exports.contract import Format, Options
from wa_products.exports.names import normal, words
from wa_products.exports.shops import GROUPED, PARENT, Sheet, build_shop, each, either, note_alike

if TYPE_CHECKING:
    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_PARENTS = frozenset({"configurable"})
_GROUPS = frozenset({"grouped", "bundle"})
_ALONE = "not visible individually"
_IMAGES = ("base_image", "image", "small_image")


class _Children(NamedTuple):
    """For each row, the place of the configurable product that sells it (-1 for none), and the options it has there."""

    parent: np.ndarray
    options: pd.Series

    def of_parent(self, texts: pd.Series) -> pd.Series:
        """Return for each child the text of its parent, else blank."""
        above = texts.to_numpy(dtype=object)[self.parent] if len(texts) else texts
        return pd.Series(np.where(self.parent >= 0, above, ""), dtype="str")


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the products, one row a SKU, in the words of all store views."""
    sheet = Sheet(_default_views(table, found))
    sku, kinds = sheet.text("sku"), sheet.text("product_type").str.casefold()
    children = _children(sheet, sku)
    group = children.of_parent(sku)
    note_alike(sheet, group, children.options, found)
    fields = {
        "product_retailer_id": sheet.raw("sku"),
        "title": sheet.raw("name"),
        "description": either(_text(sheet), children.of_parent(_text(sheet))),
        "price": sheet.raw("price"),
        "sale_price": sheet.raw("special_price"),
        "sale_starts": sheet.text("special_price_from_date", "special_from_date"),
        "sale_ends": sheet.text("special_price_to_date", "special_to_date"),
        "brand": either(sheet.text("manufacturer"), each(sheet.text("additional_attributes"), _brand)),
        "product_type": each(
            either(sheet.text("categories"), children.of_parent(sheet.text("categories"))),
            lambda text: text.partition(",")[0].partition("/")[2].replace("/", " > ") or text.partition(",")[0],
        ),
        "image_link": _picture(sheet, children),
        "item_group_id": group,
        "visibility": _visibility(sheet, children),
        "reason": _reason(sheet, kinds, children, found),
    }
    if sheet.has("is_in_stock"):
        fields["availability"] = sheet.text("is_in_stock")
    elif sheet.has("qty"):
        left = pd.to_numeric(sheet.text("qty"), errors="coerce")
        known = left.gt(0).map({True: "in stock", False: "out of stock"})
        fields["availability"] = sheet.text("qty").where(left.isna(), known).astype("str")
    own = {
        "sku": sheet.raw("sku"),
        "handle": either(children.of_parent(sheet.text("url_key")), sheet.text("url_key")),
        "options": children.options,
        "additional_image_link": each(sheet.text("additional_images"), _absolute),
    }
    used = ("sku", "name", "description", "price", "special_price", "url_key", "visibility")
    return build_shop(sheet, options, found, system="Magento", fields=fields, own=own, used=used)


def _default_views(table: Table, found: Found) -> Table:
    """Return one row a SKU: that of all store views, else the first; the others are merged into it."""
    sheet = Sheet(table)
    sku, view = sheet.text("sku"), sheet.text("store_view_code")
    order = pd.DataFrame({"sku": sku, "special": (view != "").astype(int)}).sort_values(["special"], kind="stable")
    first = ~order["sku"].duplicated()
    is_view = (view != "") & ~first.reindex(sku.index) & (sku != "")
    found.merged += int(is_view.sum())
    hint = "this row says how a store view calls the product: the words of all store views are used"
    said = ("store_view", "info", "store_view_code", "row merged into its product")
    sheet.note(found, is_view, (said[0], "info", said[2], said[3], hint), view)
    return table.keep((~is_view).to_numpy())


def _children(sheet: Sheet, sku: pd.Series) -> _Children:
    place_of = {value: place for place, value in enumerate(sku) if value}
    parent, options = np.full(len(sku), -1, dtype="int64"), [""] * len(sku)
    for place, text in enumerate(sheet.text("configurable_variations")):
        for member in text.split("|") if text else ():
            pairs = [part.partition("=")[::2] for part in re.split(r",(?=[^,=|]+=)", member)]
            child = place_of.get(next((value for name, value in pairs if name.strip() == "sku"), ""), -1)
            if child >= 0:
                parent[child] = place
                options[child] = " / ".join(value for name, value in pairs if name.strip() != "sku" and value)
    return _Children(parent, pd.Series(options, dtype="str"))


def _text(sheet: Sheet) -> pd.Series:
    return either(sheet.raw("description"), sheet.raw("short_description"))


def _brand(attributes: str) -> str:
    found = re.search(r"(?:^|,)(?:manufacturer|brand)=([^,]*)", attributes)
    return found[1].strip() if found else ""


def _picture(sheet: Sheet, children: _Children) -> pd.Series:
    """Return the addresses of the pictures; a path inside the shop's media folder is none."""
    found = sheet.text(_IMAGES[0])
    for name in _IMAGES[1:]:
        found = either(found, sheet.text(name))
    own = each(found, _absolute)
    return either(own, children.of_parent(own))


def _absolute(text: str) -> str:
    return ",".join(part.strip() for part in text.split(",") if part.strip().casefold().startswith("http"))


def _visibility(sheet: Sheet, children: _Children) -> pd.Series:
    """Return hidden for what is offline or seen nowhere; a child is as visible as its configurable product."""
    off = ~sheet.text("product_online", "status").str.casefold().isin(["", "1", "enabled"])
    unseen = sheet.text("visibility").str.casefold() == _ALONE
    child = children.parent >= 0
    own = pd.Series(np.where(off | (unseen & ~child), "hidden", "published"), dtype="str")
    above = children.of_parent(own)
    return own.where(above != "hidden", "hidden")


def _reason(sheet: Sheet, kinds: pd.Series, children: _Children, found: Found) -> pd.Series:
    parent = kinds.isin(_PARENTS)
    childless = parent & ~np.isin(np.arange(len(sheet)), children.parent)
    hint = "a configurable product is sold by its variations, of which the file has none"
    said = "row kept, cannot be sent"
    sheet.note(found, childless, ("parent_without_variants", "warning", "product_type", said, hint), kinds)
    return pd.Series(np.select([parent, kinds.isin(_GROUPS)], [PARENT, GROUPED], default=""), dtype="str")


FORMAT = Format(
    name="a Magento products export",
    readers={"catalog": read},
    required=(("sku",), ("product_type",), ("name",), ("price",), ("attribute_set_code", "store_view_code", "url_key")),
    known=frozenset(
        map(
            normal,
            words(
                """
    store_view_code attribute_set_code categories product_websites description short_description special_price
    special_price_from_date special_price_to_date url_key base_image additional_images qty is_in_stock product_online
    visibility additional_attributes configurable_variations
    """
            ),
        )
    ),
)
