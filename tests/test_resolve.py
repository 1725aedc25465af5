"""What nobody knows of is shown to a person, who may say what became of it; nothing else ever frees it."""

import pandas as pd
import pytest

from tests.campaign import NOW, Clock, client, plan, status
from tests.faulty_server import serving
from tests.postgres import ledger_url, postgres  # noqa: F401  # fixtures
from wa_products import frames
from wa_products.campaigns import listen, send
from wa_products.errors import DataError
from wa_products.ledger import Ledger, schema, sending, unknowns
from wa_products.limits import Limits

LATER = NOW + pd.Timedelta("1h")


@pytest.fixture
def ledger(ledger_url):  # noqa: F811  # the fixture
    """Return an empty ledger, on SQLite and on PostgreSQL."""
    with Ledger(ledger_url) as made:
        yield made


@pytest.fixture
def lost(ledger):
    """Return the send id of the one message of three whose answer was lost."""
    with serving(lambda n, _payload: "lost" if n == 2 else "ok") as server, client(server) as sender:
        outcomes = send(plan(3), ledger=ledger, client=sender, dry_run=False, progress=False)
    return outcomes.loc[outcomes["outcome"] == "unknown", "send_id"].item()


def again(ledger, at=LATER, orders=lambda _n, _payload: "ok"):
    """Send the plan again at `at`; return the outcomes and how many requests were made."""
    with serving(orders) as server, client(server, Clock(at)) as sender:
        outcomes = send(plan(3), ledger=ledger, client=sender, dry_run=False, progress=False)
    return outcomes, server.requests


def test_unknowns_are_shown_after_a_while(ledger, lost):
    """Minutes after the try a lost answer is listed with what it was about, and without any address."""
    assert ledger.unknowns(NOW + pd.Timedelta("5min")).empty
    shown = ledger.unknowns(LATER)
    assert shown["send_id"].tolist() == [lost]
    assert shown.loc[0, ["campaign", "product_retailer_id", "title", "at"]].tolist() == [
        "c1",
        "S7",
        "Coffee beans",
        NOW,
    ]
    assert "lost" in shown.loc[0, "details"]
    assert {name: str(kind) for name, kind in shown.dtypes.items()} == {
        name: frames.DTYPES[kind] for name, kind in unknowns.COLUMNS.items()
    }
    assert "7700900" not in shown.to_csv()


def test_the_run_says_that_there_are_some(ledger, lost):
    """A later run names the campaign and the command, in a warning and in its result."""
    with pytest.warns(UserWarning, match="'c1'.*1 message.*wa-products resolve"):
        outcomes, _ = again(ledger)
    assert outcomes.attrs["unknown"] == 1
    assert ledger.unknowns(LATER)["send_id"].tolist() == [lost]


def test_a_status_settles_it(ledger, lost):
    """What a webhook settles is shown to nobody and can be marked by nobody."""
    listen([status(lost)], ledger=ledger)
    assert ledger.unknowns(LATER).empty
    with pytest.raises(DataError, match="settled already"):
        ledger.resolve([lost], sent=False, by="Ada", now=LATER)


def test_marked_as_sent(ledger, lost):
    """Marked as sent it is accepted, at the time of the try, with who said so and when, and is not sent again."""
    assert ledger.resolve([lost], sent=True, by="Ada", now=LATER) == 1
    row = ledger.rows("c1").set_index("send_id").loc[lost]
    assert row[["outcome", "at", "details"]].tolist() == [
        "accepted",
        NOW,
        "marked as sent by Ada on 2026-11-22 09:00 UTC",
    ]
    outcomes, posted = again(ledger)
    assert (set(outcomes["outcome"]), posted) == ({"accepted"}, 0)
    assert ledger.unknowns(LATER).empty


def test_marked_as_not_sent(ledger, lost):
    """Marked as not sent it is skipped with who said so, and the next run sends it, once."""
    assert ledger.resolve([lost], sent=False, by="Ada", now=LATER) == 1
    row = ledger.rows("c1").set_index("send_id").loc[lost]
    assert row[["outcome", "details"]].tolist() == ["skipped", "marked as not sent by Ada on 2026-11-22 09:00 UTC"]
    for posted in (1, 0):
        outcomes, requests = again(ledger)
        assert (set(outcomes["outcome"]), requests) == ({"accepted"}, posted)


def test_lost_once_more(ledger, lost):
    """A message that is lost again after it was freed is unknown again."""
    ledger.resolve([lost], sent=False, by="Ada", now=LATER)
    outcomes, posted = again(ledger, orders=lambda _n, _payload: "reset")
    assert (sorted(outcomes["outcome"]), posted) == (["accepted", "accepted", "unknown"], 1)
    assert ledger.unknowns(LATER + pd.Timedelta("1h"))["send_id"].tolist() == [lost]


def test_nothing_is_changed_only_added(ledger, lost):
    """Marking adds one fact; all that was written before stands as it was."""

    def facts():
        with ledger._engine.begin() as connection:
            return [connection.execute(table.select()).all() for table in (schema.ATTEMPTS, schema.OUTCOMES)]

    attempts, outcomes = facts()
    ledger.resolve([lost], sent=True, by="Ada", now=LATER)
    after, more = facts()
    assert attempts == after
    assert outcomes == [row for row in more if row in outcomes]
    assert len(more) == len(outcomes) + 1


def test_what_cannot_be_marked(ledger, lost):
    """A send just tried, one that is accepted, one that does not exist, twice, or by nobody: refused in words."""
    accepted = ledger.rows("c1").query("outcome == 'accepted'")["send_id"].iloc[0]
    for ids, now in (([lost], NOW + pd.Timedelta("1min")), ([lost, accepted], LATER), (["nothing"], LATER)):
        with pytest.raises(DataError, match="cannot be marked"):
            ledger.resolve(ids, sent=False, by="Ada", now=now)
    with pytest.raises(DataError, match="by must"):
        ledger.resolve([lost], sent=True, by=" ", now=LATER)
    assert ledger.unknowns(LATER)["send_id"].tolist() == [lost]
    ledger.resolve([lost], sent=True, by="Ada", now=LATER)
    with pytest.raises(DataError, match="cannot be marked"):
        ledger.resolve([lost], sent=True, by="Ada", now=LATER)


def test_claimed_and_never_posted(ledger):
    """What a killed sender had claimed is unknown, is shown, and can be freed."""
    made = plan(3)
    ledger.register(made, NOW)
    ledger.claim(made, sending.plan_rows(made), now=NOW, owner="killed")
    shown = ledger.unknowns(LATER)
    assert len(shown) == 3
    assert shown["details"].str.contains("stopped before").all()
    assert ledger.resolve(shown["send_id"].tolist(), sent=False, by="Ada", now=LATER) == 3
    outcomes, posted = again(ledger)
    assert (set(outcomes["outcome"]), posted) == ({"accepted"}, 3)


@pytest.mark.parametrize("sent", [True, False])
def test_a_sender_that_wakes_up_late(ledger, sent):
    """A sender that slept long after its claim posts nothing of it, whatever a person said meanwhile."""
    clock = Clock()

    def orders(n, payload):
        if n == 1:  # while the first is under way the machine sleeps for an hour, and somebody marks the second
            clock.sleep(3600)
            lost = set(ledger.unknowns(clock.now())["send_id"]) - {payload["biz_opaque_callback_data"]}
            ledger.resolve(lost, sent=sent, by="Ada", now=clock.now())
        return "ok"

    with serving(orders) as server, client(server, clock) as sender:
        sender.workers = 1
        send(plan(2), ledger=ledger, client=sender, dry_run=False, progress=False)
    assert server.requests == (1 if sent else 2)
    assert set(ledger.rows("c1")["outcome"]) == {"accepted"}
    assert server.doubles() == 0


def test_a_resolved_send_in_the_next_campaign(ledger, lost):
    """Marked as sent it counts as a message for the rest of its customer; marked as not sent it does not."""
    limits = Limits(rest_days=7)
    customer = ledger.unknowns(LATER).loc[0, "customer_id"]
    other = plan(3, campaign="c2", product_retailer_id="S8", now=LATER, limits=limits)
    ledger.resolve([lost], sent=False, by="Ada", now=LATER)
    with serving() as server, client(server, Clock(LATER)) as sender:
        outcomes = send(other, ledger=ledger, client=sender, dry_run=False, progress=False)
    told = outcomes.set_index("customer_id")
    assert told["outcome"].value_counts().to_dict() == {"skipped": 2, "accepted": 1}
    assert told.loc[customer, "outcome"] == "accepted"
