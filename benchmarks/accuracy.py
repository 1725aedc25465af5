"""
What the default of `propose` is worth, figure by figure, on real shoppers and on the demo shop whose truth is known.

    python benchmarks/accuracy.py [--days 240 268 296 324] [--seed 7]

The Complete Journey by the real clock, day 0 = 1 January 2017. At each cutoff only the days before are seen; asked are
the customers with at least 3 purchase days, the last at most 60 days ago; a hit is bought within the horizon. `Reorder`
is fitted beside, and times are told as ratios to it. `ece` is the calibration error of the first product, 10 bins.
`due` is the share of actual repurchases, up to eight weeks on, that fell into the 80 % interval stated for the products
proposed. What the demo shop makes possible is told by who knows how its periods are drawn and learns each customer's
from the past, as a recommender must.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import gamma, norm
from statsmodels.stats.proportion import proportion_confint

sys.path.insert(0, str(Path(__file__).parent.parent))

from wa_products.exports import load
from wa_products.exports.completejourney import FIRST_DAY, completejourney
from wa_products.recommenders import Ranked, Reorder

HERE = Path(__file__).parent.parent
DAY = pd.Timedelta(days=1)
HORIZONS = (14, 7)
FOLLOWED = 56
PAIR = ["customer_id", "product_retailer_id"]
SPREAD = np.linspace(-4, 4, 97)


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
    """Print how many of the first proposals come true, beside those of who knows how the shop was made."""
    data = load(HERE / "data" / "demo")
    truth = pd.read_csv(HERE / "data" / "demo_truth.csv", dtype={"product_retailer_id": "str"})
    sendable = data.catalog.loc[data.catalog["sendable"], "product_retailer_id"]
    truth = truth[truth["product_retailer_id"].isin(sendable)]
    due = pd.to_datetime(truth["next_purchase_at"], utc=True) < data.as_of + 14 * DAY
    coming = truth.loc[due, PAIR]
    buyers = coming["customer_id"].unique()
    fitted = Ranked(seed=seed).fit(data)
    ways = {
        "ranked, learned" if fitted.learned_ else "ranked, by simple rules": fitted.recommend(data.customers, 1),
        "knowing how periods are drawn": _best(truth.assign(chance=_learned_from_gaps(data, truth))),
        "knowing each true period": _best(truth.assign(chance=_from_periods(data, truth))),
    }
    print(f"\ndemo shop, {len(buyers)} customers who buy one that can be sent within 14 days; hits with 95 % intervals")
    for name, first in ways.items():
        hits = first.merge(coming)["customer_id"].isin(buyers).sum()
        low, high = proportion_confint(hits, len(buyers), method="wilson")
        print(f"{name:<32}{hits:>5}{hits / len(buyers):>8.3f} [{low:.3f}, {high:.3f}]")


def _best(rows):
    return rows.sort_values("chance", ascending=False, kind="stable").drop_duplicates("customer_id")[PAIR]


def _from_periods(data, truth):
    """Return the chance of a purchase within 14 days, given that there was none since the last."""
    since = ((data.as_of - pd.to_datetime(truth["last_purchase_at"], utc=True)) / DAY).to_numpy()
    return _within(since, truth["period_days"].to_numpy(), truth["jitter"].to_numpy() ** -2)


def _within(since, period, shape):
    now, then = (gamma.sf(days, shape, scale=period / shape) for days in (since, since + 14))
    return np.where(now > 0, 1 - then / np.where(now > 0, now, 1), 0.0)


def _learned_from_gaps(data, truth):
    """Return the same chance where each period is known by its prior (`demo_people`) and the customer's own gaps."""
    usual = (truth["period_days"] / truth["quantity"]).groupby(truth["product_retailer_id"]).transform("median")
    prior, factors = norm.logpdf(SPREAD), np.exp(0.3 * SPREAD)
    bought = data.purchases.groupby(PAIR)["ordered_at"].unique()
    chances = np.zeros(len(truth))
    for at, (pair, scale, jitter) in enumerate(
        zip(truth[PAIR].itertuples(index=False, name=None), usual * truth["quantity"], truth["jitter"], strict=True)
    ):
        if pair not in bought.index:
            continue
        times = (data.as_of - pd.DatetimeIndex(bought[pair])).sort_values() / DAY
        gaps, period, shape = np.diff(times)[:, None], scale * factors, jitter**-2
        weight = np.exp(prior + gamma.logpdf(gaps, shape, scale=period / shape).sum(axis=0))
        weight = weight * gamma.sf(times[0], shape, scale=period / shape)
        chances[at] = np.average(_within(times[0], period, shape), weights=weight) if weight.sum() else 0.0
    return chances


if __name__ == "__main__":
    main()
