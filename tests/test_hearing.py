"""What the ledger makes of webhooks: the same, however they come; and better, when they are read again."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

import wa_products as wa
from tests.campaign import NOW, client, hook, phone, plan, says, status
from tests.deliveries import receipts
from tests.faulty_server import serving
from tests.postgres import ledger_url, postgres  # noqa: F401  # fixtures
from tests.webhook_log import body, log
from wa_products import events, frames
from wa_products.campaigns import listen, measure, send, take_in
from wa_products.errors import DataError
from wa_products.events import bodies as reading_of_bodies
from wa_products.identities import customer_id
from wa_products.ledger import Ledger, hearing, opening, people, reading, schema, sending
from wa_products.states import states

WEEK = NOW + pd.Timedelta("7D")
RESULTS = ("funnel", "failures", "lines", "money", "arms", "monitor", "lift", "placebo")


@pytest.fixture
def ledger(ledger_url):  # noqa: F811  # the fixture
    """Return an empty ledger, on SQLite and on PostgreSQL."""
    with Ledger(ledger_url) as made:
        yield made


def sent(url, size=8, **options):
    """Send a campaign into the ledger at `url`, the answer to the fourth message lost."""
    with (
        Ledger(url) as ledger,
        serving(lambda n, _payload: "lost" if n == 4 else "ok") as server,
        client(server) as sender,
    ):
        sender.workers = 1
        send(plan(size, **options), ledger=ledger, client=sender, dry_run=False, progress=False)
        return ledger.rows("c1").set_index("customer_id").loc[plan(size).rows["customer_id"]].reset_index()


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """Return the file of a ledger with a campaign sent and nothing heard, its rows, and what the straight log gives."""
    path = tmp_path_factory.mktemp("campaign") / "ledger.db"
    rows = sent(f"sqlite:///{path}")
    changes = log(rows)
    straight = shutil.copy(path, path.with_name("straight.db"))
    return path, changes, state(straight, [[body([change])] for change in changes])


def state(path, stores):
    """Return all that a ledger tells after it was given bodies in so many portions."""
    with Ledger(f"sqlite:///{path}") as ledger:
        for portion in stores:
            ledger.store(portion)
        rows = sending.plan_rows(plan(8))
        result = measure(ledger, campaign="c1", as_of=WEEK)
        shop = wa.load(as_of=WEEK, ledger=ledger)
        return {
            "events": ledger.events(),
            "answers": ledger.answers(),
            "answers among the events": ledger.events().query("kind != 'status'").reset_index(drop=True),
            "receipts": ledger.receipts("c1"),
            "sends": result.sends,
            "carts": result.carts,
            **{name: getattr(result, name) for name in RESULTS},
            "threads": shop.threads,
            "orders": shop.orders,
            "standings": pd.DataFrame(ledger.standings(rows, WEEK)).T.sort_index(),
            "others": pd.DataFrame({"orphans": [result.orphans], "of receipts": ledger.orphans()}),
        }


def known(ledger):
    """Return the customers with several ids that a ledger knows of."""
    with ledger._engine.begin() as connection:
        ends = (schema.IDENTITIES.c.left_id, schema.IDENTITIES.c.right_id)
        return people.around(connection, {each for end in ends for each in connection.scalars(select(end))})


def same(found, expected):
    """Check that two states are the same, frame by frame."""
    for name, frame in expected.items():
        pd.testing.assert_frame_equal(found[name], frame, obj=name)


def test_the_straight_log(campaign):
    """A log in order gives what it says: states, carts, windows, opt-outs, one id for a changed number."""
    _, _, told = campaign
    sends = told["sends"].set_index("customer_id").loc[plan(8).rows["customer_id"]]
    assert sends["state"].tolist() == ["read", "read", "delivered", "sent", "failed", *["accepted"] * 3]
    assert sends["anomaly"].tolist() == ["", "", "both failed and delivered", *[""] * 5]
    assert sends["wamid"].iloc[3] == "wamid.lost"
    assert sends["failed_code"].tolist() == [0, 0, 131026, 0, 131026, 0, 0, 0]
    assert len(told["carts"]) == 3
    assert told["others"].to_numpy().tolist() == [[1, 1]]
    threads = told["threads"].set_index("customer_id")
    assert threads.loc[customer_id("phone", phone(5)), "to"] == f"+{phone(900)}"
    assert threads.loc[customer_id("phone", phone(2)), "opted_out"]
    assert threads.loc[customer_id("phone", phone(3)), "opted_out"]
    assert told["orders"].groupby("order_id").size().tolist() == [2, 2, 2]
    assert set(told["events"].loc[told["events"]["raw"] != "", "kind"]) == {"unsupported"}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_however_it_comes_it_is_the_same(campaign, tmp_path_factory, data):
    """Shuffled, repeated, batched anew and delayed, a log gives the same ledger and the same results."""
    path, changes, expected = campaign
    order = data.draw(st.permutations(range(len(changes))))
    again = data.draw(st.lists(st.sampled_from(range(len(changes))), max_size=12))
    waiting, stores = [changes[n] for n in [*order, *again]], []
    while waiting:
        size = data.draw(st.integers(1, 6))
        stores.append([body(waiting[:size])] * data.draw(st.integers(1, 2)))
        waiting = waiting[size:]
    copied = shutil.copy(path, tmp_path_factory.mktemp("shuffled") / "ledger.db")
    same(state(copied, stores), expected)


@pytest.mark.slow
def test_large_files_are_read_alike(campaign, monkeypatch, tmp_path):
    """A file that is read by another process, for its size, tells the same as one that is read here."""
    path, changes, expected = campaign
    monkeypatch.setattr(reading, "LARGE", 0)
    copied = shutil.copy(path, tmp_path / "ledger.db")
    same(state(copied, [[body([change])] for change in changes]), expected)


def test_receipts_are_what_the_events_say(ledger, ledger_url):  # noqa: F811  # the fixture
    """The states are the same from receipts read in bulk, from events, and from both."""
    rows = sent(ledger_url)
    ledger.store([body(log(rows))])
    for as_of in (None, NOW + pd.Timedelta("4min"), NOW):
        heard = ledger.events()
        heard = heard if as_of is None else heard[heard["at"] <= as_of]
        carried = ledger.receipts("c1", as_of)
        expected = states(ledger.rows("c1"), heard, as_of)
        for found in (states(carried, heard, as_of), states(carried, frames.empty(frames.EVENTS), as_of)):
            pd.testing.assert_frame_equal(found, expected[found.columns])


def test_receipts_of_several_campaigns_are_kept_apart(ledger, ledger_url):  # noqa: F811  # the fixture
    """Each campaign gets its own receipts; only those of messages of neither count as of others."""
    rows = sent(ledger_url)
    with serving() as server, client(server) as sender:
        send(plan(3, campaign="c2"), ledger=ledger, client=sender, dry_run=False, progress=False)
        other = ledger.rows("c2")
    ledger.store([body(log(rows)), *(status(each, "read", wamid=f"w{each}") for each in other["send_id"])])
    first, second = ledger.receipts("c1"), ledger.receipts("c2")
    assert (first["read_at"].notna().sum(), second["read_at"].notna().sum()) == (2, 3)
    assert ledger.orphans() == 1


def test_the_richer_telling_of_an_event_is_kept():
    """Of two tellings of one event the one that says more is told, whichever came first."""
    poor = says(0, "hello")
    rich = says(0, "hello", from_user_id="GB.1")
    for order in ([poor, rich], [rich, poor]):
        with Ledger("sqlite://") as ledger:
            assert [ledger.store([each]) for each in order] == [1, 0]
            assert ledger.events()["user_id"].tolist() == ["GB.1"]


def test_only_what_is_new_is_returned(ledger):
    """Told again in another body, an event is not new; what the body tells beside it is."""
    one, two = says(0, "one"), says(1, "two")
    assert listen([one], ledger=ledger)["text"].tolist() == ["one"]
    both = {"entry": [*one["entry"], *two["entry"]]}
    assert listen([both], ledger=ledger)["text"].tolist() == ["two"]
    assert ledger.events()["text"].tolist() == ["one", "two"]


HOUR = pd.Timedelta("1h")
ALL = [customer_id("phone", phone(n)) for n in range(9)]
IDS = st.sampled_from(ALL)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(IDS, IDS, st.sampled_from(["webhook", "number changed"])), max_size=12),
    st.lists(st.tuples(st.integers(0, 2), st.lists(IDS, min_size=1, max_size=4, unique=True)), max_size=4),
    st.lists(IDS, min_size=1, max_size=2),
)
def test_who_is_one_customer_is_told_of_some_as_of_all(proofs, plans, asked):
    """Who is asked for has the same ids and the same head, whether all proofs are read or those around them."""
    with Ledger("sqlite://") as ledger:
        for n, (hours, ids) in enumerate(plans):
            to = [f"+{phone(ALL.index(one))}" for one in ids]
            ledger.register(plan(len(ids), campaign=f"c{n}", now=NOW + hours * HOUR, customer_id=ids, to=to), NOW)
        with opening.writing(ledger._engine) as connection:
            hearing.link(connection, proofs, 1)
            expected = _customers(proofs, plans)
            for more in ([], ALL):
                assert _members(people.around(connection, [*asked, *more]), asked) == {
                    one: expected[one] for one in asked
                }
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(people, "MANY", 0)
                assert _members(people.around(connection, asked), asked) == {one: expected[one] for one in asked}


def _customers(proofs, plans):
    """Return the head and the members of each id, by the rule in plain words."""
    groups = {one: {one} for one in ALL}
    for one, two, _ in proofs:
        both = groups[one] | groups[two]
        groups |= dict.fromkeys(both, both)
    first = {one: min((hours for hours, ids in plans if one in ids), default=9) for one in ALL}
    return {one: (min(group, key=lambda each: (first[each], each)), sorted(group)) for one, group in groups.items()}


def _members(found, asked):
    """Return the head and the members of some ids."""
    return {one: (found.head(one), sorted(found.members(one))) for one in asked}


def test_the_first_planned_id_stands_for_a_customer():
    """Of several planned ids of one customer it is the one that was planned first, else the smallest."""
    with Ledger("sqlite://") as ledger:
        ids = [customer_id("phone", phone(n)) for n in range(3)]
        with opening.writing(ledger._engine) as connection:
            hearing.link(connection, [(ids[0], ids[1], "webhook"), (ids[1], ids[2], "webhook")], 1)
        assert known(ledger).head(ids[1]) == min(ids)
        last = max(ids)
        ledger.register(plan(1, customer_id=[last]), NOW)
        ledger.register(plan(3, campaign="c2", now=NOW + pd.Timedelta("1h")), NOW)
        assert known(ledger).head(ids[1]) == last


# Reading again.


def test_reading_again_repairs(ledger, monkeypatch):
    """What an older version misread is put right from the raw bodies; once it is, reading again changes nothing."""
    made = [says(0, "hello", from_user_id="GB.1"), says(1, "", type="order", order={"product_items": [{}]}), "[]"]
    with monkeypatch.context() as patch:
        patch.setattr(reading_of_bodies, "_kind", lambda *_: "unsupported")
        patch.setattr(reading_of_bodies, "USER_ID", None)
        patch.setattr(reading_of_bodies, "_customer", lambda *_: customer_id("phone", phone(9)))
        ledger.store(made)
    assert set(ledger.events()["kind"]) == {"unsupported"}
    assert len(known(ledger).heads) == 2
    before, news = ledger.events(), ledger.news()
    repair = ledger.reparse()
    assert (repair.webhooks, repair.added, repair.removed) == (3, 2, 2)
    with Ledger("sqlite://") as fresh:
        fresh.store(made)
        pd.testing.assert_frame_equal(ledger.events(), fresh.events())
        assert known(ledger).heads == known(fresh).heads
    assert ledger.is_of_note(news)
    assert len(before) == len(ledger.events())
    assert ledger.reparse() == (3, 0, 0)


def test_a_reading_that_stopped_goes_on(ledger, monkeypatch):
    """Stopped between two batches, the ledger tells what it can, and the next reading does the rest."""
    ledger.store(says(n, "hello") for n in range(5))
    monkeypatch.setattr("wa_products.ledger.repairing.BATCH", 2)
    with opening.writing(ledger._engine) as connection:
        connection.execute(text("UPDATE wa_events SET kind = 'unsupported'"))
    with monkeypatch.context() as patch:
        patch.setattr("wa_products.ledger.repairing.link", _break_after(1))
        with pytest.raises(KeyboardInterrupt):
            ledger.reparse()
    assert sorted(ledger.events()["kind"]) == ["inbound"] * 2 + ["unsupported"] * 3
    assert ledger.reparse() == (5, 3, 3)
    assert set(ledger.events()["kind"]) == {"inbound"}


def _break_after(times):
    def broken(*_):
        nonlocal times
        times -= 1
        if times < 0:
            raise KeyboardInterrupt

    return broken


# Where bodies lie.


def test_logs(tmp_path):
    """Bodies are found behind a log's own words, under a wrapper's key, as Python prints them, and over many lines."""
    wrapped = {"ts": 1, "body": json.dumps(says(1, "b"))}
    lines = [
        f"2026-11-22 08:00:00 INFO got {json.dumps(says(0, 'a'))}",
        json.dumps(wrapped),
        str(says(2, "c")),
        "2026-11-22 08:00:01 INFO nothing happened",
        json.dumps([says(3, "d"), says(4, "e")]),
        '{"cut": ',
    ]
    (tmp_path / "a.log").write_text("\n".join(lines))
    (tmp_path / "b.jsonl").write_text("\n\n".join(json.dumps(says(n, "f"), indent=2) for n in (5, 6)))
    (tmp_path / "empty.log").write_text("\n")
    with Ledger("sqlite://") as ledger:
        found = listen(tmp_path, ledger=ledger, progress=False)
    assert sorted(found.loc[found["kind"] == "inbound", "text"]) == ["a", "b", "c", "d", "e", "f", "f"]
    assert found.loc[found["kind"] != "inbound", "raw"].tolist() == ['{"cut":']


def test_the_very_bytes_are_kept(tmp_path):
    r"""A line that is a body is stored as it is, with its \u escapes: its signature can be checked for ever."""
    raw = b'{"object":"whatsapp_business_account",  "entry":[{"id":"\\u00e9"}]}'
    (tmp_path / "a.jsonl").write_bytes(raw + b"\n" + raw.replace(b'"object"', b' "object"'))
    with Ledger("sqlite://") as ledger:
        listen(tmp_path, ledger=ledger)
        assert list(ledger.webhooks()) == [raw, raw.replace(b'"object"', b' "object"')]


def test_a_damaged_file(tmp_path):
    """A file that breaks off is named, and what came before is taken in."""
    whole = gzip.compress(b"\n".join(json.dumps(says(n, os.urandom(500).hex())).encode() for n in range(50)))
    (tmp_path / "a.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with Ledger("sqlite://") as ledger:
        with pytest.raises(DataError, match=r"a\.jsonl\.gz.*damaged"):
            listen(tmp_path / "a.jsonl.gz", ledger=ledger)
        assert 0 < len(ledger.events()) < 50


def test_another_ledger(ledger, ledger_url, tmp_path):  # noqa: F811  # the fixture
    """A ledger listens to another, such as the receiver's, by itself or by its URL."""
    ledger.store(says(n, "hello") for n in range(3))
    for n, source in enumerate((ledger, ledger_url)):
        with Ledger(f"sqlite:///{tmp_path / f'{n}.db'}") as ours:
            assert len(listen(source, ledger=ours)) == 3
            assert listen(source, ledger=ours).empty
            assert list(ours.webhooks()) == list(ledger.webhooks())


def test_a_killed_listening_goes_on(tmp_path):
    """Killed in the middle, listening again takes in the rest, and no event twice."""
    made, ids = receipts(24_000)
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(made))
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    Ledger(url).close()
    command = [sys.executable, "-m", "wa_products", "listen", str(tmp_path / "a.jsonl"), "--ledger", url]
    with Ledger(url) as ledger, subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not ledger.last_event() and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = len(ledger.events())
        assert before in (0, 16_000, 24_000)
        assert take_in(tmp_path / "a.jsonl", ledger=ledger, progress=False) == len(ids) - before
        assert sorted(ledger.events()["event_id"]) == sorted(ids)


# The loop.


def test_what_was_heard_is_in_the_next_load(ledger, tmp_path):
    """Carts are order history, enquiries requests, messages open windows, changed numbers link: in the next load."""
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "catalog.csv").write_text(
        "id,title,price,availability,description,image_link,link,brand,condition\n"
        "S7,Coffee beans,7.99 GBP,in stock,Beans,https://x.invalid/7.png,https://x.invalid/7,B,new\n"
        "S8,Filters,3.00 GBP,in stock,Paper,https://x.invalid/8.png,https://x.invalid/8,B,new\n"
    )
    items = [{"product_retailer_id": "S7", "quantity": 2, "item_price": "7.99", "currency": "GBP"}]
    asked = {"from": "1", "referred_product": {"catalog_id": "1", "product_retailer_id": "S8"}}
    moved = {"type": "user_changed_number", "wa_id": phone(9)}
    ledger.store(
        [
            says(0, "", NOW - pd.Timedelta("40D"), type="order", order={"product_items": items}),
            says(1, "still there?", NOW - pd.Timedelta("1h"), context=asked),
            says(0, "", NOW - pd.Timedelta("2h"), type="system", system=moved),
            says(9, "hello again", NOW - pd.Timedelta("1h")),
        ]
    )
    alone = wa.load(shop, as_of=NOW)
    assert (len(alone.orders), len(alone.inbound)) == (0, 0)
    data = wa.load(shop, as_of=NOW, ledger=ledger)
    assert data.purchases[["product_retailer_id", "quantity"]].to_numpy().tolist() == [["S7", 2.0]]
    threads = data.threads.set_index("customer_id")
    assert threads["is_open"].tolist() == [True, True]
    [buyer] = data.purchases["customer_id"]
    assert threads.loc[buyer, "to"] == f"+{phone(9)}"
    proposals = wa.propose(data)
    assert proposals.loc[proposals["kind"] == "request", "product_retailer_id"].tolist() == ["S8"]


def test_a_body_with_numbers_of_any_length_is_stored(ledger):
    """Whatever a body holds, its events fit into the ledger."""
    order = {"product_items": [{"product_retailer_id": "x" * 5000, "quantity": 1e17, "item_price": "9" * 17}]}
    wild = [
        says(0, "\x00\ud800", type="order", order=order),
        hook(statuses=[{"id": "w", "status": "failed", "errors": [{"code": "9" * 17}]}]),
        hook(messages=[{"id": "m", "timestamp": "9" * 13, "type": "text"}]),
    ]
    assert ledger.store(wild) == 3
    assert len(ledger.events()) == 3
    assert events.parse(wild[1])["code"].tolist() == ledger.events().query("wamid == 'w'")["code"].tolist()
