"""
Learning from the shop's own past: trees and a line on several cutoffs, weighed on later ones that they had not seen.

At each cutoff the signs come from before it and the answers from the horizon after it, none later than ``as_of``. Most
is learned from what is close to being chosen: a customer's first own products, and the new ones. How much the trees
and the line count, and the calibration of what they say together, is one regression on the first candidates of each
customer at the later cutoffs. Of new products, whose own past is missing, the trees alone speak.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import pandas as pd

from wa_products.recommenders import histories, rhythms, runs, scored
from wa_products.recommenders.logistic import Logistic
from wa_products.recommenders.ranked.candidates import candidates
from wa_products.recommenders.ranked.line import Line
from wa_products.recommenders.ranked.moments import Moment
from wa_products.recommenders.ranked.shared import shared
from wa_products.recommenders.ranked.signs import signs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wa_products.recommenders.ranked.moments import Shop

CUTOFFS, LEAST_CUTOFFS = 8, 2
AT_ONCE = 2  # cutoffs looked at together: more would take more memory
LEAST_ROWS, LEAST_EVENTS = 5_000, 500
ROWS_A_CUTOFF = 50_000
ROUNDS, PATIENCE = 200, 20
GROWN = 2  # sets of trees, each by a chance of its own: their mean errs less
CONTESTED, PLACE = 6, "place by decayed 6.0"  # own products a customer all of which are learned from, by this sign
OTHERS = 5  # of the customer's further products every so many
CHECKED = 5  # first candidates a customer, on which trees and line are weighed and probabilities calibrated
CASES = 200  # of the check, told in the sentence that says why
_TREES = {
    "objective": "binary",
    "learning_rate": 0.08,
    "num_leaves": 15,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "bin_construct_sample_cnt": 50_000,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Examples:
    """Candidates at one cutoff: whether the customer had it, signs, and whether it was bought within the horizon."""

    customer: np.ndarray
    own: np.ndarray
    names: list[str]
    signs: np.ndarray
    bought: np.ndarray

    def only(self, rows: np.ndarray) -> Examples:
        """Return the same examples with only these rows, a mask."""
        kept = {name: getattr(self, name)[rows] for name in ("customer", "own", "bought")}
        return replace(self, **kept, signs=self.signs.T[:, rows].T)


@dataclass(frozen=True, eq=False, kw_only=True)
class Model:
    """Sets of trees for every candidate, a line for the customer's own products."""

    trees: Sequence[lightgbm.Booster]
    line: Line

    def log_odds(self, signs: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Return what trees and line say of each row, a column each; of new products both columns are the trees'."""
        # by one thread, as several parts of a shop may be looked at together
        said = np.mean([trees.predict(signs, raw_score=True, num_threads=1) for trees in self.trees], axis=0)
        both = np.column_stack([said, said])
        both[own, 1] = self.line.log_odds(signs.T[:, own].T)
        return both


@dataclass(frozen=True, eq=False, kw_only=True)
class Learned:
    """
    Trees and a line, and what the check on later cutoffs says of their probabilities.

    `said` are the calibrated probabilities of the proposals checked, sorted, `came` how many of them were bought up
    to each.
    """

    model: Model
    calibration: Logistic
    said: np.ndarray
    came: np.ndarray

    def probability(self, signs: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Return the calibrated probability of each row of signs; `own` is True where the customer had the product."""
        return self.calibration.probability(self.model.log_odds(signs, own))

    def cases(self, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how many of the proposals checked that were about as probable were bought, and of how many."""
        middle = np.searchsorted(self.said, probability)
        first = np.clip(middle - CASES // 2, 0, max(len(self.said) - CASES, 0))
        last = np.minimum(first + CASES, len(self.said))
        return self.came[last] - self.came[first], last - first


def learn(shop: Shop, worth: np.ndarray, chance: np.ndarray, seed: int) -> Learned | None:
    """
    Return what the past of `shop` teaches about the products of `worth`, None where there is too little of it.

    `chance` is a number in [0, 1) for each customer, by which they are taken where there are more than enough.
    """
    oldest = shop.whole.day.min(initial=0)
    cutoffs = [-shop.horizon * step for step in range(1, CUTOFFS + 1) if -shop.horizon * (step + 1) >= oldest]
    if len(cutoffs) < LEAST_CUTOFFS:
        return None
    with ThreadPoolExecutor(AT_ONCE) as pool:
        examples = list(pool.map(lambda cutoff: _examples(shop, worth, cutoff, chance), cutoffs))
    later, earlier = _joined(examples[: len(examples) // 2]), _joined(examples[len(examples) // 2 :])
    for part in (later, earlier):
        events = int(part.bought.sum())
        if len(part.bought) < LEAST_ROWS or min(events, len(part.bought) - events) < LEAST_EVENTS:
            return None
    tried, model = _modelled(earlier, later, seed)
    calibration, said, came = _checked(tried, later)
    return Learned(model=model, calibration=calibration, said=said, came=came)


def _joined(parts: list[Examples]) -> Examples:
    """Return the examples of all `parts` as one, each with customers of its own."""
    apart = np.cumsum([0, *(part.customer.max(initial=-1) + 1 for part in parts)])
    return Examples(
        customer=np.concatenate([part.customer + first for part, first in zip(parts, apart, strict=False)]),
        own=np.concatenate([part.own for part in parts]),
        names=parts[0].names,
        signs=np.concatenate([part.signs.T for part in parts], axis=1).T,
        bought=np.concatenate([part.bought for part in parts]),
    )


def weighed(moment: Moment, learned: Learned, codes: np.ndarray, buyers: np.ndarray, most: int) -> pd.DataFrame:
    """
    Return at most `most` candidates of each customer with their probability and rhythm, in the order of `scored`.

    `codes` has the product sent for each product, -1 for none, `buyers` how many customers bought it lately.
    """
    past, found = moment.past, candidates(moment, codes >= 0)
    _, values = signs(moment, found)
    own, of, mine = past.own.found, moment.own, found.pair >= 0
    probability = learned.probability(values, mine)
    start, end = (rhythms.waits(own, of, share) for share in rhythms.INTERVAL)
    soon = np.flatnonzero(~(mine & (start[found.pair] > past.horizon)))
    product = codes[found.product]
    first = soon[scored.first(found.customer[soon], product[soon], probability[soon], most)]
    known = {"since": own.since, "held": own.held, "gap": of.days, "spread": of.spread, "start": start, "end": end}
    pair, mine = found.pair[first], mine[first]
    return pd.DataFrame(
        {
            "customer": found.customer[first],
            "product": product[first],
            "usual": found.product[first],
            "probability": probability[first],
            "times": np.where(mine, own.times[pair], 0.0),
            **{name: np.where(mine, column[pair], np.nan) for name, column in known.items()},
            "buyers": buyers[found.product[first]],
        }
    )


def _examples(shop: Shop, worth: np.ndarray, cutoff: int, chance: np.ndarray) -> Examples:
    """Return the candidates at `cutoff` of as many customers as are enough, those of the lowest `chance`."""
    past = shop.at(cutoff)
    every = 1 + 40 * len(past.visitors) // ROWS_A_CUTOFF // 2
    moment = Moment(past=past.of_customers(chance * every < 1), shared=shared(past, worth))
    weighed = candidates(moment, worth)
    names, values = signs(moment, weighed)
    bought = histories.bought_within(shop.whole, weighed.customer, weighed.product, (cutoff, cutoff + shop.horizon))
    return Examples(customer=weighed.customer, own=weighed.pair >= 0, names=names, signs=values, bought=bought)


def _modelled(earlier: Examples, later: Examples, seed: int) -> tuple[Model, Model]:
    """Return what the earlier examples teach and what all do, from those of them that tell most."""
    earlier, later = _telling(earlier), _telling(later)
    every = _joined([later, earlier])
    grown = _grown(earlier, later, every, seed)
    lines = [Line.learned(part.signs[part.own], part.bought[part.own]) for part in (earlier, every)]
    tried, model = (Model(trees=trees, line=line) for trees, line in zip(zip(*grown, strict=True), lines, strict=True))
    return tried, model


def _telling(examples: Examples) -> Examples:
    """Return the new products, the first own ones, and every so many of the customer's others."""
    further = examples.signs[:, examples.names.index(PLACE)] >= CONTESTED  # missing for new ones
    return examples.only(~further | (np.arange(len(further)) % OTHERS == 0))


def _grown(
    earlier: Examples, later: Examples, every: Examples, seed: int
) -> list[tuple[lightgbm.Booster, lightgbm.Booster]]:
    """Return so many times trees of the earlier examples, and as many of all, each time by another chance."""
    rows, whole = _rows(earlier), _rows(every)
    check, found = _rows(later, reference=rows), []
    for at in range(GROWN):
        chance = {**_TREES, "seed": seed + at, "data_random_seed": seed}
        settings = [{**chance, "min_data_in_leaf": max(20, len(part.bought) // 1500)} for part in (earlier, every)]
        found.append(_tried(settings[0], rows, check, settings[1], whole))
    return found


def _rows(examples: Examples, reference: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    names = [name.replace(" ", "_") for name in examples.names]
    return lightgbm.Dataset(examples.signs, examples.bought, reference=reference, feature_name=names)


def _tried(
    trial: dict[str, Any],
    rows: lightgbm.Dataset,
    check: lightgbm.Dataset,
    final: dict[str, Any],
    whole: lightgbm.Dataset,
) -> tuple[lightgbm.Booster, lightgbm.Booster]:
    """
    Return trees of `rows`, as many as make `check` most likely, and as many trees of the `whole`.

    Both grow at once, those of all until it is known how many are enough; what they have beyond that is cut off.
    """
    with ThreadPoolExecutor(1) as beside:
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        trying = beside.submit(lightgbm.train, trial, rows, ROUNDS, valid_sets=[check], callbacks=[stop])

        def enough(now: lightgbm.callback.CallbackEnv) -> None:
            if trying.done() and now.iteration + 1 >= trying.result().best_iteration:
                raise lightgbm.EarlyStopException(now.iteration, [])

        grown = lightgbm.train(final, whole, ROUNDS, callbacks=[enough])
        tried = trying.result()
    return tried, lightgbm.Booster(model_str=grown.model_to_string(num_iteration=tried.best_iteration))


def _checked(model: Model, later: Examples) -> tuple[Logistic, np.ndarray, np.ndarray]:
    """Return the calibration on the first candidates of each customer, its probabilities sorted, and what came."""
    both = model.log_odds(later.signs, later.own)
    first = runs.ranks(later.customer, both.sum(axis=1)) < CHECKED
    bought = later.bought[first]
    calibration = Logistic.learned(both[first], bought)
    said = calibration.probability(both[first])
    order = np.argsort(said, kind="stable")
    return calibration, said[order], np.concatenate([[0], np.cumsum(bought[order])])
