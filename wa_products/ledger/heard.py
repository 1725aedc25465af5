"""What was heard, derived from what each webhook says: every event once, and how far each message came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import case, exists, func, select

from wa_products import codes, frames
from wa_products.ledger import views
from wa_products.ledger.people import around, under
from wa_products.ledger.reading import among, frame, headed, moments, numbers, places, read
from wa_products.ledger.schema import EVENTS, INTENTS, OF_NOTE, ORPHANS, OUTCOMES, WITH_WAMID, micros, times
from wa_products.ledger.views import is_alone, money

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from wa_products.ledger.people import People

_MINUTE, _NEVER = 60_000_000, np.iinfo("int64").max
STATUSES = ("sent", "delivered", "read", "failed")
ANSWERS = ("cart", "enquiry", "inbound", "preference", "system", "unsupported")  # every other kind of event
_BY_SEQ = EVENTS.c.kind.concat("")  # no column of an index: what is found by its number is not looked for by its kind


def events(connection: Connection, *, after: int = 0, upto: int = 0) -> pd.DataFrame:
    """
    Return the `events` frame, in the order of time, each event once however many bodies told of it.

    `after` leaves out the events of which something stored up to that number told; with `upto`, it is those of which
    something stored up to there did, in the words of whatever was told of them since.
    """
    newer = EVENTS.c.seq > after
    told = _told().where(newer & (EVENTS.c.seq <= upto) if upto else newer)
    queries = [told, *([_told_before(after, upto)] if after else []), *([_told_later(after, upto)] if upto else [])]
    rows = (upto or connection.scalar(select(func.max(EVENTS.c.seq))) or 0) - after
    table, *more = read(connection, *queries, rows=rows)
    later = more.pop() if upto else table.slice(0, 0)
    return shaped(connection, once(_without(pa.concat_tables([table, later]), *more)))


def answers(
    connection: Connection,
    since: pd.Timestamp | None = None,
    as_of: pd.Timestamp | None = None,
    customers: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return what `events` returns without statuses, from `since` up to `as_of`; of `customers` by the ids given."""
    people = None if customers is None else under(connection, customers)
    query, rows = lately(connection, people, since, as_of)
    (table,) = read(connection, query, rows=rows)
    return shaped(connection, once(table), people)


def lately(
    connection: Connection, people: People | None, since: pd.Timestamp | None, as_of: pd.Timestamp | None = None
) -> tuple[Select[Any], int]:
    """Return the query for what `answers` does, of all or of some people, and about how many events it is."""
    query = answered(connection, people, ANSWERS, since, as_of)
    count = query.with_only_columns(func.count(), maintain_column_froms=True)
    return query, (connection.scalar(count) or 0) if people is None else len(people.table)


def answered(
    connection: Connection,
    people: People | None,
    kinds: Collection[str],
    since: pd.Timestamp | None,
    as_of: pd.Timestamp | None,
) -> Select[Any]:
    """Return the query for events of some kinds, of known times where one is given, of all or of some people."""
    any_time = since is as_of is None
    if people is None:
        return _told().where(EVENTS.c.kind.in_(kinds), *([] if any_time else [between(EVENTS.c.at, since, as_of)]))
    theirs = _told().where(EVENTS.c.customer_id.in_(among(connection, people.ids)), OF_NOTE, _BY_SEQ.in_(kinds))
    return theirs if any_time else theirs.where(between(EVENTS.c.at + 0, since, as_of))


def receipts(connection: Connection, campaign: str, as_of: pd.Timestamp | None = None) -> pd.DataFrame:
    """
    Return `views.rows` with the receipts that came up to `as_of`.

    Added are ``sent_at, delivered_at, read_at, failed_at`` (when each status first was), ``failed_code`` and
    ``failed_details`` of the first failure; a blank wamid is filled in from the receipts of its send id.
    """
    sends = select(INTENTS.c.send_id).where(INTENTS.c.campaign == campaign)
    wamids = select(OUTCOMES.c.wamid).where(OUTCOMES.c.campaign == campaign, OUTCOMES.c.wamid != "")
    of_us = [None] if is_alone(connection, campaign) else _of(sends, wamids)
    facts = views.facts(connection, campaign)
    found = read(connection, *facts, *_receipts(of_us, as_of), rows=views.size(connection, campaign))
    return _received(views.rows_of(connection, campaign, found[: len(facts)]), found[len(facts) :])


def rivals(
    connection: Connection,
    customers: Collection[str],
    wamids: Collection[str],
    campaigns: Select[Any],
    as_of: pd.Timestamp | None,
) -> pd.DataFrame:
    """
    Return what `receipts` does of what may have reached some customers, or has one of the `wamids`.

    `campaigns` is the query for those that count. One row a send.
    """
    found = views.sends(connection, *views.intents_of(connection, customers, wamids, campaigns), rows=len(customers))
    sends, theirs = (among(connection, {*found[name]} - {""}) for name in ("send_id", "wamid"))
    return _received(found, read(connection, *_receipts(_of(sends, theirs), as_of), rows=len(found)))


def orphans(connection: Connection, since: pd.Timestamp | None = None, as_of: pd.Timestamp | None = None) -> int:
    """Return of how many messages that no campaign sent receipts came from `since` up to `as_of`."""
    ours = exists().where(INTENTS.c.send_id == ORPHANS.c.send_id)
    named = exists().where(OUTCOMES.c.wamid == ORPHANS.c.wamid, WITH_WAMID)
    query = select(func.count(ORPHANS.c.wamid.distinct())).where(between(ORPHANS.c.at, since, as_of), ~ours, ~named)
    return connection.scalar(query) or 0


def between(at: ColumnElement[int], since: pd.Timestamp | None, as_of: pd.Timestamp | None) -> ColumnElement[bool]:
    """Return whether a time is known, from `since` and up to `as_of`."""
    return at.between(max(micros(since), 1), _NEVER if as_of is None else micros(as_of))


def last_at(connection: Connection) -> pd.Timestamp:
    """Return the time of the last event, missing where there is none."""
    last = [connection.scalar(select(func.max(EVENTS.c.at)).where(EVENTS.c.kind == kind)) for kind in _KINDS]
    return times(pd.Series([max(at or 0 for at in last)]))[0]


def alarm(connection: Connection, after: int, since: pd.Timestamp) -> int:
    """Return a code that stops everything, of a status stored after the fact number `after`; 0 where there is none."""
    query = select(EVENTS.c.code).where(
        EVENTS.c.seq > after, _BY_SEQ == "status", EVENTS.c.code.in_(codes.STOPPING), EVENTS.c.at >= micros(since)
    )
    return connection.scalar(query.limit(1)) or 0


def inbound_rate(connection: Connection, now: pd.Timestamp, after: int) -> float:
    """Return how many messages a second came in during the busiest minute of the hour before `now`, after a fact."""
    at = micros(now)
    came = select(func.count(EVENTS.c.event_id.distinct()).label("n")).where(
        EVENTS.c.kind.in_(("inbound", "cart", "enquiry")),
        EVENTS.c.at.between(at - 60 * _MINUTE, at),
        EVENTS.c.seq + 0 > after,  # found by its time
    )
    minutes = came.group_by(EVENTS.c.at // _MINUTE).subquery()
    return (connection.scalar(select(func.max(minutes.c.n))) or 0) / 60


_KINDS = (*ANSWERS, "status")


# Events of which several bodies told.


def _told() -> Select[Any]:
    return select(*(EVENTS.c[name] for name in frames.EVENTS))


def _told_before(after: int, upto: int) -> Select[Any]:
    earlier = EVENTS.alias("earlier")
    told = select(earlier.c.seq).where(earlier.c.event_id == EVENTS.c.event_id, earlier.c.seq <= after)
    wanted = select(EVENTS.c.event_id).where(EVENTS.c.seq > after, told.exists())
    return wanted.where(EVENTS.c.seq <= upto) if upto else wanted


def _told_later(after: int, upto: int) -> Select[Any]:
    """Return the query for what was told behind `upto` of events of which something between the two numbers told."""
    first = EVENTS.alias("first")
    told = select(first.c.event_id).where(first.c.seq > after, first.c.seq <= upto)
    return _told().where(EVENTS.c.event_id.in_(told), EVENTS.c.seq > upto)


def shaped(connection: Connection, table: pa.Table, people: People | None = None) -> pd.DataFrame:
    """Return events as a frame, with the one id of each customer, or that under which `people` have them."""
    people = people or around(connection, pc.unique(table["customer_id"]).to_pylist())
    found = frame(table).assign(
        at=moments(table["at"]),
        customer_id=frame(pa.table({"customer_id": headed(table["customer_id"], people)}))["customer_id"],
        unit_price=money(table["unit_price"]),
    )
    return found.sort_values(["at", "event_id"], ignore_index=True)


def _without(table: pa.Table, *others: pa.Table) -> pa.Table:
    for each in others:
        table = table.filter(pc.invert(_is_in(table["event_id"], each["event_id"]))) if len(each) else table
    return table


def once(table: pa.Table) -> pa.Table:
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


def _of(sends: Select[Any], wamids: Select[Any]) -> list[ColumnElement[bool] | None]:
    """Return which receipts are of some sends: those with their send id, and those with none but their wamid."""
    return [EVENTS.c.send_id.in_(sends), (EVENTS.c.send_id == "") & EVENTS.c.wamid.in_(wamids)]


def _receipts(of_us: Sequence[ColumnElement[bool] | None], as_of: pd.Timestamp | None) -> list[Select[Any]]:
    """Return the queries for when each status first was told, one row a send id and wamid, and for what failed."""
    upto = between(EVENTS.c.at + 0, None, as_of)  # found by their ids
    firsts = [func.min(case((EVENTS.c.status == name, EVENTS.c.at))).label(name) for name in STATUSES]
    names = [EVENTS.c[name] for name in ("send_id", "wamid", "at", "code", "details")]
    told = select(EVENTS.c.send_id, EVENTS.c.wamid, *firsts).group_by(EVENTS.c.send_id, EVENTS.c.wamid)
    failed = select(*names).where(EVENTS.c.status == "failed")
    queries = [each.where(EVENTS.c.kind == "status", upto) for each in (told, failed)]
    return [query if ours is None else query.where(ours) for query in queries for ours in of_us]


def _received(rows: pd.DataFrame, found: Sequence[pa.Table]) -> pd.DataFrame:
    """Return `rows` with the receipts that the queries of `_receipts` found."""
    half = len(found) // 2
    told, failed = pa.concat_tables(found[:half]), pa.concat_tables(found[half:])
    place = _places(told, rows)
    result = rows.assign(**{f"{name}_at": _first(told[name], place, len(rows)) for name in STATUSES})
    return result.assign(wamid=_wamids(told, place, rows), **_failures(failed, rows))


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
