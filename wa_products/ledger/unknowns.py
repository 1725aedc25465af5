"""
Sends of which nobody knows whether they arrived, and what a person says of them.

A status webhook settles most by itself. What is left, a person looks up in the chat and marks: an outcome is added
that says who marked it and when, nothing is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import and_, exists, func, select

from wa_products import frames
from wa_products.errors import DataError
from wa_products.ledger.people import around
from wa_products.ledger.reading import among
from wa_products.ledger.schema import ATTEMPTS, EVENTS, INTENTS, OUTCOMES, PLAN_ROWS, micros, times
from wa_products.ledger.sending import ACCEPTED, SKIPPED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Select

# A running sender posts or gives back what it claimed long before, and a webhook has mostly come by then.
PATIENCE = pd.Timedelta("15min")
COLUMNS: dict[str, frames.Kind] = {
    "send_id": "text",
    "campaign": "text",
    "customer_id": "text",
    "product_retailer_id": "text",
    "title": "text",
    "at": "time",
    "details": "text",
}
STOPPED = "the sender was stopped before it wrote down an answer"


def unknowns(
    connection: Connection,
    before: pd.Timestamp,
    *,
    campaign: str | None = None,
    send_ids: Collection[str] | None = None,
) -> pd.DataFrame:
    """
    Return one row, in the shape of `COLUMNS`, for each send tried before that moment and still unknown.

    Of all, or of one `campaign`, or of some `send_ids`.
    """
    query = _unsettled().where(ATTEMPTS.c.at <= micros(before))
    if campaign is not None:
        query = query.where(INTENTS.c.campaign == campaign)
    if send_ids is not None:
        query = query.where(ATTEMPTS.c.send_id.in_(among(connection, send_ids)))
    table = pd.DataFrame([dict(row) for row in connection.execute(query).mappings()], columns=list(COLUMNS))
    known = around(connection, table["customer_id"].unique())
    table = table.assign(at=times(table["at"]), customer_id=[known.head(each) for each in table["customer_id"]])
    return frames.conform(table, COLUMNS, "the ledger").sort_values(["at", "send_id"], ignore_index=True)


def resolve(connection: Connection, send_ids: Collection[str], *, sent: bool, by: str, now: pd.Timestamp) -> int:
    """
    Mark unknown sends as sent, or as not sent, which lets a later run send them; return how many.

    Raises DataError, before anything is marked, where one is not unknown, or so fresh that it may be on its way.
    """
    if not by.strip():
        raise DataError("say who marks it: by must not be blank")
    old = unknowns(connection, now - PATIENCE, send_ids=send_ids).set_index("send_id")["at"]
    if wrong := sorted(set(send_ids) - set(old.index)):
        raise DataError(
            f"{wrong[0]} (of {len(wrong)}) cannot be marked: it is no send id of this ledger, is settled already, "
            f"or was tried within the last {PATIENCE // pd.Timedelta('1min')} minutes"
        )
    names = [INTENTS.c[name] for name in ("send_id", "campaign", "customer_id")]
    query = select(*names, func.max(ATTEMPTS.c.n).label("n")).group_by(*names)
    query = query.join(ATTEMPTS, ATTEMPTS.c.send_id == INTENTS.c.send_id)
    query = query.where(INTENTS.c.send_id.in_(among(connection, send_ids)))
    details = f"marked as {'sent' if sent else 'not sent'} by {by.strip()} on {now:%Y-%m-%d %H:%M} UTC"
    rows = [
        {**row, "outcome": ACCEPTED if sent else SKIPPED, "wamid": "", "code": 0, "details": details}
        | {"again": int(not sent), "at": micros(old[row["send_id"]] if sent else now)}
        for row in connection.execute(query).mappings()
    ]
    if rows:
        connection.execute(OUTCOMES.insert(), rows)
    return len(rows)


def _unsettled() -> Select[Any]:
    """Return the query for the last attempt of each send of which no outcome and no status tells what came."""
    later, accepted, told = ATTEMPTS.alias("later"), OUTCOMES.alias("accepted"), OUTCOMES.alias("told")
    last = select(func.max(told.c.seq)).where(told.c.send_id == ATTEMPTS.c.send_id, told.c.n == ATTEMPTS.c.n)
    of_plan = and_(PLAN_ROWS.c.digest == ATTEMPTS.c.digest, PLAN_ROWS.c.customer_id == INTENTS.c.customer_id)
    return (
        select(
            ATTEMPTS.c.send_id,
            ATTEMPTS.c.at,
            INTENTS.c.campaign,
            INTENTS.c.customer_id,
            PLAN_ROWS.c.product_retailer_id,
            PLAN_ROWS.c.title,
            func.coalesce(OUTCOMES.c.details, STOPPED).label("details"),
        )
        .join(INTENTS, INTENTS.c.send_id == ATTEMPTS.c.send_id)
        .join(PLAN_ROWS, of_plan)
        .join(OUTCOMES, OUTCOMES.c.seq == last.scalar_subquery(), isouter=True)
        .where(
            func.coalesce(OUTCOMES.c.outcome, UNKNOWN) == UNKNOWN,
            ~exists().where(accepted.c.send_id == ATTEMPTS.c.send_id, accepted.c.outcome == ACCEPTED),
            ~exists().where(later.c.send_id == ATTEMPTS.c.send_id, later.c.n > ATTEMPTS.c.n),
            ~exists().where(EVENTS.c.kind == "status", EVENTS.c.send_id == ATTEMPTS.c.send_id),
        )
    )
