"""
What the default of `propose` is worth, figure by figure, on real shoppers and on the demo shop whose truth is known.

    python benchmarks/accuracy.py [--days 240 268 296 324] [--seed 7]

The Complete Journey by the real clock, day 0 = 1 January 2017. At each cutoff only the days before are seen; asked are
the customers with at least 3 purchase days, the last at most 60 days ago; a hit is bought within the horizon. `Reorder`
is fitted beside, and times are told as ratios to it. `ece` is the calibration error of the first product, 10 bins.
`due` is the share of actual repurchases, up to eight weeks on, that fell into the 80 % interval stated for the products
proposed. Of the demo shop `possible` are the customers who buy a reorder product within the horizon.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

from wa_products.exports import load
from wa_products.exports.completejourney import FIRST_DAY, completejourney
from wa_products.recommenders import Ranked, Reorder

HERE = Path(__file__).parent.parent
DAY = pd.Timedelta(days=1)
HORIZONS = (14, 7)
FOLLOWED = 56
PAIR = ["customer_id", "product_retailer_id"]


def main():
    """Print a line a cutoff and horizon, their mean, the times, and the demo shop."""
    options = _options()
    data = completejourney(FIRST_DAY + (max(options.days) + FOLLOWED) * DAY)
    for horizon in HORIZONS:
        print(f"\n{'cutoff':<8}{'asked':>7}{'Hit@1':>8}{'reorder':>9}{'ece':>7}{'due':>7}{'CPU s':>8}{'ratio':>7}")
        found = pd.concat([_at_cutoff(data, day, horizon, options.seed) for day in options.days])
        print(_line("all", found))
    _one_customer(data, max(options.days), options.seed)
    _demo_shop(options.seed)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, nargs="+", default=[240, 268, 296, 324], help="cutoffs")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def _at_cutoff(data, day, horizon, seed):
    cutoff = FIRST_DAY + day * DAY
    past, who = data.before(cutoff), _asked(data.before(cutoff))
    coming = data.purchases[data.purchases["ordered_at"] >= cutoff]
    ranked, seconds = _timed(Ranked(horizon, seed=seed), past, who)
    reorder, beside = _timed(Reorder(horizon), past, who)
    within = coming[coming["ordered_at"] < cutoff + horizon * DAY]
    found = pd.DataFrame({"customer_id": who})
    for name, rows in (("ranked", ranked), ("reorder", reorder)):
        first = rows.drop_duplicates("customer_id").merge(within[PAIR].drop_duplicates().assign(hit=True), "left", PAIR)
        found = found.merge(
            first[["customer_id", "probability", "hit"]].add_prefix(f"{name} "),
            "left",
            left_on="customer_id",
            right_on=f"{name} customer_id",
        )
    found = found.assign(seconds=seconds, beside=beside, cutoff=day, **_due(ranked, coming, cutoff))
    print(_line(str(day), found))
    return found


def _asked(past):
    days = past.purchases.assign(day=past.purchases["ordered_at"].dt.floor("D")).groupby("customer_id")["day"]
    often, last = days.nunique(), days.max()
    return often.index[(often >= 3) & (last >= past.as_of - 60 * DAY)]


def _timed(recommender, past, who):
    start = time.process_time()
    rows = recommender.fit(past).recommend(who, 3)
    return rows, time.process_time() - start


def _due(rows, coming, cutoff):
    """Return how many products were bought again, and how many of them within the interval stated."""
    followed = coming[coming["ordered_at"] < cutoff + FOLLOWED * DAY]
    own = rows[rows["kind"] == "reorder"].merge(followed.groupby(PAIR)["ordered_at"].min().reset_index(), on=PAIR)
    return {"again": len(own), "inside": int(own["ordered_at"].between(own["due_from"], own["due_until"]).sum())}


def _line(name, found):
    hit, beside = (found[f"{kind} hit"].eq(True).mean() for kind in ("ranked", "reorder"))
    said = found.dropna(subset="ranked probability")
    error = _ece(said["ranked probability"].to_numpy(), said["ranked hit"].eq(True).to_numpy())
    runs = found.drop_duplicates("cutoff")
    seconds, ratio = runs["seconds"].mean(), runs["seconds"].sum() / runs["beside"].sum()
    due = runs["inside"].sum() / runs["again"].sum()
    return f"{name:<8}{len(found):>7,}{hit:>8.4f}{beside:>9.4f}{error:>7.4f}{due:>7.3f}{seconds:>8.1f}{ratio:>7.1f}"


def _ece(said, happened):
    place = np.minimum((said * 10).astype(int), 9)
    sums = (np.bincount(place, weights=values, minlength=10) for values in (said, happened))
    return np.abs(np.subtract(*sums)).sum() / len(said)


def _one_customer(data, day, seed):
    """Print how long one customer waits for proposals once the shop is learned."""
    past = data.before(FIRST_DAY + day * DAY)
    fitted, taken = Ranked(seed=seed).fit(past), []
    for customer in _asked(past)[:50]:
        start = time.perf_counter()
        fitted.recommend([customer], 3)
        taken.append(1000 * (time.perf_counter() - start))
    print(f"\none customer: median {np.median(taken):.1f} ms, slowest of {len(taken)} {max(taken):.1f} ms")


def _demo_shop(seed):
    data = load(HERE / "data" / "demo")
    truth = pd.read_csv(HERE / "data" / "demo_truth.csv", dtype={"product_retailer_id": "str"})
    due = pd.to_datetime(truth["next_purchase_at"], utc=True) < data.as_of + 14 * DAY
    coming = truth.loc[due, PAIR]
    fitted = Ranked(seed=seed).fit(data)
    first = fitted.recommend(data.customers, 1)
    possible, hits = coming["customer_id"].nunique(), len(first.merge(coming))
    learned = "learned" if fitted.learned_ else "simple rules"
    print(f"\ndemo shop ({learned}): {hits} of {possible} possible = {hits / possible:.3f}")


if __name__ == "__main__":
    main()
