"""A plan is frozen, approved, and cannot be changed unseen."""

import json
import stat

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests import shops
from wa_products.errors import PlanError
from wa_products.plans import Plan

FRACTION = shops.AS_OF + pd.Timedelta("1.5s")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WHEN = st.datetimes(pd.Timestamp(2020, 1, 1), pd.Timestamp(2030, 1, 1)).map(lambda at: pd.Timestamp(at, tz="UTC"))
PRICE = st.none() | st.decimals(0, 10_000, places=2)
SHARE = st.floats(0, 1)


def rows(**changes):
    """Return two rows fit for a plan."""
    made = shops.proposals([("ada", "beans-1kg", 0.4), ("bob", "tea-100", 0.1)])
    return made.assign(
        to=["+" + shops.NUMBERS["ada"], "+" + shops.NUMBERS["bob"]], recipient="", last_inbound_at=shops.AS_OF,
        closes_at=[shops.AS_OF + pd.Timedelta(hours=h) for h in (4, 22)], title="Beans", price=None, currency="GBP",
        body="Hello", footer="",
    ).assign(**changes)  # fmt: skip


def make(given=None, **changes):
    """Return a plan of `given` rows."""
    options = {"campaign": "autumn", "catalog_id": "9", "approved_by": "me", "created_at": shops.AS_OF, "holdout": 0.2}
    return Plan.make(rows() if given is None else given, **{**options, **changes})


def test_a_saved_plan_comes_back_whole(tmp_path):
    """What is saved is loaded again with the same rows, hash and expiry, and passes its check."""
    plan = make(waterfall=(("window closed", 7),))
    loaded = Plan.load(plan.save(tmp_path / "plan.jsonl"))
    assert loaded.digest == plan.digest
    assert loaded.waterfall == (("window closed", 7),)
    pd.testing.assert_frame_equal(loaded.rows, plan.rows)
    loaded.check(shops.AS_OF)


@given(
    st.fixed_dictionaries(
        {
            "body": st.tuples(TEXT, TEXT),
            "closes_at": st.tuples(WHEN, WHEN),
            "last_inbound_at": st.tuples(WHEN | st.just(pd.NaT), WHEN),
            "price": st.tuples(PRICE, PRICE),
            "probability": st.tuples(SHARE, SHARE),
        }
    )
)
@example({"body": ("one\u2028two\x85three\n", "")})
@example({"closes_at": (shops.AS_OF, FRACTION), "last_inbound_at": (pd.NaT, FRACTION)})
def test_whatever_a_plan_holds_comes_back(tmp_path_factory, columns):
    """Texts with any line ends, times with and without fractions of a second, and exact money survive the file."""
    plan = make(rows(**{name: list(values) for name, values in columns.items()}))
    loaded = Plan.load(plan.save(tmp_path_factory.getbasetemp() / "any.jsonl"))
    pd.testing.assert_frame_equal(loaded.rows, plan.rows)
    assert loaded.digest == plan.digest


def test_only_the_owner_can_read_a_plan(tmp_path):
    """A plan file holds addresses, so nobody else may read it."""
    assert stat.S_IMODE(make().save(tmp_path / "plan.jsonl").stat().st_mode) == 0o600


@pytest.mark.parametrize("field", ["body", "to", "product_retailer_id", "closes_at", "kind"])
def test_a_changed_row_is_refused(tmp_path, field):
    """Any change to any row after approval is found at loading."""
    path = make().save(tmp_path / "plan.jsonl")
    header, first, *rest = path.read_text().splitlines()
    changed = json.loads(first) | {field: "2026-11-20T18:00:00+00:00" if field == "closes_at" else "other"}
    path.write_text("\n".join([header, json.dumps(changed), *rest]))
    with pytest.raises(PlanError, match="changed after its approval"):
        Plan.load(path)


@pytest.mark.parametrize("change", [{"holdout": 0.0}, {"approved_by": "someone else"}, {"campaign": "other"}])
def test_a_changed_header_is_refused(tmp_path, change):
    """So is a change of holdout, approver or campaign."""
    path = make().save(tmp_path / "plan.jsonl")
    header, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(header) | change), *rest]))
    with pytest.raises(PlanError, match="changed after its approval"):
        Plan.load(path)


@pytest.mark.parametrize("drop", ["first row", "last row"])
def test_a_missing_row_is_refused(tmp_path, drop):
    """A row that was taken out is missed."""
    path = make().save(tmp_path / "plan.jsonl")
    header, *rest = path.read_text().splitlines()
    path.write_text("\n".join([header, *(rest[1:] if drop == "first row" else rest[:-1])]))
    with pytest.raises(PlanError):
        Plan.load(path)


def test_rows_changed_in_memory_are_refused():
    """A row changed on the loaded object is found by its check."""
    plan = make()
    plan.rows.loc[0, "to"] = "+447700900999"
    with pytest.raises(PlanError, match="changed after its approval"):
        plan.check(shops.AS_OF)


def test_a_plan_expires_with_its_last_window():
    """When the last window has closed there is nothing left to send."""
    with pytest.raises(PlanError, match="expired at 2026-11-21 07:00 UTC"):
        make().check(shops.AS_OF + pd.Timedelta(hours=22))


@pytest.mark.parametrize(
    ("given", "changes", "message"),
    [
        (rows(customer_id="same"), {}, "stands in more than one row"),
        (rows(to=""), {}, "has no address"),
        (rows(closes_at=pd.NaT), {}, "no time at which the window closes"),
        (rows(), {"approved_by": " "}, "approved_by"),
        (rows(), {"campaign": ""}, "campaign"),
        (rows(), {"holdout": 1.5}, "holdout"),
    ],
)
def test_what_cannot_be_a_plan_is_refused(given, changes, message):
    """A doubled customer, a row without address, a plan without approver: each is refused by name."""
    with pytest.raises(PlanError, match=message):
        make(given, **changes)


@pytest.mark.parametrize("text", ["", "not json", "{}", "[1]", '{"plan": 1}'])
def test_another_file_is_no_plan(tmp_path, text):
    """Any other file is refused in one sentence."""
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(PlanError, match="is not a plan"):
        Plan.load(path)


def test_a_missing_plan_is_named(tmp_path):
    """A path without a file says so."""
    with pytest.raises(PlanError, match="there is no plan at"):
        Plan.load(tmp_path / "none.jsonl")


def test_the_repr_shows_no_address():
    """The repr counts and names the approver, never an address."""
    assert shops.NUMBERS["ada"] not in repr(make())
    assert "'autumn'" in repr(make())
