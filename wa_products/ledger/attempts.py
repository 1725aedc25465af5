"""What came of attempts: which was the last of each send, and whether another may be made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, func, select

from wa_products.ledger.schema import ATTEMPTS, EVENTS, INTENTS, OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Select


class History(NamedTuple):
    """The queries for attempts, outcomes and receipts of some sends."""

    attempts: Select[Any]
    outcomes: Select[Any]
    heard: Select[Any]

    @classmethod
    def of(cls, among: Any) -> History:  # noqa: ANN401  # SQLAlchemy's: a query or a parameter
        """Make the queries for the sends with an id in `among`; made once, as that costs as much as to run them."""
        told = (OUTCOMES.c.send_id, OUTCOMES.c.n, OUTCOMES.c.outcome, OUTCOMES.c.again)
        attempts = select(ATTEMPTS.c.send_id, func.max(ATTEMPTS.c.n)).where(ATTEMPTS.c.send_id.in_(among))
        return cls(
            attempts.group_by(ATTEMPTS.c.send_id),
            select(*told).where(OUTCOMES.c.send_id.in_(among)).order_by(OUTCOMES.c.seq),
            select(EVENTS.c.send_id).where(EVENTS.c.kind == "status", EVENTS.c.send_id.in_(among)),
        )


_OF_SENDS = History.of(bindparam("ids", expanding=True))
_OF_ALL = History.of(select(INTENTS.c.send_id).where(INTENTS.c.campaign == bindparam("campaign")))


def last_attempts(
    connection: Connection, campaign: str, send_ids: Sequence[str] | None = None
) -> dict[str, tuple[int, bool]]:
    """Return the number of each intent's last attempt, and whether its outcome and the webhooks allow another."""
    among: dict[str, Any]
    if send_ids is None:
        history, among = _OF_ALL, {"campaign": campaign}
    else:
        history, among = _OF_SENDS, {"ids": list(send_ids)}
    if not (last := dict(tuple(row) for row in connection.execute(history.attempts, among))):
        return {}
    again: dict[str, bool] = {}
    accepted = set()
    for send_id, n, outcome, allowed_again in connection.execute(history.outcomes, among):
        if outcome == "accepted":
            accepted.add(send_id)
        if n == last.get(send_id):
            again[send_id] = bool(allowed_again)
    arrived = accepted.union(connection.scalars(history.heard, among))
    return {send_id: (n, again.get(send_id, False) and send_id not in arrived) for send_id, n in last.items()}
