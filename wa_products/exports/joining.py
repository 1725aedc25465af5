"""What several files give, joined to one shop: each order once, lines matched to products, one id a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from wa_products import events, frames
from wa_products.exports.contract import Kind
from wa_products.exports.crosswalk import AMBIGUOUS, UNMATCHED, match
from wa_products.exports.enrichment import enriched, is_shop
from wa_products.exports.issues import Found, counted
from wa_products.exports.people import identified
from wa_products.exports.readers import SHAPES, Part
from wa_products.exports.repeats import settled

if TYPE_CHECKING:
    from wa_products.ledger import Ledger


def together(parts: list[Part], ledger: Ledger | None = None) -> dict[str, pd.DataFrame]:
    """Return catalog, orders, inbound and issues of all parts, whatever the moment from which they are looked at."""
    found = {kind: _stacked([part.frame for part in parts if part.kind == kind], kind) for kind in get_args(Kind)}
    if ledger is not None:
        stored = ledger.events()
        found["orders"] = _stacked([found["orders"], events.orders(stored)], "orders")
        found["inbound"] = _stacked([found["inbound"], events.inbound(stored)], "inbound")
    catalog, joined = _catalog(parts)
    inbound = found["inbound"].drop_duplicates("message_id", ignore_index=True)
    once, repeated = _once(found["orders"])
    orders, more = _matched(once, catalog)
    orders, inbound, people = identified(orders, inbound)
    issues = [*_of_each_file(parts), joined, repeated, more, people]
    counts = [part.found.counts(part.kind) for part in parts]
    return {"catalog": catalog, "orders": orders, "inbound": inbound, "issues": counted(stacked_issues(issues), counts)}


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


def _stacked(parts: list[pd.DataFrame], kind: str) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    if not filled:
        return frames.empty(SHAPES[kind])
    joined = filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)
    blank = {name: joined[name].fillna("") for name in joined.columns if joined[name].dtype == "str"}
    return frames.conform(joined.assign(**blank) if len(filled) > 1 else joined, SHAPES[kind], kind)


def _catalog(parts: list[Part]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the Meta catalog with what shop exports add to it, and the issues of joining the two."""
    given = [part.frame for part in parts if part.kind == "catalog"]
    meta = _stacked([frame for frame in given if not is_shop(frame)], "catalog")
    return enriched(meta, _stacked([frame for frame in given if is_shop(frame)], "catalog"))


def _once(orders: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the orders with those that several files hold but once, and what was merged."""
    found = Found("")
    files = pd.factorize(orders["source_file"])[0]
    once = settled(orders, pd.factorize(orders["order_id"])[0] * (files.max(initial=0) + 1) + files, found)
    issues = found.frame(np.zeros(0, dtype="int64"), None)
    if len(issues):
        some = orders.loc[orders["order_id"].isin(issues["value"]), ["order_id", "source_row", "source_file"]]
        file = some.drop_duplicates(["order_id", "source_row"]).set_index(["order_id", "source_row"])["source_file"]
        named = file.reindex(pd.MultiIndex.from_frame(issues[["value", "row"]])).to_numpy()
        issues = issues.assign(file=pd.Series(named, dtype="str").fillna(""))
    return once.reset_index(drop=True), issues


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
