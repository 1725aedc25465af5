"""What is true now of plans and sends, derived from the facts: frames without addresses, alike from either database."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, select

from wa_products import frames
from wa_products.ledger.inserting import parts
from wa_products.ledger.reading import frame, headed, last, moments, numbers, picked, places, read, read_few
from wa_products.ledger.schema import ATTEMPTS, EVENTS, INTENTS, OUTCOMES, PLAN_ROWS, PLANS
from wa_products.ledger.sending import ACCEPTED, UNKNOWN

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select, Table

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
    intents, attempts, told, planned = read(
        connection,
        _facts(INTENTS, "customer_id", "send_id", "arm", "digest", campaign=campaign),
        _attempts(campaign, alone=is_alone(connection, campaign)),
        _facts(OUTCOMES, "customer_id", "n", "seq", *_OF_OUTCOME, campaign=campaign),
        _plans(campaign),
    )
    of_intent = places(attempts["send_id"], intents["send_id"])
    n = numbers(attempts["n"])
    latest = last(of_intent, n, len(intents))
    sent = pc.coalesce(picked(attempts["digest"], latest), intents["digest"])
    planned = _planned(planned, intents["customer_id"], sent)
    customers = planned["customer_id"]

    at = places(customers, intents["customer_id"])
    of_customer = places(intents["customer_id"], customers)
    lost = np.where(of_intent >= 0, of_customer[of_intent] if len(of_customer) else -1, -1)
    told, current = _current(told, customers, lost, n, attempts["at"])
    send_ids = pc.fill_null(picked(intents["send_id"], at), "")
    found = {name: planned[name] for name in _OF_PLAN} | {"send_id": send_ids}
    found["arm"] = pc.coalesce(picked(intents["arm"], at), planned["arm"])
    found |= {name: picked(told[name], current) for name in _OF_OUTCOME}
    unsettled = np.flatnonzero(pc.fill_null(pc.equal(found["outcome"], UNKNOWN), False).to_numpy())
    wamids = _settled(connection, send_ids.take(pa.array(unsettled)).to_pylist())
    result = _shaped(pa.table(found), campaign)
    return _with_settled(result, unsettled, wamids).sort_values("customer_id", ignore_index=True)


def resolved(found: pd.DataFrame, people: People) -> pd.DataFrame:
    """Return `found` with the one id of each customer; where two rows would share it, the later keeps its own."""
    ids = pa.chunked_array([pa.array(found["customer_id"], pa.large_string())])
    heads = frame(pa.table({"customer_id": headed(ids, people)}))["customer_id"]
    return found.assign(customer_id=heads.where(~heads.duplicated(), found["customer_id"]))


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


def _facts(table: Table, *names: str, campaign: str) -> Select[Any]:
    return select(*(table.c[name] for name in names)).where(table.c.campaign == campaign)


def _attempts(campaign: str, *, alone: bool) -> Select[Any]:
    made = select(*(ATTEMPTS.c[name] for name in ("send_id", "n", "digest", "at")))
    joined = made.join(INTENTS, INTENTS.c.send_id == ATTEMPTS.c.send_id)
    return made if alone else joined.where(INTENTS.c.campaign == campaign)


def _plans(campaign: str) -> Select[Any]:
    names = [PLAN_ROWS.c[name] for name in (*_OF_PLAN, "digest", "arm")]
    joined = select(*names, PLANS.c.seq.label("plan")).join(PLANS, PLAN_ROWS.c.digest == PLANS.c.digest)
    return joined.where(PLANS.c.campaign == campaign)


def _planned(told: pa.Table, customers: pa.ChunkedArray, sent: pa.ChunkedArray) -> pa.Table:
    """Return the plan row that counts for each customer: of the plan that was sent to them, else of the last."""
    once = pc.unique(told["customer_id"])
    if len(once) == len(told):
        return told
    of_intent = pc.fill_null(picked(sent, places(told["customer_id"], customers)), "")
    counts = pc.equal(told["digest"], of_intent).to_numpy()
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
