"""What several files give, joined to one shop: all of it once, lines matched to products, one id a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wa_products import events, frames
from wa_products.exports.crosswalk import AMBIGUOUS, UNMATCHED, match
from wa_products.exports.enrichment import enriched, is_shop
from wa_products.exports.issues import Found, counted
from wa_products.exports.overlaps import told_once
from wa_products.exports.people import identified
from wa_products.exports.readers import SHAPES, Part

if TYPE_CHECKING:
    from wa_products.exports.contract import Kind


def together(parts: list[Part], heard: pd.DataFrame | None = None) -> dict[str, pd.DataFrame]:
    """
    Return catalog, orders, inbound and issues of all parts, whatever the moment from which they are looked at.

    `heard` are events of a ledger, whose messages and carts join in.
    """
    orders, inbound = (_of_kind(parts, kind) for kind in ("orders", "inbound"))
    if heard is not None:
        orders = stacked([orders, events.orders(heard)], "orders")
        inbound = stacked([inbound, events.inbound(heard)], "inbound")
    meta, shop = _of_kind(parts, "catalog", shops=False), _of_kind(parts, "catalog", shops=True)
    items, items_again = told_once("catalog", meta)
    once, orders_again = told_once("orders", orders)
    written, written_again = told_once("inbound", inbound)
    merged = {"catalog": _merged(meta, items), "orders": _merged(orders, once)}
    catalog, joined = enriched(items, shop)
    lines, unmatched = _matched(once, catalog)
    lines, messages, people = identified(lines, written)
    issues = [*_of_each_file(parts), joined, items_again, orders_again, written_again, unmatched, people]
    counts = [_counts(part, merged) for part in parts]
    return {"catalog": catalog, "orders": lines, "inbound": messages, "issues": counted(stacked_issues(issues), counts)}


def _of_kind(parts: list[Part], kind: Kind, *, shops: bool = False) -> pd.DataFrame:
    """Return what the parts of a kind give; of catalogs only those of shops, or only the others."""
    return stacked([part.frame for part in parts if part.kind == kind and is_shop(part.frame) == shops], kind)


def _merged(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, int]:
    """Return how many rows of each file went into those of another one."""
    if len(before) == len(after):
        return {}
    lost = before["source_file"].value_counts().sub(after["source_file"].value_counts(), fill_value=0)
    return {str(file): int(count) for file, count in lost.items()}


def _counts(part: Part, merged: dict[str, dict[str, int]]) -> dict[str, Any]:
    """Return the counts of a part after the joining; a log counts bodies, of which none goes."""
    count = part.found.counts(part.kind)
    gone = merged.get(part.kind, {}).get(part.found.file, 0) if count["kept"] == len(part.frame) else 0
    return {**count, "kept": count["kept"] - gone, "merged": count["merged"] + gone}


def _of_each_file(parts: list[Part]) -> list[pd.DataFrame]:
    """Return the issues of each file; one that gave frames of two kinds was read twice and has each issue once."""
    by_file: dict[str, list[pd.DataFrame]] = {}
    for part in parts:
        by_file.setdefault(part.found.file, []).append(part.issues)
    return [some[0] if len(some) == 1 else stacked_issues(some).drop_duplicates() for some in by_file.values()]


def stacked_issues(issues: list[pd.DataFrame]) -> pd.DataFrame:
    """Return several issues frames as one."""
    filled = [frame for frame in issues if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames.empty(frames.ISSUES)


def stacked(parts: list[pd.DataFrame], kind: str) -> pd.DataFrame:
    """Return several frames of a kind as one; texts that one of them has not are blank in it."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return frames.empty(SHAPES[kind])
    if len(filled) == 1:
        return frames.conform(filled[0], SHAPES[kind], kind)
    joined = pd.concat(filled, ignore_index=True)
    blank = {name: joined[name].fillna("") for name in joined.columns if joined[name].dtype == "str"}
    return frames.conform(joined.assign(**blank), SHAPES[kind], kind)


def _matched(orders: pd.DataFrame, catalog: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    if catalog.empty or orders.empty:
        return orders, frames.empty(frames.ISSUES)
    matched, _ = match(orders, catalog)
    found = Found("")
    for rule, code, hint in (
        (UNMATCHED, "item_not_in_catalog", "exports.crosswalk.report(data.orders) lists their titles by revenue"),
        (
            AMBIGUOUS,
            "item_ambiguous",
            "several products have this title, SKU or id; exports.crosswalk.report names them",
        ),
    ):
        if lost := int((matched["match_rule"] == rule).sum()):
            values, action = [f"{lost} of {len(matched)} lines"], "rows kept without product"
            found.add(code, "warning", column="product_retailer_id", values=values, action=action, hint=hint)
    _note_currencies(matched, catalog, found)
    return matched, found.frame(np.zeros(0), None)


def _note_currencies(orders: pd.DataFrame, catalog: pd.DataFrame, found: Found) -> None:
    """Note order lines in other currencies than the catalog's: their amounts are never added to its own."""
    ours = set(catalog["currency"].unique()) - {""}
    paid = orders["currency"].value_counts(sort=False)
    others = paid[~paid.index.isin([*ours, ""])] if ours else paid[:0]
    if len(others):
        found.add(
            "currency_not_the_catalogs",
            "warning",
            column="currency",
            values=[f"{count} lines in {code}" for code, count in others.items()],
            rows=[0] * len(others),
            action="row kept",
            hint="the catalog has no price in this currency: amounts in it are counted apart",
        )
