"""`overview`: all campaigns of a ledger side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from tqdm.auto import tqdm

from wa_products import frames, metrics
from wa_products.attribution import span
from wa_products.metrics.overviews import TOTALS

if TYPE_CHECKING:
    from wa_products.ledger import Ledger


def overview(
    ledger: Ledger,
    *,
    since: pd.Timestamp | None = None,
    as_of: pd.Timestamp | None = None,
    horizon: str | pd.Timedelta = metrics.HORIZON,
    progress: bool = True,
) -> pd.DataFrame:
    """
    Return how far each campaign came, one row a campaign, in the order in which they began: its numbers, no customers.

    Counted by the database, so that neither many campaigns nor large ones take memory; `measure` gives the same
    numbers of one campaign, and all that is behind them. `since` leaves out campaigns planned before. Customers:
    ``planned, held_out, submitted, accepted, sent, delivered, read, refused, failed``; by assignment and within
    `horizon` of ``started_at``: ``treated, treated_with_cart, holdout, holdout_with_cart``; then ``is_complete``
    (whether the horizon is over at ``as_of``), ``difference`` (the rate of customers with a cart among the treated less
    that among the held out) and, once complete, its 96 % Newcombe interval ``low, high``; NaN where nobody was held
    out. Raises DataError for a `horizon` that is no span of time.
    """
    length, campaigns = span(horizon), ledger.campaigns()
    wanted = campaigns if since is None else campaigns[campaigns["created_at"] >= since]
    names = wanted["campaign"].drop_duplicates()
    every = [ledger.totals(name, as_of, length) for name in tqdm(names, delay=1, disable=not progress)]
    totals = pd.DataFrame(every, columns=list(TOTALS)) if every else frames.empty(TOTALS)
    return metrics.overview(totals, length)
