"""A ledger made by any earlier step climbs to exactly the tables of a new one, with all that is in it."""

import pytest
from sqlalchemy import create_engine, inspect, text

from tests.campaign import NOW, plan, says
from tests.ledger_step_1 import STEP_1
from tests.postgres import ledger_url, postgres, room  # noqa: F401  # fixtures
from wa_products.ledger import Ledger, opening, schema


def shape(url):
    """Return everything a database knows about its tables, in words that can be compared."""
    engine = create_engine(opening.target_of(url))
    found = inspect(engine)
    told = {}
    for table in sorted(found.get_table_names()):
        columns = {(each["name"], str(each["type"]), each["nullable"]) for each in found.get_columns(table)}
        indexes = {
            (each["name"], tuple(each["column_names"]), bool(each["unique"])) for each in found.get_indexes(table)
        }
        unique = {tuple(each["column_names"]) for each in found.get_unique_constraints(table)}
        told[table] = columns, indexes, unique, tuple(found.get_pk_constraint(table)["constrained_columns"])
    engine.dispose()
    return told


def made_by_step_1(url):
    """Make the ledger that the first version made, with one plan in it and something heard."""
    engine = create_engine(opening.target_of(url))
    with engine.begin() as connection:
        for statement in STEP_1[engine.dialect.name].split(";"):
            if statement.strip():
                connection.execute(text(statement))
        connection.execute(schema.RECORDS.insert(), {"number": 1, "about": "the first tables", "applied_at": 0})
    engine.dispose()


@pytest.fixture
def fresh_url(request, ledger_url, tmp_path):  # noqa: F811  # the fixture
    """Return the URL of another new ledger on the same kind of database."""
    if ledger_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'fresh.db'}"
    return room(request.getfixturevalue("postgres"))


def test_a_climbed_ledger_equals_a_new_one(ledger_url, fresh_url):  # noqa: F811  # the fixture
    """Step by step from the first tables comes the same as made at once, and it works as a ledger."""
    made_by_step_1(ledger_url)
    with Ledger(ledger_url) as climbed:
        climbed.register(plan(3), NOW)
        climbed.store([says(0, "hello")])
        assert len(climbed.rows("c1")) == 3
        with climbed._engine.begin() as connection:
            numbers = list(connection.scalars(schema.RECORDS.select().order_by(schema.RECORDS.c.number)))
    Ledger(fresh_url).close()
    assert shape(ledger_url) == shape(fresh_url)
    assert numbers == [step.number for step in opening.MIGRATIONS]
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_was_written_before_is_still_there(ledger_url):  # noqa: F811  # the fixture
    """Facts of the first version are read by this one."""
    made_by_step_1(ledger_url)
    row = dict.fromkeys(schema.PLANS.c.keys(), 0) | {"campaign": "old", "waterfall": "[]", "content": "", "digest": "d"}
    engine = create_engine(opening.target_of(ledger_url))
    with engine.begin() as connection:
        connection.execute(schema.PLANS.insert(), row | {"seq": 1, "catalog_id": "1", "approved_by": "me"})
    engine.dispose()
    with Ledger(ledger_url) as ledger:
        assert ledger.campaigns()["campaign"].tolist() == ["old"]
