"""What was heard, derived from what each webhook says: every event once, and how far each message came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import case, func, select

from wa_products import codes, frames
from wa_products.ledger import views
from wa_products.ledger.reading import frame, headed, moments, numbers, places, read
from wa_products.ledger.schema import EVENTS, INTENTS, OUTCOMES, micros, times
from wa_products.ledger.views import is_alone, money

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

    from wa_products.ledger.people import People

_MINUTE, _NEVER = 60_000_000, np.iinfo("int64").max
STATUSES = ("sent", "delivered", "read", "failed")


def events(connection: Connection, people: People, *, after: int = 0, receipts: bool = True) -> pd.DataFrame:
    """
    Return the `events` frame, in the order of time, each event once however many bodies told of it.

    `after` leaves out the events of which something stored up to that number told; without `receipts`, statuses.
    """
    newer = EVENTS.c.seq > after
    wanted = newer if receipts else newer & (EVENTS.c.kind != "status")
    told = select(*(EVENTS.c[name] for name in frames.EVENTS)).where(wanted)
    table, *before = read(connection, told, *([_told_before(after)] if after else []))
    table = _once(_without(table, *before))
    found = frame(table).assign(
        at=moments(table["at"]),
        customer_id=frame(pa.table({"customer_id": headed(table["customer_id"], people)}))["customer_id"],
        unit_price=money(table["unit_price"]),
    )
    return found.sort_values(["at", "event_id"], ignore_index=True)


def receipts(connection: Connection, campaign: str, as_of: pd.Timestamp | None = None) -> tuple[pd.DataFrame, int]:
    """
    Return `views.rows` with the receipts that came up to `as_of`, and of how many messages of no campaign some came.

    Added are ``sent_at, delivered_at, read_at, failed_at`` (when each status first was), ``failed_code`` and
    ``failed_details`` of the first failure; a blank wamid is filled in from the receipts of its send id.
    """
    upto = EVENTS.c.at.between(1, _NEVER if as_of is None else micros(as_of))
    alone = is_alone(connection, campaign)
    facts = views.facts(connection, campaign)
    found = read(connection, *facts, _failed(upto), *_groups(campaign, upto, alone=alone))
    rows = views.rows_of(connection, campaign, found[: len(facts)])
    failed, *groups = found[len(facts) :]
    told = pa.concat_tables(groups)
    place = _places(told, rows)
    result = rows.assign(**{f"{name}_at": _first(told[name], place, len(rows)) for name in STATUSES})
    result = result.assign(wamid=_wamids(told, place, rows), **_failures(failed, rows))
    if alone:
        return result, pc.count_distinct(told["wamid"].filter(pa.array(place < 0))).as_py()
    ours = EVENTS.c.send_id.in_(select(INTENTS.c.send_id)) | EVENTS.c.wamid.in_(select(OUTCOMES.c.wamid))
    others = select(func.count(EVENTS.c.wamid.distinct())).where(EVENTS.c.kind == "status", upto, ~ours)
    return result, connection.scalar(others) or 0


def last_at(connection: Connection) -> pd.Timestamp:
    """Return the time of the last event, missing where there is none."""
    return times(pd.Series([connection.scalar(select(func.max(EVENTS.c.at))) or 0]))[0]


def alarm(connection: Connection, after: int, since: pd.Timestamp) -> int:
    """Return a code that stops everything, of a status stored after the fact number `after`; 0 where there is none."""
    query = select(EVENTS.c.code).where(
        EVENTS.c.seq > after, EVENTS.c.kind == "status", EVENTS.c.code.in_(codes.STOPPING), EVENTS.c.at >= micros(since)
    )
    return connection.scalar(query.limit(1)) or 0


def inbound_rate(connection: Connection, now: pd.Timestamp, after: int) -> float:
    """Return how many messages a second came in during the busiest minute of the hour before `now`, after a fact."""
    at = micros(now)
    came = select(func.count(EVENTS.c.event_id.distinct()).label("n")).where(
        EVENTS.c.seq > after,
        EVENTS.c.kind.in_(("inbound", "cart", "enquiry")),
        EVENTS.c.at.between(at - 60 * _MINUTE, at),
    )
    minutes = came.group_by(EVENTS.c.at // _MINUTE).subquery()
    return (connection.scalar(select(func.max(minutes.c.n))) or 0) / 60


# Events of which several bodies told.


def _told_before(after: int) -> Select[Any]:
    earlier = EVENTS.alias("earlier")
    told = select(earlier.c.seq).where(earlier.c.event_id == EVENTS.c.event_id, earlier.c.seq <= after)
    return select(EVENTS.c.event_id).where(EVENTS.c.seq > after, told.exists())


def _without(table: pa.Table, *others: pa.Table) -> pa.Table:
    for each in others:
        table = table.filter(pc.invert(_is_in(table["event_id"], each["event_id"]))) if len(each) else table
    return table


def _once(table: pa.Table) -> pa.Table:
    """Return one telling of each event: the one that says most, by its content where several do."""
    if pc.count_distinct(table["event_id"]).as_py() == len(table):
        return table
    times = pc.value_counts(table["event_id"])
    again = pa.chunked_array([times.field("values").filter(pc.greater(times.field("counts"), 1))])
    several = table.filter(_is_in(table["event_id"], again))
    told = several.to_pandas().astype("str").fillna("")
    blank = told.isin(["", "0", "nan", "None"]).sum(axis=1)
    order = told.assign(blank=blank).sort_values(["event_id", "blank", *told.columns.drop("event_id")])
    chosen = order.drop_duplicates("event_id").index
    return pa.concat_tables([_without(table, several), several.take(pa.array(chosen))])


def _is_in(ids: pa.ChunkedArray, among: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_in(ids, value_set=among.combine_chunks())


# Receipts of messages.


def _groups(campaign: str, upto: ColumnElement[bool], *, alone: bool) -> list[Select[Any]]:
    """Return the queries for one row a send id and wamid: when each status first was told of it."""
    firsts = [func.min(case((EVENTS.c.status == name, EVENTS.c.at))).label(name) for name in STATUSES]
    query = select(EVENTS.c.send_id, EVENTS.c.wamid, *firsts).where(EVENTS.c.kind == "status", upto)
    query = query.group_by(EVENTS.c.send_id, EVENTS.c.wamid)
    ours = select(INTENTS.c.send_id).where(INTENTS.c.campaign == campaign)
    return [query] if alone else [query.where(EVENTS.c.send_id.in_(ours)), query.where(EVENTS.c.send_id == "")]


def _failed(upto: ColumnElement[bool]) -> Select[Any]:
    names = [EVENTS.c[name] for name in ("send_id", "wamid", "at", "code", "details")]
    return select(*names).where(EVENTS.c.kind == "status", EVENTS.c.status == "failed", upto)


def _places(told: pa.Table, rows: pd.DataFrame) -> np.ndarray:
    """Return the position in `rows` of the message each row speaks of: by send id, else by wamid; -1 for none."""
    by_send = _places_by(told["send_id"], rows["send_id"])
    unknown = np.flatnonzero(by_send < 0)
    if len(unknown):
        by_send[unknown] = _places_by(told["wamid"].take(pa.array(unknown)), rows["wamid"])
    return by_send


def _places_by(ids: pa.ChunkedArray, known: pd.Series) -> np.ndarray:
    found = places(ids, pa.chunked_array([pa.array(known, pa.large_string())]))
    return np.where(pc.equal(ids, "").to_numpy(), -1, found)


def _first(at: pa.ChunkedArray, place: np.ndarray, size: int) -> pd.Series:
    first = np.full(size, _NEVER)
    told = pc.is_valid(at).to_numpy() & (place >= 0)
    np.minimum.at(first, place[told], numbers(at)[told])
    return times(pd.Series(np.where(first == _NEVER, 0, first)))


def _wamids(told: pa.Table, place: np.ndarray, rows: pd.DataFrame) -> pd.Series:
    blank = (rows["wamid"] == "").to_numpy()
    learnt = np.flatnonzero((place >= 0) & blank[place])
    if not len(learnt):
        return rows["wamid"]
    wamids = pd.Series(told["wamid"].take(pa.array(learnt)).to_pylist(), index=place[learnt], dtype="str")
    first = wamids[wamids != ""].groupby(level=0).min()
    return rows["wamid"].where(~blank, first.reindex(range(len(rows))).fillna(""))


def _failures(told: pa.Table, rows: pd.DataFrame) -> dict[str, Any]:
    """Return the code and details of the first failure of each row."""
    failed = frame(told).assign(place=_places(told, rows))
    first = failed[failed["place"] >= 0].sort_values(["at", "code", "details"]).drop_duplicates("place")
    whole = first.set_index("place")
    return {
        f"failed_{name}": whole[name].reindex(range(len(rows)), fill_value=blank)
        for name, blank in (("code", 0), ("details", ""))
    }
