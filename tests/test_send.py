import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import campaign
from tests.campaign import NOW, SETTINGS, Clock, client, plan, says, status
from tests.faulty_server import InProcess, coded, serving
from tests.postgres import ledger_url, postgres  # noqa: F401  # fixtures
from wa_products import frames, plans, windows
from wa_products.campaigns import listen, send
from wa_products.campaigns.sender import BATCH
from wa_products.client import Client
from wa_products.errors import DataError, PlanError
from wa_products.ledger import Ledger


@pytest.fixture
def ledger(ledger_url):  # noqa: F811  # the fixture
    """Return an empty ledger, on SQLite and on PostgreSQL."""
    with Ledger(ledger_url) as made:
        yield made


def run(plan, ledger, server, clock=None, **options):
    """Send for real, without a progress bar."""
    with client(server, clock) as sender:
        return send(plan, ledger=ledger, client=sender, **{"dry_run": False, "progress": False, **options})


def test_a_campaign(ledger):
    """Each treated customer is posted once with their send id, the held out are recorded, the frame tells both."""
    made = plan(40, holdout=0.25)
    with serving() as server:
        outcomes = run(made, ledger, server)
    held = made.arms == "holdout"
    assert 0 < held.sum() < 40
    assert outcomes["outcome"].tolist() == ["held out" if one else "accepted" for one in held]
    assert outcomes["customer_id"].tolist() == made.rows["customer_id"].tolist()
    sent = {message["to"]: message["biz_opaque_callback_data"] for message in server.taken}
    assert len(server.taken) == len(sent) == outcomes.attrs["posted"] == (~held).sum()
    of_treated = outcomes["send_id"][~held].tolist()
    assert of_treated == [sent[to] for to in made.rows["to"][~held]]
    assert {column: str(kind) for column, kind in outcomes.dtypes.items()} == {
        column: frames.DTYPES[kind] for column, kind in frames.OUTCOMES.items()
    }
    assert set(outcomes["wamid"][~held]) == {f"wamid.{n}" for n in range(1, len(sent) + 1)}


def test_again_sends_nothing(ledger):
    """Sending the same plan again posts nothing and gives the same outcomes."""
    with serving() as server:
        first = run(plan(), ledger, server)
        again = run(plan(), ledger, server)
    assert server.requests == 5
    assert again.attrs["posted"] == 0
    pd.testing.assert_frame_equal(first, again)


def test_a_dry_run_writes_nothing(ledger):
    """A dry run posts nothing, leaves no trace in the ledger, and says in words what would happen."""
    made = plan(10, holdout=0.3, closes_at=[NOW, *[NOW + pd.Timedelta("9h")] * 9])
    with serving() as server:
        outcomes = run(made, ledger, server, dry_run=True)
    assert server.requests == 0
    assert ledger.campaigns().empty
    assert set(outcomes["outcome"]) == {"skipped"}
    assert set(outcomes["details"].str.split(":").str[1]) == {
        *{" would be sent now", " would be held out", " would not be sent"}
    }
    assert (outcomes["details"].str.contains("held out") == (made.arms == "holdout")).all()


@pytest.mark.parametrize("order", ["lost", "reset", "bad json", "no id", "server error"])
def test_a_lost_answer_is_never_resent(ledger, order):
    """A lost answer is unknown, in this run and in every later one, until its status webhook settles it."""
    with serving(lambda n, _payload: order if n == 2 else "ok") as server:
        first = run(plan(), ledger, server)
        again = run(plan(), ledger, server)
        assert sorted(first["outcome"]) == ["accepted"] * 4 + ["unknown"]
        assert again["outcome"].tolist() == first["outcome"].tolist()
        assert (len(server.taken), server.doubles()) == (5, 0)
        lost = first[first["outcome"] == "unknown"].iloc[0]
        listen([status(lost["send_id"], wamid="wamid.told")], ledger=ledger)
        settled = run(plan(), ledger, server)
    assert set(settled["outcome"]) == {"accepted"}
    assert settled.set_index("send_id").loc[lost["send_id"], "wamid"] == "wamid.told"
    assert server.doubles() == 0


def test_a_webhook_before_the_answer(ledger):
    """A status that comes before the lost answer is noticed settles it all the same."""

    def orders(_n, payload):
        ledger.store([status(payload["biz_opaque_callback_data"])])
        return "lost"

    with serving(orders) as server:
        outcomes = run(plan(1), ledger, server)
    assert outcomes["outcome"].tolist() == ["accepted"]


def test_nothing_left_this_machine(ledger):
    """Without a connection the run stops after a few tries, and a later run sends everything, once."""
    with serving() as server:
        gone = client(server)
        clock = gone.clock
    with gone, pytest.warns(UserWarning, match="no connection"):
        outcomes = send(plan(30), ledger=ledger, client=gone, dry_run=False, progress=False)
    assert set(outcomes["outcome"]) == {"skipped"}
    assert 1 <= len([nap for nap in clock.naps if nap >= 1]) <= 4
    with serving() as server:
        assert set(run(plan(30), ledger, server)["outcome"]) == {"accepted"}
    assert (len(server.taken), server.doubles()) == (30, 0)


def test_a_retryable_refusal_is_tried_again(ledger):
    """A throttled message is tried again after a pause that grows, honouring Retry-After, with its one send id."""
    seen = []

    def orders(n, payload):
        seen.append(payload["biz_opaque_callback_data"])
        return {1: coded(131056), 2: coded(131056, Retry_After="30")}.get(n, "ok")

    clock = Clock()
    with serving(orders) as server:
        outcomes = run(plan(1), ledger, server, clock)
    assert outcomes["outcome"].tolist() == ["accepted"]
    assert (len(seen), len(set(seen))) == (3, 1)
    assert sum(clock.naps) >= 31


def test_a_throttled_number_pauses_for_everybody(ledger):
    """When the number itself is throttled nobody is posted to until the pause is over."""
    clock, at = Clock(), []

    def orders(n, _payload):
        at.append(clock.now())
        return coded(80007) if n == 1 else "ok"

    with serving(orders) as server, client(server, clock) as sender:
        sender.workers = 1
        send(plan(3), ledger=ledger, client=sender, dry_run=False, progress=False)
    assert at[1] - at[0] >= pd.Timedelta("60s")
    assert len(server.taken) == 3


def test_tries_end(ledger):
    """A message refused again and again is left refused after a few tries, and a later run may try once more."""
    with serving(lambda _n, _payload: coded(131056)) as server:
        outcomes = run(plan(1), ledger, server)
        assert server.requests == 4
    assert (outcomes.loc[0, "outcome"], outcomes.loc[0, "code"]) == ("refused", 131056)
    with serving() as server:
        assert run(plan(1), ledger, server)["outcome"].tolist() == ["accepted"]


@pytest.mark.filterwarnings("ignore:the campaign 'c1' met codes")
@pytest.mark.parametrize("code", [131026, 131047, 131009, 999_999])
def test_a_final_refusal_is_final(ledger, code):
    """A refusal for this customer or request is recorded with its code, others go on, and it is not tried again."""
    with serving(lambda n, _payload: coded(code, "why") if n == 1 else "ok") as server:
        first = run(plan(), ledger, server)
        run(plan(), ledger, server)
    refused = first[first["outcome"] == "refused"]
    assert refused[["code", "details"]].to_numpy().tolist() == [[code, "why"]]
    assert server.requests == 5


@pytest.mark.parametrize("code", [190, 131031, 131048, 368])
def test_the_account_stops_the_campaign(ledger, code):
    """An account-level code halts the run, leaves the rest unclaimed, and a later run sends to everybody once."""
    with serving(lambda n, _payload: coded(code) if n > 3 else "ok") as server, pytest.warns(UserWarning, match="stop"):
        outcomes = run(plan(60), ledger, server)
    assert server.requests < 20
    assert len(outcomes) == 60
    assert str(code) in outcomes.attrs["stopped"]
    rest = outcomes[outcomes["outcome"] == "skipped"]
    assert len(rest) >= 40
    assert rest["details"].str.contains("stopped").all()
    assert (ledger.rows("c1")["outcome"] == "").sum() >= 40
    with serving() as later:
        assert set(run(plan(60), ledger, later)["outcome"]) == {"accepted"}
    assert len(server.taken) + len(later.taken) == 60
    assert not {m["to"] for m in server.taken} & {m["to"] for m in later.taken}


def test_too_many_failures_stop_the_campaign(ledger):
    """When most messages fail, whatever the code, the run stops rather than burn the whole audience."""
    with serving(lambda _n, _payload: coded(100)) as server, pytest.warns(UserWarning, match="of the last"):
        run(plan(200), ledger, server)
    assert server.requests < 80


@pytest.mark.parametrize("order", ["server error", coded(100)])
def test_a_fault_that_hits_all_is_seen_early(ledger, order):
    """When not one of the first messages goes well, the run stops after ten and those in flight, and says so."""
    with serving(lambda _n, _payload: order) as server, pytest.warns(UserWarning, match="10 of the last 10"):
        outcomes = run(plan(200), ledger, server)
    assert server.requests < 20
    assert outcomes.attrs["failing"]


def test_the_window_is_checked_at_that_instant(ledger):
    """Nobody is posted to whose window closes within the margin, also when it closes while the run goes on."""
    closes = [NOW + windows.MARGIN, *[NOW + pd.Timedelta("20min")] * 3]
    clock = Clock()

    def orders(n, _payload):
        clock.sleep(16 * 60 if n == 2 else 0)
        return "ok"

    with serving(orders) as server, client(server, clock) as sender:
        sender.workers = 1
        outcomes = send(plan(4, closes_at=closes), ledger=ledger, client=sender, dry_run=False, progress=False)
    assert len(server.taken) == 2
    assert sorted(outcomes["outcome"]) == ["accepted"] * 2 + ["window closed"] * 2


def test_a_customer_who_wrote_again_has_a_new_window(ledger):
    """A window that closed at the time of the plan is open again when the ledger heard from the customer since."""
    made = plan(2, closes_at=[NOW, NOW + pd.Timedelta("9h")])
    listen([says(0, "hello again", NOW - pd.Timedelta("1h"))], ledger=ledger)
    with serving() as server:
        assert run(made, ledger, server)["outcome"].tolist() == ["accepted"] * 2


def stops(n, at=NOW):
    """Return the webhooks by which a customer may be left alone, by name."""
    preference = {"wa_id": campaign.phone(n), "value": "stop", "timestamp": int(at.timestamp())}
    moved = {"type": "user_changed_number", "wa_id": campaign.phone(n + 500)}
    cannot = {"errors": [{"code": 131026}], "recipient_id": campaign.phone(n)}
    return {
        "a text": says(n, " Stop! ", at),
        "a preference": campaign.hook(user_preferences=[preference]),
        "a new number": says(n, "", at, type="system", system=moved),
        "an undeliverable message": status("other", "failed", "wamid.other", at, **cannot),
    }


@pytest.mark.parametrize("what", stops(0))
@pytest.mark.parametrize("when", ["before", "during"])
def test_who_must_be_left_alone(ledger, what, when):
    """An opt-out, a changed number or an undeliverable message keeps a customer out, even heard in mid-run."""
    told = stops(1)[what]
    made = plan(3, closes_at=[NOW + pd.Timedelta(hours=hours) for hours in (1, 2, 3)])
    if when == "before":
        listen([told], ledger=ledger)

    def orders(n, _payload):
        if when == "during" and n == 1:
            ledger.store([told])
        return "ok"

    with serving(orders) as server, client(server) as sender:
        sender.workers = 1
        outcomes = send(made, ledger=ledger, client=sender, dry_run=False, progress=False)
    by_customer = outcomes.set_index("customer_id")["outcome"]
    ours = [campaign.customer_id("phone", campaign.phone(n)) for n in range(3)]
    assert by_customer[ours].tolist() == ["accepted", "skipped", "accepted"]
    assert len(server.taken) == 2


def test_suppressed_until_they_write_again(ledger):
    """A customer who could not receive gets nothing in the next campaign either, until they write."""
    with serving(lambda _n, _payload: coded(131026)) as server:
        run(plan(1), ledger, server)
        assert run(plan(1, campaign="c2", product_retailer_id="S8"), ledger, server)["outcome"].tolist() == ["skipped"]
        assert server.requests == 1
    listen([says(0, "hello", NOW + pd.Timedelta("1h"))], ledger=ledger)
    with serving() as server:
        later = Clock(NOW + pd.Timedelta("2h"))
        again = plan(1, campaign="c3", product_retailer_id="S9", now=later.at)
        assert run(again, ledger, server, later)["outcome"].tolist() == ["accepted"]


def test_suppressed_by_hand(ledger):
    """Who is suppressed by hand is skipped with the reason."""
    ledger.suppress(plan(1).rows["customer_id"], "asked by letter", NOW)
    with serving() as server:
        outcomes = run(plan(2), ledger, server)
    assert sorted(outcomes["details"]) == ["", "asked by letter"]
    assert len(server.taken) == 1


def test_one_address_under_two_customers(ledger):
    """Two customer ids with one phone get one message."""
    made = plan(2, to=f"+{campaign.phone(7)}")
    with serving() as server:
        outcomes = run(made, ledger, server)
    assert len(server.taken) == 1
    assert sorted(outcomes["outcome"]) == ["accepted", "skipped"]


def test_another_plan_of_the_same_campaign(ledger):
    """A second plan of a campaign reaches its new customers only; who was held out stays held out."""
    first, second = plan(20, holdout=0.3), plan(30, product_retailer_id="S8")
    held = set(first.rows["customer_id"][first.arms == "holdout"])
    with serving() as server:
        run(first, ledger, server)
        outcomes = run(second, ledger, server)
    assert server.doubles() == 0
    assert len(server.taken) == 30 - len(held)
    assert set(outcomes.loc[outcomes["outcome"] == "held out", "customer_id"]) == held
    rows = ledger.rows("c1")
    assert len(rows) == 30
    assert rows["product_retailer_id"].value_counts().to_dict() == {"S7": 20, "S8": 10}


def test_another_campaign_is_another_message(ledger):
    """The same rows under another campaign name are a new campaign, which is said in words."""
    with serving() as server:
        run(plan(3), ledger, server)
        with pytest.warns(UserWarning, match="'c1'.*'c2' is a new campaign"):
            run(plan(3, campaign="c2"), ledger, server)
    assert len(server.taken) == 6


def test_what_is_refused_before_anything_is_sent(ledger):
    """A changed, expired or misdirected plan, and a message past a limit, stop everything before the first post."""
    expired = plan(2, closes_at=NOW - pd.Timedelta("1h"))
    changed = plan(2)
    changed.rows.loc[0, "to"] = f"+{campaign.phone(9)}"
    other = plan(2)
    object.__setattr__(other, "catalog_id", "1")
    with serving() as server:
        for wrong in (expired, changed, other):
            with pytest.raises(PlanError):
                run(wrong, ledger, server)
        with pytest.raises(DataError, match="body"):
            run(plan(2, body=["x", "x" * 1025]), ledger, server)
    assert server.requests == 0
    assert ledger.campaigns().empty


def test_a_plan_that_nobody_approved(ledger):
    """A plan whose content is whole but that names no approver is refused before anything is sent."""
    made = plan(2)
    header = {name: getattr(made, name) for name in plans._HEADER} | {"approved_by": ""}
    unapproved = plans.Plan(**header, rows=made.rows, digest=plans._digest(header, made.rows))
    with serving() as server, pytest.raises(PlanError, match="nobody approved"):
        run(unapproved, ledger, server)
    assert server.requests == 0


def test_pacing():
    """No second sees more than the limit of a number, whatever the bursts."""
    clock, at = Clock(), []

    def orders(_n, _payload):
        at.append(clock.now())
        return "ok"

    with Ledger("sqlite://") as own, Client(SETTINGS, transport=InProcess(orders), clock=clock) as sender:
        send(plan(200), ledger=own, client=sender, dry_run=False, progress=False)
    times = pd.Series(1, index=pd.DatetimeIndex(at)).sort_index()
    assert times.rolling("1s").sum().max() <= 84
    assert at[-1] - at[0] < pd.Timedelta("3s")


def test_an_interrupt_gives_back_what_was_not_posted(ledger):
    """After an interrupt all answers are written down, nothing unposted is lost, and the next run goes on."""
    clock = Clock()
    nap, naps = clock.sleep, []

    def interrupted(seconds):
        naps.append(seconds)
        if len(naps) == 8:
            raise KeyboardInterrupt
        nap(seconds)

    clock.sleep = interrupted
    with serving() as server:
        with pytest.raises(KeyboardInterrupt):
            run(plan(60), ledger, server, clock)
        known = ledger.rows("c1")["outcome"]
        assert (known == "accepted").sum() == len(server.taken) < 60
        assert not (known == "unknown").any()
        assert set(run(plan(60), ledger, server)["outcome"]) == {"accepted"}
    assert (len(server.taken), server.doubles()) == (60, 0)


def test_a_broken_client(ledger):
    """An error that no client should raise stops the run and is raised, the message it concerned left unknown."""
    with serving(lambda n, _payload: "pause" if n == 1 else "ok") as server, client(server) as sender:
        right = sender.send
        sender.send = lambda payload: 1 / 0 if payload["to"] == f"+{campaign.phone(3)}" else right(payload)
        with pytest.raises(ZeroDivisionError):
            send(plan(5), ledger=ledger, client=sender, dry_run=False, progress=False)
    known = ledger.rows("c1").set_index("customer_id")["outcome"]
    assert known[campaign.customer_id("phone", campaign.phone(3))] == "unknown"
    assert (known == "accepted").sum() == len(server.taken)


def test_two_senders_at_once(ledger, ledger_url):  # noqa: F811  # the fixture
    """Two senders on one ledger at once post each message once."""
    results = []

    def one():
        with Ledger(ledger_url) as own:
            results.append(run(plan(120), own, server))

    with serving(lambda _n, _payload: "pause") as server:
        threads = [threading.Thread(target=one) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(server.taken), server.doubles()) == (120, 0)
    assert len(results) == 2
    assert min(result.attrs["posted"] for result in results) > 0
    assert set(ledger.rows("c1")["outcome"]) == {"accepted"}


FAULTS = ["ok", "lost", "reset", "bad json", "no id", "server error"]
REFUSALS = [131056, 130429, 131026, 131047, 131000, 190, 100, 999_999]


@pytest.mark.filterwarnings("ignore:the campaign")
@settings(max_examples=15)
@given(
    st.lists(st.sampled_from(FAULTS) | st.sampled_from(REFUSALS).map(coded), max_size=30),
    st.lists(st.integers(1, 60), max_size=3),
)
def test_any_faults_in_any_order(orders, restarts):
    """Whatever the server does and however often a run is begun anew, nobody gets two and webhooks settle the rest."""
    line = InProcess(lambda n, _p: orders[n - 1] if n <= len(orders) else "ok")
    server = line.memory
    with Ledger("sqlite://") as own:
        for minutes in [0, *restarts]:
            with Client(SETTINGS, transport=line, clock=Clock(NOW + pd.Timedelta(minutes=minutes))) as sender:
                send(plan(12, holdout=0.2), ledger=own, client=sender, dry_run=False, progress=False)
        assert server.doubles() == 0
        if server.taken:
            own.store([server.statuses(at=int(NOW.timestamp()))])
        rows = own.rows("c1")
    assert len(rows) == 12
    taken = {message["biz_opaque_callback_data"] for message in server.taken}
    assert set(rows.loc[rows["outcome"] == "accepted", "send_id"]) == taken
    assert not (rows["outcome"] == "unknown").any()


CHILD = """
import sys
from tests.campaign import SETTINGS, plan
from wa_products.client import Client
from wa_products.campaigns import send
from wa_products.ledger import Ledger
url, ledger_url, size, now = sys.argv[1:]
import pandas as pd
with Ledger(ledger_url) as ledger, Client(SETTINGS, base_url=url) as client:
    client.workers = 8
    send(plan(int(size), now=pd.Timestamp(now)), ledger=ledger, client=client, dry_run=False, progress=False)
"""


def child(server, ledger_url, size, now):  # noqa: F811  # the fixture's value
    """Start a sender in a process of its own."""
    arguments = [sys.executable, "-c", CHILD, server.url, ledger_url, str(size), now.isoformat()]
    return subprocess.Popen(arguments, cwd=Path(__file__).parent.parent)


def killed_again_and_again(ledger_url, *, size, kills, faults):  # noqa: F811  # the fixture's value
    """Send with kills and faults until a run ends by itself; return the server's memory and the ledger's rows."""
    now = pd.Timestamp.now("UTC").floor("s")
    enough = threading.Event()
    step = size // (kills + 1)

    def orders(n, _payload):
        if n % step == 0:
            enough.set()
        return faults(n)

    with serving(orders) as server:
        for _ in range(kills):
            process = child(server, ledger_url, size, now)
            enough.wait(60)
            enough.clear()
            process.send_signal(signal.SIGKILL)
            process.wait()
        senders = [child(server, ledger_url, size, now) for _ in range(2)]
        assert [sender.wait(300) for sender in senders] == [0, 0]
        with Ledger(ledger_url) as ledger:
            before = ledger.rows("c1")
            ledger.store([server.statuses(at=int(now.timestamp())), server.statuses(at=int(now.timestamp()))])
            return server, before, ledger.rows("c1")


@pytest.mark.parametrize("ledger_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_kill_and_resume(ledger_url):  # noqa: F811  # the fixture
    """A sender killed in mid-run is resumed by two at once: no doubles, nobody lost, webhooks settle the unknown."""
    faults = {5: "lost", 11: "reset", 17: coded(131056), 23: "server error", 29: "bad json", 31: coded(130429)}
    server, before, after = killed_again_and_again(
        ledger_url, size=40, kills=1, faults=lambda n: faults.get(n, "pause")
    )
    assert server.doubles() == 0
    assert len(before) == len(after) == 40
    assert set(before["outcome"]) <= {"accepted", "unknown", "refused"}
    taken = {message["biz_opaque_callback_data"] for message in server.taken}
    settled = after.set_index("send_id")["outcome"]
    assert (settled[list(taken)] == "accepted").all()
    assert set(settled.drop(list(taken))) <= {"unknown"}
    assert (settled == "unknown").sum() <= BATCH + 8  # what was claimed, and what had not reached the server


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_kill_and_resume_for_long(ledger_url, seed):  # noqa: F811  # the fixture
    """The same over 600 messages, ten kills and one fault in five: no doubles, nobody lost."""
    chance = np.random.default_rng(seed)
    kinds = [*FAULTS, *(coded(code) for code in (131056, 130429, 131000))]
    faults = [
        kinds[k] if bad else "ok" for k, bad in zip(chance.integers(0, 9, 2000), chance.random(2000) < 0.2, strict=True)
    ]
    server, _, after = killed_again_and_again(ledger_url, size=600, kills=10, faults=lambda n: faults[n % 2000])
    assert server.doubles() == 0
    assert len(after) == 600
    taken = {message["biz_opaque_callback_data"] for message in server.taken}
    accepted = set(after.loc[after["outcome"] == "accepted", "send_id"])
    assert accepted == taken
    assert set(after.loc[~after["send_id"].isin(taken), "outcome"]) <= {"unknown", "refused", "skipped"}
