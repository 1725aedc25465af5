"""Recommenders put to the test: on the past of a shop, with a clock and a progress bar, and on sends in a ledger."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tqdm import tqdm

from wa_products import arms, backtests
from wa_products.backtests.hindsight import hindsight
from wa_products.backtests.replays import several
from wa_products.campaigns import measure
from wa_products.errors import DataError
from wa_products.proposals import propose

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import pandas as pd

    from wa_products.backtests import Asked
    from wa_products.backtests.replays import Source
    from wa_products.datasets import Dataset
    from wa_products.ledger import Ledger


def backtest(
    data: Dataset,
    recommenders: Sequence[Source] | None = None,
    *,
    cutoffs: int | Sequence[pd.Timestamp | str] = 4,
    horizon: str | pd.Timedelta = "7D",
    k: int = 10,
    asked: Asked | None = None,
    beside: Collection[str] = backtests.BESIDE,
    baseline: str = "count",
    validation: int = 2,
    seed: int = 0,
    progress: bool = True,
) -> pd.DataFrame:
    """
    Return how good recommenders would have been at earlier `cutoffs`: a row a recommender, cutoff and metric.

    This is `wa_products.backtests.backtest`, which explains the arguments, the columns and the metrics, with the CPU
    seconds of this process and a progress bar on stderr. `wa_products.figures.backtest` and ``calibration`` draw it.
    """
    return backtests.backtest(
        data,
        recommenders,
        cutoffs=cutoffs,
        horizon=horizon,
        k=k,
        asked=asked,
        beside=beside,
        baseline=baseline,
        validation=validation,
        seed=seed,
        timer=time.process_time,
        progress=_bar if progress else iter,
    )


def _bar(labels: Sequence[str]) -> Iterator[str]:
    with tqdm(labels, unit="fit") as steps:
        for label in steps:
            steps.set_postfix_str(label)
            yield label


def what_if(ledger: Ledger, data: Dataset, recommender: Source = None, *, campaign: str) -> pd.DataFrame:
    """
    Return what `recommender` would have brought in a past `campaign`: estimates of its cart rate, and of what was sent.

    It is fitted to `data` as it was when the campaign was planned and asked for one product of each customer who was
    sent something; a list of recommenders is joined as `propose` does, None is what `propose` does now. Carts count for
    as long after the start as in `measure`. How it is told from the chance with which products were drawn, the columns
    and ``attrs["caveats"]`` are those of `wa_products.backtests.hindsight.hindsight`. Answers to requests are left out.

    It needs a campaign whose policy explored: `wa_products.Policy` with ``explore``. Raises DataError where the ledger
    has no such campaign, or `data` is older than it.
    """
    results = measure(ledger, campaign=campaign)
    if data.as_of < results.created_at:
        raise DataError(
            f"the shop is as of {data.as_of:%Y-%m-%d %H:%M} UTC, but {campaign!r} was planned at "
            f"{results.created_at:%Y-%m-%d %H:%M} UTC: load it as of that moment or later"
        )
    rows = ledger.rows(campaign)
    rows = rows[(rows["arm"] == arms.TREATED) & (rows["kind"] != "request")]
    until = results.started_at + results.horizon
    carts = results.carts[(results.carts["at"] >= results.started_at) & (results.carts["at"] <= until)]
    logged = rows.assign(cart=rows["customer_id"].isin(carts["customer_id"]))
    choices = propose(data.before(results.created_at), several(recommender), logged["customer_id"], k=1)
    return hindsight(logged, choices)
