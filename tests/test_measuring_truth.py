"""What is measured against what is true, on sandbox campaigns: a short form of benchmarks/measuring_truth.py."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import measuring_truth

from tests.sandbox_shop import shop

pytestmark = pytest.mark.slow
SEEDS = range(measuring_truth.REPORTED_FROM, measuring_truth.REPORTED_FROM + 40)


@pytest.fixture(scope="module")
def data():
    """Return the shop whose customers play."""
    return shop(450)


@pytest.fixture(scope="module")
def campaigns(data):
    """Return campaigns of as many worlds, at 10, 20 and 50 % held out in turn."""
    return [measuring_truth.played(data, seed, measuring_truth.SHARES[seed % 3]) for seed in SEEDS]


def test_the_interval_holds_the_true_lift(campaigns):
    """In at least 34 of 40 worlds the true lift lies inside the interval; fewer come once in two hundred times."""
    inside = [
        one["results"]["low"] <= one["truth"]["expected_effect"].mean() <= one["results"]["high"] for one in campaigns
    ]
    assert sum(inside) >= 34


def test_exact_and_same_item_are_right(campaigns):
    """Of the carts that these rules claim, 95 in 100 were made by the very message."""
    carts = pd.concat([one["carts"] for one in campaigns])
    sure = carts[carts["rule"].isin(["exact", "same item"])]
    assert (sure["cause"] == sure["wamid"]).mean() >= 0.95
    assert len(sure) > 100


def test_daily_looks_raise_few_false_alarms(data):
    """Of 40 worlds whose messages do nothing, few get a verdict: at all looks and at the end, whatever was held out."""
    looks = [[one["looks"] for one in measuring_truth.silent(data, seed)] for seed in SEEDS]
    alarms = np.array(looks)[:, :, :, :2].any(axis=(2, 3)).sum(axis=0)
    assert (alarms <= 6).all()  # more come once in a hundred times where 5 % are false
