"""What happens after a message was accepted: statuses, carts, questions, stops, and the truth about them."""

import asyncio
import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox_shop import AS_OF, CATALOG_ID, HIDDEN, OUT_OF_STOCK, UNREVIEWED, shop
from wa_products import events
from wa_products.payloads import single_product
from wa_products.sandbox import Sandbox, chance, shoppers, truths
from wa_products.windows import says_stop

DATA = shop(240)
OPEN = DATA.threads[DATA.threads["is_open"]]
FAVOURITE = DATA.purchases.groupby("customer_id")["product_retailer_id"].first()
PLANNED = OPEN[["customer_id"]].assign(product_retailer_id=OPEN["customer_id"].map(FAVOURITE))


def send(sandbox, threads=OPEN):
    """Send each thread the customer's favourite; return the message ids by customer."""
    wamids = {}
    with sandbox.client() as client:
        for thread in threads.itertuples():
            address = {"to": thread.to or None, "recipient": thread.recipient or None}
            product = {"catalog_id": CATALOG_ID, "product_retailer_id": FAVOURITE[thread.customer_id]}
            payload = single_product(**address, **product, opaque=f"send-{thread.customer_id}")
            wamids[thread.customer_id] = client.send(payload).wamid
    return wamids


def told(bodies):
    """Return all events of webhook bodies, repeated ones too, each with `body`, its number."""
    found = [(number, record) for number, body in enumerate(bodies) for record in events.records(body)]
    return events.to_frame(record for _, record in found).assign(body=[number for number, _ in found])


def values(bodies):
    """Return the value of every change of the bodies."""
    return [change["value"] for body in bodies for entry in json.loads(body)["entry"] for change in entry["changes"]]


def world(threads=OPEN, spans=("4D",), **options):
    """Return a sandbox in which `threads` were sent to and time went by in these spans, and all its bodies."""
    sandbox = Sandbox(DATA, **options)
    send(sandbox, threads)
    bodies = [body for span in spans for body in sandbox.advance(span).webhooks()]
    return sandbox, bodies


@pytest.fixture(scope="module")
def campaign():
    """Return one campaign of the larger shop after four days: sandbox and bodies."""
    return world()


def test_nothing_happens_while_time_stands_still():
    """Without a step of the clock no webhook comes."""
    sandbox = Sandbox(DATA)
    send(sandbox, OPEN.head(3))
    assert sandbox.webhooks() == []
    assert sandbox.now == AS_OF


def test_bodies_are_taken_once(campaign):
    """A body that was taken does not come again."""
    sandbox, bodies = campaign
    assert bodies
    assert sandbox.webhooks() == []


def test_every_body_is_understood(campaign):
    """The package's own reader understands every update: nothing is unsupported, each row has a customer and a time."""
    found = told(campaign[1])
    assert set(found["kind"]) == {"status", "cart", "inbound", "enquiry", "preference"}
    assert (found["customer_id"] != "").all()
    assert found["at"].notna().all()
    assert (found["at"] >= AS_OF).all()


def test_statuses_climb_and_echo(campaign):
    """Every accepted message is told of with its echo: sent at least, read after delivered after sent, never twice."""
    found = told(campaign[1]).drop_duplicates("event_id")
    statuses = found[found["kind"] == "status"]
    assert (statuses["send_id"] == "send-" + statuses["customer_id"]).all()
    times = statuses.pivot_table(index="wamid", columns="status", values="at", aggfunc="first")
    assert len(times) == len(OPEN)
    assert (times["sent"].notna() ^ times["failed"].notna()).all()
    assert not (times["delivered"] < times["sent"]).any()
    assert not (times["read"] < times["delivered"]).any()


def test_webhooks_are_as_untidy_as_metas(campaign):
    """Updates come repeated, in bodies of several, out of order; some messages are read without being delivered."""
    found = told(campaign[1])
    assert found.duplicated("event_id").any()
    assert found["body"].duplicated().any()
    assert not found["at"].is_monotonic_increasing
    statuses = found[found["kind"] == "status"].groupby("wamid")["status"].agg(set)
    assert statuses.map(lambda names: {"read"} <= names and "delivered" not in names).any()
    assert statuses.map(lambda names: "delivered" in names and "read" not in names).any()


def test_a_failed_status_has_no_contacts(campaign):
    """Failed statuses come without a contact block and name their error as Meta does."""
    failed = [value for value in values(campaign[1]) if "errors" in value.get("statuses", [{}])[0]]
    assert failed
    for value in failed:
        assert "contacts" not in value
        (error, *_) = value["statuses"][0]["errors"]
        assert {"code", "title", "message", "error_data", "href"} == set(error)
        assert all("recipient_user_id" not in status for status in value["statuses"] if "recipient_id" in status)


def test_receipts_off_means_never_read(campaign):
    """A shopper without read receipts is never told as having read, though their messages do make carts."""
    sandbox, bodies = campaign
    hidden = sandbox.people.loc[~sandbox.people["receipts"], "customer_id"]
    found = told(bodies)
    of_hidden = found[found["customer_id"].isin(hidden)]
    assert "delivered" in set(of_hidden["status"])
    assert "read" not in set(of_hidden["status"])
    assert set(hidden) & set(sandbox.truth().query("true_effect == 1")["customer_id"])


@pytest.mark.parametrize(("shape", "user_ids"), [("2025", False), ("2026", True)])
def test_both_shapes(shape, user_ids):
    """2026 names user ids and contacts beside statuses, 2025 a conversation; a customer without a phone is in both."""
    _, bodies = world(spans=("1D",), shape=shape)
    with_phone = [
        (value, status)
        for value in values(bodies)
        for status in value.get("statuses", [])
        if status.get("recipient_id") and status["status"] == "sent"
    ]
    assert with_phone
    for value, status in with_phone:
        assert ("recipient_user_id" in status) == user_ids
        assert ("conversation" in status) != user_ids
        assert ("contacts" in value) == user_ids
    known = DATA.inbound.loc[DATA.inbound["wa_id"] == "", "user_id"]
    assert set(known) & set(told(bodies)["user_id"])


def test_the_reader_gives_customers_the_ids_of_the_shop(campaign):
    """Whoever was written to has the same customer id in the webhooks as in the shop's own log; others are friends."""
    found = told(campaign[1])
    assert set(found.loc[found["kind"] == "status", "customer_id"]) <= set(DATA.threads["customer_id"])
    strangers = found[~found["customer_id"].isin(DATA.threads["customer_id"])]
    assert set(strangers["kind"]) <= {"cart", "enquiry", "inbound"}


def test_carts_hold_products_for_sale(campaign):
    """Carts hold only products that can be bought, at the catalog's price and currency, 1 or 2 of each."""
    lines = told(campaign[1]).query("kind == 'cart'").drop_duplicates("event_id")
    prices = DATA.catalog.set_index("product_retailer_id")["price"]
    assert len(lines)
    assert not set(lines["product_retailer_id"]) & {HIDDEN, UNREVIEWED, OUT_OF_STOCK}
    assert (lines["unit_price"].to_numpy() == prices[lines["product_retailer_id"]].to_numpy()).all()
    assert set(lines["quantity"]) == {1.0, 2.0}
    assert set(lines["currency"]) == {"EUR"}


def test_carts_hold_mostly_what_was_sent():
    """A cart that answers a message mostly holds its product, now and then not; other products lie with it at times."""
    data = shop(1200)
    sandbox = Sandbox(data)
    world_ = sandbox._world
    carts = [world_.shelf.fill(7, who, "cart", "P3") for who in data.threads["customer_id"]]
    holds = [any(product == "P3" for product, _ in cart) for cart in carts]
    assert 0.88 < np.mean(holds) < 1
    assert 1.2 < np.mean([len(cart) for cart in carts]) < 2
    assert all(len({product for product, _ in cart}) == len(cart) for cart in carts)


def test_few_carts_name_the_message():
    """Most carts have no context; where there is one, it is the id of the message that was sent to that customer."""
    sandbox = Sandbox(data := shop(2000))
    threads = data.threads[data.threads["is_open"]]
    favourite = data.purchases.groupby("customer_id")["product_retailer_id"].first()
    with sandbox.client() as client:
        for thread in threads.itertuples():
            address = {"to": thread.to or None, "recipient": thread.recipient or None}
            name = favourite[thread.customer_id]
            client.send(single_product(**address, catalog_id=CATALOG_ID, product_retailer_id=name))
    found = told(sandbox.advance("4D").webhooks())
    carts = found[found["kind"] == "cart"]
    named = carts[carts["context_id"] != ""]
    assert 0 < len(named) < len(carts) / 5
    sent = found[found["status"] == "sent"].drop_duplicates("wamid").set_index("wamid")["customer_id"]
    assert (sent[named["context_id"]].to_numpy() == named["customer_id"].to_numpy()).all()


def test_nobody_submits_a_cart_every_day():
    """Over two months a customer's carts are days apart, but for second devices, and some customers submit several."""
    found = told(Sandbox(DATA).advance("60D").webhooks()).query("kind == 'cart'")
    times = found.drop_duplicates(["customer_id", "at"]).sort_values("at").groupby("customer_id")["at"]
    gaps = times.diff().dropna()
    assert len(gaps) > 20
    assert ((gaps >= shoppers.REST - pd.Timedelta("1h")) | (gaps <= pd.Timedelta("1h"))).all()


def test_no_cart_where_carts_are_off():
    """With the cart switched off in the commerce settings nobody submits one."""
    sandbox = Sandbox(DATA)
    sandbox._world.shelf.is_cart_enabled = False
    send(sandbox)
    assert "cart" not in set(told(sandbox.advance("4D").webhooks())["kind"])


def test_an_enquiry_names_the_product_not_the_message(campaign):
    """Questions about a product carry it in `referred_product`; their context id is not that of the message."""
    found = told(campaign[1])
    asked = found[found["kind"] == "enquiry"]
    assert (asked["product_retailer_id"].to_numpy() == FAVOURITE[asked["customer_id"]].to_numpy()).all()
    assert not set(asked["context_id"]) & set(found["wamid"])


def test_stop_reaches_the_business_and_ends_messages():
    """Some customers say STOP, as text or as a preference; the latter makes the next message fail with 131050."""
    data = shop(2500)
    sandbox = Sandbox(data)
    threads = data.threads[data.threads["is_open"] & (data.threads["to"] != "")]
    with sandbox.client() as client:
        for to in threads["to"]:
            client.send(single_product(to=to, catalog_id=CATALOG_ID, product_retailer_id="P1"))
    found = told(sandbox.advance("20h").webhooks())
    by_text = found[(found["kind"] == "inbound") & says_stop(found["text"])]
    by_preference = found[found["kind"] == "preference"]
    assert len(by_text) > 0
    assert set(by_preference["text"]) == {"stop"}
    who = by_preference["customer_id"].iloc[0]
    to = threads.set_index("customer_id").loc[who, "to"]
    sandbox._world.desk.wrote[who] = int(sandbox._world.clock.now)
    with sandbox.client() as client:
        wamid = client.send(single_product(to=to, catalog_id=CATALOG_ID, product_retailer_id="P1")).wamid
    after = told(sandbox.advance("8h").webhooks())
    assert after.loc[after["wamid"] == wamid, "code"].unique().tolist() == [131050]


def test_a_message_of_the_customer_opens_the_window():
    """After a customer with a closed window has written, a message to them no longer fails for it."""
    sandbox = Sandbox(DATA)
    found = told(sandbox.advance("2D").webhooks())
    wrote = found[(found["kind"] == "inbound") & (found["wa_id"] != "")].sort_values("at").iloc[-1]
    with sandbox.client() as client:
        product = {"catalog_id": CATALOG_ID, "product_retailer_id": "P1"}
        wamid = client.send(single_product(to="+" + wrote["wa_id"], **product)).wamid
    after = told(sandbox.advance("7h").webhooks())
    assert "sent" in set(after.loc[after["wamid"] == wamid, "status"])


CUSTOMERS = OPEN["customer_id"].tolist()[:12]


@settings(max_examples=8)
@given(order=st.permutations(CUSTOMERS), cuts=st.lists(st.integers(1, 95), max_size=3, unique=True))
def test_the_order_of_asking_changes_nothing(order, cuts):
    """Sending in any order, and moving the clock in any steps, gives the same events and the same truth."""
    hours = np.diff([0, *sorted(cuts), 96])
    threads = OPEN.set_index("customer_id", drop=False)
    one, bodies = world(threads.loc[CUSTOMERS])
    other, shuffled = world(threads.loc[order], [f"{step}h" for step in hours])
    assert sorted(told(bodies)["event_id"]) == sorted(told(shuffled)["event_id"])
    pd.testing.assert_frame_equal(one.truth(), other.truth())


def test_the_same_calls_give_the_same_bytes():
    """The same seed and the same calls give the same bodies, byte by byte; another seed gives others."""
    bodies = world()[1]
    assert world()[1] == bodies
    assert world(seed=8)[1] != bodies


def test_others_do_not_change_a_customer():
    """What one customer does without a message does not depend on who else is messaged."""
    alone = world(OPEN.head(0))[1]
    together = world(OPEN[OPEN["customer_id"].isin(CUSTOMERS)])[1]
    one, other = (found[~found["customer_id"].isin(CUSTOMERS)] for found in (told(alone), told(together)))
    assert sorted(one["event_id"]) == sorted(other["event_id"])


def carts(bodies, until):
    """Return the time of each customer's first cart before `until`, to the second; of friends none."""
    found = told(bodies).query("kind == 'cart'")
    found = found[found["customer_id"].isin(DATA.threads["customer_id"])]
    return found[found["at"] < until].groupby("customer_id")["at"].min()


def test_the_truth_without_messages_is_what_happens_without_messages(campaign):
    """`cart_without_message` of a campaign is exactly who submits a cart, and when, in the world without it."""
    truth = campaign[0].truth(horizon="3D").set_index("customer_id")
    happened = carts(world(OPEN.head(0))[1], AS_OF + pd.Timedelta("3D"))
    expected = truth["cart_without_message_at"].dropna().dt.floor("s")
    assert set(truth.index[truth["cart_without_message"]]) == set(happened.index)
    assert (happened == expected.reindex(happened.index)).all()


def test_the_truth_with_messages_is_what_happened(campaign):
    """`cart_with_message` of the messaged is exactly who submitted a cart in the campaign, and when."""
    truth = campaign[0].truth(horizon="3D").set_index("customer_id")
    happened = carts(campaign[1], AS_OF + pd.Timedelta("3D"))
    expected = truth["cart_with_message_at"].dropna().dt.floor("s")
    assert truth["was_messaged"].sum() == len(OPEN)
    assert set(truth.index[truth["cart_with_message"]]) == set(happened.index)
    assert (happened == expected.reindex(happened.index)).all()


def test_the_truth_of_a_later_campaign_knows_earlier_carts():
    """Two days after the start the truth is counted from the first send on, and who rests after a cart is resting."""
    sandbox = Sandbox(shop(2500))
    early = told(sandbox.advance("2D").webhooks()).query("kind == 'cart'")
    with sandbox.client() as client:
        client.send(single_product(to="+" + early["wa_id"].iloc[-1], catalog_id=CATALOG_ID, product_retailer_id="P1"))
    sent_at = sandbox.now
    found = told(sandbox.advance("4D").webhooks()).query("kind == 'cart'")
    inside = found[(found["at"] >= sent_at) & (found["at"] < sent_at + pd.Timedelta("3D"))]
    truth = sandbox.truth(horizon="3D")
    assert len(early) > 50
    assert set(truth.loc[truth["cart_with_message"], "customer_id"]) == set(inside["customer_id"])


def test_the_effect_is_with_minus_without(campaign):
    """The true effect is never negative, unknown without a message, and 0 where the message could not arrive."""
    sandbox, bodies = campaign
    truth = sandbox.truth()
    messaged = truth[truth["was_messaged"]]
    difference = messaged["cart_with_message"].astype(int) - messaged["cart_without_message"].astype(int)
    assert (messaged["true_effect"] == difference).all()
    assert set(messaged["true_effect"]) == {0.0, 1.0}
    assert truth.loc[~truth["was_messaged"], "true_effect"].isna().all()
    failed = told(bodies).query("status == 'failed'")["customer_id"]
    of_failed = messaged[messaged["customer_id"].isin(failed)]
    assert len(of_failed)
    assert (of_failed[["true_effect", "expected_effect"]] == 0).all(axis=None)


def test_a_plan_can_be_asked_about_before_it_is_sent():
    """The truth of a plan that is not sent is the truth of the plan that is, but for who was messaged."""
    supposed = Sandbox(DATA).truth(PLANNED)
    sent = world()[0].truth()
    assert not supposed["was_messaged"].any()
    columns = ["customer_id", "product_retailer_id", "cart_with_message_at", "true_effect", "expected_effect"]
    pd.testing.assert_frame_equal(supposed[columns], sent[columns])


def test_rates_are_believable():
    """With a thread 4-10 % submit a cart in three days anyway; a message about a favourite adds 6-14 points."""
    data = shop(3000)
    favourite = data.purchases.groupby("customer_id")["product_retailer_id"].first()
    planned = data.threads.loc[data.threads["is_open"], ["customer_id"]]
    planned = planned.assign(product_retailer_id=planned["customer_id"].map(favourite))
    truth = Sandbox(data).truth(planned).dropna(subset="true_effect")
    assert 0.04 < truth["cart_without_message"].mean() < 0.10
    assert 0.06 < truth["true_effect"].mean() < 0.14
    spread = 3 * (truth["true_effect"].std() / len(truth) ** 0.5)
    assert truth["true_effect"].mean() == pytest.approx(truth["expected_effect"].mean(), abs=spread)


def test_a_product_that_is_due_moves_more():
    """A message about a product that is due adds more than one about a product the customer never bought."""
    truth = {}
    for name, product in (("due", PLANNED["product_retailer_id"]), ("new", "P-NEVER")):
        truth[name] = Sandbox(DATA).truth(PLANNED.assign(product_retailer_id=product))["expected_effect"].mean()
    assert truth["due"] > 2 * truth["new"] > 0


def test_the_sandbox_starts_where_it_is_told():
    """`as_of` sets the clock and the shop to that moment, earlier or later than the shop's own."""
    early, late = Sandbox(DATA, as_of="2026-11-19 20:00"), Sandbox(DATA, as_of="2026-11-25")
    assert (early.now, late.now) == (pd.Timestamp("2026-11-19 20:00Z"), pd.Timestamp("2026-11-25", tz="UTC"))
    assert len(early.people) < len(late.people) == len(DATA.threads)


def test_it_works_where_a_loop_runs():
    """Client and sandbox work inside a running event loop, as in Jupyter."""

    async def cell():
        return send(Sandbox(DATA), OPEN.head(2))

    assert len(asyncio.run(cell())) == 2


def test_a_shop_without_anybody():
    """A shop without customers makes a sandbox in which nothing happens."""
    sandbox = Sandbox(shop(0))
    assert sandbox.advance("2D").webhooks() == []
    assert sandbox.truth().empty


@given(st.lists(st.integers(0, 100)), st.integers(1, 20))
def test_realised_carts_keep_their_distance(intended, rest):
    """Carts that come to be are at least a rest apart, and every other has one within the rest before it."""
    kept = truths.realised(intended, rest)
    assert all(later - sooner >= rest for sooner, later in pairwise(kept))
    assert all(any(at - rest < one <= at for one in kept) for at in intended)


@given(st.integers(0, 2**32), st.lists(st.text(max_size=5), min_size=2, max_size=20, unique=True), st.randoms())
def test_draws_depend_on_the_name_alone(seed, names, shuffler):
    """A name's draw is in (0, 1) and the same in whatever company and order it is drawn."""
    drawn = dict(zip(names, chance.uniform(chance.keys(seed, names), "x", 3), strict=True))
    shuffled = shuffler.sample(names, len(names))
    again = dict(zip(shuffled, chance.uniform(chance.keys(seed, shuffled), "x", 3), strict=True))
    assert again == drawn
    assert all(0 < value < 1 for value in drawn.values())


def test_draws_are_uniform_and_independent():
    """Draws for different purposes and numbers spread evenly and do not correlate."""
    keys = chance.keys(7, map(str, range(20_000)))
    draws = np.array([chance.uniform(keys, "a"), chance.uniform(keys, "a", 1), chance.uniform(keys, "b")])
    counts = np.array([np.histogram(row, bins=10, range=(0, 1))[0] for row in draws])
    assert np.abs(counts - 2000).max() < 200
    assert np.abs(np.corrcoef(draws) - np.eye(3)).max() < 0.03
