"""What is checked again at the moment of sending beside the window: rest, cap, quiet hours, the pair; and the order."""

from decimal import Decimal

import pandas as pd
import pytest

from tests.campaign import NOW, SETTINGS, Clock, hook, phone, plan, says
from tests.faulty_server import InProcess, coded
from wa_products.campaigns import listen, send
from wa_products.campaigns.queues import in_order, late
from wa_products.client import Client
from wa_products.errors import DataError
from wa_products.identities import customer_id
from wa_products.ledger import Ledger, sending
from wa_products.limits import Limits

RESTED = Limits(rest_days=7)


@pytest.fixture
def ledger():
    """Return an empty ledger."""
    with Ledger("sqlite://") as made:
        yield made


def run(made, ledger, orders=lambda _n, _payload: "ok", *, at=NOW, clock=None, rate="", **options):
    """Send for real, one message at a time; return the outcomes, the server's memory and the clock."""
    clock, server = clock or Clock(at), InProcess(orders)
    with Client(SETTINGS, transport=server, clock=clock) as sender:
        sender.rate = rate
        outcomes = send(made, ledger=ledger, client=sender, **{"dry_run": False, "progress": False, **options})
    return outcomes, server.memory, clock


def who(n):
    """Return the id of the n-th customer."""
    return customer_id("phone", phone(n))


def outcome(outcomes, n):
    """Return the outcome and the details of the n-th customer."""
    return tuple(outcomes.set_index("customer_id").loc[who(n), ["outcome", "details"]])


@pytest.mark.parametrize("order", ["ok", "lost"])
def test_rest_between_campaigns(ledger, order):
    """Whom another campaign reached, or may have, after this plan was made gets nothing until the rest is over."""
    first, second = plan(2), plan(3, campaign="c2", product_retailer_id="S8", limits=RESTED)
    run(first, ledger, lambda _n, _payload: order)
    outcomes, server, _ = run(second, ledger, at=NOW + pd.Timedelta("1h"))
    assert len(server.taken) == 1
    assert outcome(outcomes, 0)[0] == "skipped"
    assert "messaged lately" in outcome(outcomes, 0)[1]
    assert outcome(outcomes, 2) == ("accepted", "")
    later = NOW + pd.Timedelta("7D") + pd.Timedelta("30min")
    listen([says(n, "hello", later) for n in range(2)], ledger=ledger)
    again = plan(3, campaign="c3", product_retailer_id="S9", limits=RESTED, now=later)
    assert run(again, ledger, at=later)[0]["outcome"].tolist().count("accepted") == 2


@pytest.mark.parametrize("order", [coded(131049), coded(190)])
def test_a_refusal_needs_no_rest(ledger, order):
    """Whom a message surely did not reach may get one from the next campaign."""
    with pytest.warns(UserWarning, match="stopped") if order == coded(190) else pytest.MonkeyPatch.context():
        run(plan(1), ledger, lambda _n, _payload: order)
    other = plan(1, campaign="c2", product_retailer_id="S8", limits=RESTED)
    assert outcome(run(other, ledger)[0], 0) == ("accepted", "")


def test_a_request_is_answered_once(ledger):
    """The answer to a request needs no rest, but only if nothing was sent since the customer wrote."""
    asked = NOW + pd.Timedelta("1h")
    run(plan(2), ledger)
    listen([says(0, "is it in?", asked)], ledger=ledger)
    answer = plan(2, campaign="c2", kind="request", product_retailer_id="S8", limits=RESTED)
    outcomes, server, _ = run(answer, ledger, at=asked + pd.Timedelta("1min"))
    assert len(server.taken) == 1
    assert outcome(outcomes, 0) == ("accepted", "")
    assert "messaged lately" in outcome(outcomes, 1)[1]
    twice = plan(2, campaign="c3", kind="request", product_retailer_id="S9", limits=RESTED)
    assert not run(twice, ledger, at=asked + pd.Timedelta("2min"))[1].taken


def test_rest_under_another_id(ledger):
    """A customer known by a phone in one campaign and by a shop's number in the other is one customer."""
    run(plan(1), ledger)
    other = plan(1, campaign="c2", customer_id=customer_id("shop", "42"), product_retailer_id="S8", limits=RESTED)
    outcomes, server, _ = run(other, ledger)
    assert not server.taken
    assert "messaged lately" in outcomes.loc[0, "details"]


def test_two_campaigns_at_once(ledger):
    """Of two campaigns that want the same customer at the same moment only one gets them."""
    one, two = plan(1, limits=RESTED), plan(1, campaign="c2", product_retailer_id="S8", limits=RESTED)
    for made in (one, two):
        ledger.register(made, NOW)
    claims = [ledger.claim(made, sending.plan_rows(made), now=NOW, owner=made.campaign) for made in (one, two)]
    assert [len(each) for each in claims] == [1, 0]


def test_the_cap_of_a_campaign(ledger):
    """All plans of one campaign together send no more than the cap; refused messages do not count."""
    cap = Limits(max_sends=6)
    first, second = plan(4, limits=cap), plan(12, product_retailer_id="S8", limits=cap)
    _, server, _ = run(first, ledger, lambda n, _payload: coded(131049) if n == 1 else "ok")
    outcomes, more, _ = run(second, ledger)
    assert (len(server.taken), len(more.taken)) == (3, 3)
    assert outcomes["details"].str.contains("all the messages").sum() == 5
    assert run(second, ledger)[1].requests == 0


def test_room_for_the_answers(ledger):
    """When a campaign brings in a message a second, a number that may two a second sends half as fast from then on."""
    clock = Clock()

    def orders(n, _payload):
        if n == 5:
            ledger.store([says(500 + m, "yes please", clock.now()) for m in range(60)])
        return "ok"

    outcomes, server, _ = run(plan(60), ledger, orders, clock=clock, rate="2")
    assert outcomes.attrs["rate"] == 1
    assert len(server.taken) == 60
    assert 35 < (clock.now() - NOW).total_seconds() < 60  # 30 at two a second would do in 31 s


@pytest.mark.parametrize("dry_run", [True, False])
def test_quiet_hours(ledger, dry_run):
    """In quiet hours nothing is sent, with the reason, and the same plan goes on after them."""
    night = Limits(quiet_hours=("07:30", "09:00"), timezone="Europe/London")
    outcomes, server, _ = run(plan(2, limits=night), ledger, dry_run=dry_run)
    assert not server.taken
    assert set(outcomes["outcome"]) == {"skipped"}
    assert outcomes["details"].str.contains("quiet hours from 07:30 to 09:00 Europe/London").all()
    outcomes, server, _ = run(plan(2, limits=night), ledger, at=NOW + pd.Timedelta("1h"))
    assert set(outcomes["outcome"]) == {"accepted"}


def test_quiet_hours_begin_in_mid_run(ledger):
    """A run that comes into the quiet hours stops sending with the minute they begin, also what it had claimed."""
    clock = Clock(NOW - pd.Timedelta("30s"))
    noon = Limits(quiet_hours=("08:00", "09:00"))

    def orders(n, _payload):
        clock.sleep(30 if n == 3 else 0)
        return "ok"

    outcomes, server, _ = run(plan(8, limits=noon), ledger, orders, clock=clock)
    assert len(server.taken) == 3
    assert outcomes["details"].str.contains("quiet hours").sum() == 5


def test_the_pair_rate_across_campaigns(ledger):
    """Two campaigns back to back keep six seconds between the messages of each customer, and nobody is left out."""
    clock, at = Clock(), {}

    def orders(_n, payload):
        at.setdefault(payload["to"], []).append(clock.now())
        return "ok"

    run(plan(20), ledger, orders, clock=clock)
    outcomes, server, _ = run(plan(20, campaign="c2", product_retailer_id="S8"), ledger, orders, clock=clock)
    assert set(outcomes["outcome"]) == {"accepted"}
    assert len(server.taken) == len(at) == 20
    assert min(second - first for first, second in at.values()) > pd.Timedelta("5.999s")
    assert clock.now() - NOW < pd.Timedelta("10s")


def test_most_valuable_first_among_those_that_close_soonest():
    """Rows go by the hour in which they close; within it answers first, then by probability times price."""
    hours = [5, 1, 1, 1, 1]
    made = plan(
        5,
        closes_at=[NOW + pd.Timedelta(hours=hour, minutes=n) for n, hour in enumerate(hours)],
        probability=[0.9, 0.1, 0.5, 0.2, 0.1],
        price=[Decimal(99), Decimal(50), Decimal(2), Decimal(30), Decimal(1)],
        kind=["reorder", "reorder", "reorder", "reorder", "request"],
    )
    assert [row["customer_id"] for row in in_order(sending.plan_rows(made))] == [who(n) for n in (4, 3, 1, 2, 0)]
    mixed = plan(2, probability=[0.1, 0.2], price=[Decimal(99), Decimal(1)], currency=["GBP", "JPY"])
    assert [row["customer_id"] for row in in_order(sending.plan_rows(mixed))] == [who(1), who(0)]
    unpriced = plan(2, probability=[0.1, 0.2], price=[None, Decimal(9)])
    assert [row["customer_id"] for row in in_order(sending.plan_rows(unpriced))] == [who(1), who(0)]


def test_who_is_reached_too_late(ledger):
    """A dry run says beforehand exactly who would come too late at the pace, and the run then leaves out no other."""
    closes = [NOW + pd.Timedelta("5min") + pd.Timedelta(seconds=1)] * 100 + [NOW + pd.Timedelta("20h")] * 20
    made = plan(120, closes_at=closes)
    rehearsed, _, _ = run(made, ledger, dry_run=True)
    told = set(rehearsed.loc[rehearsed["details"].str.contains("before its turn, at 80 a second"), "customer_id"])
    assert len(told) == rehearsed.attrs["late"] == 21
    outcomes, _, _ = run(made, ledger)
    missed = set(outcomes.loc[outcomes["outcome"] == "window closed", "customer_id"])
    assert missed <= told
    assert set(outcomes.loc[~outcomes["customer_id"].isin(missed), "outcome"]) == {"accepted"}


def test_late_by_arithmetic():
    """At one a second the first ten seconds hold ten messages; who is late anyway takes no turn from others."""
    closes = [NOW + pd.Timedelta("5min") + pd.Timedelta(seconds=10)] * 12 + [NOW] + [NOW + pd.Timedelta("9h")] * 3
    rows = sending.plan_rows(plan(16, closes_at=closes))
    ordered = sorted(rows, key=lambda row: row["closes_at"])
    missed = late(ordered, NOW, 1.0)
    assert len(missed) == 3
    assert next(row["customer_id"] for row in rows if row["closes_at"] == sending.micros(NOW)) in missed
    assert not late(ordered[1:], NOW, 2.0)


def test_the_rate_as_set(ledger):
    """A rate that is set is kept, twenty a second for a number shared with the Business app."""
    clock, at = Clock(), []

    def orders(_n, _payload):
        at.append(clock.now())
        return "ok"

    outcomes, _, _ = run(plan(60), ledger, orders, clock=clock, rate="20")
    assert outcomes.attrs["rate"] == 20
    assert pd.Timedelta("2.9s") < at[-1] - at[0] < pd.Timedelta("3.1s")


def test_what_comes_in_is_taken_off(ledger):
    """The busiest minute of the last hour is taken off the rate, at most half of it."""
    for n, minute in ((600, 5), (60, 30), (6000, 90)):
        at = NOW - pd.Timedelta(minutes=minute)
        ledger.store([hook(messages=[says(k % 900, "hi", at)["entry"][0]["changes"][0]["value"]["messages"][0]
            | {"id": f"{minute}.{k}"} for k in range(n)])])  # fmt: skip
    outcomes, _, _ = run(plan(1), ledger, dry_run=True)
    assert outcomes.attrs["rate"] == 70
    ledger.store([hook(messages=[{"from": phone(1), "id": f"x{k}", "timestamp": str(int(NOW.timestamp()) - 60),
        "type": "text", "text": {"body": "hi"}} for k in range(4000)])])  # fmt: skip
    assert run(plan(1), ledger, dry_run=True)[0].attrs["rate"] == 40


def test_a_throttled_number_is_slowed(ledger):
    """A number whose throughput is exceeded is sent to more slowly from then on, at twenty a second at the least."""
    clock = Clock()
    outcomes, server, _ = run(
        plan(60), ledger, lambda n, _payload: coded(130429) if n in (5, 15, 25, 35, 45, 55) else "ok", clock=clock
    )
    assert set(outcomes["outcome"]) == {"accepted"}
    assert outcomes.attrs["rate"] == 20
    assert server.doubles() == 0


def test_a_missing_product_is_left_out(ledger):
    """Once a product is not in the catalog its other messages are not tried, with the reason; others go on."""
    made = plan(6, product_retailer_id=["S7", "S7", "S8", "S7", "S8", "S7"])
    gone = coded(131009, "Products not found in FB Catalog")

    def orders(_n, payload):
        return gone if payload["interactive"]["action"]["product_retailer_id"] == "S7" else "ok"

    outcomes, server, _ = run(made, ledger, orders)
    assert server.requests == 3
    assert outcomes["outcome"].value_counts().to_dict() == {"skipped": 3, "accepted": 2, "refused": 1}
    assert set(outcomes.loc[outcomes["outcome"] == "skipped", "details"]) == {"the product is not in the catalog"}
    assert run(made, ledger)[0]["outcome"].tolist().count("accepted") == 5


def test_an_unknown_code_is_surfaced(ledger):
    """A code that is in no table is final for its customer, stands in the outcome with Meta's words, and warned of."""
    with pytest.warns(UserWarning, match=r"does not know: 424242 \(1 times\)"):
        outcomes, _, _ = run(plan(3), ledger, lambda n, _payload: coded(424242, "brand new") if n == 1 else "ok")
    refused = outcomes[outcomes["outcome"] == "refused"].iloc[0]
    assert (refused["code"], refused["details"]) == (424242, "brand new")
    assert outcomes.attrs["unclassified"] == {424242: 1}
    assert run(plan(3), ledger)[1].requests == 0


@pytest.mark.parametrize("code", [131042, 131048, 131031])
def test_an_account_level_status_stops_the_run(ledger, code):
    """A webhook that tells in mid-run that nothing can be sent stops it as an answer would; an older one does not."""

    def failed(name, at):
        told = {"id": name, "status": "failed", "timestamp": str(int(at.timestamp())), "errors": [{"code": code}]}
        return hook(statuses=[told])

    def orders(n, _payload):
        ledger.store([failed("old", NOW - pd.Timedelta("1D")) if n == 2 else failed("new", NOW)] if n in (2, 5) else [])
        return "ok"

    with pytest.warns(UserWarning, match=str(code)):
        outcomes, server, _ = run(plan(30), ledger, orders)
    assert len(server.taken) == 5
    assert str(code) in outcomes.attrs["stopped"]


def test_too_many_failures(ledger):
    """More than half of the last forty refused stops the run as failing; a half does not."""
    with pytest.warns(UserWarning, match="of the last 40"):
        outcomes, server, _ = run(plan(100), ledger, lambda n, _p: coded(131049) if n % 3 else "ok")
    assert server.requests == 40
    assert outcomes.attrs["failing"]
    other = plan(100, campaign="c2", product_retailer_id="S8")
    outcomes, server, _ = run(other, ledger, lambda n, _p: coded(131049) if n % 2 else "ok")
    assert server.requests == 100
    assert not outcomes.attrs["failing"]


def test_a_suppression_by_hand_is_lifted(ledger):
    """Who was suppressed by hand is written to again after it is lifted, or after asking for messages; not before."""
    ledger.suppress([who(0), who(1), who(2)], "asked by letter", NOW)
    ledger.lift([who(0)], NOW + pd.Timedelta("1min"))
    listen([says(1, "START", NOW + pd.Timedelta("2min")), says(2, "where is it?", NOW)], ledger=ledger)
    outcomes, _, _ = run(plan(3), ledger, at=NOW + pd.Timedelta("1h"))
    assert [outcome(outcomes, n) for n in range(3)] == [
        ("accepted", ""), ("accepted", ""), ("skipped", "asked by letter"),
    ]  # fmt: skip
    with pytest.raises(DataError, match="reason"):
        ledger.suppress([who(0)], " ", NOW)
