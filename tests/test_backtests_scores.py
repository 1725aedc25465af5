"""What a list is worth to one customer, calculated by hand; and intervals that hold what they say."""

from math import log2

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wa_products.backtests import intervals, scores

ASKED = pd.Index(["ann", "bob", "cyd", "dee"], dtype="str")
LISTED = pd.DataFrame(
    [
        ("ann", "rice", True, True), ("ann", "tea", False, False), ("ann", "oil", True, False),
        ("bob", "tea", False, True), ("bob", "soap", True, True), ("bob", "rice", True, False),
        ("cyd", "tea", False, False),
    ],
    columns=["customer_id", "product_retailer_id", "bought", "before"],
)  # fmt: skip
BOUGHT = pd.Series([4, 2, 1, 0], index=ASKED)


def test_hit_is_the_first_product():
    """A hit is the first product bought; who got no list is a miss."""
    assert scores.hit(LISTED, ASKED).tolist() == [1, 0, 0, 0]


def test_repeat_and_explore_look_at_their_part_of_the_list():
    """The first product bought before, and the first one new to the customer, each by itself."""
    assert scores.repeat_hit(LISTED, ASKED).tolist() == [1, 0, 0, 0]
    assert scores.explore_hit(LISTED, ASKED).tolist() == [0, 1, 0, 0]


def test_recall():
    """Recall is the share of what was bought that is listed; unknown where nothing was bought."""
    found = scores.recall(LISTED, BOUGHT)
    assert found.iloc[:3].tolist() == [2 / 4, 2 / 2, 0 / 1]
    assert np.isnan(found.iloc[3])


def test_ndcg():
    """Gains of 1 / log2(1 + rank) over those of the best list of k; unknown where nothing was bought."""
    found = scores.ndcg(LISTED, BOUGHT, k=3)
    of_three = 1 / log2(2) + 1 / log2(3) + 1 / log2(4)
    expected = [
        (1 / log2(2) + 1 / log2(4)) / of_three,
        (1 / log2(3) + 1 / log2(4)) / (1 / log2(2) + 1 / log2(3)),
        0 / (1 / log2(2)),
    ]
    assert found.iloc[:3].tolist() == pytest.approx(expected)
    assert np.isnan(found.iloc[3])


def test_brier():
    """The squared distance of what was said from what happened."""
    found = scores.brier(pd.Series([0.2, 0.2, 1.0, np.nan]), pd.Series([1.0, 0.0, 1.0, 1.0]))
    assert found.iloc[:3].tolist() == pytest.approx([0.8**2, 0.2**2, 0])
    assert np.isnan(found.iloc[3])


def test_calibration_error():
    """How far each bin's sum of probabilities is from what happened in it, over all; unknown of nothing."""
    assert scores.bins(np.array([0, 0.05, 0.1, 0.3, 0.999, 1])).tolist() == [0, 0, 1, 3, 9, 9]
    said = {0: [0.05, 0.05], 3: [0.3, 0.35, 0.35]}
    happened = {0: [0, 1], 3: [0, 1, 0]}
    number, chance, real = np.zeros(10), np.zeros(10), np.zeros(10)
    for place, own in said.items():
        number[place], chance[place], real[place] = len(own), sum(own), sum(happened[place])
    assert scores.ece(number, chance, real) == pytest.approx((abs(0.1 - 1) + abs(1.0 - 1)) / 5)
    assert np.isnan(scores.ece(np.zeros(10), np.zeros(10), np.zeros(10)))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=20), st.integers(0, 3))
def test_lists_are_worth_between_nothing_and_all(rows, more):
    """Recall and gain lie between 0 and 1; a list that has all that was bought first has a gain of 1."""
    listed = pd.DataFrame(rows, columns=["customer_id", "bought"]).sort_values("customer_id", kind="stable")
    listed = listed.astype({"customer_id": "str", "bought": "bool"})
    asked = pd.Index(sorted({*listed["customer_id"], "z"}), dtype="str")
    bought = listed.groupby("customer_id")["bought"].sum().reindex(asked, fill_value=0) + more
    for found in (scores.recall(listed, bought), scores.ndcg(listed, bought, k=20)):
        assert found.isna().tolist() == (bought == 0).tolist()
        assert found.dropna().between(0, 1 + 1e-9).all()
    best = listed.sort_values(["customer_id", "bought"], ascending=[True, False], kind="stable")
    assert scores.ndcg(best, bought - more, k=20).dropna().to_numpy() == pytest.approx(1)


def _share(sums):
    return sums[..., 0] / sums[..., 1]


def test_intervals_keep_a_customer_together():
    """Of customers asked about five times each, alike every time, 95 % intervals hold the truth about that often."""
    chance, times, held, held_by_rows = np.random.default_rng(3), 300, 0, 0
    for seed in range(times):
        buys = chance.random(80) < 0.3
        table = np.column_stack([5.0 * buys, np.full(80, 5.0)])
        low, high = intervals.percentiles(_share(intervals.resampled(table, 300, seed)))
        held += low <= 0.3 <= high
        rows = np.column_stack([np.repeat(buys, 5), np.ones(400)]).astype("float64")
        low, high = intervals.percentiles(_share(intervals.resampled(rows, 300, seed)))
        held_by_rows += low <= 0.3 <= high
    assert 0.90 <= held / times <= 0.98
    assert held_by_rows / times < 0.75


def test_draws_are_paired():
    """Two tables of as many customers are drawn alike, so that what is equal differs by nothing."""
    table = np.random.default_rng(1).random((50, 2))
    one, other = intervals.resampled(table, 100, 7), intervals.resampled(table.copy(), 100, 7)
    assert (one == other).all()
    assert not (one == intervals.resampled(table, 100, 8)).all()


def test_large_tables_are_drawn_in_parts(monkeypatch):
    """However few draws are made at once, there are as many as asked for, of as many customers."""
    monkeypatch.setattr(intervals, "CELLS", 7)
    drawn = intervals.resampled(np.ones((3, 1)), 5, 0)
    assert drawn.tolist() == [[3.0]] * 5


def test_an_error_is_mirrored():
    """The interval of an error that noise can only widen lies below its draws, and never below 0."""
    assert intervals.pivotal(0.03, np.linspace(0.02, 0.08, 1001)) == pytest.approx((0, 0.0385))
    assert all(np.isnan(end) for end in intervals.percentiles(np.array([np.nan])))
