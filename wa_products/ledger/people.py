"""Which ids are one customer, and how each stands: window, opt-out, suppression, as the ledger knows it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import BigInteger, Text, bindparam, column, func, select

from wa_products import codes, windows
from wa_products.identities import first_of, grouped
from wa_products.ledger.reading import asking, headed, numbers, places, read
from wa_products.ledger.schema import (
    EVENTS,
    IDENTITIES,
    OF_NOTE,
    OUTCOMES,
    PLAN_ROWS,
    REPAIRS,
    SUPPRESSIONS,
    WITH_CODE,
    micros,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.sql.elements import BindParameter

WINDOW = windows.WINDOW // pd.Timedelta(microseconds=1)
_UNPLANNED = 1 << 62
OPTED_OUT, MOVED = "opted out", "number changed"


def _last(column: Any) -> Any:  # noqa: ANN401  # SQLAlchemy's column expressions
    return select(func.coalesce(func.max(column), 0)).scalar_subquery()


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_NEWS = select(_last(EVENTS.c.seq), _last(SUPPRESSIONS.c.seq), _last(REPAIRS.c.seq))
_LAST_PROOF = select(func.max(IDENTITIES.c.seq))
_PAIRS = select(IDENTITIES.c.left_id, IDENTITIES.c.right_id)
_ID, _FIRST = column("id", Text), (PLAN_ROWS.c.customer_id, column("at", BigInteger))
_ALONE = pa.table({name: pa.array([], pa.large_string()) for name in ("id", "head")})
# From id to id along the proofs; in words, as both databases have them, each with its indexes for both ends.
_AROUND = (
    "WITH RECURSIVE reach(left_id, right_id) AS ("
    "SELECT left_id, right_id FROM wa_identities WHERE left_id IN ({0}) "
    "UNION SELECT right_id, left_id FROM wa_identities WHERE right_id IN ({0}) "
    "UNION SELECT reach.right_id, "
    "CASE WHEN one.left_id = reach.right_id THEN one.right_id ELSE one.left_id END FROM reach "
    "JOIN wa_identities AS one ON one.left_id = reach.right_id OR one.right_id = reach.right_id) "
    "SELECT left_id, right_id FROM reach WHERE left_id < right_id"
)
_PLANNED = "SELECT id FROM ({0}) AS asked WHERE EXISTS (SELECT 1 FROM wa_plan_rows WHERE customer_id = id)"
_FIRST_PLANNED = (
    "SELECT customer_id, MIN(created_at) AS at FROM wa_plan_rows JOIN wa_plans USING (digest) "
    "WHERE customer_id IN ({0}) GROUP BY customer_id"
)
MANY = 8  # proofs for each id asked for: where there are no more, to read them all is cheaper than to look them up


class Standing(NamedTuple):
    """Until when the ledger knows the window open (microseconds, 0 for not at all), and why not to write, if so."""

    closes_at: int = 0
    blocked: str = ""


class People:
    """
    The groups of ids that are one customer each: of all customers, or of those who were asked for.

    `table` has the ids that are not alone, ``id``, and the one that stands for each, ``head``.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __bool__(self) -> bool:
        return bool(len(self.table))

    def __or__(self, other: People) -> People:
        return People(pa.concat_tables([self.table, other.table]))

    @property
    def ids(self) -> list[str]:
        """All ids that are not alone."""
        found: list[str] = self.table["id"].to_pylist()
        return found

    @cached_property
    def heads(self) -> dict[str, str]:
        """The head of each id that is not alone."""
        return dict(zip(*(column.to_pylist() for column in self.table.columns), strict=True))

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """All ids of each head."""
        found: dict[str, list[str]] = {}
        for one, head in self.heads.items():
            found.setdefault(head, []).append(one)
        return found

    def head(self, customer_id: str) -> str:
        """Return the one id that stands for all of a customer's."""
        return self.heads.get(customer_id, customer_id)

    def members(self, customer_id: str) -> list[str]:
        """Return all ids of a customer, at least the one given."""
        return self.groups.get(self.head(customer_id), [customer_id])


def around(connection: Connection, ids: Collection[str]) -> People:
    """
    Return the groups of which `ids` are.

    A planned id stands for its group, the first planned if several.
    """
    proofs = connection.scalar(_LAST_PROOF)
    if not proofs or not (asked := [each for each in ids if each]):
        return People(_ALONE)
    every = proofs <= MANY * len(asked)
    query = _PAIRS if every else asking(connection, _AROUND, asked, IDENTITIES.c.left_id, IDENTITIES.c.right_id)
    (pairs,) = read(connection, query, rows=proofs if every else len(asked))
    ends = pa.chunked_array([*pairs["left_id"].chunks, *pairs["right_id"].chunks], pa.large_string())
    coded = ends.combine_chunks().dictionary_encode()
    known, place = coded.dictionary, coded.indices.to_numpy()
    one, two = np.split(place, 2)
    group = grouped(one, two, len(known))
    if every:
        group, known = _of_asked(group, known, asked)
    head = first_of(group, _planned_at(connection, group, known), known)
    return People(pa.table({"id": known, "head": known.take(pa.array(head))}))


def under(connection: Connection, customers: Iterable[str]) -> People:
    """Return the groups of these customers, each under the id given, the first given of one group; the alone too."""
    asked = pa.chunked_array([pa.array(list(dict.fromkeys(filter(None, customers))), pa.large_string())])
    groups = around(connection, asked.to_pylist())
    ids, heads = groups.table.columns
    given = asked.take(pa.array(places(heads, headed(asked, groups))))
    alone = asked.filter(pa.array(places(asked, ids) < 0))
    every = [pa.chunked_array([*some.chunks, *alone.chunks], pa.large_string()) for some in (ids, given)]
    return People(pa.table(every, names=["id", "head"]))


def of(connection: Connection, rows: Sequence[dict[str, Any]]) -> People:
    """Return the groups of the customers of planned rows."""
    return around(connection, [row["customer_id"] for row in rows])


def _of_asked(group: np.ndarray, ids: pa.Array, asked: Collection[str]) -> tuple[np.ndarray, pa.Array]:
    """Return the ids of the groups that were asked for, with their groups: nothing has to be known of the others."""
    is_asked = pc.is_in(ids, value_set=pa.array(asked, pa.large_string())).to_numpy(zero_copy_only=False)
    theirs = np.bincount(group, is_asked).astype("bool")[group]
    return group[theirs], ids.filter(pa.array(theirs))


def _planned_at(connection: Connection, group: np.ndarray, ids: pa.Array) -> np.ndarray:
    """Return when each id was first planned; where no others of its group were, only whether it was."""
    (found,) = read(connection, asking(connection, _PLANNED, ids.to_pylist(), _ID), rows=len(ids))
    at = np.full(len(ids), _UNPLANNED)
    planned = places(found["id"], pa.chunked_array([ids]))
    at[planned] = 0
    rivals = planned[np.bincount(group[planned], minlength=1)[group[planned]] > 1]
    if len(rivals):
        some = ids.take(pa.array(rivals)).to_pylist()
        (told,) = read(connection, asking(connection, _FIRST_PLANNED, some, *_FIRST), rows=len(some))
        at[places(told["customer_id"], pa.chunked_array([ids]))] = numbers(told["at"])
    return at


def news(connection: Connection) -> tuple[int, ...]:
    """Return a mark that changes whenever something was heard."""
    return tuple(connection.execute(_NEWS).one())


def is_of_note(connection: Connection, since: tuple[int, ...]) -> bool:
    """Return whether anything after a mark of `news` may let a customer stand differently; receipts do not."""
    heard, *others = since
    is_receipt = (EVENTS.c.kind == "status") & (EVENTS.c.code == 0)
    told = select(EVENTS.c.seq).where(EVENTS.c.seq > heard, ~is_receipt).limit(1)
    return connection.scalar(told) is not None or list(news(connection)[1:]) != others


def standings(
    connection: Connection, people: People, rows: Sequence[dict[str, Any]], now: pd.Timestamp
) -> dict[str, Standing]:
    """Return how each planned row's customer stands at `now`, by planned customer id; nobody unknown is in it."""
    planned = {alias: row["customer_id"] for row in rows for alias in people.members(row["customer_id"])}
    told = _told(connection, planned)
    suppressed = _suppressed(connection, planned)
    known = {
        customer: Standing(blocked=reason)
        for customer, (at, reason) in suppressed.items()
        if not any(_asks_again(said) for said in told if said.at > at and planned[said.customer_id] == customer)
    }
    failed = _failed(connection, planned, told)
    if not told and not failed:
        return known
    heard: dict[str, list[Said]] = {}
    for said in told:
        if said.kind != "status":
            heard.setdefault(planned[said.customer_id], []).append(said)
    old_numbers = {said.previous_wa_id for said in told} - {""}
    at = micros(now)
    for row in rows:
        customer = row["customer_id"]
        failed_at, code = failed.get(customer, (0, 0))
        if customer in known:
            continue
        wrote_at, opted_out = last_words(heard.get(customer, []))
        by_now, _ = last_words([said for said in heard.get(customer, []) if said.at <= at])
        if opted_out:
            reason = OPTED_OUT
        elif row["to"].lstrip("+") in old_numbers:
            reason = MOVED
        else:
            reason = codes.RULES[code].meaning if failed_at > wrote_at else ""
        known[customer] = Standing(by_now and by_now + WINDOW, reason)
    return known


class Said(NamedTuple):
    """What `last_words` needs of an event; `at` in microseconds, 0 for unknown."""

    customer_id: str
    kind: str
    at: int
    status: str
    text: str
    event_id: str
    previous_wa_id: str
    code: int


def last_words(heard: Iterable[Said]) -> tuple[int, bool]:
    """
    Return when one customer last wrote so that it opens the window (0 for never), and whether they opted out.

    The same as `windows.threads` says of many customers, without its frames: this runs before every message.
    """
    known = sorted((said for said in heard if said.at), key=lambda said: (said.at, _message_id(said), said))
    moved = max((said.at for said in known if said.previous_wa_id), default=0)
    wrote_at, opted_out = 0, False
    for said in known:
        kind = said.status if said.kind == "inbound" else said.kind
        if kind not in windows.NOT_OPENING and said.at >= moved:
            wrote_at = said.at
        if (wish := windows.wish(kind, said.text)) is not None:
            opted_out = wish == windows.STOP
    return wrote_at, opted_out


def _asks_again(said: Said) -> bool:
    return windows.wish(said.status if said.kind == "inbound" else said.kind, said.text) == windows.START


def _message_id(said: Said) -> str:
    return said.event_id.rpartition(":")[0] if said.kind == "cart" else said.event_id


# Made once: they run before every batch, and to build such a query costs as much as to run it.
_TOLD = select(*(EVENTS.c[name] for name in Said._fields)).where(
    EVENTS.c.customer_id.in_(_IDS),
    OF_NOTE,  # in the words of the index, or it is not used
    (EVENTS.c.kind != "status") | EVENTS.c.code.in_(codes.SUPPRESSING),
)
_SUPPRESSED = (
    select(SUPPRESSIONS.c.customer_id, SUPPRESSIONS.c.at, SUPPRESSIONS.c.reason)
    .where(SUPPRESSIONS.c.customer_id.in_(_IDS))
    .order_by(SUPPRESSIONS.c.seq)
)
_FAILED = select(OUTCOMES.c.customer_id, OUTCOMES.c.at, OUTCOMES.c.code).where(
    OUTCOMES.c.customer_id.in_(_IDS),
    WITH_CODE,
    OUTCOMES.c.outcome == "refused",
    OUTCOMES.c.code.in_(codes.SUPPRESSING),
)


def _told(connection: Connection, ids: Iterable[str]) -> list[Said]:
    """Return the events that say how these customers stand."""
    return [Said(*row) for row in connection.execute(_TOLD, {"ids": list(ids)})]


def _suppressed(connection: Connection, planned: dict[str, str]) -> dict[str, tuple[int, str]]:
    """Return when and why each customer was last suppressed by hand, if nobody lifted it since."""
    found = connection.execute(_SUPPRESSED, {"ids": list(planned)})
    last = {planned[customer]: (at, reason) for customer, at, reason in found}
    return {customer: (at, reason) for customer, (at, reason) in last.items() if reason}


def _failed(connection: Connection, planned: dict[str, str], told: Iterable[Said]) -> dict[str, tuple[int, int]]:
    """Return when and with what code each customer last could not receive anything."""
    refused = connection.execute(_FAILED, {"ids": list(planned)})
    found = [(planned[customer], (at, code)) for customer, at, code in refused]
    found += [(planned[said.customer_id], (said.at, said.code)) for said in told if said.kind == "status"]
    return dict(sorted(found))
