"""
Catalog items as the Graph API gives them: pages of ``/{catalog_id}/products``, one or several, or bare items.

``retailer_id`` is what a message names; ``id`` is Meta's own number. Prices are text in some locale with the currency
apart. Meta says that paging may repeat or miss items, so its count is compared. The addresses under ``paging`` hold
an access token and are never kept.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from wa_products.errors import DataError
from wa_products.exports.catalogs import build_catalog
from wa_products.exports.columns import Column
from wa_products.exports.contract import Format, Options
from wa_products.exports.currencies import CODES, named_currency
from wa_products.exports.formats.meta_catalog import ADDITIONAL, named
from wa_products.exports.links import image_links
from wa_products.exports.pages import Number, Pages, error_code, lines_of, listed, read_pages
from wa_products.exports.sendable import review
from wa_products.exports.tables import Table
from wa_products.exports.texts import decode, note_text

if TYPE_CHECKING:
    import pandas as pd

    from wa_products.exports.issues import Found
    from wa_products.exports.sources import Source

NAMES = {
    "product_retailer_id": ("retailer_id",),
    "title": ("name", "title"),
    "description": ("description",),
    "price": ("price",),
    "sale_price": ("sale_price",),
    "currency": ("currency",),
    "sale_starts": ("sale_price_start_date",),
    "sale_ends": ("sale_price_end_date",),
    "availability": ("availability",),
    "inventory": ("quantity_to_sell_on_facebook", "inventory"),
    "brand": ("brand",),
    "link": ("url", "link"),
    "image_link": ("image_url", "image_link"),
    "item_group_id": ("retailer_product_group_id", "item_group_id"),
    "product_type": ("product_type",),
    "visibility": ("visibility", "status"),
    "origin_country": ("origin_country",),
    "importer": ("importer_name",),
    "compliance": ("wa_compliance_category",),
}
_TELLING = frozenset({"retailer_id", "retailer_product_group_id", "image_cdn_urls", "capability_to_review_status"})
_MOST_NAMES = 400
_MORE = "more_fields"
_PRICE = re.compile(r"(?P<left>[^\d(+-]*)(?P<amount>\d.*?)(?P<right>\D*)", re.DOTALL)


def recognise(document: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Return whether a JSON value is a page of items, one item, or an answer of the Graph API that is an error."""
    members = listed(document)
    if members is not None:
        return not members or _is_item(members[0])
    if isinstance(document, dict) and isinstance(document.get("body"), str):
        return '"retailer_id"' in document["body"]
    return _is_item(document) or bool(error_code(document))


def _is_item(value: Any) -> bool:  # noqa: ANN401  # any JSON value
    return isinstance(value, dict) and bool(_TELLING & value.keys() or value.keys() == {"id", "name"})


def table(source: Source, found: Found) -> Table:
    """Return the items of all pages, each once. Raises DataError where there are none, or none has a retailer_id."""
    decoded = decode(source.read())
    note_text(decoded, found)
    text = decoded.text
    pages = read_pages(text, found)
    _note_pages(pages, found)
    found.rows_in += len(pages.items)
    if not any("retailer_id" in item for item in pages.items):
        why = f"an error of the Graph API ({pages.errors[0]})" if pages.errors else "no item with a retailer_id"
        raise DataError(f"{source.file} holds {why}: fetch /{{catalog_id}}/products again, with fields=retailer_id,...")
    kept = _once(pages, text, found)
    _note_count(pages, int(kept.sum()), found)
    records = np.flatnonzero(kept) + 1
    items = [pages.items[record - 1] for record in records]
    _note_bare(items, records, found)
    return Table(
        file=found.file, columns=_columns(items), records=records, find_lines=lambda: lines_of(text, pages.spans)[kept]
    )


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the catalog, one row an item."""
    fields = named(table, NAMES)
    for field in ("price", "sale_price"):
        if field in fields and "currency" in fields:
            fields[field] = _bare(fields[field], fields["currency"])
    said = table.column("capability_to_review_status").recoded(_of_whatsapp)
    fields["review"] = said.or_else(table.column("review_status").recoded(str.casefold))
    off = table.column("capabilities_disabled_by_user").recoded(lambda v: "hidden" if "WHATSAPP" in v.upper() else "")
    fields["status"] = off
    return build_catalog(table, fields, options, found)


def _of_whatsapp(value: str) -> str:
    return review(value) if "WHATSAPP" in value else ""


def _bare(prices: Column, currencies: Column) -> Column:
    """Return the prices without the sign of the currency that stands in its own column, where the two agree."""
    codes = currencies.texts().str.strip().str.upper()
    return Column.of([_without_sign(price, code) for price, code in zip(prices.texts(), codes, strict=True)])


def _without_sign(price: str, currency: str) -> str:
    match = _PRICE.fullmatch(price.strip())
    if not match or currency not in CODES:
        return price
    for side in (match["left"], match["right"]):
        sign = "".join(c for c in side if c.isprintable() and not c.isspace())
        meant, fault = named_currency(sign, currency)
        if sign and (meant not in ("", currency) or fault == "currency_shared"):
            return price
    return match["amount"]


def _columns(items: list[dict[str, Any]]) -> dict[str, Column]:
    names = list(dict.fromkeys(name for item in items for name in item))
    kept, others = names[:_MOST_NAMES], frozenset(names[_MOST_NAMES:])
    columns = {name: Column.of([_text(item.get(name)) for item in items]) for name in kept}
    if others:
        rest = [{name: item[name] for name in item if name in others} for item in items]
        columns[_MORE] = Column.of([_text(more or None) for more in rest])
    if "additional_image_urls" in columns:
        links = columns.pop("additional_image_urls").recoded(lambda value: ",".join(image_links(value)))
        columns[ADDITIONAL] = links
    return columns


def _text(value: Any) -> str:  # noqa: ANN401  # any JSON value
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False)


def _once(pages: Pages, text: str, found: Found) -> np.ndarray:
    """Return which items are met for the first time: pages overlap, which makes no duplicate of an item."""
    seen: set[str] = set()
    first = np.ones(len(pages.items), dtype=bool)
    for place, item in enumerate(pages.items):
        key = str(item.get("id") or "") or json.dumps(item, sort_keys=True)
        first[place] = key not in seen
        seen.add(key)
    again = np.flatnonzero(~first)
    if len(again):
        found.merged += len(again)
        values = [_text(pages.items[place].get("retailer_id")) for place in again]
        hint = "the same item stands on two pages; an id that two items share is another matter"
        found.add(
            "item_again",
            "info",
            rows=again + 1,
            lines=lines_of(text, pages.spans)[again],
            column="id",
            values=values,
            action="row merged with the first",
            hint=hint,
        )
    return first


def _note_count(pages: Pages, items: int, found: Found) -> None:
    total = max(pages.totals, default=items)
    if items != total:
        hint = "Meta says that paging may miss or repeat items: fetch them again, with a larger limit"
        said = f"{items} of {total} items"
        found.add("count_differs", "warning", column="total_count", values=[said], action="read as it is", hint=hint)
    elif pages.more and not pages.totals:
        hint = "the last page names a next one: fetch that too"
        found.add("pages_missing", "warning", column="paging", action="read as it is", hint=hint)


def _note_pages(pages: Pages, found: Found) -> None:
    for said in pages.errors:
        hint = "this answer is an error and no page: fetch it again"
        found.add("page_is_error", "error", values=[said], action="read on behind it", hint=hint)


def _note_bare(items: list[dict[str, Any]], records: np.ndarray, found: Found) -> None:
    """Note prices that are whole numbers: who wrote them may have meant cents."""
    bare = np.array([isinstance(p := item.get("price"), Number) and p.isdecimal() for item in items], dtype=bool)
    if bare.any():
        values = [str(item["price"]) for item, is_bare in zip(items, bare, strict=True) if is_bare]
        hint = "the Graph API gives prices as text; a whole number may be in cents"
        found.add(
            "price_may_be_cents",
            "warning",
            rows=records[bare],
            column="price",
            values=values,
            action="read as whole units",
            hint=hint,
        )


FORMAT = Format(
    name="catalog items of the Graph API",
    readers={"catalog": read},
    shape="json",
    recognise=recognise,
    table=table,
)
