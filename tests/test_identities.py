"""One customer, many aliases, joined on evidence only."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wa_products import frames, identities

AT = frames.DTYPES["time"]


def seen(*pairs):
    """Return first-seen times for ids."""
    return pd.Series({name: pd.Timestamp(day, tz="UTC") for name, day in pairs})


def orders(*phones):
    """Return orders of these phones."""
    return frames.conform(pd.DataFrame({"phone": phones}, dtype="str"), frames.ORDERS, "orders")


def inbound(**columns):
    """Return inbound rows with these columns."""
    return frames.conform(pd.DataFrame(columns), frames.INBOUND, "inbound")


def test_an_empty_alias_is_nobody():
    """No alias, no customer id."""
    assert identities.customer_id("phone", "") == ""


def test_the_id_hides_the_number():
    """A customer id shows no digit run of the phone it came from."""
    assert "7700900123" not in identities.customer_id("phone", "447700900123")


def test_linked_ids_become_the_first_seen():
    """A chain of links is one customer, under the id that was seen first, whatever the order of the rows."""
    links = pd.DataFrame({"left": ["a", "b"], "right": ["b", "c"]})
    first = seen(("a", "2026-03-01"), ("b", "2026-01-01"), ("c", "2026-02-01"))
    for table in (links, links.iloc[::-1]):
        assert identities.canonical(table, first).sort_index().tolist() == ["b", "b", "b"]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), min_size=1),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 3)),
)
def test_every_id_gets_the_first_seen_of_those_it_is_linked_with(links, days):
    """However ids are linked, each has the first seen of all that lead to it, the smaller id where that is open."""
    linked = {one: {one} for one in "abcdef"}
    for one, two in links:
        both = linked[one] | linked[two]
        linked |= dict.fromkeys(both, both)
    first = pd.Series({one: pd.Timestamp(f"2026-01-0{day}", tz="UTC") for one, day in days.items()}, dtype=AT)
    found = identities.canonical(pd.DataFrame(links, columns=["left", "right"]), first)
    expected = {one: min(linked[one], key=lambda each: (days.get(each, 9), each)) for pair in links for one in pair}
    assert found.to_dict() == expected


def test_no_links_change_nothing():
    """Without links there is nothing to rewrite."""
    assert identities.canonical(pd.DataFrame({"left": [], "right": []}), seen()).empty


@pytest.mark.parametrize(("phone", "wa_id"), [("+5511987650000", "551187650000"), ("+525550000000", "5215550000000")])
def test_national_prefixes_join_one_phone_to_one_wa_id(phone, wa_id):
    """Brazil's ninth digit and Mexico's 1 do not part a customer from their own thread."""
    found, apart = identities.links(orders(phone), inbound(wa_id=[wa_id]))
    assert found["rule"].tolist() == ["match key"]
    assert apart.empty


def test_two_phones_with_one_match_key_stay_apart():
    """Two customers whose numbers share a match key are reported, never merged."""
    found, apart = identities.links(orders("+5491150000000", "+541150000000"), inbound(wa_id=["5491150000000"]))
    assert found.empty
    assert apart.empty
    found, apart = identities.links(orders("+541150000000"), inbound(wa_id=["5491150000000", "541150000001"]))
    assert len(found) == 1
    found, apart = identities.links(orders("+5511987650000"), inbound(wa_id=["551187650000", "5511987650000"]))
    assert found.empty


def test_a_webhook_with_both_ids_links_them():
    """A wa_id and a business-scoped user id in one message are one customer; so are the two sides of a change."""
    found, _ = identities.links(
        orders(),
        inbound(
            wa_id=["447700900001", "447700900002"],
            user_id=["GB.1", ""],
            previous_wa_id=["", "447700900001"],
        ),
    )
    assert sorted(found["rule"]) == ["number changed", "webhook"]
