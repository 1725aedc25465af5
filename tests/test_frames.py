"""Frames have named shapes, checked at the door."""

import pandas as pd
import pytest

from wa_products import frames
from wa_products.errors import DataError


def test_require_names_both_sides():
    """A missing column is named together with the columns that are there."""
    with pytest.raises(DataError, match=r"orders lacks the columns \['b'\]; it has \['a'\]"):
        frames.require(pd.DataFrame({"a": [1]}), ["a", "b"], "orders")


@pytest.mark.parametrize("shape", [frames.CATALOG, frames.ORDERS, frames.INBOUND, frames.EVENTS, frames.OUTCOMES])
def test_an_empty_frame_keeps_its_shape(shape):
    """A frame without rows has every column of its shape, of the right kind, and conforms to itself."""
    bare = frames.empty(shape)
    assert [str(bare[c].dtype) for c in bare] == [frames.DTYPES[kind] for kind in shape.values()]
    pd.testing.assert_frame_equal(bare, frames.conform(bare, shape, "bare"))


def test_conform_fills_what_is_absent_and_keeps_extras():
    """Absent columns are filled as unknown, missing text becomes empty, extra columns stay, the input is untouched."""
    given = pd.DataFrame({"customer_id": ["001", None], "colour": ["red", "blue"]})
    before = given.copy()
    made = frames.conform(given, frames.THREADS, "threads")
    assert made["customer_id"].tolist() == ["001", ""]
    assert made["is_open"].tolist() == [False, False]
    assert made["closes_at"].isna().all()
    assert made["colour"].tolist() == ["red", "blue"]
    pd.testing.assert_frame_equal(given, before)


def test_conform_names_the_column_it_cannot_read():
    """A value that cannot be of its column's kind is a DataError naming the column."""
    with pytest.raises(DataError, match=r"orders\.ordered_at must hold time values"):
        frames.conform(pd.DataFrame({"ordered_at": ["yesterday-ish"]}), frames.ORDERS, "orders")
