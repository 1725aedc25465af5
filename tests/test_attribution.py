from decimal import Decimal
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from tests.made_campaign import START, campaign, cart, enquiry, events_of, row, rows_of, status
from wa_products.attribution import CARTS, RULES, attribute, lines
from wa_products.errors import DataError
from wa_products.states import VALIDITY, orphans, states, unique_events

RICE, OIL = ("rice-5kg", 2, "12.50"), ("oil-1l", 1, "9.80")
ROWS, EVENTS, _ = campaign(60)
STATES, CARTS_FOUND = states(ROWS, EVENTS), attribute(ROWS, EVENTS)


def one(*events, rows=(), **options):
    """Return the single attributed cart of a campaign that messaged ann, or `rows`, as a named tuple."""
    carts = attribute(rows_of(*(rows or [row("ann")])), events_of(*events), **{"prompt": "24h", **options})
    assert len(carts) == 1
    return next(carts.itertuples())


@pytest.mark.parametrize(
    ("events", "rule"),
    [
        (cart("ann", OIL, after="30D", context_id="wamid.ann"), "exact"),
        (cart("ann", RICE, OIL, after="2h"), "same item"),
        (cart("ann", RICE, after="24h"), "same item"),
        ([enquiry("ann", after="1h"), *cart("ann", OIL, after="2h")], "enquiry-assisted"),
        ([enquiry("ann", after="1h"), *cart("ann", OIL, after="6D")], "enquiry-assisted"),
        ([enquiry("ann", after="3h"), *cart("ann", OIL, after="2h")], "assisted"),
        ([enquiry("ann", "oil-1l", after="1h"), *cart("ann", OIL, after="2h")], "assisted"),
        (cart("ann", OIL, after="2h"), "assisted"),
        (cart("ann", RICE, after="25h"), "late"),
        (cart("ann", RICE, after="7D"), "late"),
        (cart("ann", RICE, after="169h"), "organic"),
        (cart("ann", OIL, after="25h"), "organic"),
        (cart("ann", RICE, after="-1min"), "organic"),
        (cart("zoe", RICE, after="2h"), "forwarded"),
        (cart("zoe", OIL, after="2h"), "organic"),
        (cart("zoe", RICE, after="169h"), "organic"),
    ],
)
def test_each_rule_claims_what_it_says_and_no_more(events, rule):
    """A cart falls to the first rule that fits it, at the very hours where one rule hands over to the next."""
    found = one(*events)
    assert (found.rule, found.confidence) == (rule, RULES[rule])
    assert found.send_id == ("" if rule in {"forwarded", "organic"} else "send-ann")


def test_a_reply_that_quotes_the_message_counts_as_an_enquiry():
    """A customer may ask by answering the message itself, without naming its product."""
    reply = {
        "event_id": "wamid.r",
        "kind": "inbound",
        "at": START + pd.Timedelta("1h"),
        "customer_id": "ann",
        "context_id": "wamid.ann",
    }
    assert one(reply, *cart("ann", OIL, after="3D")).rule == "enquiry-assisted"


def test_the_lag_runs_from_delivery():
    """A phone that was off sees the message when it is delivered: the day of a prompt answer starts there."""
    found = one(status("ann", "sent", "5s"), status("ann", "delivered", "30h"), *cart("ann", RICE, after="31h"))
    assert (found.rule, found.lag) == ("same item", pd.Timedelta("1h"))
    assert one(status("ann", "delivered", "30h"), *cart("ann", RICE, after="29h")).rule == "organic"


@pytest.mark.parametrize("change", [{"outcome": "refused"}, {"outcome": "held out", "arm": "holdout"}])
def test_nobody_answers_a_message_they_never_got(change):
    """A cart of a customer whose message was refused, held out or failed is organic, and never forwarded."""
    assert one(*cart("ann", RICE), rows=[row("ann", wamid="", **change)]).rule == "organic"
    assert one(status("ann", "failed", code=131026), *cart("ann", RICE)).rule == "organic"


def test_the_latest_of_several_messages_wins_and_the_rest_are_counted():
    """With two messages of one product the later one is named, and candidates says there were two."""
    rows = [row("ann"), row("ann", send_id="later", wamid="wamid.later", at=START + pd.Timedelta("1h"))]
    found = one(*cart("ann", RICE), rows=rows)
    assert (found.send_id, found.candidates, found.lag) == ("later", 2, pd.Timedelta("1h"))


def test_a_forwarded_cart_names_the_product_and_how_many_could_have_forwarded_it():
    """The sender of a forwarded product is unknown: the cart names the product alone and counts the candidates."""
    rows = [row("ann"), row("bob"), row("old", at=START - pd.Timedelta("8D")), row("eve", "oil-1l")]
    found = one(*cart("zoe", RICE), rows=rows)
    assert (found.rule, found.product_retailer_id, found.candidates, found.send_id) == ("forwarded", "rice-5kg", 2, "")
    assert found.attributed_value == 2 * Decimal("12.50")


def test_money_is_split_by_line_and_never_mixed():
    """The lines of the product and the rest are worth their exact sums; mixed currencies have no single value."""
    found = one(*cart("ann", RICE, OIL))
    assert (found.currency, found.attributed_value, found.rest_value) == ("GBP", 2 * Decimal("12.50"), Decimal("9.80"))
    mixed = one(*cart("ann", RICE, ("oil-1l", 1, "9.80", "EUR")))
    assert (mixed.currency, mixed.attributed_value, mixed.rest_value) == ("", None, None)
    unpriced = one(*cart("ann", RICE, ("oil-1l", 1, None)))
    assert (unpriced.attributed_value, unpriced.rest_value) == (25, None)


def test_the_price_at_send_stands_beside_the_price_in_the_cart():
    """A price that changed after the message shows; one in another currency is not compared."""
    found = one(*cart("ann", ("rice-5kg", 1, "13.00")))
    assert (found.price_at_send, found.price_in_cart) == (Decimal("12.50"), Decimal("13.00"))
    assert one(*cart("ann", ("rice-5kg", 1, "15.00", "EUR"))).price_in_cart is None


def test_lines_show_each_line_in_its_own_currency():
    """Every line of every cart is there, with its value and whether it is the product of the message."""
    events = events_of(*cart("ann", RICE, ("oil-1l", 3, "9.80", "EUR")))
    found = lines(attribute(rows_of(row("ann")), events), events)
    assert found[["n", "currency", "value", "attributed"]].to_numpy().tolist() == [
        [1, "GBP", Decimal("25.00"), True],
        [2, "EUR", 3 * Decimal("9.80"), False],
    ]


def test_two_carts_of_one_customer_are_two_rows():
    """A message id is one cart, whatever number of lines it has; the second cart of a customer stands by itself."""
    events = events_of(*cart("ann", RICE, OIL), *cart("ann", RICE, after="3h"))
    found = attribute(rows_of(row("ann")), events)
    assert found[["lines", "rule"]].to_numpy().tolist() == [[2, "same item"], [1, "same item"]]


@pytest.mark.parametrize("wrong", ["soon", "0h", "-1D"])
def test_a_lookback_must_be_a_length_of_time(wrong):
    """A look-back that is none is refused with an example of one."""
    with pytest.raises(DataError, match=r"length of time"):
        attribute(rows_of(), events_of(), lookback=wrong)


def test_a_shorter_lookback_never_claims_more():
    """The claims of a look-back of some hours are among those of any longer one."""
    claimed = [set(_claimed(attribute(ROWS, EVENTS, f"{hours}h"))) for hours in (1, 6, 24, 72, 168)]
    assert all(short <= longer for short, longer in pairwise(claimed))
    assert len(claimed[-1]) > len(claimed[0])


def _claimed(carts):
    return carts.loc[~carts["rule"].isin(["organic", "forwarded"]), "message_id"]


def test_empty_frames_give_an_empty_table_of_the_same_shape():
    """No carts and no messages still give all columns, of their kinds."""
    full, none = attribute(ROWS, EVENTS), attribute(rows_of(), events_of())
    assert list(none.columns) == [*CARTS, "lag"]
    assert none.dtypes.to_dict() == full.dtypes.to_dict()


@settings(max_examples=25)
@given(st.randoms(use_true_random=False), st.floats(0, 1))
def test_order_and_repetition_of_webhooks_change_nothing(random, repeated):
    """Any permutation and duplication of events and rows gives the same states and the same attribution."""
    places = list(range(len(EVENTS)))
    places += random.sample(places, int(repeated * len(places)))
    random.shuffle(places)
    shuffled = random.sample(range(len(ROWS)), len(ROWS))
    events, rows = EVENTS.iloc[places].reset_index(drop=True), ROWS.iloc[shuffled]
    assert_frame_equal(attribute(rows, events), CARTS_FOUND)
    assert_frame_equal(states(rows, events).sort_index(), STATES)


@given(st.permutations(range(4)))
def test_one_event_told_in_two_ways_is_settled_alike(order):
    """Events that share an id but differ are settled the same way, whichever came first."""
    told = [
        status("ann", "failed", f"{minute}min", code=code) for minute, code in [(3, 1), (1, 131026), (1, 2), (5, 4)]
    ]
    found = unique_events(events_of(*(told[place] for place in order)), ["status"])
    assert found[["code"]].to_numpy().tolist() == [[2]]


@pytest.mark.parametrize(
    ("events", "state", "anomaly"),
    [
        ([], "accepted", ""),
        ([status("ann", "sent")], "sent", ""),
        ([status("ann", "delivered", "9s"), status("ann", "sent", "10s")], "delivered", ""),
        ([status("ann", "read")], "read", ""),
        ([status("ann", "failed", code=131026)], "failed", ""),
        ([status("ann", "read"), status("ann", "failed")], "read", "both failed and delivered"),
        ([status("ann", "deleted")], "accepted", ""),
    ],
)
def test_a_state_is_the_furthest_point(events, state, anomaly):
    """Late and odd statuses never move a message back, and a contradiction is named."""
    found = states(rows_of(row("ann")), events_of(*events)).iloc[0]
    assert (found["state"], found["anomaly"]) == (state, anomaly)


def test_read_implies_delivered_and_the_first_time_stays():
    """Where only read came, it is also the time of delivery; of two reads the first counts."""
    told = [status("ann", "read", "9min"), {**status("ann", "read", "5min"), "event_id": "again"}]
    found = states(rows_of(row("ann")), events_of(*told)).iloc[0]
    assert found["sent_at"] == found["delivered_at"] == found["read_at"] == START + pd.Timedelta("5min")


def test_an_echoed_send_id_settles_what_was_unknown():
    """A status that echoes the send id shows that the lost request was accepted, and under which wamid."""
    rows = rows_of(row("ann", outcome="unknown", wamid=""), row("bob", outcome="unknown", wamid=""))
    found = states(rows, events_of(status("ann", "delivered", send_id="send-ann")))
    assert found[["accepted", "state", "wamid"]].to_numpy().tolist() == [
        [True, "delivered", "wamid.ann"],
        [False, "unknown", ""],
    ]


def test_a_status_of_somebody_held_out_is_an_anomaly():
    """A holdout who was messaged all the same shows, and stays in the arm that was drawn."""
    rows = rows_of(row("ann", outcome="held out", arm="holdout", wamid=""))
    found = states(rows, events_of(status("ann", "sent", send_id="send-ann"))).iloc[0]
    assert (found["arm"], found["anomaly"]) == ("holdout", "status of a message not accepted")


def test_silence_past_the_validity_is_the_end():
    """After 30 days without delivery a message is expired; a moment before, or once delivered, it is not."""
    rows, sent = rows_of(row("ann")), events_of(status("ann", "sent"))
    after = START + VALIDITY + pd.Timedelta("1s")
    assert states(rows, sent, after)["state"].item() == "expired"
    assert states(rows, sent, START + VALIDITY)["state"].item() == "sent"
    assert states(rows, events_of(status("ann", "delivered")), after)["state"].item() == "delivered"


def test_messages_of_others_are_counted_apart():
    """Statuses of messages that this campaign did not send change no row and are counted as orphans."""
    rows, told = rows_of(row("ann")), events_of(status("zoe", "sent"), status("zoe", "read"), status("ann", "sent"))
    assert orphans(rows, told) == 1
    assert states(rows, told)["state"].tolist() == ["sent"]


def test_what_was_given_is_not_changed():
    """Rows and events are the same after attribution as before."""
    rows, events = ROWS.copy(), EVENTS.copy()
    attribute(rows, events)
    assert_frame_equal(rows, ROWS)
    assert_frame_equal(events, EVENTS)
