"""What is true now, derived from the facts: frames without addresses, the same from either database."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import func, select

from wa_products import codes, frames
from wa_products.ledger.schema import ATTEMPTS, EVENTS, INTENTS, OUTCOMES, PLAN_ROWS, PLANS, micros, times
from wa_products.ledger.sending import ACCEPTED, UNKNOWN

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from wa_products.ledger.people import People

ROWS: dict[str, frames.Kind] = {
    **frames.OUTCOMES,
    "kind": "text",
    "source": "text",
    "probability": "number",
    "title": "text",
    "price": "money",
    "currency": "text",
    "closes_at": "time",
    "propensity": "number",
}
_MINUTE = 60_000_000
LOST = "no answer came, or the sender stopped before it: a status webhook will tell"


def rows(connection: Connection, campaign: str) -> pd.DataFrame:
    """
    Return one row a planned customer of `campaign`, in the shape of `ROWS`, sorted by customer.

    A customer in several plans of the campaign has the row of the plan that was sent, else of the last one. Without
    any decision yet the outcome is ``""``; an attempt without an outcome is ``unknown`` until a status settles it.
    """
    planned = _planned(connection, campaign)
    found = planned.merge(_current(connection, campaign), on="customer_id", how="left")
    found = found.merge(_settled(connection, campaign), on="send_id", how="left")
    found = found.assign(campaign=campaign, at=times(found["at"].fillna(0).astype("int64")))
    known = frames.conform(found, {**ROWS, "settled": "text"}, "the ledger")
    lost = known["outcome"] == UNKNOWN
    settled = lost & (known["settled"] != "")
    result = known.assign(
        outcome=known["outcome"].where(~settled, ACCEPTED),
        wamid=known["wamid"].where(~settled, known["settled"]),
        details=known["details"].where(~settled, "settled by a status webhook"),
    )
    return result[list(ROWS)].sort_values("customer_id", ignore_index=True)


def resolved(found: pd.DataFrame, people: People) -> pd.DataFrame:
    """Return `found` with the one id of each customer; where two rows would share it, the later keeps its own."""
    heads = found["customer_id"].map(people.head)
    return found.assign(customer_id=heads.where(~heads.duplicated(), found["customer_id"]).astype("str"))


def events(connection: Connection, people: People, after: int = 0) -> pd.DataFrame:
    """Return the `events` frame of all that was heard after the fact number `after`, in the order of time."""
    table = _read(connection, select(*(EVENTS.c[name] for name in frames.EVENTS)).where(EVENTS.c.seq > after))
    found = table.assign(
        at=times(table["at"]),
        customer_id=table["customer_id"].map(people.head),
        unit_price=table["unit_price"].map(_money).astype("object"),
    )
    return frames.conform(found, frames.EVENTS, "the ledger").sort_values(["at", "event_id"], ignore_index=True)


def campaigns(connection: Connection) -> pd.DataFrame:
    """Return one row a plan, in the order in which they were first sent."""
    names = ["campaign", "digest", "approved_by", "created_at", "expires_at", "holdout", "waterfall"]
    table = _read(connection, select(*(PLANS.c[name] for name in names)).order_by(PLANS.c.seq))
    return table.assign(
        created_at=times(table["created_at"]),
        expires_at=times(table["expires_at"]),
        waterfall=table["waterfall"].map(json.loads).astype("object"),
    ).astype({"campaign": "str", "digest": "str", "approved_by": "str", "holdout": "float64"})


def _planned(connection: Connection, campaign: str) -> pd.DataFrame:
    """Return the plan row that counts for each customer, with the send id and the arm of their intent."""
    names = [PLAN_ROWS.c[name] for name in (*_OF_PLAN, "digest", "arm")]
    joined = select(PLANS.c.seq.label("plan"), *names).join(PLAN_ROWS, PLAN_ROWS.c.digest == PLANS.c.digest)
    told = _read(connection, joined.where(PLANS.c.campaign == campaign))
    intents = _read(connection, _sent_digests(campaign))
    intents = intents.sort_values("n").drop_duplicates("customer_id", keep="last")
    found = told.merge(intents, on="customer_id", how="left").fillna({"sent": "", "send_id": "", "of_intent": ""})
    found["arm"] = found["arm_of_intent"].fillna(found["arm"])
    found["sent"] = found["sent"].where(found["sent"] != "", found["of_intent"])
    found["counts"] = found["digest"] == found["sent"]
    last = found.sort_values(["counts", "plan"]).drop_duplicates("customer_id", keep="last")
    return last.assign(closes_at=times(last["closes_at"]), price=last["price"].map(_money).astype("object"))


def alarm(connection: Connection, after: int, since: pd.Timestamp) -> int:
    """Return a code that stops everything, of a status stored after the fact number `after`; 0 where there is none."""
    query = select(EVENTS.c.code).where(
        EVENTS.c.seq > after, EVENTS.c.kind == "status", EVENTS.c.code.in_(codes.STOPPING), EVENTS.c.at >= micros(since)
    )
    return connection.scalar(query.limit(1)) or 0


def inbound_rate(connection: Connection, now: pd.Timestamp, after: int) -> float:
    """Return how many messages a second came in during the busiest minute of the hour before `now`, after a fact."""
    at = micros(now)
    came = select(func.count().label("n")).where(
        EVENTS.c.seq > after,
        EVENTS.c.kind.in_(("inbound", "cart", "enquiry")),
        EVENTS.c.at.between(at - 60 * _MINUTE, at),
    )
    minutes = came.group_by(EVENTS.c.at // _MINUTE).subquery()
    return (connection.scalar(select(func.max(minutes.c.n))) or 0) / 60


_OF_PLAN = ("customer_id", "product_retailer_id", *(name for name in ROWS if name not in frames.OUTCOMES))


def _sent_digests(campaign: str) -> Select[Any]:
    """Return the query for each intent and the plan of each of its attempts, of none for the held out."""
    return (
        select(
            INTENTS.c.customer_id,
            INTENTS.c.send_id,
            INTENTS.c.arm.label("arm_of_intent"),
            INTENTS.c.digest.label("of_intent"),
            func.coalesce(ATTEMPTS.c.digest, "").label("sent"),
            func.coalesce(ATTEMPTS.c.n, 0).label("n"),
        )
        .join(ATTEMPTS, ATTEMPTS.c.send_id == INTENTS.c.send_id, isouter=True)
        .where(INTENTS.c.campaign == campaign)
    )


def _current(connection: Connection, campaign: str) -> pd.DataFrame:
    """Return what came of each decided customer's last attempt; an acceptance counts whenever it was told."""
    names = ("customer_id", "send_id", "n", "outcome", "wamid", "code", "details", "at", "seq")
    told = select(*(OUTCOMES.c[name] for name in names)).where(OUTCOMES.c.campaign == campaign)
    made = (
        select(INTENTS.c.customer_id, ATTEMPTS.c.send_id, ATTEMPTS.c.n, ATTEMPTS.c.at)
        .join(ATTEMPTS, ATTEMPTS.c.send_id == INTENTS.c.send_id)
        .where(INTENTS.c.campaign == campaign)
    )
    lost = _read(connection, made).assign(outcome=UNKNOWN, wamid="", code=0, details=LOST, seq=0)
    facts = pd.concat([lost, _read(connection, told)], ignore_index=True)
    facts["accepted"] = facts["outcome"] == ACCEPTED
    current = facts.sort_values(["accepted", "n", "seq"]).drop_duplicates("customer_id", keep="last")
    return current[["customer_id", "outcome", "wamid", "code", "details", "at"]]


def _settled(connection: Connection, campaign: str) -> pd.DataFrame:
    """Return the wamid that the status webhooks told for each send id."""
    ours = select(INTENTS.c.send_id).where(INTENTS.c.campaign == campaign)
    query = select(EVENTS.c.send_id, EVENTS.c.wamid.label("settled")).where(
        EVENTS.c.kind == "status", EVENTS.c.send_id.in_(ours)
    )
    return _read(connection, query).groupby("send_id", as_index=False)["settled"].min()


def _read(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """Return what a query finds, the texts as text also where there is none."""
    found = connection.execute(query)
    columns = list(found.keys())
    table = pd.DataFrame([tuple(row) for row in found], columns=columns, dtype="object")
    for column in query.selected_columns:
        kind = column.type.python_type
        if kind is str and column.name not in ("price", "unit_price"):
            table[column.name] = table[column.name].astype("str")
        elif kind is int:
            table[column.name] = table[column.name].astype("int64")
        elif kind is float:
            table[column.name] = table[column.name].astype("float64")
    return table


def _money(amount: str | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)
