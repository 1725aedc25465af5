"""
Recommenders on real shoppers by the real clock, beside the rules they must beat: Hit@1 of one product a customer.

    python benchmarks/backtest.py [--days 14 7] [--recommender MODULE:NAME ...] [--validation 2]

The Complete Journey, day 0 = 1 January 2017. At the cutoffs 240, 268, 296 and 324 only the days before are seen; asked
are the customers with at least 3 purchase days, the last at most 60 days ago: 8,823 proposals. A hit is bought within
the days that follow. TIFUKNN is tuned by Hit@1 on the cutoffs before day 240 alone. Intervals are 95 % over 1,000 draws
of customers, differences paired. `count` by days, then lines, then the latest, and the oracle must come out as written
in `KNOWN`; the exit code is 1 where they do not. Seconds are of CPU, and the ratio is to `count` beside it.
"""

import argparse
import importlib
import sys
import time
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

from wa_products import backtests
from wa_products.exports.completejourney import FIRST_DAY, completejourney

DAYS = (240, 268, 296, 324)
PROTOCOL = backtests.Asked(purchase_days=3, within="60D")
PROPOSALS = 8823
KNOWN = {14: {"count": 0.380, "oracle": 0.693}, 7: {"count": 0.241, "oracle": 0.527}}


def main():
    """Print a table for each horizon; return 1 where the known figures do not come out."""
    options = _options()
    data = completejourney(FIRST_DAY + pd.Timedelta(days=max(DAYS) + max(options.days)))
    return max(_bench(data, days, options) for days in options.days)


def _options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, nargs="+", default=[14, 7], help="horizons")
    parser.add_argument(
        "--recommender", nargs="*", default=["wa_products:Ranked", "wa_products:Reorder"], help="made with horizon_days"
    )
    parser.add_argument("--validation", type=int, default=2, help="earlier cutoffs to tune TIFUKNN on")
    return parser.parse_args()


def _made(name, days):
    module, _, kind = name.partition(":")
    return getattr(importlib.import_module(module), kind)(horizon_days=days)


def _bench(data, days, options):
    rows = backtests.replay(
        data,
        [_made(name, days) for name in options.recommender],
        cutoffs=[FIRST_DAY + pd.Timedelta(days=day) for day in DAYS],
        horizon=pd.Timedelta(days=days),
        asked=PROTOCOL,
        validation=options.validation,
        timer=time.process_time,
        progress=_told,
    )
    tables = {name: _pooled(backtests.score(rows, data, baseline=name)) for name in ("count", "tifuknn")}
    scores = tables["count"]
    print(f"\n{days} days, {int(scores['customers'].max()):,} proposals at the cutoffs {', '.join(map(str, DAYS))}")
    print(*rows.attrs["notes"], sep="\n")
    print(f"{'':<12}{'Hit@1':>22}{'less count':>24}{'less tifuknn':>24}{'Brier':>7}{'ECE':>6}{'CPU s':>7}{'ratio':>7}")
    for name in scores["recommender"].unique():
        print(_line(name, {versus: table[table["recommender"] == name] for versus, table in tables.items()}, scores))
    return _compared(scores, days)


def _told(labels):
    for label in labels:
        print(label, file=sys.stderr, flush=True)
        yield label


def _pooled(scores):
    return scores[scores["cutoff"].isna() & (scores["metric"] != "calibration")]


def _line(name, own, scores):
    hit = {versus: table.set_index("metric").loc["hit@1"] for versus, table in own.items()}
    value = own["count"].set_index("metric")["value"]
    seconds, beside = (table.loc[table["metric"].str.contains("seconds"), "value"].sum() for table in (
        own["count"], scores[scores["recommender"] == "count"]))  # fmt: skip
    first = hit["count"]
    differences = "".join(
        f"{each['difference']:>+9.4f} [{each['difference_low']:+.3f},{each['difference_high']:+.3f}]"
        if each["recommender"] != versus else f"{'':>24}"
        for versus, each in hit.items()
    )  # fmt: skip
    return (
        f"{name:<12}{first['value']:>8.4f} [{first['low']:.3f},{first['high']:.3f}]{differences}"
        f"{value['brier']:>7.3f}{value['ece']:>6.3f}{seconds:>7.1f}{seconds / beside:>7.1f}".replace("nan", "  -")
    )


def _compared(scores, days):
    """Say whether the known figures came out."""
    hit = scores[scores["metric"] == "hit@1"].set_index("recommender")
    faults = [
        f"{name} is {hit.loc[name, 'value']:.4f}, not {known:.3f}"
        for name, known in KNOWN.get(days, {}).items()
        if round(hit.loc[name, "value"], 3) != known
    ]
    if hit["customers"].max() != PROPOSALS:
        faults.append(f"{hit['customers'].max():,} proposals, not {PROPOSALS:,}")
    print("the known figures came out" if not faults else "NOT AS KNOWN: " + "; ".join(faults))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
