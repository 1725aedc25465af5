"""`wa-products backtest`: which recommender would have found the next purchase, on a shop's own past."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from wa_products.commands.shared import OK, command
from wa_products.errors import DataError

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands
    from wa_products.recommenders import Recommender

SHOWN = ("hit@1", "ndcg@10", "brier", "ece")


def add(commands: Commands) -> None:
    """Add the command."""
    bench = command(
        commands,
        "backtest",
        run,
        "score recommenders on the past of a shop, beside popularity, count, GP-TopFreq, TIFUKNN and the best possible",
        "exports --recommender my_rules:LastBought --cutoffs 4 --horizon 7D",
    )
    bench.add_argument("shop", nargs="?", default="demo", help="a folder of exports, demo (default) or completejourney")
    bench.add_argument(
        "--recommender",
        action="append",
        metavar="MODULE:CLASS",
        help="one to try, made without arguments, found from this folder; again for more (default: what plan uses)",
    )
    bench.add_argument("--cutoffs", default="4", help="how many, or times such as 2026-09-01,2026-10-01 (default 4)")
    bench.add_argument("--horizon", default="7D", help="how long a purchase counts as found (default 7D)")
    bench.add_argument("--baseline", default="count", help="what differences are taken to (default count)")
    bench.add_argument("--out", type=Path, help="where all metrics go as CSV: per cutoff, with intervals")


def run(arguments: argparse.Namespace) -> int:
    """Score them, and print one line a recommender."""
    from wa_products.demo import loaded  # noqa: PLC0415  # each command loads only what it needs
    from wa_products.trials import backtest  # noqa: PLC0415

    made = [_made(name) for name in arguments.recommender or ()] or None
    data = loaded(arguments.shop)
    print(repr(data))
    scores = backtest(
        data,
        made,
        cutoffs=_cutoffs(arguments.cutoffs),
        horizon=arguments.horizon,
        baseline=arguments.baseline,
    )
    print(*scores.attrs["notes"], sep="\n")
    print(_table(scores))
    if arguments.out:
        scores.to_csv(arguments.out, index=False)
        print(f"written to {arguments.out}: {len(scores):,} rows, each with its interval")
    return OK


def _cutoffs(text: str) -> int | list[str]:
    return int(text) if text.strip().isdecimal() and len(text.strip()) < 4 else [t.strip() for t in text.split(",")]  # noqa: PLR2004  # a year has four digits


def _made(name: str) -> Recommender:
    """Return the recommender that MODULE:CLASS names; this folder is looked in first, as by python -m."""
    module, colon, kind = name.partition(":")
    if not (module and colon and kind):
        raise DataError(f"--recommender is MODULE:CLASS such as my_rules:LastBought, not {name!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return getattr(importlib.import_module(module), kind)()
    except ImportError as error:
        raise DataError(f"--recommender {name}: {error}; it is looked for in this folder and among packages") from error
    except AttributeError as error:
        raise DataError(f"--recommender {name}: the module {module} has no {kind}") from error
    except TypeError as error:
        raise DataError(f"--recommender {name}: it must be made without arguments: {error}") from error


def _table(scores: pd.DataFrame) -> str:
    """Return the pooled values as text, with the interval and the difference of Hit@1."""
    pooled = scores[scores["cutoff"].isna() & (scores["metric"] != "calibration")]
    wide = pooled[pooled["part"] == ""].pivot_table(
        index="recommender", columns="metric", values="value", sort=False, dropna=False
    )
    hit = pooled[pooled["metric"] == "hit@1"].set_index("recommender")
    baseline = hit["baseline"].iloc[0]
    columns = {
        "hit@1": [f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})" for row in hit.itertuples()],
        f"less {baseline}": [
            ""
            if name == baseline
            else f"{row.difference:+.3f} ({row.difference_low:+.3f} to {row.difference_high:+.3f})"
            for name, row in zip(hit.index, hit.itertuples(), strict=True)
        ],
        **{name: [_number(value) for value in wide.loc[hit.index, name]] for name in SHOWN[1:]},
        "CPU s": [_number(value, 1) for value in wide.loc[hit.index, ["fit seconds", "recommend seconds"]].sum(axis=1)],
    }
    cutoffs = scores["cutoff"].nunique()
    about = f"{int(hit['customers'].max()):,} answers at {cutoffs} cutoff{'' if cutoffs == 1 else 's'}; 95 % intervals"
    return f"{pd.DataFrame(columns, index=hit.index.rename(None)).to_string()}\n{about}"


def _number(value: float, digits: int = 3) -> str:
    return "" if pd.isna(value) else f"{value:.{digits}f}"
