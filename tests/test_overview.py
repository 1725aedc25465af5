"""All campaigns side by side: counted by the database, and the same numbers as measuring each."""

import random
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wa_products as wa
from tests import filled_ledger
from tests.campaign import NOW, Clock, client, hook, phone, plan, says, status
from tests.faulty_server import serving
from tests.postgres import ledger_url, postgres  # noqa: F401  # fixtures
from wa_products import metrics
from wa_products.campaigns import overview, send
from wa_products.commands import main
from wa_products.errors import DataError
from wa_products.identities import customer_id
from wa_products.ledger import Ledger, opening, schema

HOUR = pd.Timedelta(hours=1)
STEPS = {
    "planned": "planned",
    "held_out": "held out",
    "submitted": "submitted",
    "accepted": "accepted",
    "sent": "sent",
    "delivered": "delivered or read",
    "read": "read (at least)",
}


@pytest.fixture
def ledger(ledger_url):  # noqa: F811  # the fixture
    """Return an empty ledger, on SQLite and on PostgreSQL."""
    with Ledger(ledger_url) as made:
        yield made


def cart(n, at, product="S7", **more):
    """Return the webhook of a cart of the n-th customer."""
    item = {"product_retailer_id": product, "quantity": 1, "item_price": 18.0, "currency": "GBP"}
    order = {"catalog_id": "1", "product_items": [item]}
    sent = {"from": phone(n), "id": f"wamid.cart{n}.{at:%d%H%M}", "timestamp": str(int(at.timestamp()))}
    return hook(messages=[{**sent, "type": "order", "order": order, **more}])


def agree(ledger, **asked):
    """Assert that the overview tells of each campaign what measuring it does."""
    found = overview(ledger, progress=False, **asked)
    assert set(found["campaign"]) == set(ledger.campaigns()["campaign"])
    for row in found.itertuples():
        results = wa.measure(ledger, campaign=row.campaign, **asked)
        arms, lift = results.arms.set_index("arm"), results.lift.iloc[0]
        states = results.sends["state"]
        told = {name: results.count(step) for name, step in STEPS.items()}
        told |= {"refused": (states == "refused").sum(), "failed": (states == "failed").sum()}
        told |= {arm: arms.loc[arm, "customers"] for arm in arms.index}
        told |= {f"{arm}_with_cart": arms.loc[arm, "with_cart"] for arm in arms.index}
        assert {name: getattr(row, name) for name in told} == told
        assert (row.started_at, row.as_of) == (results.started_at, results.as_of)
        assert row.is_complete == results.is_complete
        assert row.difference == pytest.approx(lift["difference"], nan_ok=True)
        ends = [lift["low"], lift["high"]] if row.is_complete else [float("nan")] * 2
        assert [row.low, row.high] == pytest.approx(ends, nan_ok=True)


def sent(ledger, name, at, orders, **options):
    """Send a campaign to 24 customers, the last four of whom had asked; the n-th request is answered as ordered."""
    kinds = ["reorder"] * 20 + ["request"] * 4
    planned = plan(24, campaign=name, now=at, holdout=0.3, kind=kinds, **options)
    with serving(lambda n, _payload: orders[n % len(orders)]) as server, client(server, Clock(at)) as sender:
        sender.workers = 1
        send(planned, ledger=ledger, client=sender, dry_run=False, progress=False)


@pytest.mark.filterwarnings("ignore:the campaign")
def test_each_campaign_has_the_numbers_that_measuring_it_gives(ledger):
    """Campaigns sent with lost answers and refusals, their receipts and carts, come to the same either way."""
    sent(ledger, "c1", NOW, ["ok", "lost", (400, {"error": {"code": 131026}}, {}), "ok"])
    sent(ledger, "c2", NOW + 30 * HOUR, ["ok", "lost"], product_retailer_id="S8")
    rows = ledger.receipts("c1")
    tried = rows[(rows["send_id"] != "") & (rows["arm"] == "treated")]
    names = dict(zip(tried["send_id"], tried["wamid"].where(tried["wamid"] != "", "w" + tried["send_id"]), strict=True))
    told = [status(each, "delivered", names[each], NOW + HOUR) for each in tried["send_id"][:9]]
    told += [status(each, "read", names[each], NOW + 2 * HOUR) for each in tried["send_id"][:4]]
    told += [status(each, "failed", names[each], NOW + HOUR) for each in tried["send_id"][9:12]]
    told += [status("", "read", each, NOW + 3 * HOUR) for each in tried["wamid"] if each]
    told += [cart(n, NOW + (3 + 20 * n) * HOUR) for n in range(0, 24, 2)]
    ledger.store([*told, says(50, "hello")])
    agree(ledger)
    agree(ledger, as_of=NOW + 1.5 * HOUR)
    agree(ledger, as_of=NOW + 24 * 10 * HOUR, horizon="3D")


def test_a_campaign_of_two_plans_counts_each_customer_once(ledger):
    """Whom a second plan of the campaign names again is one customer, by the plan that was sent to them."""
    ledger.register(plan(6, holdout=0.5), NOW)
    sent(ledger, "c1", NOW + HOUR, ["ok"], title="Tea")
    ledger.register(plan(40, now=NOW + 2 * HOUR, title="Rice"), NOW + 2 * HOUR)
    agree(ledger)
    assert overview(ledger)["planned"].tolist() == [40]


def test_a_cart_from_another_number_of_a_customer_counts_for_them(ledger):
    """A cart sent after the number was changed, or under a user id, is that of the customer planned for; once."""
    sent(ledger, "c1", NOW, ["ok"])
    moved = {"type": "system", "system": {"type": "user_changed_number", "wa_id": phone(70)}}
    stamp = str(int((NOW + HOUR).timestamp()))
    ledger.store(
        [
            hook(messages=[{"from": phone(1), "id": "wamid.moved", "timestamp": stamp, **moved}]),
            cart(70, NOW + 2 * HOUR),
            cart(1, NOW + 3 * HOUR),
            cart(60, NOW + 3 * HOUR),
            cart(2, NOW - HOUR),
        ]
    )
    agree(ledger)
    assert overview(ledger)[["treated_with_cart", "holdout_with_cart"]].sum(axis=None) == 1


def test_two_planned_ids_that_turn_out_to_be_one_customer_share_their_carts(ledger):
    """Where both ids of a customer were planned, a cart counts once, with the first of the two."""
    sent(ledger, "c1", NOW, ["ok"])
    moved = {"type": "system", "system": {"type": "user_changed_number", "wa_id": phone(2)}}
    told = {"from": phone(1), "id": "wamid.moved", "timestamp": str(int((NOW + HOUR).timestamp()))}
    ledger.store([hook(messages=[{**told, **moved}]), cart(1, NOW + HOUR), cart(2, NOW + 2 * HOUR)])
    agree(ledger)
    assert overview(ledger)[["treated_with_cart", "holdout_with_cart"]].sum(axis=None) == 1


def test_a_ledger_with_nothing_in_it_has_an_empty_overview(ledger):
    """Without a campaign there is no row, and each column all the same; a plan never sent has its customers."""
    found = overview(ledger)
    assert found.empty
    assert list(found)[-4:] == ["is_complete", "difference", "low", "high"]
    ledger.register(plan(3), NOW)
    agree(ledger)
    assert overview(ledger).loc[0, ["planned", "submitted"]].tolist() == [3, 0]


def test_campaigns_stand_in_the_order_in_which_they_began_and_those_before_a_day_are_left_out(ledger):
    """Rows are in the order of their starts, and `since` leaves out what was planned before it."""
    with opening.writing(ledger._engine) as connection:
        filled_ledger.fill(connection, campaigns=range(5), size=40, phone=phone)
    agree(ledger)
    found = overview(ledger)
    assert found["campaign"].tolist() == [filled_ledger.name(n) for n in range(5)]
    later = pd.Timestamp(filled_ledger.when(3), unit="us", tz="UTC") - HOUR
    pd.testing.assert_frame_equal(
        overview(ledger, since=later, as_of=found["as_of"].max()), found[3:].reset_index(drop=True)
    )


def test_a_horizon_that_is_no_time_is_refused(ledger):
    """A horizon that is no span of time is an error in words."""
    with pytest.raises(DataError, match="no length of time"):
        overview(ledger, horizon="soon")


def test_totals_that_lack_a_column_are_refused():
    """The table of rates names the columns that it needs."""
    with pytest.raises(DataError, match="held_out"):
        metrics.overview(pd.DataFrame({"campaign": ["c1"]}), pd.Timedelta("7D"))


# Facts in every combination that the tables allow, whether or not a sender would write them.
NAMES = ("sent", "delivered", "read", "failed")
minutes = st.integers(0, 600)
outcomes = st.tuples(
    st.integers(0, 2), st.sampled_from(["accepted", "refused", "unknown", "skipped", "window closed"]), minutes
)
people = st.fixed_dictionaries(
    {
        "plans": st.sampled_from([("a",), ("b",), ("a", "b")]),
        "arm": st.sampled_from(["treated", "treated", "holdout"]),
        "kind": st.sampled_from(["reorder", "request"]),
        "is_intended": st.booleans(),
        "attempts": st.lists(minutes, max_size=2),
        "outcomes": st.lists(outcomes, max_size=3),
        "receipts": st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), minutes), max_size=4),
        "carts": st.lists(minutes, max_size=2),
        "joined": st.booleans(),
    }
)


def at(minute):
    """Return microseconds so many minutes after the campaign was planned."""
    return schema.micros(NOW + minute * pd.Timedelta(minutes=1))


def write(connection, crowd):
    """Write what is told of a crowd into the tables of a ledger."""
    blank = {"waterfall": "[]", "content": "", "catalog_id": "1", "approved_by": "me", "holdout": 0.3}
    for n, digest in enumerate(("a", "b")):
        times = {"created_at": at(n), "expires_at": at(1200), "registered_at": at(n)}
        connection.execute(schema.PLANS.insert(), [{"digest": digest, "campaign": "c1", **blank, **times}])
    for n, person in enumerate(crowd):
        _write(connection, n, person)


def _write(connection, n, person):
    who, send_id = customer_id("phone", phone(n)), f"send{n}"
    text = {column.name: "" for column in schema.PLAN_ROWS.c}
    row = text | {"customer_id": who, "arm": person["arm"], "kind": person["kind"], "price": None}
    row |= {"probability": None, "propensity": None, "last_inbound_at": at(0), "closes_at": at(1200)}
    for digest in person["plans"]:
        connection.execute(schema.PLAN_ROWS.insert(), [row | {"digest": digest, "product_retailer_id": f"S{digest}"}])
    key, n_of = {"campaign": "c1", "customer_id": who}, 0
    if person["is_intended"]:
        intent = {**key, "send_id": send_id, "address": who, "digest": person["plans"][0], "arm": person["arm"]}
        connection.execute(schema.INTENTS.insert(), [{**intent, "at": at(0)}])
        for n_of, minute in enumerate(person["attempts"], 1):
            digest = person["plans"][-1 if n_of > 1 else 0]
            attempt = {"send_id": send_id, "n": n_of, "digest": digest, "owner": "o", "at": at(minute)}
            connection.execute(schema.ATTEMPTS.insert(), [attempt])
    for number, outcome, minute in person["outcomes"]:
        is_of_attempt = person["is_intended"] and 1 <= number <= n_of
        if outcome in ("skipped", "window closed") or is_of_attempt:
            told = {**key, "send_id": send_id if person["is_intended"] else "", "n": min(number, n_of)}
            wamid = f"w{n}" if outcome == "accepted" else ""
            told |= {"outcome": outcome, "wamid": wamid, "details": "", "code": 0, "again": 0, "at": at(minute)}
            connection.execute(schema.OUTCOMES.insert(), [told])
    alias = customer_id("user", f"GB.{n}")
    if person["joined"]:
        pair = {"left_id": min(who, alias), "right_id": max(who, alias), "rule": "webhook", "at": at(0)}
        connection.execute(schema.IDENTITIES.insert(), [pair])
    heard = [
        ("status", name, minute, "" if by_wamid else send_id, f"w{n}") for name, by_wamid, minute in person["receipts"]
    ]
    heard += [("cart", "order", minute, "", "") for minute in person["carts"]]
    blank = {column.name: "" for column in schema.EVENTS.c if column.name != "seq"}
    blank |= {"code": 0, "quantity": 1.0, "unit_price": "1.00", "currency": "GBP", "webhook": 0}
    for place, (kind, name, minute, of_send, wamid) in enumerate(heard):
        told = {"kind": kind, "status": name, "at": at(minute), "send_id": of_send, "wamid": wamid}
        by = alias if person["joined"] and kind == "cart" else who
        ids = {"event_id": f"{n}.{place}:1", "customer_id": by, "product_retailer_id": "Sa" if kind == "cart" else ""}
        connection.execute(schema.EVENTS.insert(), [blank | told | ids])


@settings(max_examples=25)
@given(crowd=st.lists(people, min_size=1, max_size=6), minute=st.integers(0, 700))
def test_whatever_the_facts_are_both_ways_agree(crowd, minute):
    """For facts in any combination the overview, and the list of sends, say what the rows of the campaign do."""
    with Ledger("sqlite://") as ledger:
        with opening.writing(ledger._engine) as connection:
            write(connection, crowd)
        agree(ledger, as_of=NOW + minute * pd.Timedelta(minutes=1), horizon="5h")
        sends_agree(ledger)


def sends_agree(ledger):
    """Assert that the sends are the rows that were accepted, or may have been."""
    rows = ledger.rows("c1")
    reached = rows[rows["outcome"].isin(["accepted", "unknown"]) & (rows["send_id"] != "")]
    names = ["campaign", "customer_id", "product_retailer_id", "outcome", "at"]
    expected = reached[names].sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(ledger.sends().sort_values("customer_id", ignore_index=True), expected)


def test_on_either_database_the_facts_come_to_the_same(ledger):
    """A crowd of customers of every sort comes to the same on SQLite and PostgreSQL, in the overview and the sends."""
    chance = random.Random(7)  # noqa: S311  # nothing is kept secret by it

    def some(choices, most):
        return [tuple(map(chance.choice, choices)) for _ in range(chance.randrange(most))]

    times, told = range(600), ["accepted", "refused", "unknown", "skipped", "window closed"]
    crowd = [
        {
            "plans": chance.choice([("a",), ("b",), ("a", "b")]),
            "arm": chance.choice(["treated", "holdout"]),
            "kind": chance.choice(["reorder", "request"]),
            "is_intended": chance.random() < 0.8,
            "attempts": [minute for (minute,) in some([times], 3)],
            "outcomes": some([range(3), told, times], 4),
            "receipts": some([NAMES, [True, False], times], 5),
            "carts": [minute for (minute,) in some([times], 3)],
            "joined": chance.random() < 0.5,
        }
        for _ in range(120)
    ]
    with opening.writing(ledger._engine) as connection:
        write(connection, crowd)
    agree(ledger)
    sends_agree(ledger)


def test_the_command_prints_a_line_a_campaign_and_writes_the_table(tmp_path, capsys):
    """Every campaign has its counts and what it added, or why that is not told; the file has all columns."""
    url, out = f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "campaigns.csv"
    with Ledger(url) as ledger, opening.writing(ledger._engine) as connection:
        filled_ledger.fill(connection, campaigns=range(12), size=40, phone=phone)
    assert main(["campaigns", "--ledger", url, "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 12 + 1
    assert re.search(r"campaign 0000 .* 40 +36 +35 .* \+\d+\.\d \(-\d+\.\d to \+\d+\.\d\)", lines[1])
    assert lines[12].endswith("days not over")
    with Ledger(url) as ledger:
        pd.testing.assert_index_equal(pd.read_csv(out).columns, overview(ledger).columns)
    assert main(["campaigns", "--ledger", url, "--since", "2027-01-01"]) == 0
    assert capsys.readouterr().out == "No campaign was planned since 2027-01-01.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--since", "someday"], "no day"), (["--horizon", "soon"], "no length of time"), ([], "no ledger")],
)
def test_the_command_says_what_is_wrong_with_its_words(words, said, tmp_path, monkeypatch, capsys):
    """A day that is none, a horizon that is none, or no ledger: one sentence and exit code 2."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WA_LEDGER", raising=False)
    named = ["--ledger", "sqlite://"] if words else []
    assert main(["campaigns", *named, *words]) == 2
    assert said in capsys.readouterr().err
