"""The bench as a whole: known answers on the small shop, its rules in every table, and what it refuses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import wa_products as wa
from wa_products import backtests, datasets, frames
from wa_products.backtests import tables, tifuknn
from wa_products.errors import DataError
from wa_products.exports import completejourney
from wa_products.testing import AS_OF, small_shop

SHOP = small_shop()
WEEK = pd.Timedelta(days=7)
QUICK = {"beside": ("count", "oracle"), "validation": 0}


SHOWN = []


class Spy:
    """A recommender that proposes tea to all, with a probability, and notes what it was shown."""

    name = "spy"

    def __init__(self, probability=0.2, **columns):
        self.columns = {"score": 1.0, "probability": probability, **columns}

    def fit(self, data):
        """Note it."""
        SHOWN.append((self, data.as_of, data.orders["ordered_at"].max(), data.inbound["received_at"].max()))
        return self

    def recommend(self, customer_ids, k):  # noqa: ARG002  # the contract's
        """Return tea."""
        return pd.DataFrame({"customer_id": list(customer_ids), "product_retailer_id": "tea", **self.columns})


def value(scores, recommender, metric, cutoff=None, column="value"):
    """Return one cell of the tidy frame; without a cutoff that of all together."""
    rows = scores[(scores["recommender"] == recommender) & (scores["metric"] == metric)]
    rows = rows[rows["cutoff"].isna() if cutoff is None else rows["cutoff"] == cutoff]
    (found,) = rows[column]
    return found


@pytest.fixture(scope="module")
def scores():
    """Return the bench of Reorder on the small shop, two cutoffs of a week."""
    return backtests.backtest(SHOP, [wa.Reorder(horizon_days=7)], cutoffs=2)


def test_known_answers(scores):
    """In the last week tea-00 to tea-06 and every honey of up to six days bought theirs: 11 of the 50 with a past."""
    last = AS_OF - WEEK
    for who in ("count", "oracle"):
        assert value(scores, who, "hit@1", last) == pytest.approx((7 + 4) / 50)
        assert value(scores, who, "revenue of hits", last) == pytest.approx(9.50 * (7 + 4) / 50)
        assert value(scores, who, "recall@10", last) == 1
    assert value(scores, "count", "customers served", last) == 49 / 50  # the soap cannot be sent
    assert value(scores, "oracle", "customers served", last) == pytest.approx(11 / 50)
    assert value(scores, "popularity", "hit@1", last) == pytest.approx(7 / 50)
    assert value(scores, "popularity", "repeat hit@1", last) == pytest.approx((7 + 4) / 50)
    assert value(scores, "oracle", "catalog share", last) == 2 / 4
    assert value(scores, "count", "recall@10", last, "customers") == 11


def test_a_pooled_value_is_the_mean_over_answers(scores):
    """All cutoffs together are averaged over answers, not over cutoffs; customers are answers."""
    each = [value(scores, "count", "hit@1", AS_OF - WEEK * n) for n in (1, 2)]
    asked = [value(scores, "count", "hit@1", AS_OF - WEEK * n, "customers") for n in (1, 2)]
    assert value(scores, "count", "hit@1") == pytest.approx(np.average(each, weights=asked))
    assert value(scores, "count", "hit@1", column="customers") == sum(asked)


def test_every_table_has_the_rules_and_the_oracle_on_top(scores):
    """Beside the recommender stand all rules of the bench; nothing that repeats purchases beats the oracle."""
    assert list(scores["recommender"].unique()) == ["reorder", *backtests.BESIDE]
    for cutoff in (None, AS_OF - WEEK, AS_OF - 2 * WEEK):
        best = value(scores, "oracle", "hit@1", cutoff)
        assert all(value(scores, who, "repeat hit@1", cutoff) <= best for who in scores["recommender"].unique())


def test_the_frame_is_tidy(scores):
    """The columns are of the promised kinds, a row each recommender, cutoff, metric and part, intervals in order."""
    assert {column: str(kind) for column, kind in scores.dtypes.items()} == {
        column: frames.DTYPES[kind] for column, kind in tables.TIDY.items()
    }
    assert not scores.duplicated(["recommender", "cutoff", "metric", "part"]).any()
    known = scores.dropna(subset=["low"])
    assert (known["low"] <= known["high"]).all()
    means = known[~known["metric"].isin(["ece"])]
    assert (means["low"] <= means["value"] + 1e-12).all()
    assert (means["value"] <= means["high"] + 1e-12).all()


def test_differences_are_paired(scores):
    """A recommender that has the baseline's hits differs from it by exactly nothing; the baseline has no difference."""
    names = ["difference", "difference_low", "difference_high"]
    assert [value(scores, "oracle", "hit@1", AS_OF - WEEK, name) for name in names] == [0, 0, 0]
    assert value(scores, "popularity", "hit@1", AS_OF - WEEK, "difference") == pytest.approx((7 - 11) / 50)
    assert scores.loc[scores["recommender"] == "count", names].isna().all(axis=None)
    assert set(scores["baseline"]) == {"count"}


def test_the_same_twice(scores):
    """The same call gives the same frame; another seed moves nothing but the intervals."""
    again = backtests.backtest(SHOP, [wa.Reorder(horizon_days=7)], cutoffs=2)
    pd.testing.assert_frame_equal(again, scores)
    other = backtests.backtest(SHOP, [wa.Reorder(horizon_days=7)], cutoffs=2, seed=1)
    pd.testing.assert_series_equal(other["value"], scores["value"])
    assert not other["low"].equals(scores["low"])


def test_nobody_sees_past_the_cutoff():
    """Copies of the recommender are fitted, each to the shop before its cutoff; the object given is not touched."""
    SHOWN.clear()
    given = Spy()
    backtests.backtest(SHOP, [given], cutoffs=["2026-05-01", "2026-04-01T12:00+02:00"], **QUICK)
    assert [at.isoformat() for _, at, _, _ in SHOWN] == ["2026-04-01T10:00:00+00:00", "2026-05-01T00:00:00+00:00"]
    for self, at, bought, said in SHOWN:
        assert self is not given
        assert bought < at
        assert not said >= at


def test_what_comes_after_the_horizon_changes_nothing():
    """Purchases after the last horizon do not move a single figure."""
    cutoffs = [AS_OF - 3 * WEEK]
    scored = backtests.backtest(SHOP, [wa.Reorder(horizon_days=7)], cutoffs=cutoffs)
    later = SHOP.orders["ordered_at"] >= AS_OF - 2 * WEEK
    changed = replace(SHOP, orders=SHOP.orders[~later | (SHOP.orders["customer_id"] < "n")])
    pd.testing.assert_frame_equal(backtests.backtest(changed, [wa.Reorder(horizon_days=7)], cutoffs=cutoffs), scored)


def test_probabilities_are_judged_by_their_own_days():
    """Brier and calibration look as many days ahead as the probability is meant for, and only where these are over."""
    scored = backtests.backtest(SHOP, [Spy(0.2, horizon_days=14)], cutoffs=2, **QUICK)
    last, first = AS_OF - WEEK, AS_OF - 2 * WEEK
    assert value(scored, "spy", "brier", last, "customers") == 0
    bought = 14 / 50  # tea-00 to tea-13 bought tea in the fortnight
    assert value(scored, "spy", "brier", first) == pytest.approx(bought * 0.8**2 + (1 - bought) * 0.2**2)
    assert value(scored, "spy", "ece", first) == pytest.approx(abs(0.2 - bought))
    (row,) = scored[(scored["metric"] == "calibration") & (scored["cutoff"] == first)].itertuples()
    assert (row.part, row.said, row.value, row.customers) == ("0.2-0.3", pytest.approx(0.2), bought, 50)
    assert row.low < bought < row.high
    of_the_week = backtests.backtest(SHOP, [Spy(0.2)], cutoffs=1, **QUICK)
    assert value(of_the_week, "spy", "ece") == pytest.approx(abs(0.2 - 7 / 50))


def test_several_at_once_are_tried_as_propose_joins_them():
    """A list of recommenders is one entry called propose; None is what propose does by default."""
    joined = backtests.replay(SHOP, [[wa.Requested(), wa.Reorder(), wa.Popular()]], cutoffs=1, **QUICK)
    past = SHOP.before(AS_OF - WEEK)
    first = wa.propose(past, [wa.Requested(), wa.Reorder(), wa.Popular()], k=10).drop_duplicates("customer_id")
    own = joined[joined["recommender"] == "propose"].set_index("customer_id")["product_retailer_id"]
    assert own[first["customer_id"]].tolist() == first["product_retailer_id"].tolist()
    default = backtests.replay(SHOP, cutoffs=1, **QUICK)
    first = wa.propose(past, k=10).drop_duplicates("customer_id")
    own = default[default["recommender"] == "propose"].set_index("customer_id")["product_retailer_id"]
    assert own[first["customer_id"]].tolist() == first["product_retailer_id"].tolist()


def test_seconds_come_from_the_timer_given():
    """Fitting and recommending are timed by the given clock, per cutoff; without one they are unknown."""
    ticks = iter(range(10_000))
    scored = backtests.backtest(SHOP, [Spy()], cutoffs=2, timer=lambda: float(next(ticks)), **QUICK)
    assert value(scored, "spy", "fit seconds") == value(scored, "spy", "recommend seconds") == 1
    untimed = backtests.backtest(SHOP, [Spy()], cutoffs=1, **QUICK)
    assert np.isnan(value(untimed, "spy", "fit seconds"))


def test_revenue_keeps_currencies_apart():
    """Each currency is a part of its own, and a line without a price adds nothing."""
    paid = SHOP.orders["customer_id"].map({"tea-01": "EUR", "tea-02": "USD"}).fillna("GBP").astype("str")
    price = SHOP.orders["unit_price"].where(SHOP.orders["customer_id"] != "tea-02", None)
    data = replace(SHOP, orders=SHOP.orders.assign(currency=paid, unit_price=price))
    scored = backtests.backtest(data, [], cutoffs=1, **QUICK)
    rows = scored[
        (scored["metric"] == "revenue of hits") & (scored["recommender"] == "count") & scored["cutoff"].isna()
    ]
    assert rows.set_index("part")["value"].to_dict() == pytest.approx(
        {"EUR": 9.5 / 50, "GBP": 9.5 * 9 / 50, "USD": 0.0}
    )


def test_tifuknn_is_tuned_before_the_first_cutoff(monkeypatch):
    """TIFUKNN learns its setting from cutoffs whose horizons end by the first one, and says how many were tried."""
    seen = []
    monkeypatch.setattr(tifuknn, "tuned", lambda lessons: seen.extend(lessons) or tifuknn.GRID[3])
    scored = backtests.backtest(SHOP, [], cutoffs=2, validation=3)
    first = AS_OF - 2 * WEEK
    assert [past.as_of for past, _, _ in seen] == [first - 3 * WEEK, first - 2 * WEEK, first - WEEK]
    for past, asked, coming in seen:
        bought = SHOP.orders[SHOP.orders["ordered_at"].between(past.as_of, past.as_of + WEEK, inclusive="left")]
        assert coming["customer_id"].tolist() == bought["customer_id"].tolist()
        assert asked.tolist() == past.customers.tolist()
    (note,) = scored.attrs["notes"]
    assert f"of {len(tifuknn.GRID)} settings at 2026-04-27, 2026-05-04, 2026-05-11" in note
    assert str(tifuknn.GRID[3]) in note


def test_a_shop_too_young_to_tune_says_so():
    """Where nothing lies before the first cutoff, TIFUKNN keeps its usual setting, in words."""
    young = replace(SHOP, orders=SHOP.orders[SHOP.orders["ordered_at"] > AS_OF - pd.Timedelta(days=8)])
    scored = backtests.backtest(young, [], cutoffs=1)
    assert "no history before the first cutoff" in scored.attrs["notes"][0]


def test_other_baselines_without_another_fit():
    """The rows of a replay can be scored against any of their recommenders, and sliced."""
    rows = backtests.replay(SHOP, [Spy()], cutoffs=2, **QUICK)
    against = backtests.score(rows, SHOP, baseline="spy")
    assert value(against, "count", "hit@1", column="difference") == pytest.approx(
        value(against, "count", "hit@1") - value(against, "spy", "hit@1")
    )
    tea = backtests.score(rows[rows["customer_id"].str.startswith("tea")], SHOP)
    assert value(tea, "spy", "hit@1", AS_OF - WEEK) == 7 / 28


@pytest.mark.parametrize(
    ("asked", "customers"),
    [
        (backtests.Asked(), 50),
        (backtests.Asked(purchase_days=9), 28 + 2),  # tea and soap, and the vase of honey-03
        (backtests.Asked(within="13D"), 13 + 7),
        (backtests.Asked(purchase_days=9, within=pd.Timedelta(days=13)), 13 + 1),
    ],
)
def test_whom_to_ask(asked, customers):
    """By default everyone with a past; else by purchase days and by how long ago the last one is."""
    assert len(asked.of(replace(SHOP, inbound=frames.empty(frames.INBOUND)))) == customers


def test_days_are_counted_back_from_the_cutoff():
    """A purchase exactly so many days ago is within them; one a moment older is not."""
    line = SHOP.orders.iloc[[0]]
    for seconds, found in ((0, 1), (1, 0)):
        at = AS_OF - pd.Timedelta(days=60, seconds=seconds)
        past = replace(SHOP, orders=line.assign(ordered_at=at), inbound=frames.empty(frames.INBOUND))
        assert len(backtests.Asked(purchase_days=1, within="60D").of(past)) == found


def test_open_windows_only():
    """Asked with open windows, only those who wrote in the 24 hours before and did not say stop."""
    said = SHOP.inbound.assign(text=["STOP", *SHOP.inbound["text"].iloc[1:]])
    assert len(backtests.Asked(open_window=True).of(replace(SHOP, inbound=said))) == 3
    with pytest.raises(DataError, match="nobody is asked"):
        backtests.backtest(SHOP, [], cutoffs=1, asked=backtests.Asked(open_window=True))


def test_a_snapshot_of_threads_is_left_out():
    """A shop whose threads are a snapshot can be looked back on, but not by windows that nobody knows."""
    data = replace(SHOP, inbound=SHOP.inbound.assign(kind=datasets.SNAPSHOT))
    assert len(backtests.replay(data, [Spy()], cutoffs=1, beside=())) == 50
    with pytest.raises(DataError, match="cannot be seen earlier"):
        backtests.backtest(data, [Spy()], cutoffs=1, asked=backtests.Asked(open_window=True))


class Stranger(Spy):
    """A recommender that answers for somebody else."""

    name = "stranger"

    def recommend(self, customer_ids, k):  # noqa: ARG002  # the contract's
        """Return tea for nobody known."""
        return super().recommend(["somebody"], k)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cutoffs": 0}, "at least one cutoff"),
        ({"cutoffs": []}, "at least one cutoff"),
        ({"cutoffs": 400}, "nothing was bought before the cutoff"),
        ({"cutoffs": ["2026-05-30"]}, "not known yet"),
        ({"cutoffs": ["yesterday evening"]}, "is no time"),
        ({"cutoffs": [None]}, "not a missing one"),
        ({"horizon": "a while"}, "no length of time"),
        ({"k": 0}, "k must be at least 1"),
        ({"baseline": "nobody"}, "the baseline must be one of"),
        ({"beside": ("luck", "count")}, "not luck"),
        ({"recommenders": [Spy(), Spy()]}, "'spy' stands there twice"),
        ({"recommenders": [Stranger()]}, "check_recommender"),
    ],
)
def test_what_cannot_be_is_refused(options, words):
    """Impossible cutoffs, horizons, names and answers are refused in words."""
    with pytest.raises(DataError, match=words):
        backtests.backtest(SHOP, **{"recommenders": [], "cutoffs": 1, **QUICK, **options})


def test_what_cannot_be_asked_is_refused():
    """So are impossible rules of whom to ask, and a shop without purchases."""
    for options in ({"purchase_days": -1}, {"within": "long"}, {"within": "-3D"}):
        with pytest.raises(DataError):
            backtests.Asked(**options)
    with pytest.raises(DataError, match="needs an order history"):
        backtests.backtest(replace(SHOP, orders=SHOP.orders.iloc[:0]), [])


def test_the_face_has_a_clock_and_a_bar(capsys):
    """`wa.backtest` is the same with CPU seconds and a progress bar, which can be left out."""
    scored = wa.backtest(SHOP, [Spy()], cutoffs=1, **QUICK)
    assert value(scored, "spy", "fit seconds") >= 0
    assert "spy" in capsys.readouterr().err
    wa.backtest(SHOP, [Spy()], cutoffs=1, progress=False, **QUICK)
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_the_known_figures_of_real_shoppers():
    """By the protocol of the benchmark, the simple count finds .380 and the oracle .693 of 8,823 next purchases."""
    first = completejourney.FIRST_DAY
    scored = backtests.backtest(
        completejourney.completejourney(),
        [],
        cutoffs=[first + pd.Timedelta(days=day) for day in (240, 268, 296, 324)],
        horizon="14D",
        asked=backtests.Asked(purchase_days=3, within="60D"),
        **QUICK,
    )
    assert value(scored, "count", "hit@1", column="customers") == 8823
    assert round(value(scored, "count", "hit@1"), 3) == 0.380
    assert round(value(scored, "oracle", "hit@1"), 3) == 0.693
