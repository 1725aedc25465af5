"""
What speaks for a purchase: one row a candidate, one column a sign, all from before the cutoff.

Windows and half-lives are multiples of the horizon, or counted in visits, so that no shop's pace is built in. What a
new product cannot have (a recency, a gap) is missing, which the learner handles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wa_products.recommenders import rhythms, runs

if TYPE_CHECKING:
    from wa_products.recommenders.ranked.candidates import Candidates
    from wa_products.recommenders.ranked.moments import Level, Moment

WINDOWS = (0.5, 1, 1.5, 2, 3, 4, 6, 12)
HALF_LIVES = (0.75, 2.0, 6.0)
VISITS = (1, 2, 3, 5, 10, 20)
VISIT_DECAYS = (0.8, 0.9, 0.97)
SPELLS = 8
EARLIER = 4
FEW = 8.0  # purchases by which a product's own rate is shrunk towards that of its shelf


def signs(moment: Moment, weighed: Candidates) -> tuple[list[str], np.ndarray]:
    """Return the names of the signs and their values, float32, a row a candidate."""
    own = weighed.pair >= 0
    columns = {
        **_spread(_pair(moment), weighed.pair),
        **_shelves(moment, weighed),
        **_customer(moment, weighed.customer),
        **_product(moment, weighed.product),
        "drawn": np.asarray(moment.drawn[weighed.customer, weighed.product]).ravel(),
    }
    columns |= _within_customer(columns, weighed, own, len(moment.own.past.customers))
    return list(columns), np.column_stack([column.astype("float32") for column in columns.values()])


def _spread(columns: dict[str, np.ndarray], place: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns at `place`, missing where it is -1."""
    if not len(next(iter(columns.values()))):
        return {name: np.full(len(place), np.nan) for name in columns}
    return {name: np.where(place >= 0, column[place], np.nan) for name, column in columns.items()}


def _pair(moment: Moment) -> dict[str, np.ndarray]:
    """Return what is known of each own pair: counts, recency and rhythm, in days and in visits."""
    level, horizon = moment.own, moment.horizon
    past, found = level.past, level.found
    times, since, starts = found.times, found.since, found.starts
    ends = runs.ends(starts, len(past))
    visits = moment.levels[0].found.times[np.searchsorted(moment.levels[0].found.customer, past.customer)]
    later = visits - past.visit  # 1 at the last visit
    gap = np.diff(past.time, prepend=0.0)
    several = times > 1
    mean_gap = np.where(several, (found.held - since) / np.maximum(times - 1, 1), np.nan)
    visit_gap = np.where(several, (later[starts] - later[ends]) / np.maximum(times - 1, 1), np.nan)
    spells = [_any_within(moment, at, at + 1) for at in range(SPELLS)]
    return {
        **_rhythm(level, horizon),
        **{f"within {window}": _counted(moment, window) for window in WINDOWS},
        **{f"decayed {half}": moment.decayed(half * horizon) for half in HALF_LIVES},
        **{f"in visits {last}": runs.sums(later <= last, starts) for last in VISITS},
        **{f"decayed visits {by}": runs.sums(by ** (later - 1), starts) for by in VISIT_DECAYS},
        "gap before": np.where(several, gap[ends], np.nan),
        "due by mean": since / np.maximum(mean_gap, 0.5),
        "visits since": later[ends] - 1,
        "visits held": later[starts],
        "visit share": times / later[starts],
        "due by visits": (later[ends] - 1) / np.maximum(visit_gap, 0.5),
        "spells": sum(spells),
        "spells decayed": sum(0.8**at * spell for at, spell in enumerate(spells)),
    }


def _rhythm(level: Level, horizon: int) -> dict[str, np.ndarray]:
    found, of = level.found, level.of_pair
    due = np.log(found.since) - of.centre
    return {
        "times": found.times,
        "since": found.since,
        "held": found.held,
        "gap": of.centre,
        "spread": of.spread,
        "due": due,
        "due in spreads": due / of.spread,
        "chance": rhythms.chance(found, of, horizon),
        "chance soon": rhythms.chance(found, of, horizon / 2),
    }


def _counted(moment: Moment, horizons: float) -> np.ndarray:
    return runs.sums(moment.age <= horizons * moment.horizon, moment.own.found.starts)


def _any_within(moment: Moment, newest: int, oldest: int) -> np.ndarray:
    inside = (moment.age > newest * moment.horizon) & (moment.age <= oldest * moment.horizon)
    return (runs.sums(inside, moment.own.found.starts) > 0).astype("float64")


def _shelves(moment: Moment, weighed: Candidates) -> dict[str, np.ndarray]:
    """Return what is known of the customer and each shelf of the product."""
    columns: dict[str, np.ndarray] = {}
    for number, (level, codes) in enumerate(zip(moment.levels[1:], moment.codes[1:], strict=True)):
        place = level.places(weighed.customer, codes[weighed.product])
        age = moment.cutoff - level.past.time
        known = {
            **_rhythm(level, moment.horizon),
            "lately": runs.sums(age <= 2 * moment.horizon, level.found.starts),
            "decayed": runs.sums(np.exp2(-age / (2 * moment.horizon)), level.found.starts),
        }
        columns |= {f"shelf {number} {name}": column for name, column in _spread(known, place).items()}
    return columns


def _customer(moment: Moment, customer: np.ndarray) -> dict[str, np.ndarray]:
    """Return how often the customer comes, when the next visit is due, and how large and how faithful baskets are."""
    visits, past = moment.levels[0], moment.own.past
    size = len(past.customers)
    lines = np.bincount(past.customer, minlength=size)
    distinct = np.bincount(moment.own.found.customer, minlength=size)
    lately = np.bincount(past.customer, weights=moment.age <= 2 * moment.horizon, minlength=size)
    age = moment.cutoff - visits.past.time
    known = {
        **_rhythm(visits, moment.horizon),
        **{f"within {window}": runs.sums(age <= window * moment.horizon, visits.found.starts) for window in WINDOWS},
    }
    place = visits.places(customer, np.zeros(len(customer), dtype="int64"))
    columns = {f"visits {name}": column for name, column in _spread(known, place).items()}
    return columns | {
        "basket": lines[customer] / np.maximum(columns["visits times"], 1),
        "basket lately": lately[customer] / np.maximum(columns["visits within 2"], 1),
        "faithful": 1 - distinct[customer] / np.maximum(lines[customer], 1),
    }


def _product(moment: Moment, product: np.ndarray) -> dict[str, np.ndarray]:
    """Return how many buy the product, whether more or fewer lately, and how often it is bought again."""
    past, found, age, horizon = moment.own.past, moment.own.found, moment.age, moment.horizon
    size = len(past.products)
    buyers = np.bincount(found.product, minlength=size)
    again = np.bincount(found.product, weights=found.times > 1, minlength=size)
    shop = (again.sum() + 1) / (buyers.sum() + 2)
    sold = {w: np.bincount(past.product[age <= w * horizon], minlength=size) for w in (0.5, 1, 2, 6)}
    last = np.full(size, np.inf)
    np.minimum.at(last, past.product, age)
    columns = {
        "buyers": buyers,
        "bought again": (again + FEW * shop) / (buyers + FEW),
        "lines a buyer": (np.bincount(past.product, minlength=size) + 1) / (buyers + 1),
        "last by anyone": last,
        "sold": sold[2] / max(sold[2].sum(), 1),
        "trend half": _trend(sold[0.5], sold[2]),
        "trend one": _trend(sold[1], sold[6]),
        "trend two": _trend(sold[2], sold[6]),
        **_kept_up(moment, size),
    }
    return {name: column[product] for name, column in columns.items()}


def _trend(short: np.ndarray, long: np.ndarray) -> np.ndarray:
    """Return the logarithm of the product's share of the short window over that of the long one, shrunk to 0."""
    usual = (long + 1) / (long.sum() + len(long))
    return np.log((short + 4) / (short.sum() * usual + 4))


def _kept_up(moment: Moment, size: int) -> dict[str, np.ndarray]:
    """Return how often those who had bought it twice bought it again in the last spells, shrunk to its shelf."""
    found = moment.own.found
    hits, tries = np.zeros(size), np.zeros(size)
    for spell in range(EARLIER):
        before = moment.age > (spell + 1) * moment.horizon
        lately = moment.age <= (spell + 1 + SPELLS) * moment.horizon
        regular = (runs.sums(before, found.starts) > 1) & (runs.sums(before & lately, found.starts) > 0)
        again = _any_within(moment, spell, spell + 1)[regular]
        hits += np.bincount(found.product[regular], weights=again, minlength=size)
        tries += np.bincount(found.product[regular], minlength=size)
    believed = np.full(size, (hits.sum() + 1) / (tries.sum() + 2))
    columns = {}
    for number, codes in enumerate(moment.codes[1:]):
        total = np.bincount(codes, weights=hits)[codes], np.bincount(codes, weights=tries)[codes]
        believed = (total[0] + FEW * believed) / (total[1] + FEW)
        columns[f"shelf {number} kept up"] = believed
    return columns | {"kept up": (hits + FEW * believed) / (tries + FEW)}


def _within_customer(
    columns: dict[str, np.ndarray], weighed: Candidates, own: np.ndarray, customers: int
) -> dict[str, np.ndarray]:
    """Return each own product's place among the customer's by the strongest signs, and how far it is from the best."""
    found: dict[str, np.ndarray] = {}
    for name in ("times", "decayed 2.0", "decayed 6.0", "chance", "spells decayed", "decayed visits 0.9"):
        value = columns[name][own]
        rank, below = np.full(len(weighed), np.nan), np.full(len(weighed), np.nan)
        rank[own] = runs.ranks(weighed.customer[own], value)
        below[own] = runs.below_best(weighed.customer[own], value, customers)
        found |= {f"place by {name}": rank, f"below best {name}": below}
    return found
