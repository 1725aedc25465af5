"""
The facts of sending: plans, intents, attempts, outcomes.

An intent is the decision to write to a customer in a campaign, once. An attempt is written before each POST, its
outcome after it. An attempt without an outcome stays unknown until a status webhook echoes its send id: the process
that made it may have died before the POST or after it, and nobody can tell.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pandas as pd
from sqlalchemy import bindparam, func, select

from wa_products import arms, pacing, plans, windows
from wa_products.identities import customer_id
from wa_products.ledger import people
from wa_products.ledger.attempts import last_attempts
from wa_products.ledger.hearing import link
from wa_products.ledger.inserting import insert_new
from wa_products.ledger.reaches import campaign_total, reached
from wa_products.ledger.schema import ATTEMPTS, INTENTS, OUTCOMES, PLAN_ROWS, PLANS, micros
from wa_products.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.sql.elements import BindParameter

    from wa_products.ledger.people import Standing
    from wa_products.plans import Plan

ACCEPTED, REFUSED, UNKNOWN = "accepted", "refused", "unknown"
HELD_OUT, CLOSED, SKIPPED = "held out", "window closed", "skipped"
_MICROSECOND = pd.Timedelta(microseconds=1)
MARGIN, WINDOW = windows.MARGIN // _MICROSECOND, windows.WINDOW // _MICROSECOND
DAY, PAIR = 86_400_000_000, int(pacing.PAIR * 1_000_000)
SAME_ADDRESS = "another customer of this campaign has the same address"
NO_LIMITS = Limits()

Row = dict[str, Any]


class Claim(NamedTuple):
    """
    One attempt that is ours to make: the n-th for this intent. Times are in microseconds.

    Before `not_before` it is too early for a second message to this customer, whichever campaign the first was of.
    """

    send_id: str
    n: int
    customer_id: str
    closes_at: int
    row: Row
    not_before: int = 0


class Result(NamedTuple):
    """What came of an attempt. `again` tells that a later run may try again; `aliases` are ids the answer proved."""

    claim: Claim
    outcome: str
    at: pd.Timestamp
    wamid: str = ""
    code: int = 0
    details: str = ""
    again: bool = False
    aliases: tuple[str, ...] = ()


def plan_rows(plan: Plan) -> list[Row]:
    """Return the rows of a plan as dicts with the arm of each, times in microseconds, money as text."""
    return [{**row, "arm": arm} for row, arm in zip(plans.records(plan.rows, micros), plan.arms, strict=True)]


def register(connection: Connection, plan: Plan, rows: Sequence[Row], now: pd.Timestamp) -> None:
    """Write down the plan, its holdout, and whose address each customer is; nothing where it is there already."""
    at = micros(now)
    header = {
        "digest": plan.digest,
        "campaign": plan.campaign,
        "catalog_id": plan.catalog_id,
        "approved_by": plan.approved_by,
        "waterfall": json.dumps(plan.waterfall, ensure_ascii=False),
        "content": content(rows),
        "created_at": micros(plan.created_at),
        "expires_at": micros(plan.expires_at),
        "registered_at": at,
        "holdout": plan.holdout,
    }
    if not insert_new(connection, PLANS, [header], "digest"):
        return
    if rows:
        connection.execute(PLAN_ROWS.insert(), [{**row, "digest": plan.digest} for row in rows])
    link(connection, [(row["customer_id"], _address(row), "plan") for row in rows], at)
    _hold_out(connection, plan, [row for row in rows if row["arm"] == arms.HOLDOUT], at)


def content(rows: Sequence[Row]) -> str:
    """Return a hash of whom a plan sends what, whatever its campaign is called."""
    told = sorted((row["to"], row["recipient"], row["product_retailer_id"]) for row in rows)
    return sha256(json.dumps(told).encode()).hexdigest()


def twins(connection: Connection, plan: Plan, rows: Sequence[Row]) -> list[str]:
    """Return the other campaigns whose plan sent the same products to the same people."""
    table = PLANS.c
    query = select(table.campaign).where(table.content == content(rows), table.campaign != plan.campaign)
    return sorted(set(connection.scalars(query)))


def decided(connection: Connection, campaign: str) -> dict[str, tuple[str, bool]]:
    """Return the send id of every customer who has an intent, and whether it can be tried again."""
    query = select(INTENTS.c.customer_id, INTENTS.c.send_id, INTENTS.c.arm).where(INTENTS.c.campaign == campaign)
    intents = {customer: (send_id, arm) for customer, send_id, arm in connection.execute(query)}
    last = last_attempts(connection, campaign)
    return {
        customer: (send_id, arm == arms.TREATED and last.get(send_id, (0, False))[1])
        for customer, (send_id, arm) in intents.items()
    }


def claim(connection: Connection, plan: Plan, rows: Sequence[Row], *, now: pd.Timestamp, owner: str) -> list[Claim]:
    """
    Write the intent and the attempt for each row that may be sent, and why for each that may not; return the claims.

    Runs in the caller's transaction, whose end makes the claims ours. Rows that another sender has are passed over.
    """
    at, known = micros(now), people.of(connection, rows)
    stand = people.standings(connection, known, rows, now)
    messaged = reached(connection, known, plan.campaign, rows, since=at - _memory(plan.limits))
    room = _room(connection, plan)
    intents = _intents(connection, plan.campaign, rows)
    last = last_attempts(connection, plan.campaign, [send_id for send_id, _ in intents.values()])
    taken = _addresses(connection, plan.campaign, rows)
    claims: list[Claim] = []
    refused: list[Row] = []
    for row in rows:
        customer, address = row["customer_id"], _address(row)
        send_id, arm = intents.get(customer, ("", row["arm"]))
        n, again = last.get(send_id, (0, not send_id))
        if arm != arms.TREATED or not again:
            continue
        reached_at = messaged.get(customer, 0)
        closes_at, outcome, why = allowed(row, stand.get(customer), now, plan.limits, reached_at)
        if not outcome and room is not None and len(claims) >= room:
            outcome, why = SKIPPED, "the campaign has all the messages that its plan allows"
        if taken.setdefault(address, customer) != customer:
            outcome, why = SKIPPED, SAME_ADDRESS
        if outcome:
            told = _outcome(plan.campaign, customer, send_id, n, outcome=outcome, at=at, details=why, again=True)
            refused.append(told)
        else:
            claims.append(Claim(send_id or uuid4().hex, n + 1, customer, closes_at, row, reached_at + PAIR))
    _write_claims(connection, plan, claims, at, owner)
    if refused:
        connection.execute(OUTCOMES.insert(), refused)
    return claims


def allowed(
    row: Row, standing: Standing | None, now: pd.Timestamp, limits: Limits = NO_LIMITS, reached_at: int = 0
) -> tuple[int, str, str]:
    """
    Return until when the window is open, and the outcome and reason for which nothing is sent, ``""`` if it is.

    `reached_at` is when another campaign last wrote to the customer, 0 for never.
    """
    closes_at, at = max(row["closes_at"], standing.closes_at if standing else 0), micros(now)
    if standing and standing.blocked:
        return closes_at, SKIPPED, standing.blocked
    if closes_at - at <= MARGIN:
        return closes_at, CLOSED, "the customer service window is closed, or closes within minutes"
    if limits.is_quiet(now):
        return closes_at, SKIPPED, f"{limits.quiet}: send again after them"
    unanswered = row["kind"] == "request" and reached_at < closes_at - WINDOW
    if limits.rest_days and reached_at and at - reached_at < limits.rest_days * DAY and not unanswered:
        return closes_at, SKIPPED, f"messaged lately: another campaign wrote within {limits.rest_days:g} days"
    return closes_at, "", ""


def _memory(limits: Limits) -> int:
    """Return how far back, in microseconds, another campaign's message still matters."""
    return max(int(limits.rest_days * DAY), PAIR)


def _room(connection: Connection, plan: Plan) -> int | None:
    """Return how many messages the campaign has left, None where there is no cap that this plan could reach."""
    cap = plan.limits.max_sends
    plans_of_it = select(func.count()).select_from(PLANS).where(PLANS.c.campaign == plan.campaign)
    if cap is None or (len(plan) <= cap and (connection.scalar(plans_of_it) or 0) <= 1):
        return None
    return max(0, cap - campaign_total(connection, plan.campaign))


def record(connection: Connection, campaign: str, results: Iterable[Result]) -> None:
    """Write down what came of attempts, and the ids that their answers prove to be one customer."""
    told = list(results)
    rows = [
        _outcome(
            campaign,
            each.claim.customer_id,
            each.claim.send_id,
            each.claim.n,
            outcome=each.outcome,
            at=micros(each.at),
            wamid=each.wamid,
            code=each.code,
            details=each.details,
            again=each.again,
        )
        for each in told
    ]
    if rows:
        connection.execute(OUTCOMES.insert(), rows)
        pairs = [(each.claim.customer_id, alias, "answer") for each in told for alias in each.aliases]
        link(connection, pairs, rows[-1]["at"])


# Made once: they run before every batch, and to build such a query costs as much as to run it.
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_OF_CAMPAIGN = INTENTS.c.campaign == bindparam("campaign")
_INTENTS = select(INTENTS.c.customer_id, INTENTS.c.send_id, INTENTS.c.arm).where(
    _OF_CAMPAIGN, INTENTS.c.customer_id.in_(_IDS)
)
_ADDRESSES = select(INTENTS.c.address, INTENTS.c.customer_id).where(_OF_CAMPAIGN, INTENTS.c.address.in_(_IDS))


def _intents(connection: Connection, campaign: str, rows: Sequence[Row]) -> dict[str, tuple[str, str]]:
    found = connection.execute(_INTENTS, {"campaign": campaign, "ids": [row["customer_id"] for row in rows]})
    return {customer: (send_id, arm) for customer, send_id, arm in found}


def _addresses(connection: Connection, campaign: str, rows: Sequence[Row]) -> dict[str, str]:
    found = connection.execute(_ADDRESSES, {"campaign": campaign, "ids": [_address(row) for row in rows]})
    return dict(tuple(row) for row in found)


def _hold_out(connection: Connection, plan: Plan, rows: Sequence[Row], at: int) -> None:
    intents = [_intent(plan, row, uuid4().hex, at) for row in rows]
    new = {send_id for (send_id,) in insert_new(connection, INTENTS, intents, "send_id")}
    outcomes = [
        _outcome(plan.campaign, row["customer_id"], row["send_id"], 0, outcome=HELD_OUT, at=at)
        for row in intents
        if row["send_id"] in new
    ]
    if outcomes:
        connection.execute(OUTCOMES.insert(), outcomes)


def _write_claims(connection: Connection, plan: Plan, claims: Sequence[Claim], at: int, owner: str) -> None:
    if intents := [_intent(plan, each.row, each.send_id, at) for each in claims if each.n == 1]:
        connection.execute(INTENTS.insert(), intents)
    if claims:
        shared = {"digest": plan.digest, "owner": owner, "at": at}
        connection.execute(ATTEMPTS.insert(), [{"send_id": each.send_id, "n": each.n, **shared} for each in claims])


def _intent(plan: Plan, row: Row, send_id: str, at: int) -> Row:
    return {
        "send_id": send_id,
        "campaign": plan.campaign,
        "customer_id": row["customer_id"],
        "address": _address(row),
        "digest": plan.digest,
        "arm": row["arm"],
        "at": at,
    }


def _outcome(
    campaign: str,
    customer: str,
    send_id: str,
    n: int,
    *,
    outcome: str,
    at: int,
    wamid: str = "",
    code: int = 0,
    details: str = "",
    again: bool = False,
) -> Row:
    return {
        "campaign": campaign,
        "customer_id": customer,
        "send_id": send_id,
        "n": n,
        "outcome": outcome,
        "wamid": wamid,
        "code": code,
        "details": details,
        "again": int(again),
        "at": at,
    }


def _address(row: Row) -> str:
    """Return the address as the id that a customer known only by it would have."""
    return customer_id("phone", row["to"].lstrip("+")) or customer_id("user", row["recipient"])
