"""
What may have reached customers: attempts that were accepted, or of which nobody knows.

Only what was surely not sent is left out: an attempt whose last outcome is a refusal or none was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, and_, bindparam, func, select

from wa_products.ledger.schema import ATTEMPTS, INTENTS, OUTCOMES, PLANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Select

    from wa_products.ledger.people import People

LONGEST = 7 * 86_400_000_000  # for which a run may go on after its plan has expired, and more
# To look for the intents of customers, or for some by their ids, and among them by campaign: by no index that begins
# with the campaign.
BY_WHOM = INTENTS.c.campaign.concat("")
MAYBE = frozenset({"", "accepted", "unknown"})


def _attempts() -> Select[Any]:
    """Return the query for each attempt with the outcomes told of it, in the order in which they were told."""
    told = and_(OUTCOMES.c.send_id == ATTEMPTS.c.send_id, OUTCOMES.c.n == ATTEMPTS.c.n)
    names = (
        INTENTS.c.customer_id,
        ATTEMPTS.c.send_id,
        ATTEMPTS.c.n,
        ATTEMPTS.c.at,
        func.coalesce(OUTCOMES.c.outcome, "").label("outcome"),
        func.coalesce(OUTCOMES.c.at, 0).label("told_at"),
    )
    joined = select(*names).join(ATTEMPTS, ATTEMPTS.c.send_id == INTENTS.c.send_id)
    return joined.join(OUTCOMES, told, isouter=True).order_by(OUTCOMES.c.seq)


def planned_since(since: Any) -> Select[Any]:  # noqa: ANN401  # microseconds, or SQLAlchemy's parameter of them
    """Return the query for the campaigns that may have sent something since: their plan had not long expired."""
    return select(PLANS.c.campaign).where(PLANS.c.expires_at >= since - LONGEST)


_OTHERS = _attempts().where(
    INTENTS.c.customer_id.in_(bindparam("ids", expanding=True)),
    BY_WHOM.in_(planned_since(bindparam("since", type_=BigInteger))),
    INTENTS.c.campaign != bindparam("campaign"),
    ATTEMPTS.c.at >= bindparam("since", type_=BigInteger),
)
_ALL = _attempts().where(INTENTS.c.campaign == bindparam("campaign"))


def reached(
    connection: Connection, people: People, campaign: str, rows: Sequence[dict[str, Any]], *, since: int
) -> dict[str, int]:
    """
    Return when another campaign than `campaign` last may have reached each planned customer, at or after `since`.

    By the customer id of the row, in microseconds; who was not reached is not in it.
    """
    planned = {alias: row["customer_id"] for row in rows for alias in people.members(row["customer_id"])}
    found: dict[str, int] = {}
    for customer, at in _maybe(connection, _OTHERS, {"ids": list(planned), "campaign": campaign, "since": since}):
        found[planned[customer]] = max(at, found.get(planned[customer], 0))
    return found


def campaign_total(connection: Connection, campaign: str) -> int:
    """Return how many customers a campaign may have reached."""
    return len({customer for customer, _ in _maybe(connection, _ALL, {"campaign": campaign})})


def _maybe(connection: Connection, query: Select[Any], parts: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the customer and the time of each attempt whose last outcome leaves it possible that it arrived."""
    last: dict[tuple[str, int], tuple[str, str, int]] = {}
    for customer, send_id, n, at, outcome, told_at in connection.execute(query, parts):
        last[send_id, n] = customer, outcome, max(at, told_at)
    return [(customer, at) for customer, outcome, at in last.values() if outcome in MAYBE]
