"""`measure`: from what the ledger holds to the results of one campaign."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from wa_products import metrics
from wa_products.errors import DataError

if TYPE_CHECKING:
    from wa_products.datasets import Dataset
    from wa_products.ledger import Ledger


def measure(
    ledger: Ledger,
    *,
    campaign: str,
    as_of: pd.Timestamp | None = None,
    horizon: str | pd.Timedelta = metrics.HORIZON,
    prompt: str | pd.Timedelta = metrics.PROMPT,
    data: Dataset | None = None,
) -> metrics.Results:
    """
    Return what `campaign` came to, as the ledger knew it at `as_of`; None is the last moment it knows of.

    Carts count for `horizon`, and as prompt answers within `prompt` of the delivery. Other campaigns of the ledger
    are heeded: a cart that one of their messages explains better is not put down to this one. With `data`, the shop,
    variants of a product count as the product, and orders and money are compared arm by arm. Raises DataError where
    the ledger has no such campaign, naming those that it has, and for a `horizon` or `prompt` that is no span of time.
    """
    campaigns = ledger.campaigns()
    header = campaigns[campaigns["campaign"] == campaign]
    if header.empty:
        have = ", ".join(sorted(set(campaigns["campaign"]))) or "none"
        raise DataError(f"the ledger has no campaign {campaign!r}; it has: {have}")
    rows = ledger.receipts(campaign, as_of)
    known = [header["created_at"].max(), rows["at"].max(), ledger.last_at()]
    at = max(moment for moment in known if pd.notna(moment)) if as_of is None else as_of
    started_at = metrics.start_of(rows, header["created_at"].iloc[0])
    answers = ledger.answers(started_at, at)
    found = metrics.results(
        rows,
        answers,
        header.iloc[0].to_dict(),
        at,
        horizon=horizon,
        prompt=prompt,
        others=_others(ledger, campaign, rows, answers, since=metrics.in_mind(started_at, horizon), as_of=at),
        data=data,
    )
    return replace(found, orphans=ledger.orphans(started_at, at))


def _others(
    ledger: Ledger,
    campaign: str,
    rows: pd.DataFrame,
    answers: pd.DataFrame,
    *,
    since: pd.Timestamp,
    as_of: pd.Timestamp,
) -> pd.DataFrame:
    """Return what other campaigns sent, and may still be in mind, to whom this one planned for or who sent a cart."""
    carts = answers[answers["kind"] == "cart"]
    customers = {*rows["customer_id"].tolist(), *carts["customer_id"].tolist()}
    named = {*carts["context_id"].tolist()} - {""}
    return ledger.rivals(campaign, customers, named, since=since, as_of=as_of)
