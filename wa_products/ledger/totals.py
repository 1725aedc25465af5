"""How far the customers of a campaign came, counted by the database: only sums are read, however many they are."""

from __future__ import annotations

from collections import Counter
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from sqlalchemy import and_, case, func, literal, select

from wa_products.arms import HOLDOUT, TREATED
from wa_products.ledger import heard, people
from wa_products.ledger.holding import HOLDING
from wa_products.ledger.reading import among
from wa_products.ledger.schema import EVENTS, INTENTS, OUTCOMES, PLAN_ROWS, PLANS, micros, times
from wa_products.ledger.sending import ACCEPTED, REFUSED
from wa_products.states import SUBMITTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

_SENT, _DELIVERED, _READ, _FAILED = (1 << place for place in range(len(heard.STATUSES)))


class Alike(NamedTuple):
    """Customers of a campaign of whom the same holds; `by_id` and `by_wamid` are the statuses told, a bit each."""

    arm: str
    is_request: int
    outcome: str
    by_id: int
    by_wamid: int
    customers: int
    first_at: int | None
    last_at: int | None

    @property
    def told(self) -> int:
        """The statuses that the ones told imply."""
        told = self.by_id | self.by_wamid
        delivered = told | _DELIVERED if told & _READ else told
        return delivered | _SENT if delivered & _DELIVERED else delivered

    @property
    def is_accepted(self) -> bool:
        """Whether WhatsApp took the message, by its answer or by what came of it."""
        return self.outcome == ACCEPTED or self.told > 0


def totals(connection: Connection, campaign: str, as_of: pd.Timestamp | None, horizon: pd.Timedelta) -> dict[str, Any]:
    """
    Return what `campaign` came to as known at `as_of`, None for the last moment it knows of.

    ``campaign, started_at, as_of``, then customers: ``planned, held_out, submitted, accepted, sent, delivered, read,
    refused, failed``, and by assignment ``treated, treated_with_cart, holdout, holdout_with_cart``, as
    `wa_products.metrics.results` counts them.
    """
    alike = [Alike(*row) for query in _tallies(campaign, as_of) for row in connection.execute(query)]
    started, known = _moments(connection, campaign, alike)
    known = known if as_of is None else micros(as_of)
    carts = _with_cart(connection, campaign, started, min(known, started + horizon // pd.Timedelta(microseconds=1)))
    accepted = [each for each in alike if each.is_accepted]
    drawn = [each for each in alike if not each.is_request]
    moments = times(pd.Series([started, known]))
    return {
        "campaign": campaign,
        "started_at": moments[0],
        "as_of": moments[1],
        "planned": _count(alike),
        "held_out": _count(each for each in alike if each.arm == HOLDOUT),
        "submitted": _count(each for each in alike if each.outcome in SUBMITTED or each.is_accepted),
        "accepted": _count(accepted),
        "sent": _count(each for each in accepted if each.told & _SENT),
        "delivered": _count(each for each in accepted if each.told & _DELIVERED),
        "read": _count(each for each in accepted if each.told & _READ),
        "refused": _count(each for each in alike if each.outcome == REFUSED and not each.is_accepted),
        "failed": _count(each for each in accepted if each.told & _FAILED and not each.told & _DELIVERED),
        "treated": _count(each for each in drawn if each.arm == TREATED),
        "treated_with_cart": carts[TREATED],
        "holdout": _count(each for each in drawn if each.arm == HOLDOUT),
        "holdout_with_cart": carts[HOLDOUT],
    }


def _moments(connection: Connection, campaign: str, alike: Sequence[Alike]) -> tuple[int, int]:
    """Return when a campaign began, and the last moment that is known of it."""
    planned = select(PLANS.c.created_at).where(PLANS.c.campaign == campaign).order_by(PLANS.c.seq)
    created = connection.scalars(planned).all()
    first = min((each.first_at for each in alike if each.first_at), default=created[0])
    return first, max(*created, micros(heard.last_at(connection)), *(each.last_at or 0 for each in alike))


def _count(some: Iterable[Alike]) -> int:
    return sum(each.customers for each in some)


def _tallies(campaign: str, as_of: pd.Timestamp | None) -> list[Select[Any]]:
    """Return the queries for the rows of `Alike`: of those with an intent, and of those planned only."""
    by_id = _told(EVENTS.c.send_id == INTENTS.c.send_id, as_of)
    by_wamid = _told(and_(EVENTS.c.send_id == "", EVENTS.c.wamid == HOLDING.wamid, HOLDING.wamid != ""), as_of)
    said = func.coalesce(OUTCOMES.c.outcome, ""), literal(0), literal(0), func.coalesce(OUTCOMES.c.at, 0)
    return [
        _grouped(_intended(campaign).add_columns(HOLDING.outcome, by_id, by_wamid, HOLDING.at)),
        _grouped(_undecided(campaign).add_columns(*said)),
    ]


def _grouped(rows: Select[Any]) -> Select[Any]:
    """Return the query for how many customers are alike."""
    _, arm, is_request, outcome, by_id, by_wamid, at = rows.subquery().c
    by, known = (arm, is_request, outcome, by_id, by_wamid), func.nullif(at, 0)
    return select(*by, func.count(), func.min(known), func.max(known)).group_by(*by)


def _intended(campaign: str) -> Select[Any]:
    """Return the query for the customers with an intent: id, arm, and whether they had asked for it."""
    told = select(INTENTS.c.customer_id, INTENTS.c.arm, _IS_REQUEST).select_from(HOLDING.of)
    return told.where(INTENTS.c.campaign == campaign)


def _undecided(campaign: str) -> Select[Any]:
    """Return the query for the others, as the last plan has them, beside the last word of why nothing was tried."""
    later, again = PLANS.alias("later"), PLAN_ROWS.alias("again")
    who = PLAN_ROWS.c.customer_id
    replanned = select(again.c.customer_id).join(later, later.c.digest == again.c.digest)
    replanned = replanned.where(later.c.campaign == campaign, later.c.seq > PLANS.c.seq, again.c.customer_id == who)
    decided = select(INTENTS.c.send_id).where(INTENTS.c.campaign == campaign, INTENTS.c.customer_id == who)
    last = select(OUTCOMES.c.customer_id, func.max(OUTCOMES.c.seq).label("seq"))
    last = last.where(OUTCOMES.c.campaign == campaign, OUTCOMES.c.send_id == "").group_by(OUTCOMES.c.customer_id)
    of_last = last.subquery()
    told = select(who, PLAN_ROWS.c.arm, _IS_REQUEST).join(PLANS, PLANS.c.digest == PLAN_ROWS.c.digest)
    told = told.outerjoin(of_last, of_last.c.customer_id == who).outerjoin(OUTCOMES, OUTCOMES.c.seq == of_last.c.seq)
    return told.where(PLANS.c.campaign == campaign, ~replanned.exists(), ~decided.exists())


_IS_REQUEST = case((PLAN_ROWS.c.kind == "request", 1), else_=0).label("is_request")


def _told(of_it: ColumnElement[bool], as_of: pd.Timestamp | None) -> ColumnElement[int]:
    """Return which statuses were told of a message up to `as_of`, a bit each."""
    bits = [
        func.coalesce(func.max(case((EVENTS.c.status == name, 1 << place), else_=0)), 0)
        for place, name in enumerate(heard.STATUSES)
    ]
    known = heard.between(EVENTS.c.at + 0, None, as_of)  # found by their ids
    told = select(reduce(add, bits)).where(EVENTS.c.kind == "status", of_it, known)
    return told.correlate_except(EVENTS).scalar_subquery()


def _with_cart(connection: Connection, campaign: str, since: int, until: int) -> Counter[str]:
    """Return how many drawn customers of each arm sent a cart; whose several ids were planned counts as the first."""
    told = select(EVENTS.c.customer_id).where(EVENTS.c.kind == "cart", EVENTS.c.at.between(since, until)).distinct()
    customers = connection.scalars(told).all()
    known = people.around(connection, customers)
    ids = among(connection, [each for customer in customers for each in known.members(customer)])
    theirs = [
        row
        for query in (_intended(campaign), _undecided(campaign))
        for row in connection.execute(query.where(query.selected_columns[0].in_(ids)))
    ]
    first: dict[str, tuple[str, int]] = {}
    for customer, arm, is_request in sorted(theirs):
        first.setdefault(known.head(customer), (arm, is_request))
    return Counter(arm for arm, is_request in first.values() if not is_request)
