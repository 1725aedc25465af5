"""What a day's work asks of the ledger costs what its campaign costs, not what the ledger has grown to."""

import re
from contextlib import contextmanager
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import event

import wa_products as wa
from tests import filled_ledger
from tests.campaign import phone, plan, says, status
from tests.postgres import ledger_url, postgres  # noqa: F401  # fixtures
from tests.shops import shop
from wa_products import metrics
from wa_products.campaigns import listen, overview
from wa_products.identities import customer_id
from wa_products.ledger import Ledger, heard, opening, reading, sending
from wa_products.widgets.shops import Shop

SIZE, DAYS, SHORT, LONG = 20, 2, 35, 90
LAST = filled_ledger.name(LONG - 1)
NOW = pd.Timestamp(filled_ledger.when(LONG, DAYS), unit="us", tz="UTC")
NEWCOMERS = range(5_000, 5_000 + SIZE)


def filled(campaigns, url="sqlite://"):
    """Return a ledger with a run of campaigns that ends where all of them do, and one of yesterday."""
    ledger = Ledger(url)
    with opening.writing(ledger._engine) as connection:
        filled_ledger.fill(connection, campaigns=range(LONG - campaigns, LONG), size=SIZE, phone=phone, days=DAYS)
    claimed(ledger, "yesterday")
    ledger.store([says(n, "hello", NOW, from_user_id=f"GB.{n}") for n in NEWCOMERS])
    return ledger


def planned(name="today"):
    """Return a plan for customers with as much behind them in every ledger."""
    digits = [phone(n) for n in NEWCOMERS]
    ids = [customer_id("phone", each) for each in digits]
    return plan(SIZE, campaign=name, now=NOW, customer_id=ids, to=[f"+{each}" for each in digits])


def registered(ledger, name="today"):
    """Register another campaign, and return its plan and rows."""
    made = planned(name)
    ledger.register(made, NOW)
    return made, sending.plan_rows(made)


def claimed(ledger, name="today"):
    """Claim and write down a campaign as a sender does."""
    made, rows = registered(ledger, name)
    claims = ledger.claim(made, rows, now=NOW, owner="o")
    ledger.record(name, [sending.Result(each, "accepted", NOW, wamid=f"w{each.send_id}") for each in claims])


WORK = {
    "register": registered,
    "claim": claimed,
    "twins": lambda ledger: ledger.twins(planned()),
    "decided": lambda ledger: ledger.decided(LAST),
    "standings": lambda ledger: ledger.standings(registered(ledger)[1], NOW),
    "reached": lambda ledger: ledger.reached("today", registered(ledger)[1], NOW, days=30),
    "inbound rate": lambda ledger: ledger.inbound_rate(NOW),
    "alarm": lambda ledger: ledger.alarm(ledger.last_event() - 10, NOW),
    "is of note": lambda ledger: ledger.is_of_note((ledger.last_event() - 10, *ledger.news()[1:])),
    "unknowns": lambda ledger: ledger.unknowns(NOW, campaign=LAST),
    "listen": lambda ledger: listen([status("s1"), says(0, "hello")] * 5, ledger=ledger),
    "rows": lambda ledger: ledger.rows(LAST),
    "outcomes": lambda ledger: ledger.outcomes(LAST),
    "receipts": lambda ledger: ledger.receipts(LAST),
    "orphans": lambda ledger: ledger.orphans(NOW - pd.Timedelta("10D"), NOW),
    "last at": lambda ledger: ledger.last_at(),
    "answers": lambda ledger: ledger.answers(NOW - pd.Timedelta("10D")),
    "sends": lambda ledger: ledger.sends(NOW - pd.Timedelta("10D")),
    "a part of the events": lambda ledger: next(ledger.events_in_parts(100)),
    "a part of the sends": lambda ledger: next(ledger.sends_in_parts(100)),
    "measure": lambda ledger: wa.measure(ledger, campaign=LAST),
    "overview": lambda ledger: overview(ledger, since=NOW - pd.Timedelta("10D")),
    "desk": lambda ledger: Shop(shop(), ledger, lambda: NOW).refresh(),
    "talk": lambda ledger: Shop(shop(), ledger, lambda: NOW).meet(customer_id("phone", phone(NEWCOMERS[0]))),
}
# Every message of the last 400 days, and every cart: a customer's past is a part of the shop.
PAST = {"load": lambda ledger: wa.load(as_of=NOW, ledger=ledger)}


@contextmanager
def counting(ledger):
    """Yield a function that tells how many steps SQLite has taken since; alike on every machine and at any load."""
    steps = [0]

    def stepped():
        steps[0] += 10

    with ledger._engine.connect() as connection:
        base = connection.connection.driver_connection  # the one there is, in memory
        base.set_progress_handler(stepped, 10)
    yield lambda: steps[0]
    base.set_progress_handler(None, 10)


@pytest.fixture(scope="module")
def short_and_long():
    """Return the dumps of a ledger and of one with much more behind the same last campaigns."""
    dumps = []
    for campaigns in (SHORT, LONG):
        with filled(campaigns) as ledger, ledger._engine.connect() as connection:
            dumps.append(connection.connection.driver_connection.serialize())
    return dumps


@contextmanager
def opened(dump):
    """Open a ledger in memory as it was dumped."""
    with Ledger("sqlite://") as ledger:
        with ledger._engine.connect() as connection:
            connection.connection.driver_connection.deserialize(dump)
        yield ledger


@pytest.mark.parametrize("what", WORK)
def test_the_past_costs_nothing(short_and_long, what):
    """With many times the campaigns in the ledger, each thing that a day's work does takes SQLite no more."""
    taken = []
    for dump in short_and_long:
        with opened(dump) as ledger, counting(ledger) as steps:
            WORK[what](ledger)
            taken.append(steps())
    short, long = taken
    assert long <= 1.3 * short + 200


@pytest.mark.parametrize("what", WORK | PAST)
def test_no_large_table_is_read_from_end_to_end(short_and_long, what):
    """Every query of a day's work finds its rows by an index; only what has a row a plan or a click is read through."""
    asked = {}
    with opened(short_and_long[0]) as ledger:
        event.listen(ledger._engine, "before_cursor_execute", lambda *told: asked.setdefault(told[2], told[3]))
        (WORK | PAST)[what](ledger)
        with ledger._engine.connect() as connection:
            queries = {words: values for words, values in asked.items() if re.match(r"\s*(SELECT|WITH|INSERT)", words)}
            plans = {
                words: [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values)]
                for words, values in queries.items()
                if not isinstance(values, list)
            }
    # The proofs of who is one customer are all read where there are but a few times as many as customers asked for.
    names = "|".join(set(filled_ledger.LARGE) - ({"wa_identities"} if what in (*PAST, "sends") else set()))
    read = [(words, line) for words, plan in plans.items() for line in plan if re.match(rf"SCAN ({names})\b", line)]
    assert plans
    assert not read


# Results are what they would be from all that the ledger holds.


def talked(ledger):
    """Let customers of several campaigns, and strangers, do what concerns more than one campaign."""

    def order(n, product, at, context=""):
        items = [{"product_retailer_id": product, "quantity": 1, "item_price": "7.99", "currency": "GBP"}]
        about = {"context": {"id": context}} if context else {}
        return says(n, "", at, type="order", order={"product_items": items}, **about)

    sends = ledger.rows(LAST)
    wamids = [name for k in (1, 4, 11, 12) for name in ledger.rows(filled_ledger.name(LONG - k))["wamid"] if name]
    begun = sends["at"].min()
    product = sends["product_retailer_id"].iloc[3]
    rng = np.random.default_rng(7)
    hooks = [status("", "read", wamid="wamid.of another tool", at=begun), status("theirs", "sent", wamid="wamid.2")]
    for n in range(0, 400, 3):
        at = begun + pd.Timedelta(hours=float(rng.uniform(-200, 150)))
        context = str(rng.choice(wamids)) if n % 4 == 0 else ""
        hooks.append(order(n, product if n % 2 else "S1", at.floor("s"), context))
        if n % 5 == 0:
            hooks.append(says(n, "STOP", (at + pd.Timedelta("1h")).floor("s")))
    strangers = [order(n, name, begun + pd.Timedelta("3h")) for n, name in ((8_000, product), (8_001, "S96"))]
    ledger.store([*hooks, *strangers, status("", "read", wamid=wamids[0], at=NOW)])


def from_everything(ledger, name, as_of):
    """Return what a campaign came to, from all events and all rows of all campaigns."""
    campaigns, events = ledger.campaigns(), ledger.events()
    header = campaigns[campaigns["campaign"] == name].iloc[0].to_dict()
    others = [ledger.rows(other) for other in campaigns["campaign"] if other != name]
    return metrics.results(ledger.rows(name), events, header, as_of, others=pd.concat(others, ignore_index=True))


def test_measuring_reads_all_that_matters(told_of):
    """From what concerns a campaign comes what comes from the whole ledger, table for table."""
    rules = set()
    for back, as_of in ((1, NOW + pd.Timedelta("1D")), (4, NOW - pd.Timedelta("1D")), (12, NOW)):
        name = filled_ledger.name(LONG - back)
        found, expected = wa.measure(told_of, campaign=name, as_of=as_of), from_everything(told_of, name, as_of)
        rules |= set(found.carts["rule"])
        for each in fields(found):
            one, other = getattr(found, each.name), getattr(expected, each.name)
            if isinstance(one, pd.DataFrame):
                pd.testing.assert_frame_equal(one[other.columns], other, obj=each.name)
            else:
                assert one == other, each.name
    assert rules >= {"exact", "same item", "other campaign", "forwarded", "organic"}


@pytest.fixture(scope="module")
def told_of():
    """Return a ledger of many campaigns whose customers answered some of them, and others."""
    with filled(SHORT) as ledger:
        talked(ledger)
        yield ledger


# All of it, in bounded memory.


def test_the_parts_are_the_whole(ledger_url):  # noqa: F811  # the fixture
    """Part by part come the same events and sends, each once and in its fullest words, whenever those were told."""
    poor = [says(n, "hello") for n in range(4)]
    rich = [says(n, "hello", from_user_id=f"GB.{n}") for n in range(4)]
    with Ledger(ledger_url) as ledger:
        for name in ("one", "two"):
            claimed(ledger, name)
        ledger.store([*poor[:2], status("s1"), *rich, *poor[2:], status("s1", "read")])
        for size in (1, 7, 1000):
            events, sends = list(ledger.events_in_parts(size)), list(ledger.sends_in_parts(size))
            assert max(map(len, [*events, *sends])) <= size
            whole = pd.concat(events).sort_values(["at", "event_id"], ignore_index=True)
            pd.testing.assert_frame_equal(whole, ledger.events())
            pd.testing.assert_frame_equal(pd.concat(sends, ignore_index=True), ledger.sends())
        assert ledger.events()["user_id"].tolist().count("") == 2
        every = pd.concat([ledger.rows(name) for name in ("one", "two")])
        assert set(ledger.sends()["customer_id"]) == set(every.loc[every["outcome"] == "accepted", "customer_id"])
        assert ledger.sends()["campaign"].value_counts().to_dict() == {"one": SIZE, "two": SIZE}


@pytest.mark.slow
def test_much_is_read_as_little_is(ledger_url, monkeypatch):  # noqa: F811  # the fixture
    """What is read in bulk, past the ledger's own connection, is what is read row by row."""
    with Ledger(ledger_url) as ledger:
        for name in ("one", "two"):
            claimed(ledger, name)
        sends = ledger.rows("one")["send_id"]
        ledger.store([*(status(each, wamid=f"w{each}") for each in sends), says(NEWCOMERS[0], "hello"), status("else")])
        before = told(ledger)
        monkeypatch.setattr(reading, "LARGE", 0)
        for found, expected in zip(told(ledger), before, strict=True):
            pd.testing.assert_frame_equal(found, expected)


def told(ledger):
    """Return what a ledger tells, in each of the ways in which much may be read."""
    measured = wa.measure(ledger, campaign="one").sends
    return [ledger.rows("two"), ledger.receipts("one"), ledger.events(), ledger.answers(), ledger.sends(), measured]


def test_there_are_no_other_kinds_of_answers(told_of):
    """What `answers` asks for by kind is all that is no receipt."""
    events = told_of.events()
    assert set(events["kind"]) <= {*heard.ANSWERS, "status"}
    pd.testing.assert_frame_equal(told_of.answers(), events[events["kind"] != "status"].reset_index(drop=True))
