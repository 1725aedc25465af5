"""What holds at the moment of sending is approved with the plan and cannot be loosened after."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import campaign, shops
from wa_products.errors import DataError, PlanError
from wa_products.limits import Limits
from wa_products.plans import Plan
from wa_products.selection import Policy, select
from wa_products.widgets import review

NIGHT = Limits(rest_days=7, max_sends=100, quiet_hours=("21:00", "08:00"), timezone="Europe/London")


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        ("2026-11-22 20:59Z", False),
        ("2026-11-22 21:00Z", True),
        ("2026-11-23 07:59Z", True),
        ("2026-11-23 08:00Z", False),
        ("2026-07-01 20:30Z", True),  # 21:30 in summer time
        ("2026-07-01 07:30Z", False),
    ],
)
def test_quiet_hours_go_by_the_shops_clock(at, quiet):
    """Quiet hours run over midnight, begin with their first minute, end before their last, and know summer time."""
    assert NIGHT.is_quiet(pd.Timestamp(at)) == quiet


def test_quiet_hours_within_a_day():
    """Quiet hours may lie within one day; without any no hour is quiet."""
    noon = Limits(quiet_hours=("12:00", "13:30"))
    assert [noon.is_quiet(pd.Timestamp(f"2026-11-22 {hour}Z")) for hour in ("11:59", "13:29", "13:30")] == [
        False, True, False,
    ]  # fmt: skip
    assert not Limits().is_quiet(pd.Timestamp("2026-11-22 03:00Z"))


@given(st.tuples(st.times(), st.times()).filter(lambda pair: f"{pair[0]:%H:%M}" != f"{pair[1]:%H:%M}"), st.times())
def test_the_other_hours_are_the_rest(pair, at):
    """Any minute is quiet either from one hour to another or from the other to the one, never both."""
    begin, end = (f"{one:%H:%M}" for one in pair)
    moment = pd.Timestamp(f"2026-11-22 {at:%H:%M}Z")
    one, other = Limits(quiet_hours=(begin, end)), Limits(quiet_hours=(end, begin))
    assert one.is_quiet(moment) != other.is_quiet(moment)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"rest_days": -1}, "rest_days"),
        ({"rest_days": float("nan")}, "rest_days"),
        ({"max_sends": -1}, "max_sends"),
        ({"quiet_hours": ("21:00",)}, "quiet hours"),
        ({"quiet_hours": ("9 pm", "08:00")}, "quiet hours"),
        ({"quiet_hours": ("25:00", "08:00")}, "quiet hours"),
        ({"quiet_hours": ("08:00", "08:00")}, "quiet hours"),
        ({"timezone": "Nowhere/Town"}, "Nowhere/Town"),
        ({"timezone": ""}, "time zone"),
    ],
)
def test_what_cannot_be_meant(wrong, named):
    """A negative number, hours that are none, and a zone that does not exist are refused by name."""
    with pytest.raises(DataError, match=named):
        Limits(**wrong)
    if "quiet_hours" in wrong:
        with pytest.raises(DataError, match=named):
            Policy(**wrong)


def test_limits_come_back_from_a_plan_file(tmp_path):
    """A saved plan has its limits when loaded; a file from before there were limits still loads and has none."""
    for limits in (NIGHT, Limits(quiet_hours=("12:00", "13:00"))):
        made = campaign.plan(2, limits=limits)
        assert Plan.load(made.save(tmp_path / "plan.jsonl")).limits == limits
    old = campaign.plan(2)
    path = old.save(tmp_path / "old.jsonl")
    assert "limits" not in json.loads(path.read_text().splitlines()[0])
    assert Plan.load(path).limits == Limits()


def test_limits_cannot_be_loosened(tmp_path):
    """A plan file whose limits were changed, taken out or added is refused."""
    for before, after in ((NIGHT, {"rest_days": 0.0}), (NIGHT, None), (Limits(), NIGHT.to_dict())):
        path = campaign.plan(2, limits=before).save(tmp_path / "plan.jsonl")
        header, *rest = path.read_text().splitlines()
        told = {name: value for name, value in json.loads(header).items() if name != "limits"}
        path.write_text("\n".join([json.dumps(told if after is None else {**told, "limits": after}), *rest]))
        with pytest.raises(PlanError, match="changed after its approval"):
            Plan.load(path)


def test_the_policy_reaches_the_plan():
    """What the policy of `select` limits stands in the plan of its review, and in what the plan says of itself."""
    data = shops.shop(timezone="Europe/London")
    policy = Policy(rest_days=3, quiet_hours=("21:00", "08:00"), max_sends=1)
    chosen = select(shops.proposals([("ada", "beans-1kg", 0.4), ("bob", "tea-100", 0.1)]), data, policy)
    reviewed = review(chosen, data)
    reviewed.approve_all()
    made = reviewed.plan(campaign="c", approved_by="me", holdout=0)
    assert made.limits == Limits(
        rest_days=3, max_sends=1, quiet_hours=("21:00", "08:00"), timezone="Europe/London"
    )  # fmt: skip
    assert "quiet hours from 21:00 to 08:00 Europe/London" in repr(made)


def test_rows_that_lost_their_policy():
    """Selected rows that went through a file keep the rest of the default policy."""
    data = shops.shop()
    chosen = select(shops.proposals([("ada", "beans-1kg", 0.4)]), data, Policy(rest_days=1))
    chosen.attrs = {}
    reviewed = review(chosen, data)
    reviewed.approve_all()
    assert reviewed.plan(campaign="c", approved_by="me", holdout=0).limits == Policy().limits()
