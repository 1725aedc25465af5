"""Recommenders put to the test: on the past of a shop, with a clock and a progress bar, and on sends in a ledger."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tqdm import tqdm

from wa_products import backtests

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import pandas as pd

    from wa_products.backtests import Asked
    from wa_products.backtests.replays import Source
    from wa_products.datasets import Dataset


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
