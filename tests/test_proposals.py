"""Propose: all sources on one scale, each customer's best first."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wa_products import frames
from wa_products.errors import DataError
from wa_products.proposals import propose
from wa_products.recommenders import Popular
from wa_products.testing import small_shop

SHOP = small_shop()
PRODUCTS = SHOP.catalog.loc[SHOP.catalog["sendable"], "product_retailer_id"].tolist()


class Fixed:
    """A recommender that gives the rows it was made with."""

    def __init__(self, name, rows):
        self.name, self.rows = name, rows

    def fit(self, _data):
        """Return itself: there is nothing to learn."""
        return self

    def recommend(self, customer_ids, k):
        """Return the first rows of each customer asked for."""
        rows = self.rows[self.rows["customer_id"].isin(list(customer_ids))]
        return rows[rows.groupby("customer_id").cumcount() < k]


def rows(*values):
    """Return what a recommender gives, a tuple a row."""
    columns = ["customer_id", "product_retailer_id", "score", "probability", "kind", "why"]
    return pd.DataFrame(values, columns=columns)


@pytest.fixture(scope="module")
def proposals():
    """Return what is proposed by default."""
    return propose(SHOP)


def test_shape(proposals):
    """Proposals have the columns of the contract in their order, each of its kind, and rank from 1 without holes."""
    more = {"due_from": "time", "due_until": "time"}
    assert {column: str(kind) for column, kind in proposals.dtypes.items()} == {
        column: frames.DTYPES[kind] for column, kind in (frames.PROPOSALS | more).items()
    }
    ranks = proposals.groupby("customer_id")["rank"].agg(list)
    assert all(rank == list(range(1, len(rank) + 1)) for rank in ranks)
    assert proposals.equals(proposals.sort_values(["customer_id", "rank"], ignore_index=True))


def test_best_first_answers(proposals):
    """The small shop's known answers stand at rank 1: what is asked for, what is due, what is popular."""
    first = proposals[proposals["rank"] == 1].set_index("customer_id")
    wanted = {
        "tea-25": "tea",
        "honey-19": "honey",
        "soap": "soap-200",
        "asker": "candle",
        "writer": "honey",
        "newcomer": "tea",
    }
    assert first.loc[list(wanted), "product_retailer_id"].to_dict() == wanted
    assert first.loc[["tea-25", "asker", "newcomer"], "kind"].tolist() == ["reorder", "request", "recommendation"]


def test_two_sources_one_row():
    """A product from two sources stands once, under the more probable, and the sentence names the other."""
    low = Fixed("low", rows(("asker", "tea", 9.0, 0.1, "reorder", "often")))
    high = Fixed("high", rows(("asker", "tea", 1.0, 0.4, "recommendation", "liked")))
    (row,) = propose(SHOP, [low, high], ["asker"]).itertuples()
    assert (row.source, row.probability, row.why) == ("high", 0.4, "liked; also proposed by low")


def test_a_request_ranks_before_the_more_probable():
    """What the customer asked for comes first, however probable the rest; what has no probability comes last."""
    asked = Fixed("asked", rows(("asker", "candle", 1.0, 0.01, "request", "asked")))
    other = Fixed("other", rows(("asker", "tea", 1.0, 0.9, "reorder", "often"), ("asker", "honey", 99.0, None, "", "")))
    found = propose(SHOP, [other, asked], ["asker"])
    assert found["product_retailer_id"].tolist() == ["candle", "tea", "honey"]
    assert found["kind"].tolist() == ["request", "reorder", "recommendation"]


def test_ties_go_to_the_smaller_id():
    """Equal in everything, the smaller product id comes first, whatever the order of rows."""
    tied = rows(*[("asker", product, 1.0, 0.5, "reorder", "") for product in ("tea", "honey", "candle")])
    for order in (tied, tied.iloc[::-1]):
        assert propose(SHOP, [Fixed("tied", order)], ["asker"])["product_retailer_id"].tolist() == [
            "candle",
            "honey",
            "tea",
        ]


def test_a_bare_recommender_is_enough():
    """Three columns make a recommender; the rest is filled as unknown."""
    bare = Fixed("bare", pd.DataFrame({"customer_id": ["asker"], "product_retailer_id": ["tea"], "score": [2]}))
    (row,) = propose(SHOP, [bare]).itertuples()
    assert (row.kind, row.source, row.rank, row.why) == ("recommendation", "bare", 1, "")
    assert np.isnan(row.probability)


@pytest.mark.parametrize(
    ("recommenders", "k", "said"),
    [
        ([Popular()], 0, "k must be at least 1, got 0"),
        ([Popular(), Popular()], 3, "different names"),
        ([Fixed("odd", rows(("asker", "tea", 1.0, 0.5, "gift", "")))], 3, "odd gives the kinds .'gift'"),
        ([Fixed("odd", rows(("asker", "tea", 1.0, 5.0, "", "")))], 3, "odd gives the probability 5.0"),
        ([Fixed("odd", pd.DataFrame({"customer_id": ["asker"]}))], 3, "what odd recommends lacks the columns"),
    ],
)
def test_refusals(recommenders, k, said):
    """What breaks the contract is refused with the source and the value in the message."""
    with pytest.raises(DataError, match=said):
        propose(SHOP, recommenders, k=k)


def test_only_the_customers_asked():
    """Only customers asked for are answered, each once even when asked twice; nobody is a valid question."""
    found = propose(SHOP, customers=["tea-25", "tea-25", "asker"])
    assert set(found["customer_id"]) == {"tea-25", "asker"}
    assert not found.duplicated(["customer_id", "product_retailer_id"]).any()
    assert propose(SHOP, customers=[]).empty
    assert propose(SHOP, []).empty


def test_input_order_changes_nothing(proposals):
    """Shuffled rows of the shop give the same proposals."""
    shuffled = replace(
        SHOP,
        catalog=SHOP.catalog.sample(frac=1, random_state=1),
        orders=SHOP.orders.sample(frac=1, random_state=2),
        inbound=SHOP.inbound.sample(frac=1, random_state=3),
    )
    assert propose(shuffled).equals(proposals)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["asker", "tea-01", "soap"]),
            st.sampled_from(PRODUCTS),
            st.floats(-5, 5),
            st.none() | st.floats(0, 1),
            st.sampled_from(["request", "reorder", "recommendation", ""]),
            st.just("why"),
        ),
        max_size=12,
    ),
    st.integers(1, 4),
)
def test_invariants(values, k):
    """Whatever sources give: at most k a customer, no product twice, requests first, then falling probability."""
    half = len(values) // 2
    found = propose(SHOP, [Fixed("one", rows(*values[:half])), Fixed("two", rows(*values[half:]))], k=k)
    assert set(found["customer_id"]) == {value[0] for value in values}
    assert not found.duplicated(["customer_id", "product_retailer_id"]).any()
    for _, own in found.groupby("customer_id"):
        assert len(own) <= k
        order = list(zip(own["kind"] != "request", -own["probability"].fillna(-1), strict=True))
        assert order == sorted(order)
