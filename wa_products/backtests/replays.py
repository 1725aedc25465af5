"""Propose on the past and see what was bought: a row for each customer asked about."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from wa_products.backtests import scores
from wa_products.errors import DataError
from wa_products.proposals import propose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from wa_products.backtests.moments import Moment
    from wa_products.datasets import Dataset
    from wa_products.recommenders import Recommender

    Source: TypeAlias = Recommender | Sequence[Recommender] | None

TOGETHER = "propose"
REVENUE = "revenue "


class Timed:
    """A recommender that notes how long it takes to fit and to recommend, by a clock that it is given."""

    def __init__(self, inner: Recommender, timer: Callable[[], float]) -> None:
        self._inner, self._timer = inner, timer
        self.name = inner.name
        self.fit_seconds = self.recommend_seconds = 0.0

    def fit(self, data: Dataset) -> Self:
        """Fit it."""
        began = self._timer()
        self._inner = self._inner.fit(data)
        self.fit_seconds += self._timer() - began
        return self

    def recommend(self, customer_ids: Iterable[str], k: int) -> pd.DataFrame:
        """Ask it."""
        began = self._timer()
        found = self._inner.recommend(customer_ids, k)
        self.recommend_seconds += self._timer() - began
        return found


def name_of(source: Source) -> str:
    """Return the name of a recommender; several at once are ``propose``."""
    return TOGETHER if source is None or isinstance(source, list | tuple) else source.name  # type: ignore[union-attr]


def several(source: Source) -> list[Recommender] | None:
    """Return the recommenders of a source as `propose` takes them."""
    if source is None:
        return None
    return list(source) if isinstance(source, list | tuple) else [source]  # type: ignore[list-item]


def replay(source: Source, moment: Moment, shop: Dataset, *, k: int, timer: Callable[[], float]) -> pd.DataFrame:
    """
    Return what `source` would have proposed at `moment`, and what came of it: a row for each customer asked about.

    It is fitted to `shop`, which is ``moment.past`` or ``moment.whole``.

    Columns: ``recommender, cutoff, customer_id``, ``product_retailer_id`` and ``probability`` of the first product
    (``""`` and NaN where none), ``served``, the metrics of `scores` (``hit, repeat_hit, explore_hit, recall, ndcg,
    brier``), ``happened`` (whether the first product was bought within the days that its probability is meant for, NaN
    where they are not over), ``revenue GBP`` and the like (what the first product brought), and the seconds that all
    of it took, ``fit_seconds`` and ``recommend_seconds``, the same in each row.
    """
    listed, seconds = _proposed(source, moment, shop, k, timer)
    listed = moment.judged(listed)
    asked, number = moment.asked, moment.number
    rows = listed.drop_duplicates("customer_id")
    rows = rows.assign(happened=moment.happened(rows))
    revenue = moment.revenue(rows).add_prefix(REVENUE)
    first = rows.set_index("customer_id")
    columns = {
        "product_retailer_id": first["product_retailer_id"].reindex(asked, fill_value=""),
        "probability": first["probability"].reindex(asked),
        "served": asked.isin(first.index).astype("float64"),
        "hit": scores.hit(listed, asked),
        "repeat_hit": scores.repeat_hit(listed, asked),
        "explore_hit": scores.explore_hit(listed, asked),
        "recall": scores.recall(listed, number),
        "ndcg": scores.ndcg(listed, number, k),
        "happened": first["happened"].reindex(asked),
        "brier": scores.brier(first["probability"], first["happened"]).reindex(asked),
        **{column: revenue[column] for column in revenue},
        **seconds,
    }
    found = pd.DataFrame(columns, index=asked).reset_index(names="customer_id")
    found.insert(0, "recommender", name_of(source))
    found.insert(1, "cutoff", moment.cutoff)
    return found


def _proposed(
    source: Source, moment: Moment, shop: Dataset, k: int, timer: Callable[[], float]
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the proposals and the seconds; copies are fitted, so nothing is carried from one cutoff to another."""
    if (given := several(source)) is None:
        began = timer()
        listed = propose(shop, None, moment.asked, k)
        return listed, {"fit_seconds": np.nan, "recommend_seconds": timer() - began}
    timed = [Timed(copy.deepcopy(each), timer) for each in given]
    listed = propose(shop, timed, moment.asked, k)
    if strangers := sorted(set(listed["customer_id"]) - set(moment.asked)):
        raise DataError(
            f"{name_of(source)} answers for customers that it was not asked about, such as {strangers[0]}: "
            f"wa_products.testing.check_recommender tells what a recommender must keep"
        )
    seconds = {name: float(sum(getattr(each, name) for each in timed)) for name in ("fit_seconds", "recommend_seconds")}
    return listed, seconds
