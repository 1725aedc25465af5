import gzip
import itertools
import json
import os
import sqlite3
import stat
from decimal import Decimal

import pandas as pd
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from tests import campaign
from tests.campaign import NOW, client, hook, phone, plan, says, status
from tests.faulty_server import coded, serving
from tests.postgres import ledger_url, postgres  # noqa: F401  # fixtures
from wa_products import events, frames
from wa_products.campaigns import listen, send
from wa_products.errors import DataError, LedgerError, SettingsError
from wa_products.identities import customer_id
from wa_products.ledger import Ledger, migrations, opening, schema, sending
from wa_products.ledger.health import health


@pytest.fixture
def ledger(ledger_url):  # noqa: F811  # the fixture
    """Return an empty ledger, on SQLite and on PostgreSQL."""
    with Ledger(ledger_url) as made:
        yield made


def order(n, at=NOW, price="7.99"):
    """Return the webhook of a cart of the n-th customer."""
    items = [{"product_retailer_id": "S7", "quantity": 2, "item_price": price, "currency": "GBP"}] * 2
    return says(n, "", at, type="order", order={"product_items": items})


def bodies():
    """Return webhooks of every kind."""
    return [
        says(0, "hello", NOW - pd.Timedelta("2h")),
        order(1),
        status("s1", "sent"),
        status("s1", "read", at=NOW + pd.Timedelta("1h")),
        says(2, "STOP", from_user_id="GB.2"),
        {"entry": [{"changes": [{"field": "surprise", "value": {}}]}]},
        b"not json",
        "[]",
    ]


def test_an_empty_ledger(ledger):
    """An empty ledger gives empty frames of their shapes."""
    for found, shape in ((ledger.events(), frames.EVENTS), (ledger.sends(), frames.SENDS)):
        assert {column: str(kind) for column, kind in found.dtypes.items()} == {
            column: frames.DTYPES[kind] for column, kind in shape.items()
        }
    assert ledger.rows("none").empty
    assert list(ledger.rows("none").columns)[:3] == ["campaign", "customer_id", "send_id"]
    assert ledger.campaigns().empty


def test_a_database_that_breaks(ledger):
    """A database that goes away in mid-work is told in words, without a value, and the ledger works again after."""

    def work():
        with opening.writing(ledger._engine) as base:
            if base.dialect.name == "postgresql":
                with psycopg.connect(str(ledger._engine.url).replace("+psycopg", ""), autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s)", [base.scalar(text("SELECT pg_backend_pid()"))])
            else:
                base.connection.driver_connection.set_progress_handler(lambda: True, 1)  # as if it were interrupted
            base.execute(schema.SUPPRESSIONS.insert(), [{"customer_id": "447700900123", "reason": "x", "at": 1}])

    with pytest.raises(LedgerError, match="run again to go on") as caught:
        work()
    assert "7700900" not in str(caught.value)
    ledger._engine.dispose()
    ledger.suppress(["c1"], "asked by letter", NOW)


def test_an_interrupt_is_no_fault_of_the_database(ledger):
    """Ctrl-C while the database works comes out as what it is, and the ledger works again after."""

    def interrupt(*_):
        raise KeyboardInterrupt

    event.listen(ledger._engine, "do_execute", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ledger.campaigns()
    event.remove(ledger._engine, "do_execute", interrupt)
    assert ledger.campaigns().empty


def test_no_error_of_the_database_shows_a_value(ledger):
    """What breaks a rule of the tables is named without the values of the row."""
    row = {"number": 1, "digest": None, "body": b"+447700900123", "stored_at": 1}
    with pytest.raises(IntegrityError) as caught, opening.writing(ledger._engine) as connection:
        connection.execute(schema.WEBHOOKS.insert(), [row])
    assert "SQL parameters hidden" in str(caught.value)
    assert "+447700900123" not in str(caught.value)


def test_events_come_back_as_they_were(ledger):
    """What is stored comes back equal: times, exact money, text, unknowns."""
    assert ledger.store(bodies()) == 9
    found = ledger.events().set_index("event_id")
    parsed = pd.concat([events.parse(body) for body in bodies()]).set_index("event_id")
    pd.testing.assert_frame_equal(found.sort_index(), parsed.sort_index())
    assert found.loc[found["kind"] == "cart", "unit_price"].tolist() == [Decimal("7.99")] * 2


def test_listening_twice_is_listening_once(ledger):
    """Stored again, in another order and in other batches, bodies change nothing."""
    new = listen(bodies(), ledger=ledger)
    once = ledger.events()
    pd.testing.assert_frame_equal(new, once)
    assert listen(reversed(bodies()), ledger=ledger).empty
    assert ledger.store(itertools.chain(bodies(), bodies())) == 0
    pd.testing.assert_frame_equal(ledger.events(), once)


@settings(max_examples=20)
@given(st.permutations(range(len(bodies()))), st.integers(1, 3))
def test_order_does_not_matter(order, repeats):
    """Whatever the order and the repeats of the bodies, the ledger tells the same."""
    with Ledger("sqlite://") as straight, Ledger("sqlite://") as shuffled:
        straight.store(bodies())
        for n in order * repeats:
            shuffled.store([bodies()[n]])
        pd.testing.assert_frame_equal(straight.events(), shuffled.events())


def test_one_customer_under_many_ids(ledger):
    """Events of one customer under a phone, a user id and a changed number carry the planned customer's id."""
    planned = customer_id("phone", phone(0))
    with serving() as server, client(server) as sender:
        send(plan(1), ledger=ledger, client=sender, dry_run=False, progress=False)
    moved = {"type": "user_changed_number", "wa_id": phone(9)}
    ledger.store(
        [
            says(0, "one", from_user_id="GB.1"),
            hook(messages=[{"from_user_id": "GB.1", "id": "u", "type": "text", "timestamp": "1795334400"}]),
            says(0, "", type="system", system=moved),
            says(9, "four"),
        ]
    )
    assert ledger.events()["customer_id"].tolist() == [planned] * 4


def test_the_answer_tells_another_number(ledger):
    """When the Cloud API answers with another wa_id, as in Brazil, its webhooks join the planned customer."""
    planned = customer_id("shop", "42")
    made = plan(1, customer_id=planned, to="+5511987654321")
    with serving() as server, client(server) as sender:
        send(made, ledger=ledger, client=sender, dry_run=False, progress=False)
    ledger.store([hook(messages=[{"from": "5511987654321", "id": "m", "type": "text", "timestamp": "1795334400"}])])
    assert ledger.events()["customer_id"].tolist() == [planned]


def test_rows_of_a_campaign(ledger):
    """The rows of a campaign have every planned customer with what was planned and what came of it, no address."""
    made = plan(20, holdout=0.25)
    ledger.register(made, NOW)
    before = ledger.rows("c1")
    assert set(before["outcome"]) == {"", "held out"}
    with serving(lambda n, _payload: "lost" if n == 1 else "ok") as server, client(server) as sender:
        send(made, ledger=ledger, client=sender, dry_run=False, progress=False)
    rows = ledger.rows("c1")
    assert len(rows) == 20
    assert rows["outcome"].value_counts().to_dict() == {
        "accepted": 19 - (made.arms == "holdout").sum(),
        "held out": (made.arms == "holdout").sum(),
        "unknown": 1,
    }
    assert (rows["arm"] == made.arms).all()
    for column in ("customer_id", "title", "price", "currency", "closes_at", "probability", "kind", "source"):
        assert rows[column].tolist() == made.rows[column].tolist()
    sends = ledger.sends()
    assert len(sends) == len(server.taken)
    for shown in (rows.to_csv(), sends.to_csv(), ledger.campaigns().to_csv(), repr(ledger)):
        assert "447700900" not in shown


def test_campaigns(ledger):
    """Each plan is told with its digest, its approver and its waterfall."""
    ledger.register(plan(2), NOW)
    ledger.register(plan(2), NOW)
    ledger.register(plan(3), NOW)
    found = ledger.campaigns()
    assert found["digest"].tolist() == [plan(2).digest, plan(3).digest]
    assert found.loc[0, ["campaign", "approved_by", "holdout"]].tolist() == ["c1", "me", 0.0]
    assert found.loc[0, "expires_at"] == plan(2).expires_at
    assert found.loc[0, "waterfall"] == []


def test_a_second_intent_is_impossible(ledger):
    """The database itself refuses a second intent for a customer, and for an address, of one campaign."""
    ledger.register(plan(3), NOW)
    claims = ledger.claim(plan(3), sending.plan_rows(plan(3))[:1], now=NOW, owner="a")
    assert len(claims) == 1
    row = dict.fromkeys(("send_id", "campaign", "customer_id", "address", "digest", "arm"), "other") | {"at": 0}
    with opening.writing(ledger._engine) as connection:
        taken = dict(connection.execute(schema.INTENTS.select()).mappings().one())
    for column in ("customer_id", "address"):
        twice = {**row, "campaign": "c1", column: taken[column]}
        with pytest.raises(IntegrityError), opening.writing(ledger._engine) as connection:
            connection.execute(schema.INTENTS.insert(), twice)


def test_a_claim_is_made_once(ledger, ledger_url):  # noqa: F811  # the fixture
    """What one sender has claimed no other gets, not even the same one again."""
    made = plan(5)
    ledger.register(made, NOW)
    rows = sending.plan_rows(made)
    with Ledger(ledger_url) as other:
        first = ledger.claim(made, rows[:3], now=NOW, owner="a")
        second = other.claim(made, rows, now=NOW, owner="b")
    assert ledger.claim(made, rows, now=NOW, owner="a") == []
    assert [len(first), len(second)] == [3, 2]
    assert set(ledger.rows("c1")["outcome"]) == {"unknown"}


def test_who_was_put_aside_and_back(ledger):
    """The latest mark counts: put aside, back again, and aside once more; others are untouched."""
    later = NOW + pd.Timedelta("1s")
    for customer, at, is_aside in (("a", NOW, True), ("b", NOW, True), ("a", NOW, False), ("a", later, True)):
        ledger.set_aside(customer, by="Ada", at=at, is_aside=is_aside)
    assert ledger.asides().to_dict() == {"b": NOW, "a": later}
    ledger.set_aside("b", by="Bo", at=later, is_aside=False)
    assert ledger.asides().to_dict() == {"a": later}


@pytest.mark.filterwarnings("ignore:the campaign")
def test_facts_are_only_added(ledger):
    """A campaign with faults, webhooks, a mark by hand and a suppression adds rows, and changes or removes none."""
    said = []
    event.listen(ledger._engine, "before_cursor_execute", lambda *seen: said.append(seen[2]))
    orders = {1: "lost", 2: coded(131056), 3: coded(131026), 4: coded(100)}
    with serving(lambda n, _payload: orders.get(n, "ok")) as server, client(server) as sender:
        outcomes = send(plan(8, holdout=0.2), ledger=ledger, client=sender, dry_run=False, progress=False)
    ledger.store([*bodies(), server.statuses(at=int(NOW.timestamp()))])
    ledger.suppress([outcomes["customer_id"][0]], "asked", NOW)
    ledger.lift([outcomes["customer_id"][0]], NOW)
    ledger.set_aside(outcomes["customer_id"][0], by="Ada", at=NOW)
    with serving(lambda _n, _payload: "lost") as server, client(server) as sender:
        send(plan(4, campaign="c2"), ledger=ledger, client=sender, dry_run=False, progress=False)
    lost = ledger.unknowns(NOW + pd.Timedelta("1h"))["send_id"].tolist()
    assert ledger.resolve(lost, sent=True, by="Ada", now=NOW + pd.Timedelta("1h")) == len(lost) >= 1
    verbs = {statement.split()[0].upper() for statement in said}
    assert "INSERT" in verbs
    assert verbs <= {"INSERT", "SELECT", "BEGIN", "PRAGMA"}
    assert not [statement for statement in said if "DO UPDATE" in statement.upper()]


def test_a_foreign_database(tmp_path):
    """A file of something else is refused in words and left as it was, be it a database or not."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id)")
    connection.close()
    other = tmp_path / "notes.txt"
    other.write_text("these are my notes, and not a database " * 50)
    for each in (path, other):
        before = each.read_bytes()
        with pytest.raises(SettingsError, match="ledger"):
            Ledger(f"sqlite:///{each}")
        assert each.read_bytes() == before


def test_a_newer_ledger(ledger, ledger_url):  # noqa: F811  # the fixture
    """A ledger that a newer version wrote is refused in words."""
    with opening.writing(ledger._engine) as connection:
        connection.execute(schema.RECORDS.insert(), {"number": 99, "about": "later", "applied_at": 0})
    with pytest.raises(SettingsError, match="newer"):
        Ledger(ledger_url)


def test_a_migration_is_all_or_nothing(ledger, ledger_url, monkeypatch):  # noqa: F811  # the fixture
    """A step runs once, its record in its own transaction; a step that fails leaves the ledger as it was."""

    def fails(connection):
        connection.execute(text("ALTER TABLE wa_plans ADD COLUMN note TEXT"))
        raise SettingsError("broke in the middle")

    def works(connection):
        connection.execute(text("ALTER TABLE wa_plans ADD COLUMN note TEXT"))

    ledger.register(plan(2), NOW)
    ledger.close()
    steps = opening.MIGRATIONS
    for step, broken in ((fails, True), (works, False), (works, False)):
        monkeypatch.setattr(opening, "MIGRATIONS", (*steps, migrations.Migration(steps[-1].number + 1, "a note", step)))
        if broken:
            with pytest.raises(SettingsError, match="middle"):
                Ledger(ledger_url)
        else:
            with Ledger(ledger_url) as again:
                assert len(again.rows("c1")) == 2


@pytest.mark.parametrize(
    "url", ["ledger.db", "mysql://x/y", "sqlite:////no/such/folder/ledger.db", "postgresql://u:s3cret@127.0.0.1:1/x"]
)
def test_what_is_no_ledger(url):
    """A URL that leads to no ledger is refused in words, without its password."""
    with pytest.raises(SettingsError) as caught:
        Ledger(url)
    assert "s3cret" not in str(caught.value)


def test_the_file_is_private(tmp_path):
    """The ledger's file and its companions are readable by their owner alone, whatever the umask."""
    old = os.umask(0)
    try:
        with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
            ledger.store(bodies())
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(old)
    assert set(modes.values()) == {0o600}
    assert "ledger.db" in modes


def test_the_token_is_not_in_the_ledger(tmp_path):
    """The token of the client that sent is nowhere in the ledger's files."""
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger, serving() as server, client(server) as sender:
        send(plan(3), ledger=ledger, client=sender, dry_run=False, progress=False)
        assert campaign.SETTINGS.token in server.headers[0]["Authorization"]
        assert not [path for path in tmp_path.iterdir() if campaign.SETTINGS.token.encode() in path.read_bytes()]


def test_listening_to_files(tmp_path):
    """JSON lines, a JSON list, a single body, compressed or not, alone or in a folder, all give their events."""
    lines = b"\n".join(json.dumps(says(n, "hi")).encode() for n in range(3)) + b"\n\n"
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "b.json").write_text(json.dumps([says(3, "hi"), says(4, "hi")]))
    (tmp_path / "c.json").write_text(json.dumps(says(5, "hi"), indent=1))
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress(json.dumps(says(6, "hi")).encode()))
    (tmp_path / "e.json").write_bytes(lines.replace(b"hi", b"ho"))
    (tmp_path / "readme.txt").write_text("not webhooks")
    with Ledger("sqlite://") as ledger:
        assert len(listen(tmp_path / "a.jsonl", ledger=ledger)) == 3
        assert len(listen(str(tmp_path), ledger=ledger)) == 7
        assert set(ledger.events()["kind"]) == {"inbound"}
        for missing in (tmp_path / "none.jsonl", tmp_path / "empty"):
            (tmp_path / "empty").mkdir(exist_ok=True)
            with pytest.raises(DataError, match=missing.name):
                listen(missing, ledger=ledger)


def test_listening_to_a_mailbox():
    """Anything with a method webhooks is listened to; so is one body by itself."""

    class Mailbox:
        def webhooks(self):
            return [json.dumps(says(0, "hi")).encode()]

    with Ledger("sqlite://") as ledger:
        assert len(listen(Mailbox(), ledger=ledger)) == 1
        assert len(listen(says(1, "hi"), ledger=ledger)) == 1


def test_a_ledger_tells_how_it_is(ledger_url):  # noqa: F811  # the fixture
    """Either database says at which step its tables are, how large it is and what it holds, and nothing is wrong."""
    with Ledger(ledger_url) as ledger:
        ledger.register(campaign.plan(3), campaign.NOW)
        told = health(ledger_url)
    assert (told.step, told.faults, told.is_private) == (told.last_step, (), True)
    assert told.counts == {"campaigns": 1, "messages": 0, "webhooks": 0}
    assert told.size > 0
