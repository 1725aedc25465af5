"""
Shop items to products of the catalog, rule by rule: the first rule that names exactly one product decides.

``id`` the shop's id is the product's; ``sku`` the SKU is; ``trailing id`` the id ends in ``_`` and the shop's id;
``variant in link`` and ``handle in link`` the product's link names the shop's variant or page; ``title and options``
the shop's title is the product's, with its options after a dash. A rule that names several products matches none.
"""

from __future__ import annotations

import re
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

RULES = ("id", "sku", "trailing id", "variant in link", "handle in link", "title and options")
UNMATCHED, AMBIGUOUS = "unmatched", "ambiguous"
OPTIONS = ("color", "size", "material", "pattern")
_SKUS = ("sku", "mpn", "gtin")
_KEYS = ("product_retailer_id", "item_id", "sku", "link", "title")
_MOST_OPTIONS = 3
_VARIANT = re.compile(r"[?&]variant=(\w+)")
_HANDLE = re.compile(r"/products?/([^/?#]+)")
Item = dict[str, str]
Rules = dict[str, tuple["Callable[[Item], list[str]]", dict[str, set[str]]]]
_TRAILING = re.compile(r"^(?P<sku>.*)_(?P<id>\d+)$")


def match(orders: pd.DataFrame, catalog: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return the orders with `product_retailer_id` of the catalog (``""`` where none) and `match_rule`, and the report.

    A line that no rule matches keeps its title; where it has none, its id or SKU stands in.
    """
    given = orders.reindex(columns=list(_KEYS), fill_value="")
    codes, items = _items(given)
    found = [product_of(item, rules) for rules in [indexes(catalog)] for item in items.to_dict("records")]
    ids = np.array([product for product, _ in found] or [""], dtype=object)
    rules = np.array([rule for _, rule in found] or [""], dtype=object)
    titles = _titles(items).to_numpy(dtype=object) if len(items) else np.array([""], dtype=object)
    matched = orders.assign(
        product_retailer_id=_spread(ids, codes, orders.index),
        match_rule=_spread(rules, codes, orders.index),
        title=_spread(titles, codes, orders.index),
    )
    return matched, report(matched)


def report(orders: pd.DataFrame) -> pd.DataFrame:
    """
    Return how the lines were matched: ``rule, title, lines, revenue, currency``, most lines first.

    One row a rule and currency with a blank title; then the unmatched and ambiguous titles, by revenue.
    """
    frames.require(orders, ["match_rule", "title", "unit_price", "quantity", "currency"], "orders")
    counted = orders[["match_rule", "title", "currency"]].rename(columns={"match_rule": "rule"})
    price = pd.to_numeric(orders["unit_price"], errors="coerce").astype("float64")
    counted = counted.assign(lines=1, revenue=price * orders["quantity"])
    by_rule = (
        counted.assign(title="").groupby(["rule", "title", "currency"], as_index=False)[["lines", "revenue"]].sum()
    )
    lost = counted[counted["rule"].isin([UNMATCHED, AMBIGUOUS])]
    by_title = lost.groupby(["rule", "title", "currency"], as_index=False)[["lines", "revenue"]].sum()
    parts = [
        by_rule.sort_values(["lines", "rule"], ascending=[False, True]),
        by_title.sort_values(["revenue", "title"], ascending=[False, True]),
    ]
    return pd.concat(parts, ignore_index=True)[["rule", "title", "lines", "revenue", "currency"]]


def _items(given: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the number of each line's item, and the distinct items."""
    code = np.zeros(len(given), dtype="int64")
    for key in _KEYS:
        here, distinct = pd.factorize(given[key])
        code, _ = pd.factorize(code * max(1, len(distinct)) + here)
    first = np.unique(code, return_index=True)[1]
    return code, given.iloc[first].reset_index(drop=True)


def _spread(values: np.ndarray, codes: np.ndarray, index: pd.Index) -> pd.Series:
    return pd.Series(pd.array(values, dtype="str").take(codes), index=index)


def _titles(items: pd.DataFrame) -> pd.Series:
    title = items["title"]
    for other in ("product_retailer_id", "item_id", "sku"):
        title = title.where(title.str.strip() != "", items[other])
    return title


def product_of(item: Item, rules: Rules) -> tuple[str, str]:
    """Return the one product that an item names, and by which rule; else ``""`` and ``unmatched`` or ``ambiguous``."""
    several = False
    for rule, (keys_of, index) in rules.items():
        for key in keys_of(item):
            products = index.get(key, set())
            if len(products) == 1:
                return next(iter(products)), rule
            several |= len(products) > 1
    return "", AMBIGUOUS if several else UNMATCHED


def indexes(catalog: pd.DataFrame) -> Rules:
    """Return for each rule which keys an item has and which products each key names."""
    ids = catalog["product_retailer_id"]
    skus = [(id_, sku) for name in _SKUS if name in catalog for id_, sku in zip(ids, catalog[name], strict=True)]
    trailing = [(id_, found) for id_ in ids if (found := _TRAILING.match(id_))]
    links = list(zip(ids, catalog["link"], strict=True))
    variants = [(id_, found[1]) for id_, link in links if (found := _VARIANT.search(link))]
    handles = [(id_, found[1].casefold()) for id_, link in links if (found := _HANDLE.search(link))]
    by_id = _index((id_, id_) for id_ in ids)
    shop_ids = _index(zip(ids, catalog["shop_id"], strict=True) if "shop_id" in catalog else ())
    return {
        "id": (lambda item: _filled(item["product_retailer_id"], item["item_id"]), _either(by_id, shop_ids)),
        "sku": (lambda item: _filled(item["sku"]), _either(by_id, _index((id_, sku) for id_, sku in skus))),
        "trailing id": (
            lambda item: [*_filled(item["item_id"]), *(f"sku:{sku}" for sku in _filled(item["sku"]))],
            _index([*((i, m["id"]) for i, m in trailing), *((i, f"sku:{m['sku']}") for i, m in trailing)]),
        ),
        "variant in link": (
            lambda item: [*(m[1] for m in [_VARIANT.search(item["link"])] if m), *_filled(item["item_id"])],
            _index(variants),
        ),
        "handle in link": (
            lambda item: [m[1].casefold() for m in [_HANDLE.search(item["link"])] if m],
            _index(handles),
        ),
        "title and options": (lambda item: _filled(_plain(item["title"])), _index(_named(catalog))),
    }


def _filled(*values: str) -> list[str]:
    return [value for value in values if value]


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    index: dict[str, set[str]] = {}
    for product, key in pairs:
        if key and product:
            index.setdefault(key, set()).add(product)
    return index


def _either(first: dict[str, set[str]], second: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return `first`, with what only `second` knows."""
    return {**second, **first}


def _named(catalog: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield each product with the names under which a shop may sell it: its title, alone or with its options."""
    here = [name for name in (*OPTIONS, "options") if name in catalog.columns]
    for row in catalog[["product_retailer_id", "title", *here]].to_dict("records"):
        title = _plain(row["title"])
        options = [_plain(row[name]) for name in here if name != "options" and str(row[name]).strip()]
        whole = _plain(row.get("options", ""))
        every = {whole, whole.replace(" / ", ", ")} - {""}
        if not options and not every:
            yield row["product_retailer_id"], title
            yield row["product_retailer_id"], f"{title} - default title"
            continue
        if any(title.endswith(f" - {option}") for option in (*options, *every)):
            yield row["product_retailer_id"], title
        for some in permutations(options[:_MOST_OPTIONS]):
            yield row["product_retailer_id"], f"{title} - {' / '.join(some)}"
        for option in every:
            yield row["product_retailer_id"], f"{title} - {option}"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
