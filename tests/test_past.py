"""What a shop remembers of a ledger: all of late, and of what is older whatever still counts, at any age."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wa_products as wa
from tests.campaign import NOW, phone, plan, says, status
from tests.postgres import ledger_url, postgres  # noqa: F401  # fixtures
from tests.webhook_log import USER, body, cart, changed, said, stamp
from wa_products import events, windows
from wa_products.datasets import REMEMBERED
from wa_products.identities import customer_id
from wa_products.ledger import Ledger, reading, sending

OLD, SINCE = "-700D", NOW - REMEMBERED
WISHES = st.sampled_from(sorted(windows.STOP_WORDS | windows.START_WORDS))
AROUND = st.text(" .!\n\t?x", max_size=3)


def numberless(n, after):
    """Return the change of a message that tells a user id and no number."""
    user = USER.format(n=n)
    entry = {"from_user_id": user, "id": f"wamid.user.{n}.{after}", "timestamp": stamp(after), "type": "text"}
    return changed({"contacts": [{"user_id": user}], "messages": [{**entry, "text": {"body": "hello"}}]})


def stop_by_preference(n, after):
    """Return the change of a customer's preference for no more marketing."""
    told = {"wa_id": phone(n), "category": "marketing_messages", "value": "stop", "timestamp": int(stamp(after))}
    return changed({"user_preferences": [told]}, "user_preferences")


LOG = [
    said(0, after=OLD, text={"body": "  Stop!"}),
    stop_by_preference(1, OLD),
    said(2, after=OLD, text={"body": "BAJA"}),
    said(2, after="-500D", text={"body": "start"}),
    said(3, "system", OLD, system={"type": "user_changed_number", "wa_id": phone(903)}),
    said(3, after="-701D", text={"body": "stop"}),
    cart(4, OLD),
    said(5, after=OLD, text={"body": "do you have a shop in town?"}),
    said(6, after=OLD, text={"body": "hello"}),
    said(7, after=OLD, text={"body": "hello"}),
    *(said(n, after="-1h", text={"body": "good morning"}, shape="2025") for n in (0, 1, 2, 903, 4, 7)),
    numberless(6, "-2h"),
]


@pytest.fixture
def ledger(ledger_url):  # noqa: F811  # the fixture
    """Return a ledger that heard things long ago and lately, on SQLite and on PostgreSQL."""
    with Ledger(ledger_url) as made:
        made.store([body(LOG)])
        yield made


def test_how_everybody_stands_is_known_at_any_age(ledger):
    """Of who wrote lately the thread is what it is by all that they ever said: opt-out, number, window."""
    shop = wa.load(as_of=NOW, ledger=ledger)
    every = windows.threads(events.inbound(ledger.answers()), NOW)
    recent = every["last_inbound_at"] >= SINCE
    known = shop.threads["last_inbound_at"] >= SINCE
    pd.testing.assert_frame_equal(shop.threads[known].reset_index(drop=True), every[recent].reset_index(drop=True))
    told = shop.threads.set_index("to")["opted_out"]
    assert {n: bool(told[f"+{phone(n)}"]) for n in (0, 1, 2, 903, 4, 6, 7)} == {
        **dict.fromkeys((0, 1, 903), True),
        **dict.fromkeys((2, 4, 6, 7), False),
    }


def test_old_messages_that_say_nothing_of_it_are_left_out_and_carts_are_not(ledger):
    """Of what was said before the last 400 days only wishes, changes and carts are there; orders are all there are."""
    shop, every = wa.load(as_of=NOW, ledger=ledger), ledger.answers()
    old = shop.inbound[shop.inbound["received_at"] < SINCE]
    assert sorted(old["kind"] + " " + old["text"].str.strip()) == [
        "order ",
        "preference stop",
        "system ",
        "text BAJA",
        "text Stop!",
        "text hello",  # of who has written without a number since
        "text start",
        "text stop",
    ]
    assert len(shop.orders) == len(events.orders(every)) == 2
    assert f"+{phone(5)}" not in set(shop.threads["to"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(AROUND, WISHES, AROUND, st.sampled_from([str.upper, str.lower, str.title])), max_size=6))
def test_every_wish_is_found_and_nothing_else(texts):
    """However it is written, an old text is kept if and only if it asks for no more messages or for messages again."""
    written = [change(before + word + after) for before, word, after, change in texts]
    written += ["\ufb06op", "ARR\u00caT", "stop it", "ok", "", "stops", "unsubscribed", "\u0130stop"]
    with Ledger("sqlite://") as ledger:
        ledger.store(says(n, text, NOW + pd.Timedelta(OLD)) for n, text in enumerate(written))
        kept = ledger.remembered(SINCE)["text"].tolist()
    assert sorted(kept) == sorted(text for text in written if windows.wish("text", text))
    assert "\ufb06op" in kept


def test_some_customers_are_told_of_by_the_ids_given(ledger):
    """Whatever ids a customer has, what is asked for by one of them comes under that one, and nothing of others."""
    user, moved, stranger = (customer_id("user", USER.format(n=3)), customer_id("phone", phone(903)), "nobody")
    for ids, expected in (([user, stranger], user), ([moved, user], moved)):
        found = ledger.answers(customers=ids)
        assert found["customer_id"].tolist() == [expected] * 3
        assert found["text"].tolist() == ["stop", "", "good morning"]
        pd.testing.assert_frame_equal(ledger.remembered(SINCE, ids), found)
    assert ledger.remembered(SINCE, [customer_id("phone", phone(5)), stranger]).empty
    assert ledger.answers(NOW - pd.Timedelta("2h"), customers=[user])["text"].tolist() == ["good morning"]
    assert ledger.answers(customers=[]).empty


def sent(ledger):
    """Send two campaigns of today and one of long ago; return the send ids of customer 7, the last of them read."""
    sends = {}
    for name, now in (("long ago", NOW - pd.Timedelta("90D")), ("one", NOW), ("two", NOW)):
        made = plan(8, campaign=name, now=now)
        ledger.register(made, now)
        claims = ledger.claim(made, sending.plan_rows(made), now=now, owner="o")
        ledger.record(name, [sending.Result(each, "accepted", now, wamid=f"w{each.send_id}") for each in claims])
        sends[name] = {each.row["to"]: each.send_id for each in claims}[f"+{phone(7)}"]
    ledger.store([status(sends["two"], "read", wamid=f"w{sends['two']}")])
    return sends


def test_what_customers_were_sent_comes_by_the_ids_given(ledger):
    """The messages to them, in any campaign of late, with their receipts, one row a send."""
    sends, user = sent(ledger), customer_id("user", USER.format(n=7))
    found = ledger.sent_to([user, "nobody"], NOW - pd.Timedelta("30D"))
    assert found["customer_id"].tolist() == [user] * 2
    assert found.set_index("send_id")["read_at"].notna().to_dict() == {sends["one"]: False, sends["two"]: True}
    assert ledger.sent_to(["nobody"], NOW).empty


@pytest.mark.slow
def test_much_is_read_as_little_is(ledger, monkeypatch):
    """What is read in bulk, past the ledger's own connection, is what is read row by row."""
    sent(ledger)
    users = [customer_id("user", USER.format(n=n)) for n in (7, 6, 3)]

    def told():
        return [ledger.remembered(SINCE), ledger.remembered(SINCE, users), ledger.sent_to(users, NOW)]

    before = told()
    monkeypatch.setattr(reading, "LARGE", 0)
    for found, expected in zip(told(), before, strict=True):
        assert len(found)
        pd.testing.assert_frame_equal(found, expected)
