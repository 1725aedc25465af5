"""The desk without a browser: who waits, what is suggested, what is sent once, and what is refused."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wa_products as wa
from tests.desk_shop import Scene, answer_first, buying, sending, small
from tests.sandbox_shop import HIDDEN, phone, shop
from wa_products import frames
from wa_products.errors import DataError
from wa_products.widgets import Desk

CLOSED, ASKING, OPEN = 2, 6, 0  # inbound rows: every third thread of the small shop is closed


@pytest.fixture(scope="module")
def still():
    """Return the same, for tests that change nothing."""
    return small(ASKING)


@pytest.fixture
def scene():
    """Return a desk at which one customer asked about P3 half an hour ago."""
    return small(ASKING)


def customer(scene, row):
    """Return the customer of an inbound row."""
    return scene.desk._views._shop.data.inbound["customer_id"].iloc[row]


def thread(desk, who):
    """Return a conversation as the browser gets it."""
    (found,) = [m for m in desk.answer({"k": "open", "view": "v", "customer": who}) if m["k"] == "thread"]
    return found


def listed(desk, show="unread", text="", **more):
    """Return the customers that a tab lists."""
    answers = desk.answer({"k": "query", "view": "v", "seq": 1, "show": show, "text": text, **more})
    (answer,) = [m for m in answers if m["k"] == "listed"]
    return [line["customer"] for line in answer["rows"]]


def another_desk(scene):
    """Return the desk of a second agent on the same ledger."""
    return wa.desk(scene.desk._views._shop.data, ledger=scene.ledger, client=scene.client, by="bo")


def heard(scene, who_row, message, after="1min"):
    """Let the ledger hear one message of the customer of an inbound row, as Meta tells it, one minute from now."""
    wa_id = phone(who_row)
    at = str(int((scene.sandbox.now + pd.Timedelta(after)).timestamp()))
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15555550100", "phone_number_id": "100000000000001"},
        "contacts": [{"wa_id": wa_id, "profile": {"name": "Ana"}}],
        "messages": [{"from": wa_id, "id": f"wamid.{at}", "timestamp": at, **message}],
    }
    body = {"object": "whatsapp_business_account"}
    body["entry"] = [{"id": "100000000000002", "changes": [{"field": "messages", "value": value}]}]
    return wa.listen([body], ledger=scene.ledger)


# Who waits


def test_unread_enquiries_come_first_then_the_window_that_closes_soonest(still):
    """Who asked for a product stands before everyone, then who closes first; the closed come last."""
    rows = still.desk.threads
    assert rows["customer_id"].iloc[0] == still.customer
    assert rows["enquiry"].tolist() == [True] + [False] * (len(rows) - 1)
    waiting = rows[rows["unread"] & ~rows["enquiry"]]
    assert waiting["closes_at"].is_monotonic_increasing
    assert rows["is_open"].is_monotonic_decreasing
    assert listed(still.desk)[0] == still.customer
    assert set(listed(still.desk, "closed")) == set(rows.loc[~rows["is_open"], "customer_id"])


def test_threads_are_searched_by_words(still):
    """Every word is found, in what they wrote, in what they asked for, and in their name."""
    assert listed(still.desk, text="STILL available") == [still.customer]
    assert listed(still.desk, text="title p3") == [still.customer]
    assert listed(still.desk, text="no such words") == []


def test_a_name_is_shown_where_it_is_known_and_else_a_hidden_address():
    """The line of the list never has a whole phone number."""
    who = small(ASKING).customer
    named = small(ASKING, names={who: "Ana Bello"}).desk
    assert thread(named, who)["name"] == "Ana Bello"
    assert thread(named, customer(Scene(named, None, None, None), OPEN))["name"].startswith("+1•••")


def test_an_enquiry_that_arrives_is_first_and_its_product_suggested_first(scene):
    """What the ledger hears shows with the next heartbeat, under the id that the exports have for that customer."""
    who = customer(scene, OPEN)
    asked = {"context": {"from": "15555550100", "id": "x", "referred_product": {}}, "text": {"body": "And this?"}}
    asked["context"]["referred_product"] = {"catalog_id": "194830000000001", "product_retailer_id": "P7"}
    heard(scene, OPEN, {"type": "text", **asked})
    scene.sandbox.advance("2min")
    answers = scene.desk.answer({"k": "ping"})
    assert [m["k"] for m in answers] == ["news", "pong"]
    found = thread(scene.desk, who)
    assert (found["asked"], found["offers"][0]["product"], found["offers"][0]["kind"]) == (
        "Title of P7",
        "P7",
        "request",
    )
    assert found["talk"][-1]["text"] == "And this?"
    assert found["talk"][-1]["about"] == "Title of P7"


def test_a_customer_put_aside_comes_back_when_they_write(scene):
    """Done without an answer leaves the list until the next message, or until it is taken back."""
    scene.desk.answer({"k": "done", "view": "v", "customer": scene.customer})
    assert scene.customer not in listed(scene.desk)
    assert scene.customer in listed(scene.desk, "open")
    heard(scene, ASKING, {"type": "text", "text": {"body": "Hello?"}})
    assert scene.customer in listed(scene.desk)
    scene.desk.answer({"k": "done", "view": "v", "customer": scene.customer})
    assert scene.customer not in listed(scene.desk)
    scene.desk.answer({"k": "done", "view": "v", "customer": scene.customer})
    assert scene.customer in listed(scene.desk)


def test_who_was_put_aside_is_so_for_every_agent(scene):
    """Another desk, or one opened again after the kernel died, knows who was put aside, and shows it within seconds."""
    other = another_desk(scene)
    scene.desk.answer({"k": "done", "view": "v", "customer": scene.customer})
    assert [m["k"] for m in other.answer({"k": "ping"})] == ["news", "pong"]
    assert scene.customer not in listed(other)
    assert scene.customer not in listed(another_desk(scene))


def test_who_was_answered_stays_where_they_were(scene):
    """A list that is asked for again with ``stay`` keeps the customer at hand in their place."""
    before = listed(scene.desk)
    answer_first(scene.desk, before[0])
    assert listed(scene.desk, keep=before[0], stay=True)[0] == before[0]
    assert before[0] not in listed(scene.desk)


# What is suggested


def test_three_suggestions_the_request_first(still):
    """At most three products, each once, each sendable, in the order of the kinds, with the texts of the policy."""
    offers = thread(still.desk, still.customer)["offers"]
    assert 1 <= len({offer["product"] for offer in offers}) == len(offers) <= 3
    assert offers[0]["product"] == "P3"
    order = [("request", "reorder", "recommendation").index(offer["kind"]) for offer in offers]
    assert order == sorted(order)
    assert offers[0]["body"] == "You asked about Title of P3. Here it is, with today's price."
    assert all(offer["not"] == "" and offer["why"] for offer in offers)


def test_the_catalog_is_searched_and_what_cannot_be_sent_says_why(still):
    """Every word is found; products that cannot be sent come last and cannot be chosen."""
    (found,) = still.desk.answer({"k": "find", "view": "v", "text": "title p"})
    assert found["products"][0]["not"] == ""
    (hidden,) = still.desk.answer({"k": "find", "view": "v", "text": HIDDEN.lower()})
    (product,) = hidden["products"]
    assert product["not"]
    (refused,) = still.desk.answer(sending(still.customer, product))
    assert refused["k"] == "refused"
    assert product["not"] in refused["why"]
    assert still.ledger.sends().empty


# What is sent


def test_one_click_sends_through_the_ledger_and_a_second_sends_nothing(scene):
    """The message is in the ledger, approved by the agent; the same click again is refused in words."""
    sent, shown, _ = answer_first(scene.desk, scene.customer)
    assert (sent["k"], sent["outcome"]) == ("sent", "accepted")
    assert shown["talk"][-1]["card"]["product"] == "P3"
    assert shown["talk"][-1]["body"].startswith("You asked about")
    (again,) = answer_first(scene.desk, scene.customer)
    assert again["k"] == "refused"
    assert "have not written since" in again["why"]
    sends = scene.ledger.sends()
    assert (len(sends), sends["campaign"].iloc[0]) == (1, "desk 2026-11-20")
    assert scene.ledger.campaigns()["approved_by"].tolist() == ["ana"]
    assert scene.desk.sent["outcome"].tolist() == ["accepted"]
    assert list(scene.desk.sent) == list(frames.OUTCOMES)


def test_another_product_may_follow_on_the_same_day(scene):
    """A campaign has one message a customer, so a second answer is of the day's second."""
    offers = thread(scene.desk, scene.customer)["offers"]
    for offer in offers[:2]:
        scene.desk.answer(sending(scene.customer, offer))
    assert scene.desk.sent["campaign"].tolist() == ["desk 2026-11-20", "desk 2026-11-20 #2"]
    assert scene.desk.sent["outcome"].tolist() == ["accepted", "accepted"]


def test_what_is_previewed_is_what_is_sent(scene, monkeypatch):
    """But for the hidden address and the id of the send, the request shown is the one that is posted."""
    offer, posted = thread(scene.desk, scene.customer)["offers"][0], []
    submit = scene.client.submit
    monkeypatch.setattr(scene.client, "submit", lambda payload: (posted.append(payload), submit(payload))[1])
    written = sending(scene.customer, offer, body="Here it is. ✎", footer="")
    (draft,) = scene.desk.answer(written | {"k": "draft"})
    scene.desk.answer(written)
    hidden = ("to", "recipient", "biz_opaque_callback_data")
    shown, sent = ({k: v for k, v in m.items() if k not in hidden} for m in (json.loads(draft["payload"]), posted[0]))
    assert shown == sent
    assert list(json.loads(draft["payload"])) == list(posted[0])
    assert sent["interactive"]["body"]["text"] == "Here it is. ✎"


def test_two_agents_send_one_message(scene):
    """A second desk on the ledger sees what the first sent, and does not send it again."""
    other = another_desk(scene)
    answer_first(scene.desk, scene.customer)
    assert [m["k"] for m in answer_first(other, scene.customer)] == ["refused"]
    assert len(scene.ledger.sends()) == 1


def test_the_outcome_shows_in_the_thread_as_webhooks_arrive(scene):
    """Taken, then delivered or read, as the sandbox tells."""
    answer_first(scene.desk, scene.customer)
    assert thread(scene.desk, scene.customer)["talk"][-1]["status"] == "taken by WhatsApp"
    scene.sandbox.advance("12h")
    wa.listen(scene.sandbox, ledger=scene.ledger)
    assert scene.desk.refresh()
    (ours,) = [bubble for bubble in thread(scene.desk, scene.customer)["talk"] if bubble["from"] == "shop"]
    assert ours["status"] in ("✓ sent", "✓✓ delivered", "✓✓ read")
    (same,) = [b for b in thread(another_desk(scene), scene.customer)["talk"] if b["from"] == "shop"]
    assert same["status"] == ours["status"]
    assert not scene.desk.refresh()


def test_a_closed_window_says_why_and_nothing_is_sent(still):
    """The thread says when it closed; sending is refused in the same words."""
    who = customer(still, CLOSED)
    why = thread(still.desk, who)["why"]
    assert why.startswith("The customer service window closed ")
    (refused,) = still.desk.answer(sending(who, thread(still.desk, still.customer)["offers"][0]))
    assert why in refused["why"]
    assert still.ledger.sends().empty


def test_a_window_that_closes_meanwhile_is_closed(scene):
    """What was open when the thread was opened is looked at again when it is sent."""
    offer = thread(scene.desk, scene.customer)["offers"][0]
    scene.sandbox.advance("24h")
    (refused,) = scene.desk.answer(sending(scene.customer, offer))
    assert "window closed" in refused["why"]


@pytest.mark.parametrize("wish", ["stop", "suppress"])
def test_who_asked_for_no_more_gets_no_more(scene, wish):
    """STOP, and a suppression in the ledger, close the desk for that customer."""
    if wish == "stop":
        heard(scene, ASKING, {"type": "text", "text": {"body": "STOP"}})
        scene.sandbox.advance("2min")
    else:
        scene.ledger.suppress([scene.customer], "a complaint", scene.sandbox.now)
    found = thread(scene.desk, scene.customer)
    assert ("STOP" if wish == "stop" else "a complaint") in found["why"]
    assert [m["k"] for m in scene.desk.answer(sending(scene.customer, found["offers"][0]))] == ["refused"]
    assert scene.ledger.sends().empty


STOP = {"type": "text", "text": {"body": "Stop."}}


@pytest.mark.parametrize("number", ["the same", 40, 43])
def test_an_opt_out_of_any_age_is_known(scene, number):
    """Who said STOP years ago does not wait and gets nothing, whatever their number is by now, at an open desk too."""
    heard(scene, ASKING, STOP, "-800D")
    if number != "the same":
        moved = {"type": "user_changed_number", "wa_id": phone(number)}
        heard(scene, ASKING, {"type": "system", "system": moved}, "-700D")
        heard(scene, number, {"type": "text", "text": {"body": "And now?"}}, "-1min")
    for desk in (another_desk(scene), scene.desk):
        found = thread(desk, scene.customer)
        row = desk.threads.set_index("customer_id").loc[scene.customer]
        assert (row["is_open"], row["opted_out"], len(desk.threads)) == (True, True, 24)
        assert scene.customer not in listed(desk)
        assert "STOP" in found["why"]
        assert number == "the same" or found["talk"][-1]["text"] == "And now?"
        assert [m["k"] for m in desk.answer(sending(scene.customer, found["offers"][0]))] == ["refused"]
    assert scene.ledger.sends().empty


def test_who_opted_out_long_ago_does_not_wait(scene):
    """A desk knows it when it is opened, before any talk is."""
    heard(scene, ASKING, STOP, "-800D")
    desk = another_desk(scene)
    assert desk.threads.set_index("customer_id").loc[scene.customer, "opted_out"]
    assert scene.customer not in listed(desk)


def test_what_was_said_long_ago_is_there_when_the_talk_is_opened(scene):
    """The list goes by what was said lately; whoever is opened is shown with all that the ledger heard of them."""
    words = {"type": "text", "text": {"body": "Do you ship to the islands?"}}
    for row in (ASKING, CLOSED):
        heard(scene, row, words, "-100D")
        desk = another_desk(scene)
        assert "islands" not in " ".join(desk._views._shop.data.inbound["text"])
        assert thread(desk, customer(scene, row))["talk"][0]["text"] == words["text"]["body"]


@pytest.mark.parametrize("text", ["x" * 1025, "half \ud83d"])
def test_a_text_that_cannot_be_sent_is_refused(still, text):
    """Too long or broken: said in words, and nothing is posted."""
    offer = thread(still.desk, still.customer)["offers"][0]
    (refused,) = still.desk.answer(sending(still.customer, offer, body=text))
    assert refused["why"].startswith("Not sent: the body")
    assert still.ledger.sends().empty


@pytest.mark.slow
def test_an_enquiry_at_the_sandbox_ends_in_a_cart():
    """A shopper asks by themselves, gets what they asked for with one click, and their cart is in the thread."""
    scene = buying()
    found = thread(scene.desk, scene.customer)
    assert found["asked"]
    assert found["asked"] == found["offers"][0]["title"]
    assert answer_first(scene.desk, scene.customer)[0]["outcome"] == "accepted"
    scene.sandbox.advance("20h")
    carts = [bubble["cart"] for bubble in thread(scene.desk, scene.customer)["talk"] if bubble.get("cart")]
    assert carts
    assert all(line["title"] and line["quantity"] and line["price"] for line in carts[-1])


# What the browser may say, and what it gets


@pytest.mark.parametrize(
    "message",
    [
        None,
        {},
        {"k": "sudo"},
        {"k": "open", "view": "v", "customer": "nobody"},
        {"k": "query", "view": "v", "show": "secret", "text": ""},
        {"k": "rows", "view": "never asked", "from": 0},
        {"k": "send", "view": "v", "customer": "nobody", "product": "P3", "kind": "request", "body": "", "footer": ""},
        {
            "k": "draft",
            "view": "v",
            "customer": "nobody",
            "product": "none",
            "kind": "request",
            "body": "",
            "footer": "",
        },
    ],
)
def test_what_the_browser_may_not_say_is_refused(still, message):
    """Unknown customers, products, views and commands change nothing and are answered in words."""
    (answer,) = still.desk.answer(message)
    assert answer["k"] == "refused"
    assert answer["why"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
)
COMMANDS = st.sampled_from(["query", "rows", "open", "picture", "find", "draft", "send", "done", "ping"])
KEYS = st.sampled_from(
    ["view", "show", "text", "keep", "stay", "from", "customer", "product", "kind", "body", "footer"]
)
ONE = small(ASKING)


@given(COMMANDS, st.dictionaries(KEYS, JSON | st.sampled_from([ONE.customer, "P3", "unread", "request"])))
def test_no_message_of_the_browser_breaks_the_desk(command, content):
    """Whatever arrives is answered, and the answer is strict JSON."""
    for answer in ONE.desk.answer({"k": command, **content}):
        json.dumps(answer, allow_nan=False)


def test_no_phone_number_reaches_the_browser_or_the_notebook(scene):
    """Threads, conversations, requests, state and fallback hide the address."""
    told = [thread(scene.desk, who) for who in listed(scene.desk)]
    offer = told[0]["offers"][0]
    told += scene.desk.answer(sending(scene.customer, offer) | {"k": "draft"}) + answer_first(
        scene.desk, scene.customer
    )
    everything = json.dumps([told, scene.desk.get_state(), scene.desk._repr_mimebundle_()], default=str)
    assert "5550100" not in everything
    assert phone(ASKING) not in everything
    state = {k: v for k, v in scene.desk.get_state().items() if k not in {"_esm", "_css"}}
    assert not any(word in json.dumps(state, default=str) for word in ("Title", "hello", scene.customer))


def test_the_fallback_is_a_table_in_which_nothing_runs():
    """Where widgets do not render there is an escaped table, and the repr counts."""
    data = shop(6)
    hostile = data.inbound.assign(text="<script>alert(1)</script>")
    object.__setattr__(data, "inbound", hostile)
    sandbox = wa.Sandbox(data)
    desk = wa.desk(data, ledger=wa.Ledger("sqlite://"), client=sandbox.client())
    bundle, _ = desk._repr_mimebundle_()
    assert "<script>" not in bundle["text/html"]
    assert "&lt;script&gt;" in bundle["text/html"]
    assert bundle["text/plain"] == repr(desk) == "<Desk of 4 open threads: 4 to answer, 0 ask for a product>"


def test_a_desk_without_threads_is_a_desk():
    """Nobody wrote, no trouble."""
    data = shop(3)
    object.__setattr__(data, "inbound", data.inbound.iloc[:0])
    desk = wa.desk(data, ledger=wa.Ledger("sqlite://"), client=wa.Sandbox(shop(3)).client())
    assert listed(desk) == []
    assert isinstance(desk, Desk)
    assert isinstance(desk.sent, pd.DataFrame)


def test_a_shop_without_a_catalog_id_is_refused():
    """Nothing could be sent, and it is said at the door."""
    data = shop(3)
    object.__setattr__(data, "catalog_id", "")
    with pytest.raises(DataError, match="catalog_id"):
        wa.desk(data, ledger=wa.Ledger("sqlite://"), client=wa.Sandbox(shop(3)).client())
