"""A verdict that holds at every look, many rates at once, and means with what was bought before taken out."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from tests.made_campaign import START, cart, events_of, row, rows_of
from wa_products import metrics
from wa_products.metrics.cells import benjamini_hochberg
from wa_products.metrics.sequential import monitor
from wa_products.metrics.spending import adjusted
from wa_products.metrics.verdicts import early_verdict

SHARES = st.sampled_from([0.05, 0.1, 0.2, 0.5, 0.8])


@given(SHARES, st.integers(1, 60))
def test_the_evidence_is_1_on_average_if_messages_do_nothing(share, carts):
    """Over all ways in which the arms of the carts can fall, weighted by their probability, the mean is exactly 1."""
    held = np.arange(carts + 1)
    weights = binom.pmf(held, carts, share)
    assert np.sum(weights * metrics.evidence(carts - held, held, share)) == pytest.approx(1, abs=1e-9)


@given(SHARES, st.integers(0, 300), st.integers(0, 300))
def test_the_evidence_of_the_next_cart_is_fair(share, treated, held):
    """Whatever was seen so far, the evidence is expected to stay as it is if the messages do nothing."""
    now = metrics.evidence(treated, held, share)
    more = (1 - share) * metrics.evidence(treated + 1, held, share) + share * metrics.evidence(treated, held + 1, share)
    assert more == pytest.approx(now, rel=1e-9)


@given(SHARES, st.integers(0, 400), st.integers(0, 400))
def test_the_interval_for_all_looks_leaves_1_out_where_the_evidence_is_enough(share, treated, held):
    """The ratio 1 lies outside the interval exactly where the evidence has reached 100."""
    low, high = (float(end) for end in metrics.always_valid(treated, held, share))
    found = float(metrics.evidence(treated, held, share))
    if abs(found - metrics.ENOUGH) > 1e-6 * metrics.ENOUGH:
        assert (low <= 1 <= high) is (found < metrics.ENOUGH)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_looking_at_every_cart_raises_few_false_alarms(share):
    """Of 2,000 drawn campaigns that do nothing, looked at after each of 300 carts, at most 1 % are called sure."""
    held = np.cumsum(np.random.default_rng(3).random((2000, 300)) < share, axis=1)
    found = metrics.evidence(np.arange(1, 301) - held, held, share)
    assert 0 < (found.max(axis=1) >= metrics.ENOUGH).mean() <= 0.01


def test_a_strong_lift_is_called_sure_early():
    """Where messages double the carts, most campaigns of 4,000 customers are called sure before the end."""
    random = np.random.default_rng(5)
    treated, held = random.binomial(2000, 0.06, 500), random.binomial(2000, 0.03, 500)
    assert (metrics.evidence(treated, held, 0.5) >= metrics.ENOUGH).mean() > 0.75


def test_nobody_held_out_gives_no_evidence():
    """Without a holdout there is nothing to compare with, and no warning."""
    assert np.isnan(metrics.evidence(5, 0, 0.0))
    assert np.isnan(metrics.always_valid(5, 0, 0.0)).all()


def watched(*carts, share=0.5, until="7D", size=10):
    """Return the monitor of a campaign with `size` customers an arm, t0 ... and h0 ..., and these carts."""
    rows = [row(f"t{n}") for n in range(size)]
    rows += [row(f"h{n}", arm="holdout", outcome="held out", wamid="") for n in range(size)]
    rows += [row("q", kind="request")]
    told = [line for who, after in carts for line in cart(who, ("oil-1l", 1, "9"), after=after)]
    header = {"campaign": "c", "digest": "", "approved_by": "", "waterfall": [], "holdout": share}
    header |= {"created_at": START, "expires_at": START}
    found = metrics.results(rows_of(*rows), events_of(*told), header, START + pd.Timedelta(until))
    return found.monitor


def test_the_monitor_counts_each_customer_once_and_no_request():
    """The first cart of a customer counts, within the horizon; answers to a request count in neither arm."""
    table = watched(("t0", "1h"), ("t0", "2h"), ("h0", "3h"), ("q", "4h"), ("t1", "8D"), until="9D")
    assert table[["treated", "holdout"]].to_numpy().tolist() == [[0, 0], [1, 0], [1, 1], [1, 1]]
    assert table["at"].iloc[[0, -1]].tolist() == [START, START + pd.Timedelta("7D")]
    assert table["evidence"].iloc[0] == pytest.approx(1)


def test_what_was_once_sure_stays_sure():
    """A long run of carts of the treated is enough; later carts of the holdout do not take that back."""
    table = watched(
        *((f"t{n}", f"{n + 1}h") for n in range(20)), *((f"h{n}", f"{n + 30}h") for n in range(20)), size=20
    )
    assert table["evidence"].iloc[-1] < metrics.ENOUGH <= table["evidence"].max()
    assert table["is_sure"].iloc[-1]
    assert all(low <= later for low, later in pairwise(table["low"]))
    assert early_verdict(table).startswith("Sure already: the messages brought carts so far, ")


def test_a_long_campaign_is_thinned_but_forgets_no_alarm():
    """Thousands of carts make 200 rows, whose last knows of every look in between."""
    sends = pd.DataFrame({"customer_id": [f"c{n:04}" for n in range(3000)], "kind": "reorder"}).assign(arm="treated")
    sends["arm"] = np.where(np.arange(3000) % 2, "holdout", "treated")
    at = START + pd.to_timedelta(np.arange(3000), unit="min")
    early = np.where(np.arange(3000) % 2, 3000, 0) + np.arange(3000)  # the treated first
    carts = pd.DataFrame({"customer_id": sends["customer_id"], "at": at[np.argsort(np.argsort(early))]})
    table = monitor(sends, carts, START, START + pd.Timedelta("7D"), 0.5)
    assert len(table) == 200
    assert table["is_sure"].iloc[-1]
    assert table["evidence"].iloc[-1] < 1


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=12)
)
def test_a_pooled_rate_lies_between_its_own_and_that_of_all(counted):
    """Drawing towards the common rate never oversteps either end, and the interval holds the rate."""
    counts, totals = (np.array(part, dtype="float64") for part in zip(*counted, strict=True))
    rate, low, high = metrics.pooled(counts, totals)
    mean = (counts.sum() + 0.5) / (totals.sum() + 1)
    own = counts / totals
    assert ((np.minimum(own, mean) - 1e-9 <= rate) & (rate <= np.maximum(own, mean) + 1e-9)).all()
    assert ((low <= rate) & (rate <= high)).all()


def test_pooling_is_nearer_to_the_truth_than_the_rates_by_themselves():
    """Of 60 made-up products with 20 to 200 messages each the pooled rates err far less."""
    random = np.random.default_rng(2)
    true, totals = random.beta(12, 200, 60), random.integers(20, 200, 60)
    counts = random.binomial(totals, true)
    pooled = metrics.pooled(counts, totals)[0]
    assert np.mean((pooled - true) ** 2) < 0.6 * np.mean((counts / totals - true) ** 2)


def test_of_many_alike_cells_none_is_called_different():
    """The q-values of 40 cells of one rate stay above 5 %; one of three times the rate is found, one few is not."""
    random = np.random.default_rng(4)
    names = pd.Series(np.repeat([f"p{n:02}" for n in range(40)], 200), name="product")
    has_cart = pd.Series(random.random(8000) < 0.05)
    assert metrics.cells(names, has_cart)["q_value"].min() > 0.05
    strong = has_cart | ((names == "p07") & (random.random(8000) < 0.12))
    few = metrics.cells(
        pd.concat([names, pd.Series(["few"] * 9)]).rename("product"), pd.concat([strong, pd.Series([True] * 9)])
    )
    table = few.set_index("product")
    assert table.index[table["q_value"] < 0.05].tolist() == ["p07"]
    assert table.loc["few", "few"]
    assert np.isnan(table.loc["few", "q_value"])


def test_q_values_are_those_of_benjamini_and_hochberg():
    """Each q-value is the smallest p times tests over rank from there on, by hand for four."""
    found = benjamini_hochberg(pd.Series([0.01, 0.04, 0.03, 0.5]))
    assert found.tolist() == pytest.approx([0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5])


def test_lifts_by_kind_are_the_newcombe_interval_of_each():
    """Each kind has its own arms, difference and interval."""
    names = pd.Series(["a"] * 60 + ["b"] * 40, name="kind")
    treated = pd.Series(([True] * 40 + [False] * 20) + ([True] * 20 + [False] * 20))
    carts = pd.Series(([True] * 8 + [False] * 32 + [True] + [False] * 19) + [False] * 40)
    table = metrics.lifts(names, treated, carts).set_index("kind")
    assert table.loc["a", "difference"] == pytest.approx(8 / 40 - 1 / 20)
    assert tuple(table.loc["a", ["low", "high"]]) == pytest.approx(metrics.newcombe(8, 40, 1, 20))
    assert table.loc["b", ["treated", "holdout", "difference"]].tolist() == [20, 20, 0]


@pytest.mark.parametrize(
    ("counts", "covers"),
    [((270, 0.05, 30, 0.03), 0.93), ((900, 0.04, 100, 0.03), 0.93), ((4500, 0.02, 500, 0.01), 0.93)],
)
def test_the_interval_of_the_ratio_covers(counts, covers):
    """Of drawn campaigns the share whose interval holds the true ratio is about 95 %, at small holdouts too."""
    n, p, m, q = counts
    random = np.random.default_rng(8)
    drawn = zip(random.binomial(n, p, 400), random.binomial(m, q, 400), strict=True)
    ends = np.array([metrics.ratio(int(a), n, int(b), m)[1:] for a, b in drawn])
    inside = np.isnan(ends[:, 0]) | ((ends[:, 0] <= p / q) & (p / q <= ends[:, 1]))
    assert covers <= inside.mean() <= 0.985


def test_foresight_says_what_a_plan_can_show():
    """Before sending: who counts in the arms, the least rise that shows, how many customers a half more would need."""
    kinds = pd.Series(["reorder"] * 1000 + ["request"] * 50)
    table = metrics.foresight(kinds, 0.03, [0.2, 0.5])
    assert table[["treated", "held_out"]].to_numpy().tolist() == [[800, 200], [500, 500]]
    assert table["detectable"].iloc[0] == pytest.approx(metrics.detectable(0.03, 800, 200))
    assert table["customers_needed"].iloc[0] == metrics.needed(0.03, 0.015, 0.2)
    assert table["words"].iloc[0].startswith("With 20% held out this campaign can only see lifts above ")
    assert "too small" in metrics.foresight(pd.Series(["reorder"]), 0.03)["words"].iloc[0]


def shop_orders(customers=400, seed=6, lift=0.0):
    """Return (sends, orders): customers with lasting habits, half held out, and `lift` more orders of the treated."""
    random = np.random.default_rng(seed)
    habit = random.gamma(1.5, 1.2, customers)
    sends = pd.DataFrame({"customer_id": [f"c{n}" for n in range(customers)], "kind": "reorder"})
    sends["arm"] = np.where(random.random(customers) < 0.5, "treated", "holdout")
    more = np.where(sends["arm"] == "treated", lift, 0)
    parts = []
    for days, mean in ((-60, 6 * habit), (3, habit + more)):
        many = random.poisson(mean)
        parts.append(
            pd.DataFrame(
                {"customer_id": np.repeat(sends["customer_id"], many), "ordered_at": START + pd.Timedelta(days=days)}
            )
        )
    orders = pd.concat(parts, ignore_index=True)
    orders = orders.assign(
        order_id=orders.index.astype("str"), is_purchase=True, currency="GBP", quantity=1.0, unit_price=5
    )
    return sends, orders


def test_cuped_narrows_the_interval_and_leaves_the_difference():
    """With lasting habits the adjusted interval is far narrower, and over many draws both are right on average."""
    found = [metrics.spending(*shop_orders(seed=seed, lift=0.5), START, pd.Timedelta("7D")) for seed in range(40)]
    orders = pd.concat([table[table["measure"] == "orders"] for table in found])
    width, narrow = (orders[high] - orders[low] for low, high in (("low", "high"), ("adjusted_low", "adjusted_high")))
    assert (narrow / width).mean() < 0.8
    assert orders["variance_cut"].mean() > 0.4
    assert orders["adjusted"].mean() == pytest.approx(0.5, abs=0.05)
    inside = (orders["adjusted_low"] <= 0.5) & (orders["adjusted_high"] >= 0.5)
    assert inside.mean() >= 0.85


def test_money_is_compared_in_each_currency_by_itself():
    """Orders are counted once, money a currency; requests and what was never bought have no part."""
    sends, orders = shop_orders(60)
    mixed = orders.assign(currency=np.where(orders.index % 2, "GBP", "EUR"))
    table = metrics.spending(sends, mixed, START, pd.Timedelta("7D"))
    assert table[["measure", "currency"]].to_numpy().tolist() == [["orders", ""], ["money", "EUR"], ["money", "GBP"]]
    assert metrics.spending(sends.assign(kind="request"), orders, START, pd.Timedelta("7D")).empty
    assert metrics.spending(sends, orders.assign(is_purchase=False), START, pd.Timedelta("7D")).empty


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=3, max_size=30))
def test_cuped_keeps_the_mean(pairs):
    """What is taken out has mean zero."""
    values, before = (pd.Series(part) for part in zip(*pairs, strict=True))
    assert adjusted(values, before).mean() == pytest.approx(values.mean(), abs=1e-6)
