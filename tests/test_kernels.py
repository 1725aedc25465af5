"""What is counted, ranked and looked up over runs of rows is what a plain loop would find."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from wa_products.recommenders import histories, runs

GROUPS = st.lists(st.integers(0, 5), max_size=40)
VALUES = st.sampled_from([-1.0, 0.0, 0.5, 0.5, 2.0, 7.25])


@st.composite
def grouped(draw):
    """Return groups, sorted or not, and a value for each row."""
    groups = draw(GROUPS)
    values = draw(st.lists(VALUES, min_size=len(groups), max_size=len(groups)))
    return np.array(sorted(groups) if draw(st.booleans()) else groups, dtype="int64"), np.array(values)


@given(grouped())
def test_ranks(rows):
    """A row's rank counts the rows of its group that are higher, or alike and earlier, however the groups lie."""
    group, value = rows
    expected = [
        sum(
            (other > value[at]) or (other == value[at] and place < at)
            for place, other in enumerate(value)
            if group[place] == group[at]
        )
        for at in range(len(value))
    ]
    assert runs.ranks(group, value).tolist() == expected


def test_one_long_run_among_short_ones():
    """Ranks are the same where one group is so long that a table of all would be mostly empty."""
    group = np.repeat(np.arange(50), [*[1] * 49, 500])
    value = np.random.default_rng(3).integers(0, 40, len(group)).astype("float64")
    expected = pd.Series(-value).groupby(group).rank("first").astype("int64") - 1
    assert runs.ranks(group, value).tolist() == expected.tolist()


@given(GROUPS)
def test_each_number_once(values):
    """Whole numbers come once each, sorted."""
    assert runs.unique(np.array(values, dtype="int64")).tolist() == sorted(set(values))


@given(grouped(), st.booleans())
def test_sums_over_runs(rows, as_flags):
    """A sum over each run is that of its rows; of flags, it is how many are True."""
    group, value = np.sort(rows[0]), rows[1] > 0 if as_flags else rows[1]
    starts = np.flatnonzero(runs.changes(group))
    assert runs.sums(value, starts).tolist() == [value[group == each].sum() for each in np.unique(group)]


@st.composite
def bought(draw):
    """Return a history: purchases of a few customers and products, sorted, one a day at most."""
    made = draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(1, 30), st.integers(0, 9)), max_size=40)
    )
    first = {
        (customer, product, -day): -day + tenth / 10 for customer, product, day, tenth in sorted(made, reverse=True)
    }
    keys = sorted(first)
    customer, product, day = (np.array([key[at] for key in keys], dtype="int64") for at in range(3))
    return histories.History(
        customers=pd.Index(["a", "b", "c", "d"]),
        products=pd.RangeIndex(6),
        customer=customer,
        product=product,
        time=np.array([first[key] for key in keys], dtype="float64"),
        day=day,
    )


@given(bought())
def test_visits_are_the_days_of_a_customer(whole):
    """A purchase belongs to the visit whose number is how many earlier days its customer bought on."""
    days = {each: sorted(set(whole.day[whole.customer == each])) for each in set(whole.customer.tolist())}
    expected = [days[each].index(day) for each, day in zip(whole.customer.tolist(), whole.day, strict=True)]
    assert whole.visit.tolist() == expected


@given(bought(), st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_a_shelf_is_a_coarser_product(whole, shelf):
    """On a shelf a customer bought once a day at most: at the earliest time at which any product of it was bought."""
    found = whole.by_shelf(np.array(shelf), 3)
    expected = {}
    for customer, product, day, time in zip(whole.customer, whole.product, whole.day, whole.time, strict=True):
        key = (customer, shelf[product], day)
        expected[key] = min(time, expected.get(key, np.inf))
    told = list(zip(found.customer, found.product, found.day, strict=True))
    assert told == sorted(expected)
    assert found.time.tolist() == [expected[key] for key in told]
