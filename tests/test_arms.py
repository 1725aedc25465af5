"""Treated or held out, by hash."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wa_products import arms
from wa_products.errors import PlanError

CUSTOMERS = pd.Series([f"c{n:05d}" for n in range(4000)], dtype="str")
REORDER = pd.Series("reorder", index=CUSTOMERS.index)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2, 0.5])
def test_the_share_held_out_is_the_share_asked_for(share):
    """Over 4,000 customers the held-out share is within four standard errors of what was asked."""
    held = (arms.assign("a", CUSTOMERS, REORDER, share) == arms.HOLDOUT).mean()
    assert held == pytest.approx(share, abs=4 * (share * (1 - share) / 4000) ** 0.5 + 1e-12)


def test_a_smaller_holdout_lies_inside_a_larger():
    """Whoever is held out at 10 % is held out at 20 %."""
    small, large = (arms.assign("a", CUSTOMERS, REORDER, share) == arms.HOLDOUT for share in (0.1, 0.2))
    assert (small <= large).all()


def test_campaigns_draw_independently():
    """Another campaign holds out other customers."""
    one, two = (arms.draw(campaign, CUSTOMERS) for campaign in ("a", "b"))
    assert abs(one.corr(two)) < 0.06


def test_requests_are_never_held_out():
    """The answer to a customer's own request is always sent."""
    assert set(arms.assign("a", CUSTOMERS, REORDER.replace("reorder", "request"), 0.9)) == {arms.TREATED}


@given(st.permutations(range(50)))
def test_row_order_changes_nothing(order):
    """A customer's arm depends on the campaign and the customer alone."""
    some, kinds = CUSTOMERS.iloc[:50], REORDER.iloc[:50]
    shuffled = arms.assign("a", some.iloc[list(order)], kinds.iloc[list(order)], 0.3)
    pd.testing.assert_series_equal(arms.assign("a", some, kinds, 0.3), shuffled.sort_index())


@pytest.mark.parametrize("share", [-0.1, 1.0, 2.0])
def test_a_share_outside_its_range_is_refused(share):
    """A holdout that is no share is a PlanError."""
    with pytest.raises(PlanError, match="holdout"):
        arms.assign("a", CUSTOMERS, REORDER, share)
