"""A shop at one moment."""

import dataclasses

import pandas as pd
import pytest

from tests import shops
from wa_products.errors import DataError


def test_before_shows_the_same_shop_earlier(data):
    """Earlier, later orders and messages are not there, and threads are those of then."""
    earlier = data.before("2026-10-20 09:00")
    assert earlier.as_of == pd.Timestamp("2026-10-20 09:00Z")
    assert earlier.orders["ordered_at"].max() < earlier.as_of
    assert earlier.threads.empty
    assert len(data.orders) > len(earlier.orders)


def test_a_missing_column_is_named(data):
    """A frame without a column of its contract is refused by name."""
    with pytest.raises(DataError, match=r"orders lacks the columns \['ordered_at'\]"):
        dataclasses.replace(data, orders=data.orders.drop(columns="ordered_at"))


def test_as_of_needs_a_zone(data):
    """A moment without a time zone is refused with the way to write it."""
    with pytest.raises(DataError, match=r"\+00:00"):
        dataclasses.replace(data, as_of=pd.Timestamp("2026-11-20"))


def test_the_repr_counts_and_shows_nobody(data):
    """The repr tells how much there is and names no customer."""
    text = repr(data)
    assert "4 products" in text
    assert "2 open threads" in text or "3 open threads" in text
    assert all(number not in text for number in shops.NUMBERS.values())
