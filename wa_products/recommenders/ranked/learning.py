"""
Learning from the shop's own past: trees on several cutoffs, calibrated on later ones that they had not seen.

At each cutoff the signs come from before it and the answers from the horizon after it, none later than ``as_of``.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import pandas as pd
from scipy.special import logit

from wa_products.recommenders import histories, rhythms, runs, scored
from wa_products.recommenders.logistic import Logistic
from wa_products.recommenders.ranked.candidates import candidates
from wa_products.recommenders.ranked.moments import Moment
from wa_products.recommenders.ranked.shared import shared
from wa_products.recommenders.ranked.signs import signs

if TYPE_CHECKING:
    from wa_products.recommenders.ranked.moments import Shop

CUTOFFS, LEAST_CUTOFFS = 8, 2
AT_ONCE = 2  # cutoffs looked at together: more would take more memory
LEAST_ROWS, LEAST_EVENTS = 5_000, 500
ROWS_A_CUTOFF = 50_000
ROUNDS, PATIENCE = 200, 20
CHECKED = 3  # first candidates a customer, on which probabilities are calibrated
CASES = 200  # of the check, told in the sentence that says why
_TREES = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "feature_fraction": 0.3,
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
    """Candidates at one cutoff: their signs and whether they were bought within the horizon."""

    customer: np.ndarray
    names: list[str]
    signs: np.ndarray
    bought: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Learned:
    """
    Trees, and what the check on later cutoffs says of their probabilities.

    `said` are the calibrated probabilities of the proposals checked, sorted, `came` how many of them were bought up
    to each.
    """

    trees: lightgbm.Booster
    calibration: Logistic
    said: np.ndarray
    came: np.ndarray

    def probability(self, values: np.ndarray) -> np.ndarray:
        """Return the calibrated probability of each row of signs."""
        return self.calibration.probability(_column(_grade(self.trees, values)))

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
    tried, trees = _grown(earlier, later, seed)
    calibration, said, came = _checked(tried, later)
    return Learned(trees=trees, calibration=calibration, said=said, came=came)


def _joined(parts: list[Examples]) -> Examples:
    """Return the examples of all `parts` as one, each with customers of its own."""
    apart = np.cumsum([0, *(part.customer.max(initial=-1) + 1 for part in parts)])
    return Examples(
        customer=np.concatenate([part.customer + first for part, first in zip(parts, apart, strict=False)]),
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
    probability = learned.probability(values)
    own, of, mine = past.own.found, moment.own, found.pair >= 0
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
    return Examples(customer=weighed.customer, names=names, signs=values, bought=bought)


def _grown(earlier: Examples, later: Examples, seed: int) -> tuple[lightgbm.Booster, lightgbm.Booster]:
    """
    Return trees of the earlier examples, as many as make the later ones most likely, and as many trees of all.

    Both grow at once, those of all until it is known how many are enough; what they have beyond that is cut off.
    """
    whole, rows = _joined([later, earlier]), _rows(earlier)
    check = _rows(later, reference=rows)
    with ThreadPoolExecutor(1) as beside:
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        trying = beside.submit(
            lightgbm.train, _settings(earlier, seed), rows, ROUNDS, valid_sets=[check], callbacks=[stop]
        )

        def enough(now: lightgbm.callback.CallbackEnv) -> None:
            if trying.done() and now.iteration + 1 >= trying.result().best_iteration:
                raise lightgbm.EarlyStopException(now.iteration, [])

        grown = lightgbm.train(_settings(whole, seed), _rows(whole), ROUNDS, callbacks=[enough])
        tried = trying.result()
    return tried, lightgbm.Booster(model_str=grown.model_to_string(num_iteration=tried.best_iteration))


def _settings(examples: Examples, seed: int) -> dict[str, Any]:
    return {**_TREES, "seed": seed, "min_data_in_leaf": max(20, len(examples.bought) // 1500)}


def _rows(examples: Examples, reference: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    names = [name.replace(" ", "_") for name in examples.names]
    return lightgbm.Dataset(examples.signs, examples.bought, reference=reference, feature_name=names)


def _checked(trees: lightgbm.Booster, later: Examples) -> tuple[Logistic, np.ndarray, np.ndarray]:
    """Return the calibration on the first candidates of each customer, its probabilities sorted, and what came."""
    raw = _grade(trees, later.signs)
    first = runs.ranks(later.customer, raw) < CHECKED
    column, bought = _column(raw[first]), later.bought[first]
    calibration = Logistic.learned(column, bought)
    said = calibration.probability(column)
    order = np.argsort(said, kind="stable")
    return calibration, said[order], np.concatenate([[0], np.cumsum(bought[order])])


def _grade(trees: lightgbm.Booster, signs: np.ndarray) -> np.ndarray:
    """Return what the trees say of each row; by one thread, as several parts of a shop may be looked at together."""
    return np.asarray(trees.predict(signs, num_threads=1))


def _column(probability: np.ndarray) -> np.ndarray:
    return logit(np.clip(probability, 1e-6, 1 - 1e-6))[:, None]
