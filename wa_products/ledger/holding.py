"""
What holds of each intent now, in SQL: for all that is asked of many campaigns, where the rows of `views` are too much.

The same as there: an acceptance holds whenever it was told, else the last word of the last attempt; an attempt without
a word is unknown, until a status settles it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, case, func, select

from wa_products.ledger.reading import frame, moments, read
from wa_products.ledger.schema import ATTEMPTS, EVENTS, INTENTS, OUTCOMES, PLAN_ROWS
from wa_products.ledger.sending import ACCEPTED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from sqlalchemy import ColumnElement, Connection, FromClause, Select

    Portion = tuple[list[ColumnElement[bool]], int]  # which intents, and about how many

_ATTEMPT, _OUTCOME = ATTEMPTS.alias("attempt"), OUTCOMES.alias("told")
_RECEIPT = EVENTS.alias("receipt")
_IS_RECEIPT = and_(_RECEIPT.c.kind == "status", _RECEIPT.c.send_id == INTENTS.c.send_id)


class Holding(NamedTuple):
    """Intents with what holds of each: where from, and the words for outcome, wamid, time and the plan's product."""

    of: FromClause
    outcome: ColumnElement[str]
    wamid: ColumnElement[str]
    at: ColumnElement[int]

    @classmethod
    def made(cls) -> Holding:
        """Make the words: `of` has the intents, the row of the plan that was sent, last attempt and best outcome."""
        last = select(func.max(ATTEMPTS.c.n)).where(ATTEMPTS.c.send_id == INTENTS.c.send_id)
        attempted = and_(_ATTEMPT.c.send_id == INTENTS.c.send_id, _ATTEMPT.c.n == _of_each(last))
        is_accepted = case((OUTCOMES.c.outcome == ACCEPTED, 1), else_=0)
        best = select(OUTCOMES.c.seq).where(OUTCOMES.c.send_id == INTENTS.c.send_id)
        best = best.order_by(is_accepted.desc(), OUTCOMES.c.n.desc(), OUTCOMES.c.seq.desc()).limit(1)
        planned = and_(
            PLAN_ROWS.c.digest == func.coalesce(_ATTEMPT.c.digest, INTENTS.c.digest),
            PLAN_ROWS.c.customer_id == INTENTS.c.customer_id,
        )
        settled = _of_each(select(func.min(_RECEIPT.c.wamid)).where(_IS_RECEIPT))
        is_open = and_(
            func.coalesce(_OUTCOME.c.outcome, "") != ACCEPTED, _ATTEMPT.c.n > func.coalesce(_OUTCOME.c.n, -1)
        )
        is_unknown = (_OUTCOME.c.outcome == UNKNOWN) | is_open
        is_settled = and_(is_unknown, settled > "")
        return cls(
            of=INTENTS.outerjoin(_ATTEMPT, attempted)
            .outerjoin(_OUTCOME, _OUTCOME.c.seq == _of_each(best))
            .join(PLAN_ROWS, planned),
            outcome=case((is_settled, ACCEPTED), (is_open, UNKNOWN), else_=func.coalesce(_OUTCOME.c.outcome, "")),
            wamid=case((is_settled, settled), (is_open, ""), else_=func.coalesce(_OUTCOME.c.wamid, "")),
            at=case((is_open, _ATTEMPT.c.at), else_=func.coalesce(_OUTCOME.c.at, 0)),
        )


def _of_each(query: Select[Any]) -> ColumnElement[Any]:
    """Return what a query finds for each of the intents around it, at any depth."""
    return query.correlate(INTENTS).scalar_subquery()


HOLDING = Holding.made()


def reached(connection: Connection, portion: Portion) -> pd.DataFrame:
    """Return the `sends` frame of a portion of the intents, by the ids that they went to."""
    wanted, rows = portion
    names = INTENTS.c.campaign, INTENTS.c.customer_id, PLAN_ROWS.c.product_retailer_id
    told = HOLDING.outcome.label("outcome"), HOLDING.at.label("at")
    query = select(*names, *told).select_from(HOLDING.of).where(*wanted, HOLDING.outcome.in_((ACCEPTED, UNKNOWN)))
    (table,) = read(connection, query.order_by(INTENTS.c.campaign, INTENTS.c.customer_id), rows=rows)
    return frame(table).assign(at=moments(table["at"]))


def portions(connection: Connection, campaigns: Iterable[str], size: int) -> Iterator[Portion]:
    """Yield which intents of the campaigns to take together, at most `size`: some campaigns, or customers of one."""
    together: list[str] = []
    so_far = 0
    for name in campaigns:
        many = connection.scalar(select(func.count()).where(INTENTS.c.campaign == name)) or 0
        if together and so_far + many > size:
            yield [INTENTS.c.campaign.in_(together)], so_far
            together, so_far = [], 0
        if many > size:
            yield from _pages(connection, name, size)
        else:
            together.append(name)
            so_far += many
    if together:
        yield [INTENTS.c.campaign.in_(together)], so_far


def _pages(connection: Connection, campaign: str, size: int) -> Iterator[Portion]:
    """Yield the customers of a large campaign from one id to another."""
    of_it, who = INTENTS.c.campaign == campaign, INTENTS.c.customer_id
    first: str | None = connection.scalar(select(func.min(who)).where(of_it))
    while first is not None:
        following = select(who).where(of_it, who >= first).order_by(who).offset(size).limit(1)
        after: str | None = connection.scalar(following)
        yield [of_it, who >= first, *([who < after] if after is not None else [])], size
        first = after
