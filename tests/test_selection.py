"""The law: one reason a row, at most one message a customer."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import shops
from tests.shops import IDS
from wa_products import frames
from wa_products.errors import DataError
from wa_products.selection import KINDS, Policy, select, waterfall


def reasons(rows, data=None, policy=None):
    """Return the reason of each of the proposals `rows`."""
    return select(shops.proposals(rows), data or shops.shop(), policy)["reason"].tolist()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("ada", "beans-1kg", 0.3), ""),
        (("eve", "beans-1kg", 0.3), "no thread"),
        (("dee", "beans-1kg", 0.3), "window closed"),
        (("cyd", "beans-1kg", 0.3), "opted out"),
        (("ada", "gone", 0.3), "not in catalog"),
        (("ada", "soap-5l", 0.3), "not sendable: out of stock"),
        (("ada", "sample", 0.3), "not sendable: hidden"),
    ],
)
def test_each_rule_names_its_reason(row, reason):
    """Thread, window, opt-out, catalog and stock each refuse with their own word."""
    assert reasons([row]) == [reason]


def test_one_message_a_customer():
    """The most probable sendable product wins; the others say so."""
    rows = [("ada", "tea-100", 0.2), ("ada", "beans-1kg", 0.3), ("ada", "soap-5l", 0.9)]
    assert reasons(rows) == ["outranked", "", "not sendable: out of stock"]


def test_a_request_comes_before_any_probability():
    """What the customer asked for is sent before what is likelier."""
    assert reasons([("ada", "beans-1kg", 0.9), ("ada", "tea-100", 0.1, "request")]) == ["outranked", ""]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(min_probability=0.25), ["", "probability too low"]),
        (Policy(kinds=("recommendation",)), ["kind not wanted", "kind not wanted"]),
        (Policy(max_sends=1), ["", "campaign cap reached"]),
        (Policy(max_per_product=1), ["", "product cap reached"]),
        (Policy(max_sends=0), ["campaign cap reached", "campaign cap reached"]),
    ],
)
def test_a_policy_refuses_with_its_reason(policy, expected):
    """Kinds, probability and caps each refuse in words, the likeliest kept."""
    assert reasons([("ada", "beans-1kg", 0.3), ("bob", "beans-1kg", 0.2)], policy=policy) == expected


def sent(name, product, days, outcome="accepted"):
    """Return a past send."""
    at = shops.AS_OF - pd.Timedelta(days=days)
    row = {"campaign": "x", "customer_id": IDS[name], "product_retailer_id": product, "outcome": outcome, "at": at}
    return frames.conform(pd.DataFrame([row]), frames.SENDS, "sends")


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        (sent("ada", "tea-100", 2), "messaged lately"),
        (sent("ada", "tea-100", 2, "unknown"), "messaged lately"),
        (sent("ada", "tea-100", 2, "refused"), ""),
        (sent("ada", "tea-100", 10), ""),
        (sent("ada", "beans-1kg", 10), "sent and ignored lately"),
        (sent("ada", "beans-1kg", 40), ""),
    ],
)
def test_customers_rest_between_messages(past, expected):
    """Nobody gets a second message within the rest days, nor the same product soon again; refusals do not count."""
    assert reasons([("ada", "beans-1kg", 0.3)], shops.shop(sends=past)) == [expected]


@pytest.mark.parametrize(("days", "expected"), [(1, ""), (1 / 24, "messaged lately")])
def test_a_request_is_answered_once(days, expected):
    """A customer who wrote since our last message is answered however lately messaged; one who did not is not again."""
    data = shops.shop(sends=sent("ada", "beans-1kg", days))
    assert reasons([("ada", "beans-1kg", 0.3, "request")], data) == [expected]


def test_the_message_is_written_out():
    """Selected rows bear today's price, the text with the title filled in, and when the window closes."""
    row = select(shops.proposals([("ada", "beans-1kg", 0.3)]), shops.shop()).iloc[0]
    assert str(row["price"]) == "15.00"
    assert "Coffee beans 1 kg" in row["body"]
    assert row["closes_at"] == shops.AS_OF + pd.Timedelta(hours=22)


def test_a_title_is_text_and_has_its_limit():
    """Braces and length in a title do no harm to the message."""
    title = "{price} {0.__class__} " + "x" * 3000
    data = shops.shop(catalog=shops.catalog(title=title))
    body = select(shops.proposals([("ada", "beans-1kg", 0.3)]), data)["body"].iloc[0]
    assert "{price} {0.__class__}" in body
    assert len(body) <= 1024


def test_a_doubled_proposal_is_refused():
    """The same product twice for one customer is a fault of the recommender, said by name."""
    with pytest.raises(DataError, match="proposed twice"):
        reasons([("ada", "beans-1kg", 0.3), ("ada", "beans-1kg", 0.2)])


@pytest.mark.parametrize(
    "options",
    [{"kinds": ("gift",)}, {"bodies": {"reorder": "{name}"}}, {"min_probability": 2}, {"max_sends": -1}],
)
def test_a_policy_that_cannot_be_meant_is_refused(options):
    """Unknown kinds, unknown fields and impossible numbers are errors, not surprises."""
    with pytest.raises(DataError):
        Policy(**options)


def test_the_waterfall_counts_each_customer_once():
    """Every customer without a message is counted once, by the row that came closest."""
    rows = [("ada", "beans-1kg", 0.3), ("cyd", "beans-1kg", 0.3), ("dee", "tea-100", 0.1), ("dee", "gone", 0.1),
            ("bob", "soap-5l", 0.1), ("bob", "gone", 0.2)]  # fmt: skip
    found = waterfall(select(shops.proposals(rows), shops.shop()))
    assert found == (("window closed", 1), ("opted out", 1), ("not sendable: out of stock", 1))


proposed = st.lists(
    st.tuples(
        st.sampled_from(sorted(IDS)), st.sampled_from(["beans-1kg", "tea-100", "soap-5l", "gone"]),
        st.floats(0, 1), st.sampled_from(KINDS),
    ),
    unique_by=lambda row: row[:2],
)  # fmt: skip


@given(proposed)
def test_nothing_is_dropped_and_nobody_gets_two(rows):
    """Every row comes back in its place with a decision; at most one a customer is sent; sends have no reason."""
    given_ = shops.proposals(rows)
    made = select(given_, shops.shop())
    assert made["customer_id"].tolist() == given_["customer_id"].tolist()
    sends = made[made["decision"] == "send"]
    assert not sends["customer_id"].duplicated().any()
    assert (sends["reason"] == "").all()
    assert (made.loc[made["decision"] == "skip", "reason"] != "").all()
    assert sum(n for _, n in waterfall(made)) == made["customer_id"].nunique() - len(sends)
