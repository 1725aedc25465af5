from math import isnan, sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from tests.made_campaign import HEADER, START, campaign, cart, enquiry, events_of, row, rows_of, status
from wa_products import metrics
from wa_products.codes import RULES
from wa_products.errors import DataError
from wa_products.metrics.tables import lift

END = START + pd.Timedelta("8D")
Z = 1.959963984540054
FRAMES = ("sends", "waterfall", "funnel", "failures", "carts", "money", "arms", "lift")
CAMPAIGN = campaign(60)
EXPECTED = metrics.results(*CAMPAIGN, END)


def results(rows, events=(), as_of=END, **header):
    """Return the results of a small hand-made campaign."""
    return metrics.results(rows_of(*rows), events_of(*events), {**HEADER, "waterfall": [], **header}, as_of)


def wilson_by_hand(count, total):
    """Return the Wilson interval from its closed form."""
    rate, spread = count / total, Z / (1 + Z * Z / total)
    centre = (rate + Z * Z / (2 * total)) / (1 + Z * Z / total)
    half = spread * sqrt(rate * (1 - rate) / total + Z * Z / (4 * total * total))
    return centre - half, centre + half


@given(st.integers(1, 5000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilson_is_its_closed_form(case):
    """The interval of a rate is Wilson's, holds the rate, and stays within 0 and 1."""
    count, total = case
    low, high = metrics.wilson([count], [total])
    assert (low[0], high[0]) == pytest.approx(wilson_by_hand(count, total), abs=1e-12)
    assert -1e-12 <= low[0] <= count / total + 1e-12
    assert count / total - 1e-12 <= high[0] <= 1 + 1e-12


@pytest.mark.parametrize(("count", "total", "other", "of_other"), [(36, 900, 3, 100), (0, 50, 0, 10), (9, 9, 0, 4)])
def test_newcombe_is_its_closed_form(count, total, other, of_other):
    """The interval of a difference joins the two Wilson intervals by the root of their squared distances."""
    (low1, high1), (low2, high2) = wilson_by_hand(count, total), wilson_by_hand(other, of_other)
    rate1, rate2 = count / total, other / of_other
    expected = (
        rate1 - rate2 - sqrt((rate1 - low1) ** 2 + (high2 - rate2) ** 2),
        rate1 - rate2 + sqrt((high1 - rate1) ** 2 + (rate2 - low2) ** 2),
    )
    assert metrics.newcombe(count, total, other, of_other) == pytest.approx(expected, abs=1e-9)


def test_out_of_none_there_is_no_rate():
    """Nothing out of nothing has no interval, and raises no warning."""
    assert np.isnan(metrics.wilson([0], [0])).all()
    assert all(map(isnan, metrics.newcombe(0, 0, 0, 10)))
    assert isnan(metrics.detectable(0.03, 100, 0))
    assert isnan(metrics.sample_ratio(100, 0, 0.0))


def test_the_detectable_rise_is_found_four_times_in_five():
    """Drawn campaigns with exactly the detectable rise have an interval above 0 in about 80 % of draws."""
    random, treated, held = np.random.default_rng(3), 1822, 455
    rise = metrics.detectable(0.03, treated, held)
    carts, base = random.binomial(treated, 0.03 + rise, 400), random.binomial(held, 0.03, 400)
    found = sum(metrics.newcombe(x, treated, y, held)[0] > 0 for x, y in zip(carts, base, strict=True))
    assert 0.74 <= found / 400 <= 0.86


def test_a_split_that_was_not_drawn_shows():
    """A fifth held out of a thousand is likely as 200, and all but impossible as 100."""
    assert metrics.sample_ratio(800, 200, 0.2) == 1
    assert metrics.sample_ratio(900, 100, 0.2) < 1e-10


def test_the_funnel_counts_each_step_out_of_what_it_says():
    """Every step is counted once a customer, with the denominator that stands beside it."""
    rows = [row(name) for name in ("ann", "bob", "eve", "joe")]
    rows += [row("held", arm="holdout", outcome="held out", wamid=""), row("no", outcome="refused", code=4, wamid="")]
    rows += [row("lost", outcome="unknown", wamid=""), row("shut", outcome="window closed", wamid="")]
    events = [status(name, "sent") for name in ("ann", "bob", "eve")]
    events += [status("ann", "read", "2min"), status("bob", "delivered", "3min"), status("joe", "failed", code=131026)]
    events += [
        enquiry("ann"),
        *cart("ann", ("rice-5kg", 1, "12.50")),
        *cart("ann", ("rice-5kg", 1, "12.50"), after="5h"),
    ]
    funnel = results(rows, events).funnel
    assert funnel[["step", "customers", "total", "of"]].to_numpy().tolist() == [
        ["planned", 8, 8, "planned"],
        ["held out", 1, 8, "planned"],
        ["submitted", 4 + 1 + 1, 8, "planned"],
        ["accepted", 4, 6, "submitted"],
        ["sent", 3, 4, "accepted"],
        ["delivered or read", 2, 4, "accepted"],
        ["read (at least)", 1, 4, "accepted"],
        ["enquiry", 1, 4, "accepted"],
        ["cart", 1, 4, "accepted"],
    ]
    assert funnel.loc[3, ["low", "high"]].tolist() == pytest.approx(wilson_by_hand(4, 6))


def test_failures_are_told_by_stage_class_and_code():
    """Refusals are counted out of the submitted, later failures out of the accepted; each has something to do."""
    rows = [row(f"r{number}", outcome="refused", code=131056, wamid="") for number in range(3)]
    rows += [row("cat", outcome="refused", code=131009, details="Products not found in FB Catalog", wamid="")]
    rows += [row("par", outcome="refused", code=131009, details="Parameter value is not valid", wamid="")]
    rows += [row(f"a{number}") for number in range(5)] + [row("lost", outcome="unknown", wamid="")]
    events = [status("a0", "failed", code=131047), status("a1", "failed", code=424242)]
    events += [status("a2", "failed", code=131026), status("a2", "delivered")]
    table = results(rows, events).failures
    assert table[["class", "code", "customers", "total", "of"]].to_numpy().tolist() == [
        ["too fast", 131056, 3, 11, "submitted"],
        ["window closed", 131047, 1, 5, "accepted"],
        ["unclassified", 424242, 1, 5, "accepted"],
        ["no answer", 0, 1, 11, "submitted"],
        ["request", 131009, 1, 11, "submitted"],
        ["catalog", 131009, 1, 11, "submitted"],
    ]
    assert table["what_to_do"].str.len().min() > 20


def test_a_message_without_a_word_for_30_days_is_told_as_a_failure():
    """Silence past the validity is counted out of the accepted, because no webhook will ever tell it."""
    table = results([row("ann"), row("bob")], [status("bob", "read")], START + pd.Timedelta("31D")).failures
    assert table[["class", "customers", "total"]].to_numpy().tolist() == [["no word", 1, 2]]


@pytest.mark.parametrize(
    ("code", "details", "name"),
    [
        (131047, "", "window closed"),
        (131026, "", "cannot receive"),
        (131009, "Products not found in FB Catalog", "catalog"),
        (131009, "Parameter value is not valid", "request"),
        (130429, "", "too fast"),
        (131049, "", "withheld"),
        (131050, "", "opted out"),
        (131030, "", "number"),
        (131021, "", "number"),
        (190, "", "account"),
        (131042, "", "billing"),
        (368, "", "policy"),
        (131016, "", "server"),
        (131060, "", "unclassified"),
        (424242, "", "unclassified"),
        (0, "", "unclassified"),
    ],
)
def test_a_code_is_classed_by_what_can_be_done(code, details, name):
    """A code leads to the class of those who can act on it."""
    assert metrics.explain(code, details)[0] == name


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_known_code_has_something_to_do(code):
    """Each code of the table leads to a meaning and to a class with words on what to do."""
    name, meaning = metrics.explain(code)
    assert metrics.WHAT_TO_DO[name]
    assert meaning


def test_the_waterfall_adds_up():
    """Every total of the waterfall is what came before it less the losses in between."""
    rows, events, header = campaign(120)
    table = metrics.results(rows, events, header, END).waterfall
    left = table.loc[0, "customers"]
    for _, customers, is_total in table.iloc[1:].itertuples(index=False):
        left += 0 if is_total else customers
        assert not is_total or customers == left
    assert table.loc[0, "customers"] == 120 + sum(count for _, count in header["waterfall"])


def arms_of(*carts, requests=0):
    """Return results with 40 treated and 10 held out, of which the named customers sent a cart."""
    rows = [row(f"t{number}") for number in range(40)]
    rows += [row(f"h{number}", arm="holdout", outcome="held out", wamid="") for number in range(10)]
    rows += [row(f"q{number}", kind="request") for number in range(requests)]
    return results(
        rows, [line for customer, after in carts for line in cart(customer, ("oil-1l", 1, "9"), after=after)]
    )


def test_arms_are_counted_by_assignment():
    """Any cart within the horizon counts, once a customer, in both arms alike; requests are in neither."""
    both = arms_of(
        ("t0", "1h"), ("t0", "9h"), ("t1", "6D"), ("t2", "169h"), ("h0", "2h"), ("q0", "1h"), requests=3
    ).arms
    assert both[["arm", "customers", "with_cart"]].to_numpy().tolist() == [["treated", 40, 2], ["holdout", 10, 1]]
    assert both["rate"].tolist() == [2 / 40, 1 / 10]


def test_a_refused_message_still_counts_as_treated():
    """Intention to treat: what became of the message does not move its customer out of the arm."""
    rows = [row("ann", outcome="refused", wamid=""), row("bob"), row("h", arm="holdout", outcome="held out", wamid="")]
    assert results(rows, cart("ann", ("oil-1l", 1, "9"))).arms["with_cart"].tolist() == [1, 0]


def test_the_lift_is_the_difference_of_the_arms():
    """The lift is one rate less the other, its interval Newcombe's, the carts it means those of the treated."""
    found = arms_of(*((f"t{number}", "1h") for number in range(20)), ("h0", "1h")).lift.iloc[0]
    low, high = metrics.newcombe(20, 40, 1, 10, alpha=0.04)
    assert found["difference"] == pytest.approx(20 / 40 - 1 / 10)
    assert (found["low"], found["high"]) == (low, high)
    assert found["carts"] == pytest.approx((20 / 40 - 1 / 10) * 40)
    assert found["verdict"].startswith("The messages brought carts: between")


@pytest.mark.parametrize(
    ("low", "high", "likely", "starts"),
    [
        (np.nan, np.nan, np.nan, "Cannot tell: nobody to compare with"),
        (-0.01, 0.05, 0.5, "Cannot tell: anything from 1.0 fewer to 5.0 more"),
        (0.0, 0.05, 0.5, "Cannot tell: anything from 0.0 fewer"),
        (0.01, 0.05, 0.0001, "Cannot tell: the arms are not of the sizes"),
        (0.01, 0.05, np.nan, "The messages brought carts: between 1.0 and 5.0 more"),
        (-0.05, -0.01, 0.5, "The messages cost carts: between 1.0 and 5.0 fewer"),
    ],
)
def test_the_verdict_claims_no_more_than_its_interval(low, high, likely, starts):
    """An interval with 0 in it cannot tell, and an uneven split cannot be trusted."""
    assert metrics.verdict(low, high, likely).startswith(starts)


def test_an_early_look_is_called_one():
    """Before the horizon is over the lift is incomplete, and the verdict says so."""
    rows = [row("ann"), row("h", arm="holdout", outcome="held out", wamid="")]
    early = results(rows, as_of=START + pd.Timedelta("7D") - pd.Timedelta("1s"))
    assert not early.is_complete
    assert early.verdict.startswith("Cannot tell yet: the evidence so far is 1.0 to 1")
    assert results(rows, as_of=START + pd.Timedelta("7D")).is_complete


def test_what_was_sure_on_the_way_is_not_taken_back():
    """An end that cannot tell by itself does not unsay what the evidence was enough for before."""
    told = [(f"t{number}", f"{number + 1}h") for number in range(20)]
    told += [(f"h{number}", f"{number + 30}h") for number in range(20)]
    rows = [row(f"t{number}") for number in range(20)]
    rows += [row(f"h{number}", arm="holdout", outcome="held out", wamid="") for number in range(20)]
    events = [line for who, after in told for line in cart(who, ("oil-1l", 1, "9"), after=after)]
    found = metrics.results(rows_of(*rows), events_of(*events), {**HEADER, "holdout": 0.5}, END)
    assert found.lift.loc[0, "low"] < 0 < found.lift.loc[0, "high"]
    assert found.verdict.startswith("The messages brought carts: the evidence on the way was enough. By the end alone")


def test_results_know_nothing_later_than_as_of():
    """Events after `as_of`, and carts before the start, have no part in the results."""
    events = [status("ann", "sent"), status("ann", "read", "3h"), *cart("ann", ("rice-5kg", 1, "9"), after="4h")]
    events += cart("ann", ("rice-5kg", 1, "9"), after="-1h")
    found = results([row("ann")], events, START + pd.Timedelta("2h"))
    assert (found.sends["state"].item(), len(found.carts)) == ("sent", 0)
    assert len(results([row("ann")], events).carts) == 1


def test_money_stays_in_its_currency():
    """Values are exact and by currency; a line without a price is counted, not guessed."""
    events = cart("ann", ("rice-5kg", 3, "0.10"), ("oil-1l", 1, "9.80", "EUR"), ("tea", 1, None))
    table = results([row("ann")], events).money
    assert table.astype(str).to_numpy().tolist() == [
        ["same item", "EUR", "1", "0", "9.80", "0", "0"],
        ["same item", "GBP", "1", "0.30", "0", "1", "0"],
    ]


@pytest.mark.parametrize("customers", [0, 1, 50])
def test_any_size_gives_every_frame(customers):
    """With nobody, one or fifty customers every frame has its columns and the sentence is whole."""
    rows, events, header = campaign(customers)
    found, full = metrics.results(rows, events, header, END), EXPECTED
    for name in FRAMES:
        assert list(getattr(found, name).columns) == list(getattr(full, name).columns)
    assert repr(found).startswith("<Results of '2026-11-reorder' as of 2026-11-30 09:00 UTC. Of ")


def test_the_repr_is_one_honest_sentence_and_the_table_is_escaped():
    """The sentence has its denominators and the verdict; a hostile campaign name stays text."""
    found = results([row("ann")], cart("ann", ("rice-5kg", 1, "9")), campaign="<script>x</script>")
    assert found.summary == (
        "Of 1 planned customer 0 were held out; 1 message was accepted, 0 delivered, "
        "and 1 customer sent a cart that follows from it."
    )
    assert "<script>" not in found._repr_html_()
    assert "Cannot tell" in repr(found)


def test_a_missing_column_is_named():
    """Rows without a column are refused with its name."""
    rows, events, header = campaign(3)
    with pytest.raises(DataError, match="send_id"):
        metrics.results(rows.drop(columns="send_id"), events, header, END)


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_results_do_not_depend_on_the_order_of_webhooks(random):
    """Shuffled and repeated webhooks give the same funnel, failures, money, arms and lift."""
    rows, events, header = CAMPAIGN
    places = [random.randrange(len(events)) for _ in range(40)] + list(range(len(events)))
    random.shuffle(places)
    found = metrics.results(rows, events.iloc[places].reset_index(drop=True), header, END)
    for name in FRAMES:
        assert_frame_equal(getattr(found, name), getattr(EXPECTED, name))


def test_the_interval_covers_the_true_lift():
    """Over 300 drawn campaigns of small arms, about 96 % of the intervals hold the true lift."""
    random = np.random.default_rng(11)
    treated, held = random.binomial(270, 0.05, 300), random.binomial(30, 0.03, 300)
    covered = 0
    for carts, base in zip(treated, held, strict=True):
        both = pd.DataFrame({"arm": ["treated", "holdout"], "customers": [270, 30], "with_cart": [carts, base]})
        both["rate"] = both["with_cart"] / both["customers"]
        found = lift(both, 0.1).iloc[0]
        covered += found["low"] <= 0.02 <= found["high"]
    assert 0.93 <= covered / 300 <= 0.99
