"""`wa-products plan`, `check`, `send` and `resolve`, as typed, against the sandbox over real HTTP."""

import os
import re
import sqlite3
import sys
import time
from dataclasses import replace

import pandas as pd
import pytest

from tests import sandbox_shop
from tests.campaign import Clock, plan
from tests.campaign import client as faulty_client
from tests.faulty_server import coded, serving
from tests.test_commands import ROOT
from tests.test_sandbox_http import served
from wa_products.campaigns import send
from wa_products.commands import main, planning
from wa_products.ledger import Ledger, opening
from wa_products.limits import Limits
from wa_products.plans import Plan
from wa_products.proposals import propose
from wa_products.sandbox import Sandbox
from wa_products.selection import select
from wa_products.widgets import review

NUMBER = re.compile(r"\+?1\d{3}55501\d\d")


def now_shop():
    """Return the shop of the sandbox's tests as if it were open now."""
    data, now = sandbox_shop.shop(), pd.Timestamp.now("UTC").floor("s")
    by = now - data.as_of
    orders = data.orders.assign(ordered_at=data.orders["ordered_at"] + by)
    inbound = data.inbound.assign(received_at=data.inbound["received_at"] + by)
    sold = ~data.catalog["product_retailer_id"].isin(
        [sandbox_shop.HIDDEN, sandbox_shop.UNREVIEWED, sandbox_shop.OUT_OF_STOCK]
    )
    return replace(data, orders=orders, inbound=inbound, as_of=now, catalog=data.catalog.assign(sendable=sold))


@pytest.fixture(scope="module")
def shop():
    """Return a shop that is open now."""
    return now_shop()


@pytest.fixture
def api(shop, monkeypatch, tmp_path):
    """Serve a sandbox of the shop as the account, with a plan in an empty folder; return the sandbox's shelf."""
    for name in [name for name in os.environ if name.startswith("WA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    sandbox = Sandbox(shop, tick=time.monotonic)
    chosen = select(propose(shop), shop)
    reviewed = review(chosen, shop)
    reviewed.approve_all()
    reviewed.plan(campaign="c1", approved_by="me", holdout=0.2).save("plan.jsonl")
    told = sandbox.settings
    for name in ("token", "phone_number_id", "business_account_id", "catalog_id"):
        monkeypatch.setenv(f"WA_{name.upper()}", getattr(told, name))
    with served(sandbox.app) as url:
        monkeypatch.setenv("WA_GRAPH_URL", url)
        yield sandbox._world.shelf


def test_check(api, capsys):
    """A sound account passes with 0 and a line a finding; a hidden catalog fails with 1 and what to do."""
    assert main(["check", "plan.jsonl"]) == 0
    told = capsys.readouterr().out
    assert {line.split()[0] for line in told.splitlines()} == {"ok"}
    api.is_catalog_visible = False
    assert main(["check"]) == 1
    told = capsys.readouterr().out
    assert "fail  catalog visible" in told
    assert "-> turn it on" in told


def test_a_dry_run_says_what_would_happen(api, capsys):
    """Without --live nothing is sent or written, and each reason is counted, and who would come too late."""
    del api
    assert main(["send", "plan.jsonl"]) == 0
    told = capsys.readouterr().out
    assert "dry run: would be sent now" in told
    assert "dry run: would be held out" in told
    assert "0 of them would come too late at 80 messages a second" in told
    with Ledger("sqlite:///ledger.db") as ledger:
        assert ledger.campaigns().empty


def test_live_and_again(api, capsys):
    """With --live the plan is sent after a check; a second time nothing is left to send, and both end with 0."""
    del api
    assert main(["send", "plan.jsonl", "--live"]) == 0
    first = capsys.readouterr()
    accepted = re.search(r"(\d+) accepted", first.out)[1]
    assert "fail" not in first.out
    assert main(["send", "plan.jsonl", "--live"]) == 0
    second = capsys.readouterr()
    *told, last = first.out.splitlines()
    assert last == f"{accepted} requests were made by this run."
    assert second.out.splitlines() == [*told, "Nothing was left to send: no request was made."]
    with Ledger("sqlite:///ledger.db") as ledger:
        sends = ledger.sends()
    assert len(sends) == sends["customer_id"].nunique() > 0
    for text in (first.out, first.err, second.out, second.err):
        assert NUMBER.search(text) is None
        assert "sandbox-token" not in text


def test_the_fast_way(api, capsys, monkeypatch):
    """With --fast the plan goes over the fast transport; without the extra one sentence says what to install."""
    del api
    assert main(["send", "plan.jsonl", "--live", "--fast"]) == 0
    assert " accepted" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "httpx_aiohttp", None)
    assert main(["send", "plan.jsonl", "--live", "--fast"]) == 2
    assert "pip install 'wa-products[fast]'" in capsys.readouterr().err


def test_why_nothing_was_sent_is_said(api, capsys):
    """Sent as another campaign within the days of rest, it says that it is a new one, and why nobody gets it."""
    del api
    chosen = Plan.load("plan.jsonl")
    options = {"catalog_id": chosen.catalog_id, "approved_by": "me", "created_at": chosen.created_at, "holdout": 0.0}
    Plan.make(chosen.rows, campaign="c2", limits=Limits(rest_days=7), **options).save("again.jsonl")
    main(["send", "plan.jsonl", "--live"])
    capsys.readouterr()
    assert main(["send", "again.jsonl", "--live"]) == 0
    told = capsys.readouterr()
    assert "planned for the same people as 'c1': 'c2' is a new campaign" in told.err
    assert "unless the other wrote to them within 7 days" in told.err
    assert re.search(r"\d+ skipped: messaged lately: another campaign wrote within 7 days", told.out)


def test_a_failing_check_sends_nothing(api, capsys):
    """With a catalog that is hidden nothing is posted and the exit code is 1; --skip-check sends all the same."""
    api.is_catalog_visible = False
    assert main(["send", "plan.jsonl", "--live"]) == 1
    told = capsys.readouterr()
    assert "nothing was sent, the check fails at catalog visible" in told.err
    assert not os.path.exists("ledger.db")  # noqa: PTH110  # a bare name in an empty folder
    assert main(["send", "plan.jsonl", "--live", "--skip-check"]) == 1
    told = capsys.readouterr()
    assert "note: the campaign 'c1' was stopped: the catalog is not linked, or hidden" in told.err


@pytest.mark.parametrize(
    ("orders", "code", "word"),
    [
        (lambda n, _p: coded(131026) if n % 2 else "ok", 3, "refused: undeliverable: not on WhatsApp, or the app too"),
        (lambda n, _p: (404, b"", {}) if n == 1 else "ok", 1, "check WA_GRAPH_URL"),
        (lambda _n, _p: coded(190), 1, "note: the campaign 'c1' was stopped"),
        (lambda n, _p: coded(424242) if n == 1 else "ok", 0, "does not know: 424242"),
    ],
)
@pytest.mark.usefixtures("api")
def test_how_a_run_ends(capsys, monkeypatch, orders, code, word):
    """Too many failures end with 3, an account that stops everything with 1, few failures with 0; each is said."""
    with serving(orders) as server:
        monkeypatch.setenv("WA_GRAPH_URL", server.url)
        assert main(["send", "plan.jsonl", "--live", "--skip-check"]) == code
    told = capsys.readouterr()
    assert word in told.out + told.err
    assert "Traceback" not in told.err
    assert ".py" not in told.err


@pytest.mark.usefixtures("api")
def test_a_ledger_that_fails_in_mid_run(capsys, monkeypatch):
    """A ledger that cannot be written any more ends the run in words with 1; a later run sends to nobody twice."""
    monkeypatch.setattr(opening, "PATIENCE", 0.1)
    other = sqlite3.connect("ledger.db", isolation_level=None, check_same_thread=False)

    def orders(n, _payload):
        if n == 3:
            other.execute("BEGIN IMMEDIATE")
        return "ok"

    with serving(orders) as server:
        monkeypatch.setenv("WA_GRAPH_URL", server.url)
        assert main(["send", "plan.jsonl", "--live", "--skip-check"]) == 1
        told = capsys.readouterr().err.splitlines()[-1]
        assert told.startswith("wa-products send: the ledger sqlite:///ledger.db failed: database is locked. Mend it")
        other.close()
        first = len(server.taken)
        assert main(["send", "plan.jsonl", "--live", "--skip-check"]) in (0, 3)
        assert len(server.taken) > first >= 3
        assert server.doubles() == 0


def test_without_connection(api, capsys, monkeypatch):
    """Where nobody answers, the check says so and nothing is sent."""
    del api
    monkeypatch.setenv("WA_GRAPH_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("wa_products.client._PAUSES", ())
    assert main(["send", "plan.jsonl", "--live"]) == 1
    assert "the check fails at connection" in capsys.readouterr().err


@pytest.fixture
def lost(tmp_path, monkeypatch):
    """Leave a ledger with one unknown send of an hour ago in an empty folder; return its send id."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WA_LEDGER", raising=False)
    then = pd.Timestamp.now("UTC").floor("s") - pd.Timedelta("1h")
    with (
        Ledger("sqlite:///ledger.db") as ledger,
        serving(lambda n, _p: "lost" if n == 1 else "ok") as server,
        faulty_client(server, Clock(then)) as sender,
    ):
        outcomes = send(plan(2, now=then), ledger=ledger, client=sender, dry_run=False, progress=False)
    return outcomes.loc[outcomes["outcome"] == "unknown", "send_id"].item()


def test_resolve_lists(lost, capsys):
    """The unknown sends are listed with campaign, customer and product, without a phone number."""
    assert main(["resolve"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(lost)
    assert "Coffee beans" in told
    assert "1 unknown" in told
    assert "7700900" not in told


@pytest.mark.parametrize(("flag", "outcome"), [("--sent", "accepted"), ("--not-sent", "skipped")])
def test_resolve_marks(lost, capsys, flag, outcome):
    """A send is marked with who looked, once; then none is unknown."""
    assert main(["resolve", lost, flag, "--by", "Ada"]) == 0
    assert "1 marked" in capsys.readouterr().out
    with Ledger("sqlite:///ledger.db") as ledger:
        row = ledger.rows("c1").set_index("send_id").loc[lost]
    assert row["outcome"] == outcome
    assert "by Ada" in row["details"]
    assert main(["resolve"]) == 0
    assert "No send is unknown" in capsys.readouterr().out
    assert main(["resolve", lost, flag, "--by", "Ada"]) == 2
    assert "cannot be marked" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["resolve", "x"],
        ["resolve", "--sent"],
        ["resolve", "x", "--sent"],
        ["resolve", "x", "--sent", "--by", "Ada"],
        ["resolve", "--ledger", "nothing"],
        ["plan", "nowhere", "--campaign", "c", "--approved-by", "me", "--quiet-hours", "night"],
        ["plan", "nowhere", "--campaign", "c", "--approved-by", "me", "--quiet-hours", "21-8"],
        ["plan", "nowhere", "--campaign", "c", "--approved-by", "me", "--rest-days", "-1"],
        ["check", "nowhere.jsonl"],
    ],
    ids=" ".join,
)
def test_bad_input(lost, capsys, words):
    """What cannot be meant is one sentence and exit code 2, and changes nothing."""
    del lost
    assert main(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.strip().splitlines()) == 1
    assert told.err.startswith(f"wa-products {words[0]}: ")


def test_what_is_unknown_since_a_minute(lost, capsys):
    """A send that was tried a minute ago is counted and not yet shown: its webhook may still come."""
    now = pd.Timestamp.now("UTC").floor("s")
    with (
        Ledger("sqlite:///ledger.db") as ledger,
        serving(lambda _n, _p: "lost") as server,
        faulty_client(server, Clock(now)) as sender,
    ):
        ledger.resolve([lost], sent=True, by="Ada", now=now)
        send(plan(1, now=now, campaign="c2"), ledger=ledger, client=sender, dry_run=False, progress=False)
    assert main(["resolve"]) == 0
    assert capsys.readouterr().out.startswith("1 sent within minutes and not answered yet")


def test_no_ledger_is_made_to_look_into(tmp_path, monkeypatch, capsys):
    """Asking for unknown sends where there is no ledger says so, and leaves none behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WA_LEDGER", raising=False)
    assert main(["resolve"]) == 2
    assert "no ledger.db" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["demo", "plan", "check", "send", "resolve", "report"])
def test_each_command_explains_itself(capsys, name):
    """`--help` describes the command and gives an example that can be parsed."""
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"example: wa-products {name}" in " ".join(capsys.readouterr().out.split())


def test_a_plan_says_what_it_can_show(shop, tmp_path, monkeypatch, capsys):
    """The plan of the demo shop names the smallest rise it would show and who comes too late, and keeps its limits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WA_RATE", "20")
    words = ["plan", str(ROOT / "data" / "demo"), "--campaign", "c", "--approved-by", "me"]
    assert main([*words, "--quiet-hours", "21:00-08:00", "--rest-days", "3", "--max-sends", "200"]) == 0
    told = capsys.readouterr().out
    assert "campaign cap reached" in told
    assert "quiet hours from 21:00 to 08:00 Europe/London" in told
    assert "3 days of rest, at most 200 messages" in told
    assert re.search(r"treated, \d+ held out: with \d+\.\d% .* would", told)
    assert "at 20 messages a second, 0 of" in told
    assert "Nobody is held out" in planning._detectable(plan(5), shop)
