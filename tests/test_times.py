"""When carts come, the nth message, probabilities against carts, other windows, the placebo, failures over time."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from tests.made_campaign import HEADER, START, campaign, cart, events_of, row, rows_of, spread, status
from wa_products import metrics
from wa_products.metrics.failures import LIMIT

END = START + pd.Timedelta("8D")
ITEM = ("rice-5kg", 1, "9.00")
ROWS, EVENTS, OTHERS = spread(*campaign(300)[:2])
SPREAD = metrics.results(ROWS, EVENTS, HEADER, START + pd.Timedelta("6D"), others=OTHERS)


def results(rows, *events, as_of=END, **options):
    """Return the results of a hand-made campaign."""
    header = {**HEADER, "waterfall": []}
    return metrics.results(rows_of(*rows), events_of(*events), header, as_of, **options)


def test_the_time_to_cart_counts_a_message_for_as_long_as_it_was_watched():
    """Kaplan and Meier by hand: four messages, carts after 2 and 5 hours, one watched for 3 hours, one to the end."""
    rows = [row("ann"), row("bob"), row("eve", at=START + pd.Timedelta("7h")), row("joe")]
    told = [*cart("ann", ITEM, after="2h"), *cart("bob", ITEM, after="5h")]
    table = results(rows, *told, as_of=START + pd.Timedelta("10h")).time_to_cart
    assert table["hours"].tolist() == [0, 2, 5, 10]
    assert table["share"].tolist() == pytest.approx([0, 1 / 4, 1 - 3 / 4 * 1 / 2, 1 - 3 / 4 * 1 / 2])
    assert table["waiting"].tolist() == [4, 4, 2, 2]
    assert table["carts"].tolist() == [0, 1, 2, 2]
    assert (table["low"] <= table["share"]).all()
    assert (table["share"] <= table["high"]).all()


def test_a_message_that_nobody_can_have_seen_is_not_watched():
    """Failed, refused and held-out messages have no time to cart."""
    rows = [row("ann"), row("no", outcome="refused", wamid=""), row("h", arm="holdout", outcome="held out", wamid="")]
    assert results(rows, status("ann", "failed", code=131026)).time_to_cart.empty


def test_curves_only_rise_and_stay_small():
    """At any size a curve rises from 0 and has at most 122 points."""
    for _, curve in SPREAD.time_to_cart.groupby("kind"):
        assert curve["share"].is_monotonic_increasing
        assert curve["hours"].is_monotonic_increasing
        assert len(curve) <= 122


def test_fatigue_counts_each_message_once_under_its_number():
    """Over 1st, 2nd, 3rd and later the failures add up to the failed, and opt-outs to those who opted out."""
    table = SPREAD.fatigue.set_index(["what", "nth"])
    failed = SPREAD.sends["accepted"] & (SPREAD.sends["state"] == "failed")
    assert table.loc["failed", "customers"].sum() == failed.sum()
    assert table.loc["failed", "total"].sum() == SPREAD.count("accepted")
    assert table.loc["opted out", "customers"].sum() == (SPREAD.sends["opted_out_at"].notna() & ~failed).sum() > 0
    assert SPREAD.sends["nth"].max() > 1


def test_reliability_sets_what_was_said_against_carts_with_that_product():
    """In either arm, by source: the mean probability beside the share with a cart that holds the planned product."""
    rows = [row(f"c{n}", probability=0.1 if n < 100 else 0.5) for n in range(200)]
    told = [line for n in (*range(5), *range(100, 160)) for line in cart(f"c{n}", ITEM)]
    table = results(rows, *told, *cart("c99", ("oil-1l", 1, "9"))).reliability
    assert table["said"].tolist() == pytest.approx([0.1, 0.5])
    assert table["happened"].tolist() == pytest.approx([0.05, 0.6])
    assert table["customers"].tolist() == [100, 100]


def test_a_wider_window_never_answers_less():
    """From 1 to 168 hours the answered and the sure only grow; windows that are not over say so."""
    table = SPREAD.sensitivity
    assert table["answered"].is_monotonic_increasing
    assert table["certain"].is_monotonic_increasing
    assert table["hours"][table["is_complete"]].tolist() == [1, 2, 3, 6, 12, 24, 36, 48, 72, 96, 120]
    assert (table["certain"] <= table["answered"]).all()


def test_the_window_that_was_chosen_tells_what_the_results_tell():
    """At the horizon the difference of the arms is that of the lift, and the answered those of a look-back as long."""
    rows, events, header = campaign(120)
    found = metrics.results(rows, events, header, END, horizon="72h", prompt="72h")
    at = found.sensitivity.set_index("hours").loc[72]
    assert at["difference"] == pytest.approx(found.lift["difference"].item())
    assert at["answered"] == found.count("cart")


def test_the_placebo_claims_of_the_held_out_what_no_message_brought():
    """The rules applied to those who got nothing show how many such carts come anyway."""
    rows = [row(f"t{n}") for n in range(40)]
    rows += [row(f"h{n}", arm="holdout", outcome="held out", wamid="") for n in range(20)]
    told = [line for n in range(10) for line in cart(f"t{n}", ITEM, after="3h")]
    told += cart("h0", ITEM, after="3h") + cart("h1", ("oil-1l", 1, "9"), after="3h") + cart("h2", ITEM, after="9D")
    table = results(rows, *told).placebo.set_index("rule")
    assert table.loc["same item", ["treated", "holdout"]].tolist() == [10, 1]
    assert table.loc["same item", "by_message"] == pytest.approx(1 - (1 / 20) / (10 / 40))
    assert table.loc["assisted", ["treated", "holdout"]].tolist() == [0, 1]
    assert np.isnan(table.loc["assisted", "by_message"])
    assert (table.loc["same item", "low"], table.loc["same item", "high"]) == pytest.approx(
        metrics.newcombe(10, 40, 1, 20)
    )


def test_failures_over_time_stand_within_the_limits_of_chance():
    """Each hour has its submitted and failed; the limits leave 0.135 % on either side by the binomial distribution."""
    table = SPREAD.failure_rate
    assert table["customers"].sum() == len(SPREAD.failed)
    assert table["total"].sum() == SPREAD.count("submitted")
    expected = len(SPREAD.failed) / SPREAD.count("submitted")
    assert table["expected"].tolist() == pytest.approx([expected] * len(table))
    assert table["upper"].tolist() == pytest.approx(
        (binom.ppf(1 - LIMIT, table["total"], expected) / table["total"]).tolist()
    )
    classes = SPREAD.failures["class"].unique()
    assert table[classes].sum(axis=1).tolist() == table["customers"].tolist()


def test_an_hour_in_which_everything_failed_is_outside():
    """Forty of forty failed in one hour among ten quiet ones: chance does not do that, and the others are inside."""
    at = [START + pd.Timedelta(hours=hour) for hour in range(10) for _ in range(40)]
    rows = [row(f"c{n}", at=when) for n, when in enumerate(at)]
    told = [status(f"c{n}", "failed", f"{n // 40 + 1}h", code=131026) for n in range(120, 160)]
    table = results(rows, *told).failure_rate
    assert table["is_outside"].tolist() == [hour == 3 for hour in range(10)]


def test_failures_by_hour_are_out_of_what_was_submitted_in_that_hour():
    """Class by class and hour by hour, with the denominator of the hour."""
    table = SPREAD.failure_hours
    hours = SPREAD.sends.loc[
        SPREAD.sends["outcome"].isin(["accepted", "refused", "unknown"]), "at"
    ].dt.hour.value_counts()
    assert table["total"].tolist() == hours.loc[table["hour"]].tolist()
    assert table["customers"].sum() == len(SPREAD.failed)


def test_failures_say_who_is_left_out_and_how_much_is_theirs():
    """Shares add up to all failures, and those who cannot receive are counted as left out until they write."""
    table = SPREAD.failures
    assert table["cumulative"].iloc[-1] == pytest.approx(1)
    assert table["share"].sum() == pytest.approx(1)
    cannot = table.set_index("class").loc["cannot receive"]
    assert cannot["left_out"] == cannot["customers"] > 0
    assert table.set_index("class").loc["catalog", "left_out"] == 0


def test_what_the_sender_left_out_by_itself_is_told_with_its_reason():
    """Skipped and closed rows are counted by their reason; refused, held-out and unsent rows are not among them."""
    rows = [row("a", outcome="skipped", details="opted out", wamid=""), row("b", outcome="window closed", wamid="")]
    rows += [row("c", outcome="skipped", details="opted out", wamid=""), row("d", outcome="refused", code=4, wamid="")]
    rows += [row("e", outcome="", wamid=""), row("h", arm="holdout", outcome="held out", wamid="")]
    assert results(rows).suppressed.to_numpy().tolist() == [["opted out", 2], ["window closed", 1]]


def test_prices_that_changed_between_send_and_cart_are_listed():
    """A cart with another price than at the time of sending shows both and the change; equal prices do not."""
    rows = [row("ann"), row("bob")]
    found = results(rows, *cart("ann", ("rice-5kg", 1, "13.00")), *cart("bob", ("rice-5kg", 1, "12.50"))).prices
    assert found[["customer_id", "change"]].astype("str").to_numpy().tolist() == [["ann", "0.50"]]


@pytest.mark.parametrize("customers", [0, 1, 50])
def test_every_frame_is_there_at_any_size(customers):
    """With nobody, one or fifty customers each frame that is made on demand has its columns."""
    rows, events, header = campaign(customers)
    found = metrics.results(rows, events, header, END)
    for name in ("products", "prices", "sensitivity", "time_to_cart", "fatigue", "reliability", "failed", "contacts"):
        assert list(getattr(found, name).columns) == list(getattr(SPREAD, name).columns), name
