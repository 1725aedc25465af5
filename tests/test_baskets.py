"""Carts as shoppers with two devices make them, variants, and the messages of other campaigns."""

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from tests.made_campaign import HEADER, START, cart, enquiry, events_of, row, rows_of, status
from wa_products import metrics
from wa_products.attribution import attribute

RICE, OIL = ("rice-5kg", 2, "12.50"), ("oil-1l", 1, "9.80")
END = START + pd.Timedelta("8D")


def attributed(*events, rows=(), **options):
    """Return the carts of a campaign that messaged ann, or `rows`, in the order of time."""
    return attribute(rows_of(*(rows or [row("ann")])), events_of(*events), **options)


def results(rows, *events, others=None, **options):
    """Return the results of a hand-made campaign."""
    header = {**HEADER, "waterfall": []}
    return metrics.results(rows_of(*rows), events_of(*events), header, END, others=others, **options)


def test_a_purchase_split_between_two_devices_is_one_basket():
    """The product in one cart and the rest in another minutes later answer the message together."""
    found = attributed(*cart("ann", RICE, after="2h"), *cart("ann", OIL, after="128min"))
    assert found["rule"].tolist() == ["same item", "same item"]
    assert found["basket_id"].iloc[0] == found["basket_id"].iloc[1]
    assert found["attributed_value"].tolist() == [Decimal("25.00"), Decimal(0)]
    assert found["rest_value"].tolist() == [Decimal(0), Decimal("9.80")]


@pytest.mark.parametrize(("minutes", "baskets"), [(10, 1), (11, 2)])
def test_carts_belong_together_for_ten_minutes(minutes, baskets):
    """Ten minutes after the last cart another still belongs to the basket, eleven minutes after no more."""
    found = attributed(*cart("ann", RICE, after="2h"), *cart("ann", OIL, after=f"{120 + minutes}min"))
    assert found["basket_id"].nunique() == baskets
    assert found["rule"].tolist() == ["same item", "same item" if baskets == 1 else "assisted"]


def test_a_cart_sent_twice_is_marked_and_its_money_counts_once():
    """The same lines again within minutes, in any order, repeat the cart; others do not, nor those of someone else."""
    found = results(
        [row("ann"), row("bob")],
        *cart("ann", RICE, OIL, after="2h"),
        *cart("ann", OIL, RICE, after="124min"),
        *cart("bob", RICE, OIL, after="125min"),
    )
    assert found.carts["repeats"].tolist() == [False, True, False]
    money = found.money.set_index("rule").loc["same item"]
    assert (money["carts"], money["attributed_value"], money["rest_value"]) == (
        2,
        4 * Decimal("12.50"),
        2 * Decimal("9.80"),
    )
    assert money["repeated_value"] == Decimal("34.80")


def test_what_was_in_the_basket_before_the_message_is_no_answer():
    """A product that was put into the basket before the message came does not make the later cart an answer."""
    found = attributed(*cart("ann", RICE, after="-2min"), *cart("ann", OIL, after="5min"))
    assert found["rule"].tolist() == ["organic", "assisted"]


def test_people_of_whom_nothing_is_known_share_no_basket():
    """Carts without a customer id stand each by itself."""
    found = attributed(*cart("", RICE, after="2h", name="1"), *cart("", RICE, after="121min", name="2"))
    assert found["basket_id"].nunique() == 2
    assert not found["repeats"].any()


def test_a_variant_of_the_product_counts_as_the_product():
    """With the catalog's groups another size is the same item, marked as a variant, and its line is attributed."""
    told = cart("ann", ("rice-1kg", 1, "3.00"), OIL)
    groups = {"rice-5kg": "rice", "rice-1kg": "rice", "oil-1l": "", "tea": ""}
    plain, known = attributed(*told).iloc[0], attributed(*told, groups=groups).iloc[0]
    assert (plain["rule"], known["rule"], known["variant"]) == ("assisted", "same item", True)
    assert (known["attributed_value"], known["rest_value"]) == (Decimal("3.00"), Decimal("9.80"))
    assert not attributed(*cart("ann", RICE), groups=groups)["variant"].item()


def test_products_without_a_group_are_no_variants_of_each_other():
    """An empty item_group_id joins nothing."""
    assert attributed(*cart("ann", OIL), groups={"rice-5kg": "", "oil-1l": ""})["rule"].item() == "assisted"


def other(customer="ann", after="1h", **changes):
    """Return one row of another campaign."""
    at = START + pd.Timedelta(after)
    made = {"campaign": "other", "send_id": f"other-{customer}", "wamid": f"wamid.other.{customer}", "at": at}
    return row(customer, **{**made, **changes})


def test_a_cart_that_a_later_message_of_another_campaign_explains_is_not_ours():
    """Two campaigns never both claim one cart: the surest rule wins, of equals the later message."""
    told = cart("ann", RICE, after="2h")
    assert results([row("ann")], *told).count("cart") == 1
    found = results([row("ann")], *told, others=rows_of(other()))
    assert found.carts["rule"].item() == "other campaign"
    assert found.count("cart") == 0
    assert results([row("ann")], *told, others=rows_of(other(product="oil-1l"))).carts["rule"].item() == "same item"
    assert results([row("ann")], *told, others=rows_of(other(after="3h"))).carts["rule"].item() == "same item"


def test_the_nth_message_counts_those_of_other_campaigns_within_30_days():
    """Messages that a customer had got within 30 days count, whichever campaign sent them; later ones do not."""
    before = [other(after=after, send_id=after, wamid=after) for after in ("-29D", "-2D", "-31D", "1h")]
    found = results([row("ann"), row("bob")], others=rows_of(*before))
    assert found.sends.set_index("customer_id")["nth"].to_dict() == {"ann": 3, "bob": 1}


def test_messages_of_other_campaigns_are_no_orphans():
    """Statuses of a campaign that the ledger knows are not those of a stranger's tool."""
    told = status("ann", "sent", wamid="wamid.other.ann", event_id="o")
    assert results([row("ann")], told).orphans == 1
    assert results([row("ann")], told, others=rows_of(other())).orphans == 0


def test_a_stop_after_the_message_is_its_opt_out():
    """A preference or the word STOP after the message counts, one before it and other words do not."""
    at = START + pd.Timedelta("1h")
    said = {"kind": "preference", "text": "stop", "at": at}
    told = [{"event_id": f"p{n}", "customer_id": who, **said, **change} for n, (who, change) in enumerate([
        ("ann", {}), ("bob", {"kind": "inbound", "text": "Stop."}), ("eve", {"at": START - pd.Timedelta("1h")}),
        ("joe", {"kind": "inbound", "text": "stop by tomorrow"}),
    ])]  # fmt: skip
    found = results([row(name) for name in ("ann", "bob", "eve", "joe")], *told).sends.set_index("customer_id")
    assert found["opted_out_at"].notna().to_dict() == {"ann": True, "bob": True, "eve": False, "joe": False}


@given(st.permutations(range(7)))
def test_the_order_in_which_webhooks_came_changes_no_basket(order):
    """Baskets, repeats and rules are the same for any order of the events."""
    told = [
        *cart("ann", RICE, OIL, after="2h"), *cart("ann", OIL, RICE, after="125min"),
        *cart("ann", OIL, after="131min"), enquiry("ann"), status("ann", "delivered"),
    ]  # fmt: skip
    assert_frame_equal(attributed(*(told[place] for place in order)), attributed(*told))
