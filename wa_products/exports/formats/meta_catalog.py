"""Meta Commerce Manager catalog (CSV, TSV, XLSX; nested columns, flattened ones): the truth for what can be sent."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

from wa_products.exports.catalogs import build_catalog
from wa_products.exports.columns import Column
from wa_products.exports.contract import Format, Options
from wa_products.exports.links import as_one
from wa_products.exports.names import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    "image_link": ("image_link", "image[0].url"),
    "item_group_id": ("item_group_id",),
    "product_type": ("product_type",),
    "visibility": ("visibility",),
    "status": ("status",),
    "review": ("whatsapp_review_status", "review_status", "capability_to_review_status", "review"),
    "origin_country": ("origin_country",),
    "importer": ("importer_name",),
    "compliance": ("wa_compliance_category",),
}
ADDITIONAL = "additional_image_link"
_MOST = 21  # Meta takes 20 more pictures
_HELP = re.compile(r"\s*#\s*\w+\s*\|")


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the catalog; help rows of Meta's template that stand among the data are set aside."""
    rows = with_pictures(_without_help(table, found))
    return build_catalog(rows, named(rows, NAMES), options, found)


def named(table: Table, names: Mapping[str, Sequence[str]]) -> dict[str, Column]:
    """Return for each field that the table has the first of its columns, filled from the next where it is blank."""
    fields = {}
    for field, accepted in names.items():
        here = [table.column(name) for name in accepted if table.names(name)]
        if here:
            fields[field] = reduce(Column.or_else, here)
    return fields


def with_pictures(table: Table, names: Sequence[str] = (ADDITIONAL,)) -> Table:
    """Return the table with its pictures as addresses between commas, out of lists, JSON or flattened columns."""
    nested, listed = table.names("image"), table.names(*names)
    links = table.column("image").recoded(as_one)
    flat = [table.columns[name] for number in range(1, _MOST) for name in table.names(f"image[{number}].url")]
    more = table.column(*names).recoded(as_one)
    columns = dict(table.columns)
    if nested:
        columns["image_link"] = table.column("image_link").or_else(links.recoded(lambda value: value.partition(",")[0]))
        more = more.or_else(links.recoded(lambda value: value.partition(",")[2]))
    if flat and not listed:
        every = zip(*(column.texts() for column in flat), strict=True)
        more = more.or_else(Column.of([",".join(link for link in row if link) for row in every]))
    if listed or flat or nested:
        columns[ADDITIONAL] = more
    return replace(table, columns=columns)


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
