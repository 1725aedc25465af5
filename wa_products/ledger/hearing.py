"""
Webhook bodies into the ledger: raw bytes, what they say, the identities they prove. Twice is the same as once.

A body is kept as it came, once, by its content; all else here is derived from it. Who writes holds the lock of those
who listen, so that between asking what is there and adding to it nobody else adds.
"""

from __future__ import annotations

import json
from hashlib import sha256
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, text

from wa_products import events, frames
from wa_products.identities import customer_id
from wa_products.ledger.inserting import PART, insert_many, parts
from wa_products.ledger.schema import EVENTS, IDENTITIES, WEBHOOKS, micros

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd
    from sqlalchemy import Connection
    from sqlalchemy.sql.elements import BindParameter

Body = bytes | str | dict[str, Any]
Proof = tuple[str, str, str]

# Of bodies in one transaction: ids come in no order, so that a small one writes as many pages as a large one.
BATCH, BATCH_BYTES = 48_000, 32_000_000
PROVED_BY_EVENTS = ("webhook", "number changed", "user id changed")
NAMES = (*frames.EVENTS, "webhook")
_VALUES = itemgetter(*NAMES)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_STORED = select(WEBHOOKS.c.digest).where(WEBHOOKS.c.digest.in_(_IDS))
_EARLIER = EVENTS.alias("earlier")
_NEW = select(func.count()).where(
    EVENTS.c.seq > bindparam("before"),
    ~select(_EARLIER.c.seq).where(_EARLIER.c.event_id == EVENTS.c.event_id, _EARLIER.c.seq < EVENTS.c.seq).exists(),
)
# By their number, not by an index that begins with their kind.
_ORPHANS = text(
    "INSERT INTO wa_orphans (wamid, send_id, at) SELECT DISTINCT wamid, send_id, at FROM wa_events "
    "WHERE seq > :after AND kind || '' = 'status' AND at > 0 "
    "AND NOT EXISTS (SELECT 1 FROM wa_intents WHERE wa_intents.send_id = wa_events.send_id) "
    "AND NOT EXISTS (SELECT 1 FROM wa_outcomes WHERE wa_outcomes.wamid = wa_events.wamid AND wa_outcomes.wamid <> '') "
    "ON CONFLICT DO NOTHING"
)


def add(connection: Connection, bodies: Sequence[Body], now: pd.Timestamp) -> int:
    """Store raw bodies and what they say; return how many events nobody had told of before."""
    raws = {sha256(raw).hexdigest()[:32]: raw for raw in map(_raw, bodies)}
    for part in parts(list(raws)):
        for digest in connection.scalars(_STORED, {"ids": part}):
            del raws[digest]
    if not raws:
        return 0
    stored_at = micros(now)
    before = connection.scalar(select(func.coalesce(func.max(EVENTS.c.seq), 0))) or 0
    first = (connection.scalar(select(func.max(WEBHOOKS.c.number))) or 0) + 1
    kept = [(number, digest, raw, stored_at) for number, (digest, raw) in enumerate(raws.items(), first)]
    insert_many(connection, WEBHOOKS, ("number", "digest", "body", "stored_at"), kept)
    told: list[tuple[Any, ...]] = []
    proved: set[Proof] = set()
    for number, _, raw, _ in kept:  # one by one, as rows weigh less than events
        for event in events.records(raw):
            told.append(row(event, number))
            proved.update(proofs(event))
    insert_many(connection, EVENTS, NAMES, told)
    note_orphans(connection, before)
    link(connection, proved, stored_at)
    return connection.scalar(_NEW, {"before": before}) or 0


def note_orphans(connection: Connection, after: int) -> None:
    """Write down which statuses behind the fact number `after` are of messages that no campaign sent."""
    connection.execute(_ORPHANS, {"after": after})


def link(connection: Connection, pairs: Iterable[Proof], at: int) -> None:
    """Add what proves that two ids are one customer: (one, other, rule)."""
    known = {(min(one, two), max(one, two), rule) for one, two, rule in pairs if one and two and one != two}
    insert_many(
        connection, IDENTITIES, ("left_id", "right_id", "rule", "at"), [(*proof, at) for proof in sorted(known)]
    )


def row(event: events.Event, webhook: int) -> tuple[Any, ...]:
    """Return the values of `NAMES` as the tables hold them."""
    at, price, quantity = event["at"], event["unit_price"], event["quantity"]
    stored = {
        **event,
        "at": 0 if at is None else round(at.timestamp() * 1_000_000),
        "unit_price": None if price is None else str(price),
        "quantity": None if quantity != quantity else quantity,  # noqa: PLR0124  # NaN is not itself
        "webhook": webhook,
    }
    return _VALUES(stored)


def proofs(event: events.Event) -> Iterator[Proof]:
    """Yield what an event proves of identities, in the order of `PROVED_BY_EVENTS`."""
    wa_id, user_id, old_wa_id, old_user_id = (
        event["wa_id"],
        event["user_id"],
        event["previous_wa_id"],
        event["previous_user_id"],
    )
    here = event["customer_id"]
    if wa_id and user_id:
        yield here, customer_id("user", user_id), "webhook"
    if old_wa_id:
        yield customer_id("phone", old_wa_id), here, "number changed"
    if old_user_id:
        yield customer_id("user", old_user_id), here, "user id changed"


def stored(connection: Connection, after: int) -> list[tuple[int, bytes]]:
    """Return some of the raw bodies behind the number `after`, each with its number; none where there are none."""
    query = select(WEBHOOKS.c.number, WEBHOOKS.c.body).where(WEBHOOKS.c.number > after)
    return [tuple(each) for each in connection.execute(query.order_by(WEBHOOKS.c.number).limit(PART))]


def batches(bodies: Iterable[Body]) -> Iterator[list[Body]]:
    """Yield `bodies` in lists that one transaction takes; those that came before an error, too."""
    batch: list[Body] = []
    size = 0
    try:
        for body in bodies:
            batch.append(body)
            size += len(body)
            if len(batch) >= BATCH or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _raw(body: Body) -> bytes:
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    text = body if isinstance(body, str) else json.dumps(body, sort_keys=True, default=str)
    return text.encode("utf-8", "surrogatepass")
