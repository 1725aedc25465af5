"""
The bench: recommenders on the past, scored per customer, beside the rules they must beat and the best possible.

Hit@1 is purchase, not effect: a customer who would have bought anyway counts as a hit. What a message adds only a
holdout tells. The catalog is today's at every cutoff, its stock too, for all recommenders alike.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pandas as pd

from wa_products.attribution import span
from wa_products.backtests import asking, baselines, replays, tables, tifuknn
from wa_products.backtests.asking import Asked
from wa_products.backtests.moments import PAIR, Moment
from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from wa_products.backtests.replays import Source
    from wa_products.datasets import Dataset
    from wa_products.recommenders import Recommender

__all__ = ["BESIDE", "Asked", "backtest", "replay", "score"]

ENOUGH = 2_000_000  # order lines of a stored shop, whose customers are asked about
BESIDE = ("popularity", "count", "gp-topfreq", "tifuknn", "oracle")


def backtest(
    data: Dataset,
    recommenders: Sequence[Source] | None = None,
    *,
    cutoffs: int | Sequence[pd.Timestamp | str] = 4,
    horizon: str | pd.Timedelta = "7D",
    k: int = 10,
    asked: Asked | None = None,
    beside: Collection[str] = BESIDE,
    baseline: str = "count",
    validation: int = 2,
    seed: int = 0,
    timer: Callable[[], float] | None = None,
    progress: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> pd.DataFrame:
    """
    Return how good recommenders would have been at earlier `cutoffs`: a row a recommender, cutoff and metric.

    `recommenders` are those to try; a list among them is tried as one, as `propose` joins its sources; None is what
    `propose` does by default. Each is copied, fitted to ``data.before(cutoff)`` and asked for `k` products of each
    customer that `asked` names (default: all known). A product is a hit if bought within `horizon` from the cutoff
    on. `cutoffs` is a list of times, or a number: the last so many whose horizons are over and do not overlap.
    `beside` names the rules of the bench to run too; its TIFUKNN is tuned by Hit@1 on `validation` cutoffs whose
    horizons end before the first cutoff. `timer` gives seconds, of which differences are taken.

    Columns: ``recommender``; ``cutoff``, NaT for all together; ``metric`` and ``part``; ``customers``, how many
    answers the value is an average of; ``value`` with ``low`` and ``high``, 95 % by drawing customers again (Wilson's
    for the bins of ``calibration``); ``difference`` to the ``baseline``, paired, with ``difference_low`` and
    ``difference_high``, without a correction for the number of comparisons. The metrics:

    - ``hit@1``, ``repeat hit@1``, ``explore hit@1``, ``recall@k``, ``ndcg@k``: see `wa_products.backtests.scores`.
    - ``brier``, ``ece`` and ``calibration`` (``part`` is the bin, ``said`` the mean probability in it, ``value`` what
      share was bought) of first products that have a probability, within the days it is meant for.
    - ``customers served`` (share with any product) and ``catalog share`` (of the sendable products, first for anybody).
    - ``revenue of hits``: paid within the horizon for the first product, per customer asked; ``part`` is the currency.
    - ``fit seconds`` and ``recommend seconds``, per cutoff. What `propose` does by default is all in the second.

    Of a stored shop the customers of two million lines at most are asked about, a random sample; the rules beside know
    only these customers, whereas `recommenders` are fitted to the whole store.

    ``attrs["notes"]`` says in words what was tuned and how many settings were tried.

    Raises DataError for cutoffs without a past or whose horizon is not over, for recommenders of one name, and for
    one that answers for customers that it was not asked about.
    """
    if baseline not in {*beside, *map(replays.name_of, _sources(recommenders))}:
        raise DataError(f"the baseline must be one of the recommenders or of {', '.join(beside)}, not {baseline!r}")
    rows = replay(
        data,
        recommenders,
        cutoffs=cutoffs,
        horizon=horizon,
        k=k,
        asked=asked,
        beside=beside,
        validation=validation,
        timer=timer,
        progress=progress,
    )
    return score(rows, data, k=k, baseline=baseline, seed=seed)


def replay(
    data: Dataset,
    recommenders: Sequence[Source] | None = None,
    *,
    cutoffs: int | Sequence[pd.Timestamp | str] = 4,
    horizon: str | pd.Timedelta = "7D",
    k: int = 10,
    asked: Asked | None = None,
    beside: Collection[str] = BESIDE,
    validation: int = 2,
    timer: Callable[[], float] | None = None,
    progress: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> pd.DataFrame:
    """
    Return what `backtest` averages over: a row a recommender, cutoff and customer asked about, to slice at will.

    The columns are those of `wa_products.backtests.replays.replay`, the arguments those of `backtest`.
    """
    length, sources = span(horizon), _sources(recommenders)
    _refuse_unusable(sources, beside, k)
    some = data.sampled(ENOUGH)
    moments = asking.resolved(some, cutoffs, length)
    whom = asked or Asked()
    names = [*map(replays.name_of, sources), *beside]
    steps = iter(progress(["tuning", *(f"{cutoff:%Y-%m-%d} {name}" for cutoff in moments for name in names)]))
    next(steps)
    setting, notes = _tuned(some, moments[0], length, whom, validation if "tifuknn" in beside else 0)
    parts = []
    for cutoff in moments:
        here = Moment.at(cutoff, some, length, whom, data)
        tried = [(source, here.whole) for source in sources]
        for source, shop in (*tried, *((rule, here.past) for rule in _rules(here, setting, beside))):
            next(steps)
            parts.append(replays.replay(source, here, shop, k=k, timer=timer or _no_clock))
    next(steps, None)  # so that a progress bar closes
    rows = pd.concat(parts, ignore_index=True)
    rows.attrs["notes"] = [*notes, *_told(some, data)]
    return rows


def score(rows: pd.DataFrame, data: Dataset, *, k: int = 10, baseline: str = "count", seed: int = 0) -> pd.DataFrame:
    """
    Return the tidy frame of `backtest` from the rows of `replay`: other baselines, or a slice, without a new fit.

    `data` and `k` must be those of the replay.
    """
    products = int(data.catalog["sendable"].sum())
    found = tables.tabulate(rows, k=k, products=products, baseline=baseline, seed=seed)
    found.attrs["notes"] = list(rows.attrs.get("notes", []))
    return found


def _sources(recommenders: Sequence[Source] | None) -> list[Source]:
    return [None] if recommenders is None else list(recommenders)


def _refuse_unusable(sources: Sequence[Source], beside: Collection[str], k: int) -> None:
    if k < 1:
        raise DataError(f"k must be at least 1, got {k}")
    if unknown := sorted(set(beside) - set(BESIDE)):
        raise DataError(f"the bench has the rules {', '.join(BESIDE)}, not {', '.join(unknown)}")
    names = [*map(replays.name_of, sources), *beside]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"recommenders must have different names, {', '.join(map(repr, twice))} stands there twice")


def _rules(moment: Moment, setting: tifuknn.Setting, beside: Collection[str]) -> list[Recommender]:
    """Return the wanted rules of the bench in the order of `beside`."""
    rules = (
        baselines.Popularity(),
        baselines.Count(),
        baselines.TopFreq(),
        tifuknn.TifuKnn(setting),
        baselines.Oracle(moment.coming[PAIR]),
    )
    by_name = {rule.name: rule for rule in rules}
    return [by_name[name] for name in beside]


def _tuned(
    data: Dataset, first: pd.Timestamp, horizon: pd.Timedelta, asked: Asked, number: int
) -> tuple[tifuknn.Setting, list[str]]:
    """Return the setting of TIFUKNN that was best before the `first` cutoff, and words about how it was found."""
    if number < 1:
        return tifuknn.Setting(), []
    told: list[pd.Timestamp] = []

    def lessons() -> Iterator[tuple[Dataset, pd.Index, pd.DataFrame]]:
        for cutoff in asking.earlier(data, first, horizon, number):
            with suppress(DataError):  # so early that nobody would be asked: nothing to learn from
                moment = Moment.at(cutoff, data, horizon, asked)
                told.append(cutoff)
                yield moment.past, moment.asked, moment.coming[PAIR]

    best = tifuknn.tuned(lessons())
    if not told:
        return tifuknn.Setting(), ["tifuknn: no history before the first cutoff to tune on; it has its usual setting"]
    when = ", ".join(f"{cutoff:%Y-%m-%d}" for cutoff in told)
    return best, [f"tifuknn: the best by Hit@1 of {len(tifuknn.GRID)} settings at {when}: {best}"]


def _told(some: Dataset, data: Dataset) -> list[str]:
    """Return words about whom a stored shop was asked about."""
    if data.stored is None or len(some.orders) == len(data.stored):
        return []
    whom = f"asked about are {len(some.customers):,} customers of the store, a random sample"
    return [f"{whom}; the rules of the bench know only them, recommenders are fitted to all"]


def _no_clock() -> float:
    return float("nan")
