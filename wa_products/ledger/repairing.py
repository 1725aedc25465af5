"""All stored webhooks read again, after their reading was mended: what they say now replaces what they said."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, exists, func, select

from wa_products import events
from wa_products.ledger.hearing import NAMES, PROVED_BY_EVENTS, link, note_orphans, proofs, row
from wa_products.ledger.inserting import insert_many, parts
from wa_products.ledger.schema import EVENTS, IDENTITIES, ORPHANS, REPAIRS, WEBHOOKS

if TYPE_CHECKING:
    from sqlalchemy import Connection

BATCH = 1000
_PROVING = ("customer_id", "wa_id", "user_id", "previous_wa_id", "previous_user_id")


class Repair(NamedTuple):
    """What reading again came to: how many webhooks were read, and how many events were added and removed."""

    webhooks: int = 0
    added: int = 0
    removed: int = 0

    def __add__(self, other: object) -> Repair:
        """Return both together."""
        if not isinstance(other, Repair):
            return NotImplemented
        return Repair(*(one + two for one, two in zip(self, other, strict=True)))


def batch(connection: Connection, after: int, at: int) -> tuple[Repair, int]:
    """Read the webhooks behind the number `after` again; return what it came to and the last number, 0 at the end."""
    query = select(WEBHOOKS.c.number, WEBHOOKS.c.body).where(WEBHOOKS.c.number > after)
    bodies = connection.execute(query.order_by(WEBHOOKS.c.number).limit(BATCH)).all()
    if not bodies:
        return Repair(), 0
    told = [(number, event) for number, body in bodies for event in events.records(body)]
    new = {row(event, number): event for number, event in told}
    stored = select(*(EVENTS.c[name] for name in NAMES), EVENTS.c.seq)
    old = {
        tuple(values): seq
        for part in parts([number for number, _ in bodies])
        for *values, seq in connection.execute(stored.where(EVENTS.c.webhook.in_(part)))
    }
    gone = [old[values] for values in old.keys() - new.keys()]
    come = [values for values in new if values not in old]
    for part in parts(gone):
        connection.execute(delete(EVENTS).where(EVENTS.c.seq.in_(part)))
    last = connection.scalar(select(func.coalesce(func.max(EVENTS.c.seq), 0))) or 0
    insert_many(connection, EVENTS, NAMES, come)
    note_orphans(connection, last)
    link(connection, (proof for values in come for proof in proofs(new[values])), at)
    return Repair(len(bodies), len(come), len(gone)), bodies[-1][0]


def finish(connection: Connection, repair: Repair, at: int) -> None:
    """Remove what no event proves or tells of any more, and write the repair down, if it changed anything."""
    if not (repair.added or repair.removed):
        return
    told = select(*(EVENTS.c[name] for name in _PROVING)).where(
        (EVENTS.c.user_id != "") | (EVENTS.c.previous_wa_id != "") | (EVENTS.c.previous_user_id != "")
    )
    given = {
        (min(one, two), max(one, two), rule)
        for event in connection.execute(told.distinct()).mappings()
        for one, two, rule in proofs(dict(event))
    }
    stored = select(IDENTITIES).where(IDENTITIES.c.rule.in_(PROVED_BY_EVENTS))
    gone = [
        proof.seq for proof in connection.execute(stored) if (proof.left_id, proof.right_id, proof.rule) not in given
    ]
    for part in parts(gone):
        connection.execute(delete(IDENTITIES).where(IDENTITIES.c.seq.in_(part)))
    told_of = [EVENTS.c.kind == "status", *(EVENTS.c[name] == ORPHANS.c[name] for name in ("send_id", "wamid", "at"))]
    connection.execute(delete(ORPHANS).where(~exists().where(*told_of)))
    connection.execute(REPAIRS.insert(), {**repair._asdict(), "version": _version(), "at": at})


def size(connection: Connection) -> int:
    """Return how many webhooks are stored."""
    return connection.scalar(select(func.count()).select_from(WEBHOOKS)) or 0


def _version() -> str:
    try:
        return version("wa-products")
    except PackageNotFoundError:
        return ""
