"""Meta Commerce Manager catalog (CSV, TSV): the truth for what can be sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wa_products.exports.catalogs import build_catalog
from wa_products.exports.contract import Format, Options
from wa_products.exports.names import words

if TYPE_CHECKING:
    import pandas as pd

    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

NAMES: dict[str, tuple[str, ...]] = {
    "product_retailer_id": ("id",),
    "title": ("title",),
    "description": ("description",),
    "price": ("price",),
    "sale_price": ("sale_price",),
    "sale_window": ("sale_price_effective_date",),
    "availability": ("availability",),
    "inventory": ("quantity_to_sell_on_facebook", "inventory"),
    "brand": ("brand",),
    "link": ("link",),
    "image_link": ("image_link",),
    "item_group_id": ("item_group_id",),
    "product_type": ("product_type",),
    "visibility": ("visibility",),
    "status": ("status",),
    "review": ("whatsapp_review_status", "review_status", "capability_to_review_status", "review"),
    "origin_country": ("origin_country",),
    "importer": ("importer_name",),
    "compliance": ("wa_compliance_category",),
}
_HELP = re.compile(r"\s*#\s*\w+\s*\|")


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the catalog; help rows of Meta's template that stand among the data are set aside."""
    rows = _without_help(table, found)
    fields = {field: rows.column(here[0]) for field, names in NAMES.items() if (here := rows.names(*names))}
    return build_catalog(rows, fields, options, found)


def _without_help(table: Table, found: Found) -> Table:
    helping = table.column("id").where(lambda value: bool(_HELP.match(value)))
    if not helping.any():
        return table
    found.set_aside += int(helping.sum())
    hint = "the template's help row is no product"
    found.add("help_row", "info", rows=table.records[helping], column="id", action="row set aside", hint=hint)
    return table.keep(~helping)


FORMAT = Format(
    name="a Meta Commerce Manager catalog",
    readers={"catalog": read},
    required=(("id",), ("title",), ("price",), ("availability",)),
    known=frozenset(name for names in NAMES.values() for name in names)
    | frozenset(
        words(
            """
    condition google_product_category fb_product_category gender color size age_group material
    """
        )
    )
    | frozenset(
        words(
            """
    pattern shipping shipping_weight gtin mpn additional_image_link custom_label_0
    """
        )
    ),
)
