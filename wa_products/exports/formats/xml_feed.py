"""RSS 2.0 and ATOM product feeds of Meta and Google, with Google's prefix or without, and their plain dialects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wa_products.errors import DataError
from wa_products.exports.catalogs import build_catalog
from wa_products.exports.contract import Format, Options
from wa_products.exports.elements import ITEMS
from wa_products.exports.feeds import read_feed, root_of
from wa_products.exports.formats.meta_catalog import NAMES, named, with_pictures

if TYPE_CHECKING:
    import pandas as pd

    from wa_products.exports.issues import Found
    from wa_products.exports.sources import Source
    from wa_products.exports.tables import Table

FEED_NAMES = {
    **NAMES,
    "title": ("title", "name"),
    "description": ("description", "summary", "content"),
    "currency": ("currency", "currencyId"),
    "availability": ("availability", "available"),
    "brand": ("brand", "vendor"),
    "link": ("link", "link@href", "url"),
    "image_link": ("image_link", "image[0].url", "picture"),
    "item_group_id": ("item_group_id", "group_id"),
}
_ITEM = re.compile(rf"<(?:[\w.-]+:)?(?:{'|'.join(sorted(ITEMS))})[\s>]")
_PRICE = re.compile(r"<(?:[\w.-]+:)?price[\s>]")


def recognise(text: str) -> bool:
    """Return whether XML is RSS or ATOM, or has items with prices under any other root."""
    return root_of(text) in {"rss", "feed", "rdf"} or bool(_ITEM.search(text) and _PRICE.search(text))


def table(source: Source, found: Found) -> Table:
    """Return the items of the feed. Raises DataError where they are no products."""
    items = read_feed(source, found).table
    missing = [name for name in ("id", "price") if not items.names(name)]
    if missing:
        shown = ", ".join(repr(name) for name in list(items.columns)[:12])
        raise DataError(
            f"{source.file} is no product feed: its items lack {' and '.join(map(repr, missing))}; they have {shown}"
        )
    return items


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the catalog, one row an item."""
    rows = with_pictures(table)
    return build_catalog(rows, named(rows, FEED_NAMES), options, found)


FORMAT = Format(
    name="a product feed (RSS or ATOM)", readers={"catalog": read}, shape="xml", recognise=recognise, table=table
)
