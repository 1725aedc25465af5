"""What the shoppers are and do: needs with a rhythm, patience, two devices, late carts, friends, and orders to them."""

import json
from dataclasses import replace

import httpx
import numpy as np
import pandas as pd
import pytest

import wa_products as wa
from tests.sandbox_calls import MESSAGES, failed, message, open_thread, plain_http, told
from tests.sandbox_shop import AS_OF, CATALOG_ID, phone, shop
from wa_products.errors import DataError
from wa_products.payloads import single_product
from wa_products.sandbox import Sandbox, reactions, shoppers

DATA = shop()
WHO = DATA.threads.loc[DATA.threads["to"] == f"+{phone(0)}", "customer_id"].iloc[0]


@pytest.fixture(scope="module")
def crowd():
    """Return a shop of many customers, nobody's thread closed."""
    return shop(2000)


def campaign(data, sandbox, product="P1"):
    """Send everybody with an open thread the same product."""
    with sandbox.client() as client:
        for thread in data.threads[data.threads["is_open"]].itertuples():
            address = {"to": thread.to or None, "recipient": thread.recipient or None}
            client.send(single_product(**address, catalog_id=CATALOG_ID, product_retailer_id=product))
    return sandbox


def rows(people, n, **columns):
    """Return `n` messages to each of these people, as `react` takes them."""
    made = pd.DataFrame({"customer_id": np.repeat(people.index, n), "number": np.tile(range(n), len(people))})
    return made.assign(**{"recent": 0, "day": 0.0, "product_retailer_id": "P1", **columns})


def test_needs_have_a_rhythm(crowd):
    """Each customer's true period is that of their orders, and their own carts come around the days it is due."""
    sandbox = Sandbox(crowd)
    people = sandbox.people.set_index("customer_id")
    orders = crowd.purchases.sort_values("ordered_at").groupby("customer_id")["ordered_at"]
    gaps = orders.agg(lambda times: times.diff().mean() / pd.Timedelta(days=1))
    assert people["period"].to_numpy() == pytest.approx(gaps.reindex(people.index).to_numpy())
    found = told(sandbox.advance("60D")).query("kind == 'cart'").drop_duplicates(["customer_id", "at"])
    who = people.loc[found["customer_id"]]
    days = (found["at"] - AS_OF) / pd.Timedelta(days=1)
    due = shoppers.is_due(who["period"].to_numpy(), who["age"].to_numpy() + days.to_numpy())
    share = 2 * shoppers.DUE_AROUND  # of all days
    assert due.mean() > share + 0.1


def test_a_due_need_is_what_is_bought(crowd):
    """A customer's own cart on a due day mostly holds what they need again and again; on others less often."""
    sandbox = Sandbox(crowd)
    people = sandbox.people.set_index("customer_id")
    found = told(sandbox.advance("30D")).query("kind == 'cart'")
    holds = found.assign(
        own=found["product_retailer_id"].to_numpy() == people["favourite"][found["customer_id"]].to_numpy()
    )
    holds = holds.groupby(["customer_id", "at"], as_index=False)["own"].any()
    who = people.loc[holds["customer_id"]]
    day = np.floor((holds["at"] - AS_OF) / pd.Timedelta(days=1)).to_numpy()
    due = shoppers.is_due(who["period"].to_numpy(), who["age"].to_numpy() + day + 0.5)
    assert holds["own"][due].mean() > 0.85
    assert holds["own"][~due].mean() < holds["own"][due].mean() - 0.2


def test_patience_wears_off(crowd):
    """Each further message within a week moves fewer customers and makes more say STOP; the impatient most of all."""
    sandbox = Sandbox(crowd)
    people, tastes = sandbox._world.people, sandbox._world.tastes
    first, fifth = (reactions.react(rows(people, 4, recent=n), people, tastes) for n in (0, 4))
    assert fifth["cart"].notna().mean() < 0.5 * first["cart"].notna().mean()
    assert fifth["stops"].notna().mean() > 2 * first["stops"].notna().mean() > 0
    patient = people["patience"][fifth["customer_id"]].to_numpy() > people["patience"].median()
    assert fifth["adds"][patient].mean() > 2 * fifth["adds"][~patient].mean()


def test_only_the_last_week_tires(crowd):
    """Messages count towards patience for seven days, texts never."""
    sandbox = Sandbox(crowd)
    text = {"messaging_product": "whatsapp", "to": f"+{phone(0)}", "type": "text", "text": {"body": "Hello"}}
    http = plain_http(sandbox)
    for payload, pause in ((message(), "1D"), (text, "1D"), (message(), "6D"), (message(), "8D"), (message(), "0D")):
        http.post(MESSAGES, json=payload)
        sandbox.advance(pause)
    assert [m.recent for m in sandbox._world.desk.messages if m.product_retailer_id] == [0, 1, 1, 0]


def test_readers_have_habits(crowd):
    """Who reads little, or late, does so with every message."""
    sandbox = Sandbox(crowd)
    people, tastes = sandbox._world.people, sandbox._world.tastes
    found = reactions.react(rows(people, 20), people, tastes).assign(delay=lambda r: r["read"] - r["delivered"])
    per_person = found.groupby("customer_id").agg(reads=("read", "count"), delay=("delay", "median"))
    assert np.corrcoef(per_person["reads"], people["reads"].reindex(per_person.index))[0, 1] > 0.5
    assert np.corrcoef(np.log(per_person["delay"]), np.log(people["reads_after"][per_person.index]))[0, 1] > 0.5


def test_some_carts_come_late(crowd):
    """About one cart in ten that a message brings comes days later, and some after the horizon of three days."""
    sandbox = Sandbox(crowd)
    people, tastes = sandbox._world.people, sandbox._world.tastes
    carts = reactions.react(rows(people, 20), people, tastes)["cart"].dropna()
    later = (carts > shoppers.DAY).mean()
    assert 0.05 < later < 0.15
    within = {days: (carts < days * shoppers.DAY).mean() for days in (2, 3, 7)}
    for days, share in within.items():
        assert share == pytest.approx(reactions.in_time(pd.Timedelta(days=days)), abs=0.02)


def test_two_devices(crowd):
    """Some customers send a second cart within the hour, from another device, with lines of its own; others never."""
    sandbox = Sandbox(crowd)
    found = told(sandbox.advance("30D")).query("kind == 'cart'")
    carts = found.drop_duplicates(["customer_id", "at"]).sort_values("at")
    gap = carts.groupby("customer_id")["at"].diff()
    twice = set(carts.loc[gap <= pd.Timedelta("1h"), "customer_id"])
    people = sandbox.people.set_index("customer_id")
    assert len(twice) > 20
    assert people["two_devices"][sorted(twice)].all()
    assert people["two_devices"].mean() == pytest.approx(shoppers.TWO_DEVICES, abs=0.03)


def test_carts_hold_several_items(crowd):
    """Many carts hold more than one product, some two of one, and some a note."""
    bodies = Sandbox(crowd).advance("20D").webhooks()
    values = [change["value"] for body in bodies for change in json.loads(body)["entry"][0]["changes"]]
    orders = [m["order"] for value in values for m in value.get("messages", []) if m["type"] == "order"]
    counts = [len(order["product_items"]) for order in orders]
    assert {1, 2, 3} <= set(counts)
    assert any(item["quantity"] > 1 for order in orders for item in order["product_items"])
    assert 0 < sum(bool(order["text"]) for order in orders) < len(orders)


def test_friends_come_with_what_was_passed_on(crowd):
    """People who were never written to buy, ask, or show a forward without an id; they can be answered, and react."""
    sandbox = campaign(crowd, Sandbox(crowd))
    bodies = sandbox.advance("3D").webhooks()
    values = [change["value"] for body in bodies for change in json.loads(body)["entry"][0]["changes"]]
    known = set(crowd.inbound["user_id"]) | {row.user_id for row in sandbox._world.people.itertuples()}
    theirs = [m for value in values for m in value.get("messages", []) if m["from_user_id"] not in known]
    kinds = {(m["type"], *sorted(m.get("context", {}))) for m in theirs}
    assert ("order",) in kinds
    assert ("text", "forwarded") in kinds
    assert any("referred_product" in kind for kind in kinds)
    assert not any("from" in m for m in theirs)
    friend = theirs[0]["from_user_id"]
    with sandbox.client() as client:
        wamid = client.send(single_product(recipient=friend, catalog_id=CATALOG_ID, product_retailer_id="P1")).wamid
    after = told(sandbox.advance("1D"))
    assert not after[after["wamid"] == wamid].empty
    assert set(sandbox.truth()["customer_id"]) == set(crowd.threads["customer_id"])
    assert set(sandbox.people["customer_id"]) == set(crowd.threads["customer_id"])


def test_some_block_after_stop(crowd):
    """Of those who say STOP some block the business too: what it sends them then fails."""
    sandbox = campaign(crowd, Sandbox(crowd), product="P-GONE")
    sandbox.advance("2D")
    assert len(sandbox._world.desk.blocking) > 0


@pytest.mark.slow
def test_the_measured_lift_covers_the_true_one(tmp_path, crowd):
    """A campaign with a holdout, sent, listened to and measured: the interval of its lift holds the true lift."""
    data = replace(crowd, catalog=crowd.catalog.assign(sendable=True))
    sandbox = Sandbox(data)
    review = wa.review(wa.select(wa.propose(data, [wa.Reorder(), wa.Popular()], k=1), data), data)
    review.approve_all()
    plan = review.plan(campaign="lift", approved_by="me", holdout=0.5)
    with wa.Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger, sandbox.client() as client:
        wa.send(plan, ledger=ledger, client=client, dry_run=False)
        sandbox.advance("8D")
        wa.listen(sandbox, ledger=ledger)
        results = wa.measure(ledger, campaign="lift")
    true = sandbox.truth(plan.rows, horizon=results.horizon)["true_effect"].mean()
    lift = results.lift.iloc[0]
    assert 0 < lift["low"] < true < lift["high"]


ACTS = [
    ("write", {"text": "Hello"}, "inbound"),
    ("forward", {"text": "Look"}, "inbound"),
    ("ask", {"product_retailer_id": "P3", "text": "Fresh?"}, "enquiry"),
    ("order", {"items": ["P1", ["P2", 2]], "note": "Soon"}, "cart"),
    ("stop marketing", {}, "preference"),
    ("resume marketing", {}, "preference"),
    ("change number", {"wa_id": "12015550199"}, "system"),
]


@pytest.mark.parametrize(("what", "details", "kind"), ACTS)
@pytest.mark.parametrize("over_http", [False, True])
def test_customers_do_as_told(what, details, kind, over_http):
    """In Python and over HTTP a customer writes, asks, orders, prefers or moves, and the business hears of it."""
    sandbox = Sandbox(DATA)
    if over_http:
        answer = plain_http(sandbox).post("/sandbox/act", json={"customer_id": WHO, "what": what, **details})
        assert answer.status_code == 200, answer.text
    else:
        assert sandbox.act(WHO, what, **details)
    found = told(sandbox.advance("7h"))
    assert kind in set(found["kind"])
    words = details.get("text") or details.get("note")
    if words and kind != "cart":
        assert words in set(found["text"])


@pytest.mark.parametrize(
    ("who", "what", "details", "words"),
    [
        (WHO, "dance", {}, "a customer cannot 'dance'"),
        ("nobody", "write", {"text": "Hello"}, "no customer nobody"),
        (WHO, "write", {}, "has other details"),
        (WHO, "write", {"text": ""}, "1 to 4096 characters"),
        (WHO, "ask", {"product_retailer_id": "P-NONE"}, "no product 'P-NONE'"),
        (WHO, "order", {"items": []}, "at least one product"),
        (WHO, "order", {"items": [["P1", 100]]}, "from 1 to 99"),
        (WHO, "order", {"items": [["P1"]]}, "from 1 to 99"),
        (WHO, "change number", {"wa_id": phone(1)}, "belongs to somebody"),
    ],
)
def test_what_customers_cannot_do(who, what, details, words):
    """What makes no sense is refused in words, in Python and over HTTP."""
    sandbox = Sandbox(DATA)
    with pytest.raises(DataError, match=words):
        sandbox.act(who, what, **details)
    answer = plain_http(sandbox).post("/sandbox/act", json={"customer_id": who, "what": what, **details})
    assert (answer.status_code, words in answer.json()["error"]["message"]) == (400, True)


def test_what_customers_are_told_does_not_touch_others():
    """The ids of what one customer sends do not depend on what others were told to do before."""
    one, other = Sandbox(DATA), Sandbox(DATA)
    somebody = DATA.threads["customer_id"].iloc[3]
    other.act(somebody, "write", text="Me first")
    assert one.act(WHO, "write", text="Hello") == other.act(WHO, "write", text="Hello")
    assert one.act(WHO, "write", text="Hello") != one.act(WHO, "write", text="Hello")


def test_resuming_ends_a_stop():
    """After a stop product messages fail with 131050; after a resume they arrive."""
    sandbox = Sandbox(DATA)
    thread = open_thread(sandbox, DATA)
    with sandbox.client() as client:
        sandbox.act(thread.customer_id, "stop marketing")
        client.send(message(to=thread.to))
        assert failed(sandbox)["code"].tolist() == [131050]
        sandbox.act(thread.customer_id, "resume marketing")
        client.send(message(to=thread.to))
    assert failed(sandbox).empty


def test_a_vanished_phone():
    """Who hides the phone is told of by user id alone, but for 30 days after a message to it; that still works."""
    sandbox = Sandbox(DATA)
    thread = open_thread(sandbox, DATA)
    sandbox.act(thread.customer_id, "hide phone")
    sandbox.act(thread.customer_id, "write", text="Where am I?")
    found = told(sandbox.advance("7h"))
    mine = found[found["text"] == "Where am I?"].squeeze()
    assert mine["wa_id"] == ""
    assert mine["user_id"]
    with sandbox.client() as client:
        accepted = client.send(
            single_product(recipient=mine["user_id"], catalog_id=CATALOG_ID, product_retailer_id="P1")
        )
        assert accepted.user_id == mine["user_id"]
        assert client.send(message(to=thread.to)).wa_id == thread.to.lstrip("+")
    for pause, shows in (("29D", True), ("2D", False)):
        sandbox.advance(pause)
        told(sandbox)
        sandbox.act(thread.customer_id, "write", text=f"After {pause}")
        found = told(sandbox.advance("7h"))
        assert (found.loc[found["text"] == f"After {pause}", "wa_id"] != "").all() == shows


def test_a_body_of_no_json_is_an_act_without_details():
    """A request that steers without JSON is refused in words."""
    http = plain_http(Sandbox(DATA))
    answers = [http.post(f"/sandbox/{path}", content=b"{") for path in ("act", "faults")]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert all(isinstance(answer, httpx.Response) and answer.json()["error"]["message"] for answer in answers)
