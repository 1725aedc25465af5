"""From a row a customer to the tidy frame of a backtest: values, intervals, differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.backtests import intervals
from wa_products.backtests.replays import REVENUE
from wa_products.backtests.scores import BINS, bins, ece
from wa_products.errors import DataError
from wa_products.metrics import wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RESAMPLES = 1000
TIDY: dict[str, frames.Kind] = {
    "recommender": "text",
    "cutoff": "time",
    "metric": "text",
    "part": "text",
    "customers": "integer",
    "said": "number",
    "value": "number",
    "low": "number",
    "high": "number",
    "baseline": "text",
    "difference": "number",
    "difference_low": "number",
    "difference_high": "number",
}
MEANS = {
    "hit@1": "hit",
    "repeat hit@1": "repeat_hit",
    "explore hit@1": "explore_hit",
    "recall@{k}": "recall",
    "ndcg@{k}": "ndcg",
    "brier": "brier",
    "customers served": "served",
}
CALIBRATION, ECE, CATALOG, REVENUE_METRIC = "calibration", "ece", "catalog share", "revenue of hits"
SECONDS = {"fit seconds": "fit_seconds", "recommend seconds": "recommend_seconds"}


@dataclass(frozen=True, eq=False, kw_only=True)
class _Metric:
    """A metric as sums over customers: which columns it needs, and what it makes of their sums."""

    name: str
    part: str = ""
    columns: tuple[str, ...]
    of: Callable[[np.ndarray], np.ndarray]
    mirrored: bool = False
    said: str = ""


def tabulate(
    rows: pd.DataFrame, *, k: int, products: int, baseline: str, resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """
    Return the tidy frame of all `rows` of `replays.replay`: every recommender at every cutoff, then at all (NaT).

    `products` is how many can be sent. Shapes and meaning are those of `wa_products.backtests.backtest`.
    Raises DataError where no rows are of `baseline`.
    """
    rows = rows.reset_index(drop=True)
    names = list(rows["recommender"].unique())
    if baseline not in names:
        raise DataError(f"the baseline must be one of the recommenders, {', '.join(names)}, not {baseline!r}")
    columns, metrics = _columns(rows, k)
    parts = []
    for cutoff in [*sorted(rows["cutoff"].unique()), pd.NaT]:
        here = np.ones(len(rows), dtype=bool) if cutoff is pd.NaT else (rows["cutoff"] == cutoff).to_numpy()
        found = _measured(rows[here], columns[here], metrics, baseline=baseline, resamples=resamples, seed=seed)
        plain = _plain(rows[here], products)
        parts.append(pd.concat([found, plain], ignore_index=True).assign(cutoff=cutoff, baseline=baseline))
    every = frames.conform(pd.concat(parts, ignore_index=True), TIDY, "the backtest")[list(TIDY)]
    place = {name: number for number, name in enumerate(names)}
    by = every["recommender"].map(place)
    return every.assign(by=by).sort_values(["by", "cutoff"], kind="stable", ignore_index=True).drop(columns="by")


def _columns(rows: pd.DataFrame, k: int) -> tuple[pd.DataFrame, list[_Metric]]:
    """Return the columns that are summed over customers, and the metrics made of the sums."""
    columns: dict[str, np.ndarray] = {}
    metrics = []

    def mean(name: str, values: pd.Series, part: str = "") -> None:
        sum_, number = f"{name} {part} sum", f"{name} {part} number"
        columns[sum_], columns[number] = values.fillna(0.0).to_numpy(), values.notna().to_numpy("float64")
        metrics.append(_Metric(name=name, part=part, columns=(number, sum_), of=_ratio))

    for name, column in MEANS.items():
        mean(name.format(k=k), rows[column])
    for column in rows.columns[rows.columns.str.startswith(REVENUE)]:
        mean(REVENUE_METRIC, rows[column].fillna(0.0), column.removeprefix(REVENUE))
    known = (rows["probability"].notna() & rows["happened"].notna()).to_numpy()
    place = bins(rows["probability"].fillna(0.0).to_numpy())
    for number in range(BINS):
        inside = known & (place == number)
        columns[f"in {number}"] = inside.astype("float64")
        columns[f"said {number}"] = np.where(inside, rows["probability"], 0.0)
        columns[f"happened {number}"] = np.where(inside, rows["happened"], 0.0)
    three = tuple(f"{what} {number}" for what in ("in", "said", "happened") for number in range(BINS))
    metrics.append(_Metric(name=ECE, columns=three, of=_ece, mirrored=True))
    for number in range(BINS):
        part = f"{number / BINS:.1f}-{(number + 1) / BINS:.1f}"
        which = (f"in {number}", f"happened {number}")
        metrics.append(_Metric(name=CALIBRATION, part=part, columns=which, of=_ratio, said=f"said {number}"))
    return pd.DataFrame(columns), metrics


def _ratio(sums: np.ndarray) -> np.ndarray:
    """Return the second sum by the first."""
    return np.divide(sums[..., 1], sums[..., 0], out=np.full(sums.shape[:-1], np.nan), where=sums[..., 0] > 0)


def _ece(sums: np.ndarray) -> np.ndarray:
    return ece(*(sums[..., start : start + BINS] for start in range(0, 3 * BINS, BINS)))


@dataclass(frozen=True, eq=False, kw_only=True)
class _Sums:
    """The columns of one recommender summed over customers, as they are and in each draw."""

    names: pd.Index
    told: np.ndarray
    drawn: np.ndarray

    @classmethod
    def of(cls, columns: pd.DataFrame, who: np.ndarray, customers: int, *, resamples: int, seed: int) -> _Sums:
        """Return the sums of `columns`, whose rows are of the customers with the numbers `who`."""
        table = np.zeros((customers, columns.shape[1]))
        np.add.at(table, who, columns.to_numpy())
        drawn = intervals.resampled(table, resamples, seed)
        return cls(names=columns.columns, told=table.sum(axis=0), drawn=drawn)

    def number(self, metric: _Metric) -> float:
        """Return how many answers the metric is about."""
        counted = [name for name in metric.columns if name.endswith("number") or name.startswith("in ")]
        return float(self.told[self.names.get_indexer(counted)].sum())

    def value(self, metric: _Metric) -> float:
        """Return the metric."""
        return float(metric.of(self.told[self.names.get_indexer(metric.columns)]))

    def draws(self, metric: _Metric) -> np.ndarray:
        """Return the metric in each draw."""
        return metric.of(self.drawn[:, self.names.get_indexer(metric.columns)])


def _measured(
    rows: pd.DataFrame,
    columns: pd.DataFrame,
    metrics: Sequence[_Metric],
    *,
    baseline: str,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return every metric of every recommender with its interval, and its difference to the baseline."""
    customers = pd.Index(rows["customer_id"].unique())
    sums = {
        name: _Sums.of(
            own,
            customers.get_indexer(rows.loc[own.index, "customer_id"]),
            len(customers),
            resamples=resamples,
            seed=seed,
        )
        for name, own in columns.groupby(rows["recommender"].to_numpy(), sort=False)
    }
    found = [
        {"recommender": name, **_row(metric, own, None if name == baseline else sums[baseline])}
        for name, own in sums.items()
        for metric in metrics
    ]
    table = pd.DataFrame(found)
    return table[(table["metric"] != CALIBRATION) | (table["customers"] > 0)]


def _row(metric: _Metric, own: _Sums, base: _Sums | None) -> dict[str, object]:
    value, draws = own.value(metric), own.draws(metric)
    low, high = intervals.pivotal(value, draws) if metric.mirrored else intervals.percentiles(draws)
    row: dict[str, object] = {"metric": metric.name, "part": metric.part, "customers": own.number(metric)}
    row |= {"value": value, "low": low, "high": high}
    if metric.said:  # a bin of few answers that all came out alike has no spread to draw from
        number = own.number(metric)
        (low,), (high,) = wilson([round(value * number) if number else 0], [number])
        row |= {"said": own.told[own.names.get_loc(metric.said)] / max(number, 1), "low": low, "high": high}
    elif base is not None:
        row["difference"] = value - base.value(metric)
        row["difference_low"], row["difference_high"] = intervals.percentiles(draws - base.draws(metric))
    return row


def _plain(rows: pd.DataFrame, products: int) -> pd.DataFrame:
    """Return what has no interval: the share of the catalog that is proposed first to anybody, and the seconds."""
    found = []
    for name, own in rows.groupby("recommender", sort=False):
        first = own.loc[own["product_retailer_id"] != "", "product_retailer_id"].nunique()
        told = {CATALOG: first / products if products else np.nan}
        for metric, column in SECONDS.items():
            told[metric] = own.groupby("cutoff")[column].first().mean()
        found += [
            {"recommender": name, "metric": metric, "customers": len(own), "value": value}
            for metric, value in told.items()
        ]
    return pd.DataFrame(found)
