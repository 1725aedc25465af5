"""
The ledger: every plan, intent, attempt, outcome and webhook, written down before anything relies on it.

SQLite in one file by default; PostgreSQL by URL where several machines send. Facts are only added. The unique key of
(campaign, customer) makes a second message to one customer impossible, whatever crashes or runs twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from tqdm.auto import tqdm

from wa_products import frames
from wa_products.errors import DataError
from wa_products.ledger import (
    asides,
    heard,
    hearing,
    holding,
    opening,
    past,
    people,
    reaches,
    repairing,
    schema,
    sending,
    totals,
    unknowns,
    views,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from wa_products.ledger.people import Standing
    from wa_products.ledger.sending import Claim, Result, Row
    from wa_products.plans import Plan

HEARING, SENDING = 7_270_115, 7_270_116  # PostgreSQL's advisory locks: one writer of each kind at a time
BATCH = 500
PART = 100_000


class Ledger:
    """
    The ledger at `url`, made where there is none, its file readable by its owner alone.

    Use it as a context manager, or call `close`. Several processes may use one ledger at once. Raises SettingsError
    where `url` is no ledger, or one of a newer version.
    """

    def __init__(self, url: str = "sqlite:///ledger.db") -> None:
        self._engine = opening.engine(url)
        self._name = make_url(url).render_as_string(hide_password=True)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Ledger at {self._name}>"

    # What notebooks read.

    def rows(self, campaign: str) -> pd.DataFrame:
        """
        Return one row a planned customer of `campaign`, held out and unsent ones too, with their outcome.

        The columns of `frames.OUTCOMES` and kind, source, probability, title, price, currency, closes_at. The outcome
        is ``""`` where nothing was decided yet.
        """
        with self._engine.begin() as connection:
            found = views.rows(connection, campaign)
            return views.resolved(found, people.around(connection, found["customer_id"].tolist()))

    def receipts(self, campaign: str, as_of: pd.Timestamp | None = None) -> pd.DataFrame:
        """
        Return what `rows` returns with the receipts that came up to `as_of`, as `states.states` takes them.

        With `answers` this is all that measuring goes by of the campaign itself, at a fraction of what `events` costs.
        """
        with self._engine.begin() as connection:
            found = heard.receipts(connection, campaign, as_of)
            return views.resolved(found, people.around(connection, found["customer_id"].tolist()))

    def rivals(
        self,
        campaign: str,
        customers: Collection[str],
        wamids: Collection[str] = (),
        *,
        since: pd.Timestamp,
        as_of: pd.Timestamp,
    ) -> pd.DataFrame:
        """
        Return what `receipts` does of what other campaigns than `campaign` meant to send, one row a send.

        To these customers, whatever their ids are, or in a message with one of the `wamids`. Only campaigns with a plan
        made up to `as_of` that had not expired a week before `since`.
        """
        with self._engine.begin() as connection:
            planned = reaches.planned_since(schema.micros(since)).where(
                schema.PLANS.c.campaign != campaign, schema.PLANS.c.created_at <= schema.micros(as_of)
            )
            if connection.scalar(planned.limit(1)) is None:
                customers, wamids = (), ()
            theirs = people.around(connection, customers)
            ids = {*customers, *theirs.ids}
            found = heard.rivals(connection, ids, wamids, planned, as_of)
            others = people.around(connection, {*found["customer_id"]} - ids)
            return found.assign(customer_id=views.named(found["customer_id"], theirs | others))

    def sent_to(self, customers: Collection[str], since: pd.Timestamp) -> pd.DataFrame:
        """
        Return what `receipts` does of what was meant to be sent to these customers, one row a send, by the ids given.

        Whatever their ids are. Only of campaigns with a plan that had not expired a week before `since`.
        """
        with self._engine.begin() as connection:
            theirs = people.under(connection, customers)
            found = heard.rivals(connection, theirs.ids, (), reaches.planned_since(schema.micros(since)), None)
            return found.assign(customer_id=views.named(found["customer_id"], theirs))

    def totals(self, campaign: str, as_of: pd.Timestamp | None, horizon: pd.Timedelta) -> dict[str, Any]:
        """
        Return how many customers of `campaign` came how far, by `as_of`, and how many sent a cart within `horizon`.

        The counts of `wa_products.campaigns.overview` by their names, with ``as_of``, the last moment that is known.
        """
        with self._engine.begin() as connection:
            return totals.totals(connection, campaign, as_of, horizon)

    def orphans(self, since: pd.Timestamp | None = None, as_of: pd.Timestamp | None = None) -> int:
        """Return of how many messages of no campaign, sent by another tool, receipts came from `since` to `as_of`."""
        with self._engine.begin() as connection:
            return heard.orphans(connection, since, as_of)

    def answers(
        self,
        since: pd.Timestamp | None = None,
        as_of: pd.Timestamp | None = None,
        customers: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """
        Return what `events` returns without statuses: what customers said, asked for and put into carts.

        With `since` or `as_of`, of those of a known time only what was from then on and up to there; with `customers`,
        of these alone, whatever their ids are, by the ids given.
        """
        with self._engine.begin() as connection:
            return heard.answers(connection, since, as_of, customers)

    def remembered(self, since: pd.Timestamp, customers: Collection[str] | None = None) -> pd.DataFrame:
        """
        Return what `answers` returns from `since` on, and of what is older only what still counts.

        That are carts, whatever asks for no more messages or for messages again, every change of a number or user id,
        and what has the number of who writes without one since. With `customers`, of these alone, by the ids given.
        """
        with self._engine.begin() as connection:
            return past.remembered(connection, since, customers)

    def ids(self, customers: Collection[str]) -> dict[str, str]:
        """Return all ids of these customers, and for each that which was given, the first where several were."""
        with self._engine.begin() as connection:
            return people.under(connection, customers).heads

    def last_at(self) -> pd.Timestamp:
        """Return the time of the latest event, missing where nothing was heard."""
        with self._engine.begin() as connection:
            return heard.last_at(connection)

    def outcomes(self, campaign: str) -> pd.DataFrame:
        """Return the `outcomes` frame of `campaign` with the customer ids of its plan."""
        with self._engine.begin() as connection:
            return views.rows(connection, campaign)[list(frames.OUTCOMES)]

    def events(self) -> pd.DataFrame:
        """Return the `events` frame of all webhooks, in the order of time, with the one id of each customer."""
        with self._engine.begin() as connection:
            return heard.events(connection)

    def events_in_parts(self, size: int = PART) -> Iterator[pd.DataFrame]:
        """
        Yield what `events` returns in parts of about `size` rows, in the order in which they were first told.

        For a ledger of any size: each event is in one part, and one part in memory.
        """
        last = self.last_event()
        for after in range(0, last, size):
            with self._engine.begin() as connection:
                part = heard.events(connection, after=after, upto=min(after + size, last))
            if len(part):
                yield part

    def sends(self, since: pd.Timestamp | None = None) -> pd.DataFrame:
        """
        Return the `sends` frame: every message that was accepted, or may have been, in any campaign.

        With `since`, of campaigns with a plan that had not expired a week before.
        """
        every = pd.concat([frames.empty(frames.SENDS), *self._reached(PART, since)], ignore_index=True)
        return self._named(every)

    def sends_in_parts(self, size: int = PART, since: pd.Timestamp | None = None) -> Iterator[pd.DataFrame]:
        """
        Yield what `sends` returns in parts of at most `size` rows: some campaigns, or some customers of a larger one.

        For a ledger of any size: one part is in memory.
        """
        yield from map(self._named, self._reached(size, since))

    def _reached(self, size: int, since: pd.Timestamp | None) -> Iterator[pd.DataFrame]:
        """Yield the sends by the ids that they went to."""
        with self._engine.begin() as connection:
            names = connection.scalars(reaches.planned_since(schema.micros(since)).distinct()).all()
            portions = list(holding.portions(connection, sorted(names), size))
        for portion in portions:
            with self._engine.begin() as connection:
                part = holding.reached(connection, portion)
            if len(part):
                yield part

    def _named(self, sends: pd.DataFrame) -> pd.DataFrame:
        with self._engine.begin() as connection:
            known = people.around(connection, sends["customer_id"].unique())
        return sends.assign(customer_id=views.named(sends["customer_id"], known).array)

    def campaigns(self) -> pd.DataFrame:
        """
        Return one row a plan that was sent: campaign, digest, approved_by, created_at, expires_at, holdout, waterfall.

        ``waterfall`` is a list of [reason, customers].
        """
        with self._engine.begin() as connection:
            return views.campaigns(connection)

    # Listening.

    def store(self, bodies: Iterable[hearing.Body]) -> int:
        """Store webhook bodies and their events; return how many events are new. Storing one twice changes nothing."""
        new = 0
        for batch in hearing.batches(bodies):
            with opening.writing(self._engine) as connection:
                opening.lock(connection, HEARING)
                new += hearing.add(connection, batch, pd.Timestamp.now("UTC"))
        return new

    def webhooks(self) -> Iterator[bytes]:
        """Yield the raw bodies stored, in the order in which they came: another ledger may listen to this one."""
        last = 0
        while True:
            with self._engine.begin() as connection:
                found = hearing.stored(connection, last)
            if not found:
                return
            yield from (body for _, body in found)
            last = found[-1][0]

    def reparse(self, *, progress: bool = False) -> repairing.Repair:
        """
        Read all stored webhooks again, after their reading was mended; return what it came to.

        The events of each are then what it says now. Again, or after it was killed, it does what is left to do.
        """
        at, last, repair = schema.micros(pd.Timestamp.now("UTC")), 0, repairing.Repair()
        with self._engine.begin() as connection:
            size = repairing.size(connection)
        with tqdm(total=size, unit=" webhooks", disable=not progress) as bar:
            while True:
                with opening.writing(self._engine) as connection:
                    opening.lock(connection, HEARING)
                    done, last = repairing.batch(connection, last, at)
                    repair += done
                    if not last:
                        repairing.finish(connection, repair, at)
                        return repair
                bar.update(done.webhooks)

    def last_event(self) -> int:
        """Return the number of the last event stored, 0 at first."""
        with self._engine.begin() as connection:
            return connection.scalar(select(func.max(schema.EVENTS.c.seq))) or 0

    def events_after(self, number: int) -> pd.DataFrame:
        """Return what `events` returns, of the events of which nothing stored up to that number told."""
        with self._engine.begin() as connection:
            return heard.events(connection, after=number)

    def suppress(self, customer_ids: Iterable[str], reason: str, at: pd.Timestamp) -> None:
        """
        Write to these customers no more, in no campaign; `reason` in words.

        Until `lift`, or until they ask for messages again by ``start``, ``unstop`` or ``resume``. Who could not receive
        a message is suppressed without this, until they write.
        """
        if not reason.strip():
            raise DataError("a suppression needs its reason in words")
        self._suppress(customer_ids, reason, at)

    def lift(self, customer_ids: Iterable[str], at: pd.Timestamp) -> None:
        """Take back what `suppress` said of these customers: another fact, none is removed."""
        self._suppress(customer_ids, "", at)

    def _suppress(self, customer_ids: Iterable[str], reason: str, at: pd.Timestamp) -> None:
        rows = [{"customer_id": each, "reason": reason, "at": schema.micros(at)} for each in customer_ids]
        if rows:
            with opening.writing(self._engine) as connection:
                connection.execute(schema.SUPPRESSIONS.insert(), rows)

    def asides(self) -> pd.Series:
        """Return when each customer was put aside by an agent, by customer id; a time each."""
        with self._engine.begin() as connection:
            return asides.asides(connection)

    def set_aside(self, customer_id: str, *, by: str, at: pd.Timestamp, is_aside: bool = True) -> None:
        """Write down that an agent put a customer aside without an answer, or, with `is_aside` False, back again."""
        with opening.writing(self._engine) as connection:
            asides.set_aside(connection, customer_id, at, by, is_aside=is_aside)

    # What a person must look at.

    def unknowns(
        self, now: pd.Timestamp, patience: pd.Timedelta = unknowns.PATIENCE, *, campaign: str | None = None
    ) -> pd.DataFrame:
        """
        Return the sends that were tried `patience` or longer before `now` and of which nothing was heard since.

        One row a send: send_id, campaign, customer_id, product_retailer_id, title, at, details. No addresses. Of all
        campaigns every attempt there is is looked at, of one `campaign` its own.
        """
        with self._engine.begin() as connection:
            return unknowns.unknowns(connection, now - patience, campaign=campaign)

    def resolve(self, send_ids: Collection[str], *, sent: bool, by: str, now: pd.Timestamp) -> int:
        """
        Mark unknown sends as sent, or as not sent so that a later run may send them; return how many.

        Who marked it and when is written down with it. Raises DataError, before anything is marked, where one is
        not unknown or was tried minutes ago.
        """
        with opening.writing(self._engine) as connection:
            opening.lock(connection, SENDING)
            return unknowns.resolve(connection, send_ids, sent=sent, by=by, now=now)

    # Sending.

    def register(self, plan: Plan, now: pd.Timestamp) -> None:
        """Write down a plan and its holdout; nothing where it is there already."""
        with opening.writing(self._engine) as connection:
            opening.lock(connection, SENDING)
            sending.register(connection, plan, sending.plan_rows(plan), now)

    def twins(self, plan: Plan) -> list[str]:
        """Return the other campaigns that were planned to send the same products to the same people."""
        with self._engine.begin() as connection:
            return sending.twins(connection, plan, sending.plan_rows(plan))

    def decided(self, campaign: str) -> dict[str, tuple[str, bool]]:
        """Return the send id of each customer with an intent in `campaign`, and whether they can be tried again."""
        with self._engine.begin() as connection:
            return sending.decided(connection, campaign)

    def claim(
        self, plan: Plan, rows: Sequence[Row], *, now: pd.Timestamp, owner: str, done: Sequence[Result] = ()
    ) -> list[Claim]:
        """
        Write down what came of the attempts `done`, and intents and attempts for those of `rows` that may be sent.

        Once this returns, the claims are ours alone to post, each once. Rows that may not be sent now get their
        outcome; rows that another sender has are passed over.
        """
        with opening.writing(self._engine) as connection:
            opening.lock(connection, SENDING)
            sending.record(connection, plan.campaign, done)
            return sending.claim(connection, plan, rows, now=now, owner=owner)

    def record(self, campaign: str, done: Iterable[Result]) -> None:
        """Write down what came of attempts."""
        with opening.writing(self._engine) as connection:
            sending.record(connection, campaign, done)

    def news(self) -> tuple[int, ...]:
        """Return a mark that changes whenever something was heard."""
        with self._engine.begin() as connection:
            return people.news(connection)

    def is_of_note(self, since: tuple[int, ...]) -> bool:
        """Return whether anything after a mark of `news` may let a customer stand differently; receipts do not."""
        with self._engine.begin() as connection:
            return people.is_of_note(connection, since)

    def standings(self, rows: Sequence[Row], now: pd.Timestamp) -> dict[str, Standing]:
        """Return how the customers of planned rows stand at `now`; whom the ledger never heard of is not in it."""
        with self._engine.begin() as connection:
            parts = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
            found = [people.standings(connection, people.of(connection, part), part, now) for part in parts]
            return {customer: standing for part in found for customer, standing in part.items()}

    def reached(self, campaign: str, rows: Sequence[Row], now: pd.Timestamp, days: float) -> dict[str, int]:
        """Return when, in microseconds, another campaign wrote to the customers of planned rows within `days`."""
        since = schema.micros(now - pd.Timedelta(days=days))
        with self._engine.begin() as connection:
            parts = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
            found = [
                reaches.reached(connection, people.of(connection, part), campaign, part, since=since) for part in parts
            ]
            return {customer: at for part in found for customer, at in part.items()}

    def alarm(self, after: int, since: pd.Timestamp) -> int:
        """Return a code for which no message can be sent, told by a webhook stored after that number; 0 for none."""
        with self._engine.begin() as connection:
            return heard.alarm(connection, after, since)

    def inbound_rate(self, now: pd.Timestamp, after: int = 0) -> float:
        """Return how many messages a second came in, stored after `after`, in the busiest minute of the last hour."""
        with self._engine.begin() as connection:
            return heard.inbound_rate(connection, now, after)
