"""The sending panel without a browser: progress, pause, stop, interrupts; nothing sent twice, nothing lost."""

import _thread
import json
import signal
import threading
import time

import httpx
import pandas as pd
import pytest

from tests.campaign import SETTINGS, Clock, phone, plan
from wa_products.client import Client
from wa_products.errors import PlanError
from wa_products.ledger import Ledger
from wa_products.plans import Plan
from wa_products.widgets import panel
from wa_products.widgets.rates import Rate

PATIENCE = 20  # seconds


class Line:
    """A Cloud API that accepts everything, and does what a test wants when the n-th message arrives."""

    def __init__(self, **at):
        self.taken, self.at = [], {int(name.removeprefix("n")): act for name, act in at.items()}

    def __call__(self, request):
        """Answer one request."""
        if request.method == "GET":
            return httpx.Response(404, json={})
        message = json.loads(request.content)
        self.taken.append(message["to"])
        self.at.get(len(self.taken), lambda: None)()
        answer = {"messages": [{"id": f"wamid.{len(self.taken)}"}], "contacts": [{"wa_id": message["to"].lstrip("+")}]}
        return httpx.Response(200, json=answer)


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens a panel of a plan at a line, on a ledger of its own."""
    made = []

    def panel_of(line, size=12, approved=None):
        ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
        client = Client(SETTINGS, transport=httpx.MockTransport(line), clock=Clock())
        made.extend([client, ledger])
        return panel(approved or plan(size), ledger=ledger, client=client)

    yield panel_of
    for each in made:
        each.close()


def phases(shown, wanted):
    """Wait until a panel is in the phase wanted."""
    until = time.monotonic() + PATIENCE
    while shown.state["phase"] != wanted:
        assert time.monotonic() < until, shown.state
        time.sleep(0.01)


def test_a_panel_rehearses_and_sends_nothing_by_itself(opened):
    """It tells how many would be sent, held out and too late; nothing is posted, nothing written."""
    line = Line()
    shown = opened(line, approved=plan(40, holdout=0.3))
    held = int((plan(40, holdout=0.3).arms == "holdout").sum())
    assert (shown.state["phase"], shown.state["total"], shown.state["limit"]) == ("ready", 40 - held, 80.0)
    assert shown.state["reasons"] == [["skipped", "dry run: would be held out", held]]
    assert line.taken == []
    assert shown._ledger.campaigns().empty


def test_a_run_in_the_cell_sends_all_and_tells_by_class(opened):
    """Every message once; the classes are those of the outcomes."""
    line = Line()
    shown = opened(line)
    outcomes = shown.run()
    assert (shown.state["phase"], shown.state["done"]) == ("done", 12)
    assert shown.state["outcomes"] == outcomes["outcome"].value_counts().to_dict() == {"accepted": 12}
    assert len(line.taken) == len(set(line.taken)) == 12
    assert repr(shown) == "<Panel of 'c1': done, 12 of 12; 12 accepted>"


def test_stopped_it_writes_all_down_and_goes_on_when_sent_again(opened):
    """After stop nothing more is posted, nothing is unknown; sending again sends the rest, nobody twice."""
    line = Line(n4=lambda: shown.answer({"k": "stop"}))
    shown = opened(line)
    outcomes = shown.run()
    assert (shown.state["phase"], len(line.taken)) == ("stopped", 4)
    assert outcomes["outcome"].value_counts().get("unknown", 0) == 0
    assert shown.state["why"].startswith("Stopped by hand")
    shown.run()
    assert shown.state["phase"] == "done"
    assert len(line.taken) == len(set(line.taken)) == 12


def test_paused_it_posts_nothing_until_it_goes_on(opened):
    """In the background, paused by the button: the line is silent, then all the rest arrives."""
    line = Line(n3=lambda: shown.answer({"k": "pause"}))
    shown = opened(line).start()
    phases(shown, "paused")
    time.sleep(0.3)
    assert len(line.taken) == 3
    shown.answer({"k": "resume"})
    assert shown.wait()["outcome"].tolist() == ["accepted"] * 12
    assert (shown.state["phase"], len(set(line.taken))) == ("done", 12)


def test_paused_it_can_be_stopped(opened):
    """Stop goes before pause."""
    line = Line(n3=lambda: shown.answer({"k": "pause"}))
    shown = opened(line).start()
    phases(shown, "paused")
    shown.stop()
    shown.wait()
    assert (shown.state["phase"], len(line.taken)) == ("stopped", 3)


@pytest.mark.parametrize("paused", [False, True])
def test_the_stop_button_of_the_notebook_loses_nothing(opened, paused):
    """An interrupted cell ends the run where it is safe, also while it is paused; sent again, nobody gets two."""

    def interrupt():
        if paused:
            shown.pause()
            threading.Timer(0.3, _thread.interrupt_main, (signal.SIGINT,)).start()
        else:
            signal.raise_signal(signal.SIGINT)

    line = Line(n5=interrupt)
    shown = opened(line)
    with pytest.raises(KeyboardInterrupt):
        shown.run()
    assert (shown.state["phase"], len(line.taken)) == ("stopped", 5)
    assert (shown.outcomes["outcome"] == "accepted").sum() == 5
    shown.run()
    assert len(line.taken) == len(set(line.taken)) == 12


def test_an_interrupt_while_waiting_stops_what_was_started(opened):
    """The cell that waits is interrupted: the run in the background ends as by stop."""
    line = Line(n2=lambda: shown.answer({"k": "pause"}))
    shown = opened(line).start()
    phases(shown, "paused")
    threading.Timer(0.2, _thread.interrupt_main, (signal.SIGINT,)).start()
    with pytest.raises(KeyboardInterrupt):
        shown.wait()
    assert (shown.state["phase"], len(line.taken)) == ("stopped", 2)


def test_a_plan_is_sent_by_one_run_at_a_time(opened):
    """A second start is refused in words, to the cell and to the browser."""
    line = Line(n1=lambda: shown.answer({"k": "pause"}))
    shown = opened(line).start()
    phases(shown, "paused")
    with pytest.raises(PlanError, match="being sent already"):
        shown.run()
    (refused,) = shown.answer({"k": "start"})
    assert refused["k"] == "refused"
    shown.stop()
    shown.wait()


def test_a_run_that_fails_says_why(opened):
    """A plan that expired since is refused, and the panel has the words."""
    shown = opened(Line())
    shown._client.clock.at += pd.Timedelta("2D")
    with pytest.raises(PlanError, match="expired"):
        shown.run()
    assert shown.state["phase"] == "failed"
    assert "expired" in shown.state["why"]
    shown.start().wait()
    assert shown.state["phase"] == "failed"


def test_a_changed_plan_is_refused_at_the_door(opened):
    """As `send` does."""
    made = plan(3)
    changed = Plan(**{**vars(made), "rows": made.rows.assign(body="other")})
    with pytest.raises(PlanError, match="changed"):
        opened(Line(), approved=changed)


@pytest.mark.parametrize("message", [None, {}, {"k": "sudo"}, {"k": ["start"]}])
def test_what_the_browser_may_not_say_is_refused(opened, message):
    """And nothing is sent by it."""
    line = Line()
    (answer,) = opened(line).answer(message)
    assert (answer["k"], line.taken) == ("refused", [])


def test_the_state_holds_no_customer(opened):
    """What a notebook saves of the panel are counts and words."""
    shown = opened(Line())
    shown.run()
    told = json.dumps({k: v for k, v in shown.get_state().items() if k not in {"_esm", "_css"}}, default=str)
    assert phone(1) not in told
    assert not any(who in told for who in plan(12).rows["customer_id"])


def test_the_rate_is_that_of_the_last_seconds():
    """A steady count has its rate; what lies long back is forgotten; one look tells nothing."""
    rate = Rate()
    assert rate.value == 0.0
    rate.count(0, 100.0)
    assert rate.value == 0.0
    rate.count(0, 200.0)
    for second in range(1, 11):
        rate.count(40 * second, 200.0 + second)
    assert rate.value == pytest.approx(40.0)
