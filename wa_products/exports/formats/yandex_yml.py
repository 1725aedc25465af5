"""
Yandex Market Language (YML): offers with price and currency apart, pictures repeated, categories by number.

`oldprice` is the regular price where it lies above `price`, which then is the sale's. The document type that names
shops.dtd and nothing else is the format's own first line and says nothing; it is not fetched.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from wa_products.errors import DataError
from wa_products.exports.catalogs import build_catalog
from wa_products.exports.columns import Column
from wa_products.exports.contract import Format, Options
from wa_products.exports.feeds import read_feed, root_of
from wa_products.exports.formats.meta_catalog import ADDITIONAL, named
from wa_products.exports.links import image_links
from wa_products.exports.money import read_amounts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from wa_products.exports.issues import Found
    from wa_products.exports.sources import Source
    from wa_products.exports.tables import Table

NAMES = {
    "product_retailer_id": ("id",),
    "title": ("name", "title"),
    "description": ("description",),
    "currency": ("currencyId",),
    "availability": ("available", "availability"),
    "inventory": ("count", "stock_quantity", "quantity"),
    "brand": ("vendor",),
    "link": ("url",),
    "item_group_id": ("group_id",),
    "product_type": ("product_type",),
    "visibility": ("visibility",),
}
_PARTS = ("typePrefix", "vendor", "model")
_ROUBLE = {"RUR": "RUB"}
_DEEPEST = 20


def recognise(text: str) -> bool:
    """Return whether XML is YML."""
    return root_of(text) == "yml_catalog"


def table(source: Source, found: Found) -> Table:
    """Return the offers, each with the path of its category as ``product_type``. Raises DataError for none."""
    items, aside = read_feed(source, found)
    if not items.names("id") or not items.names("price"):
        raise DataError(f"{source.file} is YML whose offers have no id or no price: export it again")
    columns = dict(items.columns)
    if items.names("categoryId"):
        paths = _paths([(said, text) for name, said, text in aside if name == "category"])
        numbers = items.column("categoryId")
        columns["product_type"] = numbers.recoded(lambda number: paths.get(number.strip(), ""))
    base = [said.get("id", "") for name, said, _ in aside if name == "currency" and said.get("rate") == "1"]
    if base:
        columns["currencyId"] = items.column("currencyId").or_else(Column.constant(base[0], len(items)))
    return replace(items, columns=columns)


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the catalog, one row an offer."""
    rows = _with_own(table, found)
    fields = named(rows, NAMES)
    fields["price"], fields["sale_price"] = _prices(rows)
    pictures = rows.column("picture")
    fields["image_link"] = pictures.recoded(lambda value: next(iter(image_links(value)), ""))
    more = pictures.recoded(lambda value: ",".join(image_links(value)[1:]))
    columns = {name: column for name, column in rows.columns.items() if name != "picture"}
    return build_catalog(replace(rows, columns={**columns, ADDITIONAL: more}), fields, options, found)


def _with_own(table: Table, found: Found) -> Table:
    """Return the table with a title for offers that have a model instead, and with today's code of the rouble."""
    columns = dict(table.columns)
    parts = [table.column(name).texts().str.strip() for name in _PARTS]
    if table.names("model"):
        model = pd.Series([" ".join(filter(None, row)) for row in zip(*parts, strict=True)], dtype="str")
        columns["name"] = table.column("name").or_else(Column.of(model))
    currency = table.column("currencyId")
    old = currency.where(lambda code: code.strip().upper() in _ROUBLE)
    if old.any():
        columns["currencyId"] = currency.recoded(lambda code: _ROUBLE.get(code.strip().upper(), code))
        hint = "in YML this is the rouble of today: write RUB"
        found.add(
            "currency_renamed",
            "info",
            values=[f"RUR in {int(old.sum())} offers"],
            column="currencyId",
            action="read as RUB",
            hint=hint,
        )
    return replace(table, columns=columns)


def _prices(table: Table) -> tuple[Column, Column]:
    """Return the regular price and the sale price."""
    now, before = table.column("price"), table.column("oldprice")
    paid, crossed = _amounts(now), _amounts(before)
    on_sale = pd.Series([a is not None and b is not None and a < b for a, b in zip(paid, crossed, strict=True)])
    texts, old = now.texts(), before.texts()
    return Column.of(texts.where(~on_sale, old)), Column.of(texts.where(on_sale, ""))


def _amounts(column: Column) -> list[Decimal | None]:
    return list(column.spread(read_amounts(column.distinct, currency=False).amounts))


def _paths(categories: list[tuple[dict[str, str], str]]) -> Mapping[str, str]:
    """Return the path of each category, such as ``Home > Kitchen``, by its number."""
    names = {said.get("id", ""): text for said, text in categories}
    parents = {said.get("id", ""): said.get("parentId", "") for said, _ in categories}
    paths = {}
    for number in names:
        steps: list[str] = []
        at = number
        while at in names and len(steps) < _DEEPEST:
            steps.insert(0, re.sub(r"\s+", " ", names[at]).strip())
            at = parents[at]
        paths[number] = " > ".join(filter(None, steps))
    return paths


FORMAT = Format(name="a Yandex feed (YML)", readers={"catalog": read}, shape="xml", recognise=recognise, table=table)
