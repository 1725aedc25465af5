"""
What speaks for a purchase: one row a candidate, one column a sign, all from before the cutoff.

Windows and half-lives are multiples of the horizon, or counted in visits, so that no shop's pace is built in. What a
new product cannot have (a recency, a gap) is missing, which the learner handles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wa_products.recommenders import companions, rhythms, runs

if TYPE_CHECKING:
    from wa_products.recommenders.histories import Pairs
    from wa_products.recommenders.ranked.candidates import Candidates
    from wa_products.recommenders.ranked.moments import Moment, Past
    from wa_products.recommenders.rhythms import Rhythm

WINDOWS = (0.5, 1, 1.5, 2, 3, 4, 6, 12)
HALF_LIVES = (0.75, 2.0, 6.0)
VISITS = (1, 2, 3, 5, 10, 20)
VISIT_DECAYS = (0.8, 0.9, 0.97)
SPELLS = 8


def signs(moment: Moment, weighed: Candidates) -> tuple[list[str], np.ndarray]:
    """Return the names of the signs and their values, float32, a row a candidate, each sign in one piece of memory."""
    columns = {
        **_spread(_pair(moment), weighed.pair),
        **_shelves(moment, weighed),
        **_customer(moment, weighed.customer),
        **{name: column[weighed.product] for name, column in moment.shared.product.items()},
        "drawn": companions.entries(moment.drawn, weighed.customer, weighed.product),
    }
    columns |= _within_customer(columns, weighed, len(moment.past.own.past.customers))
    values = np.empty((len(columns), len(weighed)), dtype="float32")
    for row, column in zip(values, columns.values(), strict=True):
        row[:] = column
    return list(columns), values.T


def _spread(columns: dict[str, np.ndarray], place: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns at `place`, missing where it is -1."""
    if not len(next(iter(columns.values()))):
        return {name: np.full(len(place), np.nan) for name in columns}
    return {name: np.where(place >= 0, column[place], np.nan) for name, column in columns.items()}


def _pair(moment: Moment) -> dict[str, np.ndarray]:
    """Return what is known of each own pair: counts, recency and rhythm, in days and in visits."""
    past, horizon = moment.past, moment.past.horizon
    lines, found, visitors = past.own.past, past.own.found, past.levels[0].found
    times, since, starts = found.times, found.since, found.starts
    ends = runs.ends(starts, len(lines))
    visits = visitors.times[np.searchsorted(visitors.customer, lines.customer)]
    later = visits - lines.visit  # 1 at the last visit
    gap = np.diff(lines.time, prepend=0.0)
    several = times > 1
    mean_gap = np.where(several, (found.held - since) / np.maximum(times - 1, 1), np.nan)
    visit_gap = np.where(several, (later[starts] - later[ends]) / np.maximum(times - 1, 1), np.nan)
    spells = [any_within(past, at, at + 1) for at in range(SPELLS)]
    return {
        **_rhythm(found, moment.own, horizon),
        **{f"within {window}": _counted(past, window) for window in WINDOWS},
        **{f"decayed {half}": past.decayed(half * horizon) for half in HALF_LIVES},
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


def _rhythm(found: Pairs, of: Rhythm, horizon: int) -> dict[str, np.ndarray]:
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


def _counted(past: Past, horizons: float) -> np.ndarray:
    return runs.sums(past.age <= horizons * past.horizon, past.own.found.starts)


def any_within(past: Past, newest: int, oldest: int) -> np.ndarray:
    """Return for each own pair 1 where it was bought between so many horizons ago, else 0."""
    inside = (past.age > newest * past.horizon) & (past.age <= oldest * past.horizon)
    return (runs.sums(inside, past.own.found.starts) > 0).astype("float64")


def _shelves(moment: Moment, weighed: Candidates) -> dict[str, np.ndarray]:
    """Return what is known of the customer and each shelf of the product."""
    columns: dict[str, np.ndarray] = {}
    past = moment.past
    known = zip(past.levels[1:], moment.levels[1:], past.codes[1:], strict=True)
    for number, (level, rhythm, codes) in enumerate(known):
        place = level.places(weighed.customer, codes[weighed.product])
        age = past.cutoff - level.past.time
        told = {
            **_rhythm(level.found, rhythm, past.horizon),
            "lately": runs.sums(age <= 2 * past.horizon, level.found.starts),
            "decayed": runs.sums(np.exp2(-age / (2 * past.horizon)), level.found.starts),
        }
        columns |= {f"shelf {number} {name}": column for name, column in _spread(told, place).items()}
    return columns


def _customer(moment: Moment, customer: np.ndarray) -> dict[str, np.ndarray]:
    """Return how often the customer comes, when the next visit is due, and how large and how faithful baskets are."""
    past = moment.past
    visits, lines = past.levels[0], past.own.past
    size = len(lines.customers)
    number = np.bincount(lines.customer, minlength=size)
    distinct = np.bincount(past.own.found.customer, minlength=size)
    lately = np.bincount(lines.customer, weights=past.age <= 2 * past.horizon, minlength=size)
    age = past.cutoff - visits.past.time
    known = {
        **_rhythm(visits.found, moment.levels[0], past.horizon),
        **{f"within {window}": runs.sums(age <= window * past.horizon, visits.found.starts) for window in WINDOWS},
    }
    place = visits.places(customer, np.zeros(len(customer), dtype="int64"))
    columns = {f"visits {name}": column for name, column in _spread(known, place).items()}
    return columns | {
        "basket": number[customer] / np.maximum(columns["visits times"], 1),
        "basket lately": lately[customer] / np.maximum(columns["visits within 2"], 1),
        "faithful": 1 - distinct[customer] / np.maximum(number[customer], 1),
    }


def _within_customer(columns: dict[str, np.ndarray], weighed: Candidates, customers: int) -> dict[str, np.ndarray]:
    """Return each own product's place among the customer's by the strongest signs, and how far it is from the best."""
    own = weighed.pair >= 0
    found: dict[str, np.ndarray] = {}
    for name in ("times", "decayed 2.0", "decayed 6.0", "chance", "spells decayed", "decayed visits 0.9"):
        value = columns[name][own]
        rank, below = np.full(len(weighed), np.nan), np.full(len(weighed), np.nan)
        rank[own] = runs.ranks(weighed.customer[own], value)
        below[own] = runs.below_best(weighed.customer[own], value, customers)
        found |= {f"place by {name}": rank, f"below best {name}": below}
    return found
