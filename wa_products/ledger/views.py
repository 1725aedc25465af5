"""What is true now of plans and sends, derived from the facts: frames without addresses, alike from either database."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import and_, func, literal_column, select

from wa_products import frames
from wa_products.arms import TREATED
from wa_products.ledger.inserting import parts
from wa_products.ledger.reaches import BY_WHOM
from wa_products.ledger.reading import among, frame, headed, last, moments, numbers, picked, places, read, read_few
from wa_products.ledger.schema import ATTEMPTS, EVENTS, INTENTS, OUTCOMES, PLAN_ROWS, PLANS, WITH_WAMID
from wa_products.ledger.sending import ACCEPTED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection, Select, Table

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
LOST = "no answer came, or the sender stopped before it: a status webhook will tell"
SETTLED = "settled by a status webhook"
_OF_PLAN = ("customer_id", "product_retailer_id", *(name for name in ROWS if name not in frames.OUTCOMES))
_OF_OUTCOME = ("outcome", "wamid", "details", "code", "at")
_N, _ACCEPTED = 1 << 40, 1 << 60  # ranks: an acceptance before all, then the later attempt, then the later word of it


def rows(connection: Connection, campaign: str) -> pd.DataFrame:
    """
    Return one row a planned customer of `campaign`, in the shape of `ROWS`, sorted by customer.

    A customer in several plans of the campaign has the row of the plan that was sent, else of the last one. Without
    any decision yet the outcome is ``""``; an attempt without an outcome is ``unknown`` until a status settles it.
    """
    found = read(connection, *facts(connection, campaign), rows=size(connection, campaign))
    return rows_of(connection, campaign, found)


def size(connection: Connection, campaign: str) -> int:
    """Return how many customers were planned in `campaign`, twice who was in two plans."""
    plans = select(PLANS.c.digest).where(PLANS.c.campaign == campaign)
    return connection.scalar(select(func.count()).where(PLAN_ROWS.c.digest.in_(plans))) or 0


def facts(connection: Connection, campaign: str) -> list[Select[Any]]:
    """Return the queries for what was intended, tried and told in `campaign`, and for what was planned."""
    numbers = connection.scalars(select(PLANS.c.seq).where(PLANS.c.campaign == campaign)).all()
    intents = _told(INTENTS, "customer_id", "send_id", "arm").add_columns(_plan(INTENTS, numbers))
    attempts = _told(ATTEMPTS, "send_id", "n", "at").add_columns(_plan(ATTEMPTS, numbers))
    outcomes = _told(OUTCOMES, "customer_id", "n", "seq", *_OF_OUTCOME)
    planned = _told(PLAN_ROWS, *_OF_PLAN, "arm").add_columns(_plan(PLAN_ROWS, numbers))
    if is_alone(connection, campaign):
        return [intents, attempts, outcomes, planned]
    ours = select(INTENTS.c.send_id).where(INTENTS.c.campaign == campaign)
    plans = select(PLANS.c.digest).where(PLANS.c.campaign == campaign)
    return [
        intents.where(INTENTS.c.campaign == campaign),
        attempts.where(ATTEMPTS.c.send_id.in_(ours)),
        outcomes.where(OUTCOMES.c.campaign == campaign),
        planned.where(PLAN_ROWS.c.digest.in_(plans)),
    ]


def intents_of(
    connection: Connection, customers: Collection[str], wamids: Collection[str], campaigns: Select[Any]
) -> list[Select[Any]]:
    """Return the queries for what was intended for some customers, or had one of the `wamids`, in some `campaigns`."""
    named = select(OUTCOMES.c.send_id).where(WITH_WAMID, OUTCOMES.c.wamid.in_(among(connection, wamids)))
    return [
        intents().where(INTENTS.c.customer_id.in_(among(connection, customers)), BY_WHOM.in_(campaigns)),
        intents().where(INTENTS.c.send_id.in_(named), BY_WHOM.in_(campaigns)),
    ]


def intents() -> Select[Any]:
    """Return the query for intents to send."""
    return _told(INTENTS, "send_id", "customer_id", "campaign").where(INTENTS.c.arm == TREATED)


def sends(connection: Connection, *wanted: Select[Any], rows: int) -> pd.DataFrame:
    """
    Return what `rows` does of the intents that the queries `wanted` find, about so many `rows`, of any campaign.

    One row a send, in the order in which they are found.
    """
    intended = pa.concat_tables(read(connection, *wanted, rows=rows))
    ids = pc.unique(intended["send_id"])
    made = rows_of(connection, "", read(connection, *_facts_of(among(connection, ids.to_pylist())), rows=len(ids)))
    told = pa.chunked_array([pa.array(made["send_id"], pa.large_string())])
    at = places(told, intended["send_id"])
    whose = frame(pa.table({name: picked(intended[name], at) for name in ("customer_id", "campaign")}))
    return made.assign(**whose).take(places(pa.chunked_array([ids]), told)).reset_index(drop=True)


def _facts_of(ids: Select[Any]) -> list[Select[Any]]:
    """Return the queries of `facts` for the sends with these ids, each of which stands for its customer there."""
    who, several = INTENTS.c.send_id.label("customer_id"), (0, 1)
    of_plan = and_(PLAN_ROWS.c.digest == PLANS.c.digest, PLAN_ROWS.c.customer_id == INTENTS.c.customer_id)
    planned = select(who, *(PLAN_ROWS.c[name] for name in (*_OF_PLAN[1:], "arm")), PLANS.c.seq.label("plan"))
    planned = planned.join(PLANS, PLANS.c.campaign == INTENTS.c.campaign).join(PLAN_ROWS, of_plan)
    told = select(OUTCOMES.c.send_id.label("customer_id"), *(OUTCOMES.c[name] for name in ("n", "seq", *_OF_OUTCOME)))
    return [
        select(who, INTENTS.c.send_id, INTENTS.c.arm, _plan(INTENTS, several)).where(INTENTS.c.send_id.in_(ids)),
        _told(ATTEMPTS, "send_id", "n", "at").add_columns(_plan(ATTEMPTS, several)).where(ATTEMPTS.c.send_id.in_(ids)),
        told.where(OUTCOMES.c.send_id.in_(ids)),
        planned.where(INTENTS.c.send_id.in_(ids)),
    ]


def rows_of(connection: Connection, campaign: str, found: list[pa.Table]) -> pd.DataFrame:
    """Return what `rows` does, from what the queries of `facts` found."""
    intents, attempts, told, planned = found
    of_intent = places(attempts["send_id"], intents["send_id"])
    n = numbers(attempts["n"])
    latest = last(of_intent, n, len(intents))
    sent = pc.coalesce(picked(attempts["plan"], latest), intents["plan"])
    planned = _planned(planned, intents["customer_id"], sent)
    planned = planned.take(pc.sort_indices(planned["customer_id"]))
    customers = planned["customer_id"]

    at = places(customers, intents["customer_id"])
    of_customer = _inverse(at, len(intents))
    lost = np.where(of_intent >= 0, of_customer[of_intent] if len(of_customer) else -1, -1)
    told, current = _current(told, customers, lost, n, attempts["at"])
    send_ids = pc.fill_null(picked(intents["send_id"], at), "")
    columns = {name: planned[name] for name in _OF_PLAN} | {"send_id": send_ids}
    columns["arm"] = pc.coalesce(picked(intents["arm"], at), planned["arm"])
    columns |= {name: picked(told[name], current) for name in _OF_OUTCOME}
    unsettled = np.flatnonzero(pc.fill_null(pc.equal(columns["outcome"], UNKNOWN), False).to_numpy())
    wamids = _settled(connection, send_ids.take(pa.array(unsettled)).to_pylist())
    result = _shaped(pa.table(columns), campaign)
    return _with_settled(result, unsettled, wamids)


def resolved(found: pd.DataFrame, people: People) -> pd.DataFrame:
    """Return `found` with the one id of each customer; where two rows would share it, the later keeps its own."""
    if not people:
        return found
    heads = named(found["customer_id"], people)
    return found.assign(customer_id=heads.where(~heads.duplicated(), found["customer_id"]))


def named(customers: pd.Series, people: People) -> pd.Series:
    """Return the one id of each of some customers."""
    ids = pa.chunked_array([pa.array(customers, pa.large_string())])
    return frame(pa.table({"customer_id": headed(ids, people)}))["customer_id"]


def campaigns(connection: Connection) -> pd.DataFrame:
    """Return one row a plan, in the order in which they were first sent."""
    names = ["campaign", "digest", "approved_by", "created_at", "expires_at", "holdout", "waterfall"]
    table = read_few(connection, select(*(PLANS.c[name] for name in names)).order_by(PLANS.c.seq))
    found = frame(table)
    return found.assign(
        created_at=moments(table["created_at"]),
        expires_at=moments(table["expires_at"]),
        waterfall=found["waterfall"].map(json.loads).astype("object"),
    )


def is_alone(connection: Connection, campaign: str) -> bool:
    """Return whether there is no other campaign: to join costs more than to read, where nothing else is read."""
    return connection.scalar(select(PLANS.c.seq).where(PLANS.c.campaign != campaign).limit(1)) is None


def money(amounts: pa.ChunkedArray) -> pd.Series:
    """Return exact amounts, None where one is missing; each different one is read once."""
    coded = pc.dictionary_encode(amounts).combine_chunks()
    values = [Decimal(each) for each in coded.dictionary.to_pylist()]
    known = np.array([*values, None], dtype="object")
    return pd.Series(known[pc.fill_null(coded.indices, len(values)).to_numpy()], dtype="object")


def _told(table: Table, *names: str) -> Select[Any]:
    return select(*(table.c[name] for name in names))


def _plan(table: Table, numbers: Sequence[int]) -> ColumnElement[int]:
    """Return the column of the plan's number, which is shorter than its digest; `numbers` are all that it may be."""
    told = select(PLANS.c.seq).where(PLANS.c.digest == table.c.digest).scalar_subquery()
    return (told if len(numbers) > 1 else literal_column(str(max(numbers, default=0)), PLANS.c.seq.type)).label("plan")


def _inverse(place: np.ndarray, size: int) -> np.ndarray:
    """Return which of the rows has each of `size` places, -1 where none has."""
    found, known = np.full(size, -1), np.flatnonzero(place >= 0)
    found[place[known]] = known
    return found


def _planned(told: pa.Table, customers: pa.ChunkedArray, sent: pa.ChunkedArray) -> pa.Table:
    """Return the plan row that counts for each customer: of the plan that was sent to them, else of the last."""
    if len(pc.unique(told["plan"])) <= 1:
        return told
    once = pc.unique(told["customer_id"])
    of_intent = pc.fill_null(picked(sent, places(told["customer_id"], customers)), 0)
    counts = pc.equal(told["plan"], of_intent).to_numpy()
    of_customer = places(told["customer_id"], pa.chunked_array([once]))
    rank = numbers(told["plan"]) + counts * _N
    return told.take(pa.array(last(of_customer, rank, len(once))))


def _current(
    told: pa.Table, customers: pa.ChunkedArray, lost: np.ndarray, n: np.ndarray, tried_at: pa.ChunkedArray
) -> tuple[pa.Table, np.ndarray]:
    """
    Return what was told of attempts, and which of it holds for each customer; an acceptance holds whenever it was told.

    `lost` are the customers of the attempts, of which nobody knows unless something was told.
    """
    words = {"outcome": UNKNOWN, "wamid": "", "details": LOST}
    silence = {name: pa.repeat(pa.scalar(said, pa.large_string()), len(lost)) for name, said in words.items()}
    silence |= {"code": pa.repeat(pa.scalar(0), len(lost)), "at": tried_at}
    accepted = pc.equal(told["outcome"], ACCEPTED).to_numpy()
    rank = numbers(told["seq"]) + numbers(told["n"]) * _N + accepted * _ACCEPTED
    of_customer = np.concatenate([lost, places(told["customer_id"], customers)])
    current = last(of_customer, np.concatenate([n * _N, rank]), len(customers))
    return pa.concat_tables([pa.table(silence), told.select(_OF_OUTCOME)]), current


def _settled(connection: Connection, send_ids: list[str]) -> dict[str, str]:
    """Return the wamid that the status webhooks told for each of these send ids, of those of which they told."""
    query = select(EVENTS.c.send_id, func.min(EVENTS.c.wamid)).where(EVENTS.c.kind == "status")
    found = [
        connection.execute(query.where(EVENTS.c.send_id.in_(part)).group_by(EVENTS.c.send_id)).all()
        for part in parts([each for each in send_ids if each])
    ]
    return {send_id: wamid for part in found for send_id, wamid in part if wamid}


def _shaped(table: pa.Table, campaign: str) -> pd.DataFrame:
    made = frame(table).assign(
        at=moments(table["at"]),
        code=numbers(table["code"]),
        closes_at=moments(table["closes_at"]),
        price=money(table["price"]),
        campaign=pd.Series(campaign, index=range(len(table)), dtype="str"),
    )
    return made[list(ROWS)]


def _with_settled(result: pd.DataFrame, unsettled: np.ndarray, wamids: dict[str, str]) -> pd.DataFrame:
    """Return the rows with those unknown sends accepted of which a status told."""
    if not wamids:
        return result
    sends = result["send_id"].iloc[unsettled]
    told = sends[sends.isin(wamids.keys())].map(wamids)
    changed = pd.DataFrame({"outcome": ACCEPTED, "wamid": told, "details": SETTLED}, index=told.index).astype("str")
    whole = changed.reindex(result.index)
    return result.assign(**{name: whole[name].fillna(result[name]) for name in whole})
