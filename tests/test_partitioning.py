"""A ledger on PostgreSQL whose large tables were put into parts, as the page on scaling says, is a ledger like any."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Text, func, select
from sqlalchemy.exc import IntegrityError

from tests.campaign import NOW, plan, says, status
from tests.postgres import partition, postgres, room  # noqa: F401  # a fixture
from wa_products.ledger import Ledger, opening, reading, schema, sending

ROOT = Path(__file__).parent.parent
PARTED = {"wa_events", "wa_outcomes", "wa_webhooks"}


def test_what_was_there_is_there_in_parts(postgres):  # noqa: F811  # the fixture
    """A filled ledger tells the same after it was put into parts, goes on, and still sends nobody a second message."""
    url = room(postgres)
    made = plan(3)
    with Ledger(url) as ledger:
        ledger.register(made, NOW)
        claims = ledger.claim(made, sending.plan_rows(made), now=NOW, owner="o")
        ledger.store([says(0, "hello"), *(status(each.send_id) for each in claims)])
        before = ledger.events(), ledger.rows("c1"), ledger.last_event()
    partition(url)
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT relname FROM pg_class WHERE relkind = 'p' AND pg_table_is_visible(oid)")
        assert {name for (name,) in found} == PARTED
    with Ledger(url) as ledger:
        assert ledger.events().equals(before[0])
        assert ledger.rows("c1").equals(before[1])
        assert ledger.claim(made, sending.plan_rows(made), now=NOW, owner="another") == []
        assert ledger.store([says(0, "hello"), says(1, "hello")]) == 1
        assert ledger.last_event() == before[2] + 1
        row = {"send_id": "another", "campaign": "c1", "customer_id": made.rows["customer_id"].iloc[0]}
        with pytest.raises(IntegrityError), opening.writing(ledger._engine) as connection:
            connection.execute(
                schema.INTENTS.insert(), row | {"address": "a", "digest": "d", "arm": "treated", "at": 1}
            )


def test_queries_are_planned_for_look_ups_by_id(postgres, monkeypatch):  # noqa: F811  # the fixture
    """Whatever the server is set to, the ledger's connections take ids for cheap to look up, and compile nothing."""
    query = select(*(func.current_setting(name, type_=Text).label(name) for name in ("jit", "random_page_cost")))
    with Ledger(room(postgres)) as ledger, ledger._engine.begin() as connection:
        for large in (reading.LARGE, 0):
            monkeypatch.setattr(reading, "LARGE", large)
            (found,) = reading.read(connection, query, rows=1)
            assert found.to_pylist() == [{"jit": "off", "random_page_cost": "1.1"}]


@pytest.mark.slow
def test_the_contract_holds_in_parts():
    """All that is promised of a ledger on PostgreSQL holds of one in parts."""
    files = [f"tests/test_{name}.py" for name in ("ledger", "hearing", "resolve", "ledger_scale", "overview")]
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-k", "postgresql", *files]
    told = {**os.environ, "LEDGERS_IN_PARTS": "1"}
    done = subprocess.run(words, cwd=ROOT, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
