"""
What shop exports add to the Meta catalog, which alone says what can be sent.

A shop's product is joined to Meta's item by the rules of the crosswalk. The item stays as Meta has it; only what is
blank there (text, brand, category, picture) is filled, and the shop's id, SKU, handle and options are put beside it,
so that order lines find the item too. What the shop has and Meta has not is told, not sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.exports.crosswalk import AMBIGUOUS, Rules, indexes, product_of
from wa_products.exports.issues import Found
from wa_products.exports.shops import COLUMNS, LINE, NO_META, PARENT, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE = "shop_rule"
FILLED = ("description", "brand", "product_type", "image_link")
_WITH_OWN_IDS = frozenset({"WooCommerce", "Shopify"})  # systems whose Meta channel builds its ids from theirs
_SURE = ("id", "trailing id")
_RANK = {"handle in link": 1, "title and options": 2}
_TITLE = "title and options"


def is_shop(catalog: pd.DataFrame) -> bool:
    """Return whether a catalog comes from a shop export, whose ids are not Meta's."""
    return SYSTEM in catalog.columns and bool((catalog[SYSTEM] != "").any())


def enriched(meta: pd.DataFrame, shop: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return Meta's items with what the shop's exports add to them, and the issues of joining the two.

    Where there are none of Meta's, the shop's own products are returned, none of them sendable; where there are none
    of the shop's, Meta's come back unchanged.
    """
    if shop.empty:
        return meta, frames.empty(frames.ISSUES)
    found = Found("")
    shop = _once(shop, found)
    if meta.empty:
        _note_no_meta(shop, found)
        return shop, _issues(found)
    pairs = joined_to(shop, meta)
    _note_pairs(pairs, shop, meta, found)
    return _filled(meta, shop, pairs), _issues(found)


def joined_to(shop: pd.DataFrame, meta: pd.DataFrame) -> pd.DataFrame:
    """
    Return which shop row belongs to which item: ``row`` (position in `shop`), ``product_retailer_id, rule``.

    An item that several rows name by equally good rules has the one whose title fits too, else none. Rows that belong
    to no item have a blank one and ``unmatched`` or ``ambiguous`` as their rule. Parents of variants take no part.
    """
    rules = indexes(meta)
    items = _items(shop)
    claims: dict[str, list[tuple[int, str]]] = {}
    lost: dict[int, str] = {}
    for row in map(int, np.flatnonzero((shop["not_sendable_reason"] != PARENT).to_numpy())):
        for product, rule in _products(items[row], rules):
            if product:
                claims.setdefault(product, []).append((row, rule))
            else:
                lost[row] = rule
    won = [
        (row, product, rule) for product, named in claims.items() for row, rule in _winner(product, named, items, rules)
    ]
    settled = {row for row, _, _ in won}
    lost |= {row: AMBIGUOUS for named in claims.values() for row, _ in named if row not in settled}
    pairs = pd.DataFrame([*won, *((row, "", rule) for row, rule in lost.items())], columns=list(_PAIRS))
    return pairs.astype(_PAIRS).sort_values("row", kind="stable", ignore_index=True)


_PAIRS = {"row": "int64", "product_retailer_id": "str", "rule": "str"}


def _winner(
    product: str, named: list[tuple[int, str]], items: list[dict[str, str]], rules: Rules
) -> list[tuple[int, str]]:
    """Return the one row and rule that an item belongs to; nothing where several have equal right to it."""
    best = min(_RANK.get(rule, 0) for _, rule in named)
    rows = [(row, rule) for row, rule in named if _RANK.get(rule, 0) == best]
    if len(rows) > 1:
        keys, index = rules[_TITLE]
        rows = [(row, rule) for row, rule in rows if any(product in index.get(key, ()) for key in keys(items[row]))]
    return rows if len(rows) == 1 else []


def _items(shop: pd.DataFrame) -> list[dict[str, str]]:
    """Return each row in the words of the crosswalk."""
    alone = ~shop["handle"].duplicated(keep=False) & (shop["handle"] != "")
    own = shop["shop_id"].where(shop[SYSTEM].isin(_WITH_OWN_IDS), "")
    with_options = shop["title"] + " - " + shop["options"]
    listed = " - " + shop["options"].str.replace(" / ", ", ", regex=False)
    said = [title.endswith(tail) for title, tail in zip(shop["title"], listed, strict=True)]
    plain = (shop["options"] == "") | np.array(said, dtype=bool)
    return pd.DataFrame(
        {
            "product_retailer_id": shop["product_retailer_id"].where(shop["shop_id"] == "", shop["shop_id"]),
            "item_id": own,
            "sku": shop["sku"].str.removeprefix("'"),
            "link": ("/products/" + shop["handle"]).where(alone, ""),
            "title": shop["title"].where(plain, with_options),
        }
    ).to_dict("records")


def _products(item: dict[str, str], rules: Rules) -> Iterator[tuple[str, str]]:
    """Yield the items that a shop row names: by the shop's id perhaps several, of two generations of ids."""
    sure = {}
    for rule in _SURE:
        for key in {item["item_id"]} - {""}:
            sure.update({product: rule for product in rules[rule][1].get(key, ()) if product not in sure})
    yield from sure.items() if sure else [product_of(item, rules)]


def _once(shop: pd.DataFrame, found: Found) -> pd.DataFrame:
    """Return each product once where several files of one shop hold it, as the first of them tells it."""
    key = [SYSTEM, "product_retailer_id", "title"]
    first = shop.groupby(key)["source_file"].transform("first")
    again = (shop["source_file"] != first) & (shop["product_retailer_id"] != "")
    hint = "another file of this shop has this product too: that one's row is used"
    _note(
        shop[again], ("product_in_two_files", "info", "product_retailer_id", "row merged into the first", hint), found
    )
    return shop[~again].reset_index(drop=True)


def _filled(meta: pd.DataFrame, shop: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    known = pairs[pairs["product_retailer_id"] != ""].set_index("product_retailer_id")
    known = known.reindex(meta["product_retailer_id"])
    has = known["row"].notna().to_numpy()
    at = np.where(has, known["row"].to_numpy(), 0).astype("int64")
    columns = {}
    for name in (*FILLED, *COLUMNS):
        given = pd.Series(shop[name].to_numpy()[at], index=meta.index, dtype="str").where(has, "")
        own = meta[name].fillna("") if name in meta else given
        columns[name] = own.where(own.str.strip() != "", given)
    rule = pd.Series(known["rule"].fillna("").to_numpy(), index=meta.index, dtype="str")
    return meta.assign(**columns, **{RULE: rule})


def _note_no_meta(shop: pd.DataFrame, found: Found) -> None:
    found.add(
        "no_meta_catalog",
        "error",
        column="product_retailer_id",
        values=[f"{len(shop)} products with ids of {', '.join(sorted(set(shop[SYSTEM])))}"],
        action="rows kept, cannot be sent",
        hint="messages name products by the ids of the Meta catalog: export it from Commerce Manager, or read its "
        "products through the Graph API, and load that file beside this one",
    )


def _note_pairs(pairs: pd.DataFrame, shop: pd.DataFrame, meta: pd.DataFrame, found: Found) -> None:
    joined = pairs[pairs["product_retailer_id"] != ""]
    by_rule = ", ".join(f"{count} by {rule}" for rule, count in joined["rule"].value_counts().items())
    items = meta["product_retailer_id"].isin(joined["product_retailer_id"])
    value = f"{int(items.sum())} of {len(meta)} items found in the shop's export" + (f": {by_rule}" if by_rule else "")
    hint = "blank text, brand, category and picture are the shop's; all else stays as Meta has it"
    found.add("joined_to_meta", "info", values=[value], action="items enriched", hint=hint)
    left = shop.iloc[pairs.loc[pairs["product_retailer_id"] == "", "row"]]
    doubt = left.index.isin(pairs.loc[pairs["rule"] == AMBIGUOUS, "row"])
    sold = left["not_sendable_reason"] == NO_META
    hint = "the Meta catalog has no item for it: sync the shop with the catalog if it should be sold there"
    action = "row not in the catalog"
    _note(left[~doubt & sold], ("not_in_meta_catalog", "warning", "product_retailer_id", action, hint), found)
    hint = "the shop does not sell it now, and the Meta catalog has no item for it"
    _note(left[~doubt & ~sold], ("not_in_meta_catalog", "info", "product_retailer_id", action, hint), found)
    hint = "its id, SKU or title fits several items, or other rows as well: nothing is guessed"
    _note(left[doubt], ("ambiguous_in_meta_catalog", "warning", "product_retailer_id", action, hint), found)


def _note(rows: pd.DataFrame, said: tuple[str, str, str, str, str], found: Found) -> None:
    code, severity, column, action, hint = said
    for file, some in rows.groupby("source_file", sort=False):
        named = Found(str(file), parts=found.parts)
        named.add(
            code,
            severity,  # type: ignore[arg-type]  # one of the three severities, written above
            rows=some["source_row"].to_numpy(),
            lines=some[LINE].to_numpy(),
            column=column,
            values=some["product_retailer_id"] + ": " + some["title"],
            action=action,
            hint=hint,
        )


def _issues(found: Found) -> pd.DataFrame:
    return found.frame(np.zeros(0, dtype="int64"), None)
