"""One run of a campaign: claim, check again, post at most once, write down what came of it."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias
from uuid import uuid4

from tqdm.auto import tqdm

from wa_products import codes
from wa_products.campaigns.breakers import Breaker
from wa_products.campaigns.interrupts import Interrupts
from wa_products.campaigns.queues import pace
from wa_products.errors import CloudAPIError, NotSent, OutcomeUnknown
from wa_products.identities import customer_id
from wa_products.ledger import sending
from wa_products.ledger.schema import micros
from wa_products.ledger.sending import Claim, Result, Row
from wa_products.pacing import RATE, Pace
from wa_products.payloads import single_product

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Future

    import pandas as pd

    from wa_products.client import Accepted, Client
    from wa_products.ledger import Ledger
    from wa_products.ledger.people import Standing
    from wa_products.plans import Plan

    Progress: TypeAlias = bool | Callable[[int], "Bar"]  # whether to show a bar, or what makes another of a total

BATCH, BATCH_SECONDS = 10, 0.06  # what a kill leaves unknown, beside the posted: this many, or those of so long
LEASE = 60.0  # seconds for which a claim may be posted; whoever looks later finds it given back, or surely tried
COUNT_EVERY = 15.0  # seconds between two looks at how much is coming in
THROTTLED, SLOWER, SLOWEST = 130429, 0.75, 20.0
NO_NETWORK = codes.Rule("no connection", CloudAPIError, "retry", 1, whole_number=True)


class Bar(Protocol):
    """
    Where a run tells how far it is: `update` after each step, `n` is what it was told so far.

    `update` may wait, for as long as nothing more is to be sent, or raise KeyboardInterrupt, which ends the run as an
    interrupt does.
    """

    n: int

    def update(self, more: float) -> object:
        """Count `more` messages that were dealt with."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> object: ...


class Sender:
    """
    One run of `plan` at `rate` messages a second, less where more comes in of what the number's `limit` counts too.

    Its state is in memory, gone with the process; the ledger has the rest.

    After `run`, `posted` counts the requests made and `breaker` says why the run ended early, if it did.
    """

    def __init__(
        self, plan: Plan, ledger: Ledger, client: Client, *, limit: float, rate: float, progress: Progress
    ) -> None:
        self.plan, self.ledger, self.client, self.progress = plan, ledger, client, progress
        self.limit, self.rate = limit, rate
        self.posted, self.breaker = 0, Breaker()
        self._owner = uuid4().hex
        self._claimed: deque[Claim] = deque()
        self._later: list[tuple[float, str, Row]] = []
        self._flying: dict[Future[Accepted], Claim] = {}
        self._landed: SimpleQueue[Future[Accepted]] = SimpleQueue()
        self._done: list[Result] = []
        self._tries: Counter[str] = Counter()  # of each message
        self._pauses: Counter[str] = Counter()  # of the whole number, since it last was accepted
        self._pace = Pace()
        self._paused_until = self._lease = self._slowed_at = 0.0
        self._news: tuple[int, ...] = ()
        self._standings: dict[str, Standing] = {}
        self._begun, self._heard = client.now(), ledger.last_event()
        self._counted_at = self._seconds()
        self._interrupts = Interrupts()
        self._broke: Exception | None = None

    def run(self, rows: Sequence[Row]) -> None:
        """Send to `rows` in their order. Whatever ends it, all that is known is written down before it returns."""
        waiting = deque(rows)
        with self._interrupts, self._bar(len(rows)) as bar:
            try:
                while not self.breaker.stopped and self._step(waiting):
                    with self._interrupts.resting():
                        bar.update(len(rows) - len(waiting) - len(self._claimed) - len(self._later) - bar.n)
            finally:
                self._land_all()
        if self._broke:
            raise self._broke

    def _bar(self, total: int) -> Bar:
        if callable(self.progress):
            return self.progress(total)
        made: Bar = tqdm(total=total, unit=" messages", disable=not self.progress)
        return made

    def _step(self, waiting: deque[Row]) -> bool:
        """Do the next thing there is to do; return False when there is nothing left."""
        self._take_in([self._landed.get() for _ in range(self._landed.qsize())])
        if self.breaker.stopped:
            return False
        now = self._seconds()
        paused = self._paused_until > now
        while self._later and self._later[0][0] <= now:
            waiting.appendleft(heapq.heappop(self._later)[2])
        if self._flying and (len(self._flying) >= self.client.workers or paused):
            self._land()
        elif self._claimed and max(now, self._paused_until) > self._lease:
            waiting.extendleft(reversed(self._give_back("claimed too long ago, claimed anew")))
        elif paused and (self._claimed or waiting):
            self._rest(self._paused_until - now)
        elif self._claimed:
            self._launch(self._claimed[0])
        elif waiting:
            batch = max(BATCH, round(self.rate * BATCH_SECONDS))
            self._claim([waiting.popleft() for _ in range(min(batch, len(waiting)))])
        elif self._flying:
            self._land()
        elif self._later:
            self._rest(self._later[0][0] - now)
        else:
            return False
        return True

    def _claim(self, rows: Sequence[Row]) -> None:
        self._news, self._standings = self.ledger.news(), {}
        now = self.client.now()
        claims = self.ledger.claim(self.plan, rows, now=now, owner=self._owner, done=self._done)
        self._done.clear()
        self._claimed.extend(claims)
        self._lease = now.timestamp() + LEASE
        self._make_room(now)

    def _make_room(self, now: pd.Timestamp) -> None:
        """Leave room for the answers that the campaign brings in."""
        if now.timestamp() - self._counted_at >= COUNT_EVERY:
            self._counted_at = now.timestamp()
            self.rate = min(self.rate, pace(self.limit, self.ledger.inbound_rate(now, after=self._heard)))

    def _launch(self, claim: Claim) -> None:
        """Post a claim, in its turn, if it still may be sent at that very moment."""
        if pause := self._pace.wait(self._seconds(), self.rate):
            with self._interrupts.resting():
                self.client.clock.sleep(pause)
        now = self.client.now()
        outcome, why = self._objection(claim, now)
        payload = message(self.plan, claim.row, claim.send_id)
        self._claimed.popleft()  # before the POST: what is still in the queue may be given back
        if outcome:
            self._done.append(Result(claim, outcome, now, details=why, again=True))
        elif (wait := claim.not_before - micros(now)) > 0:
            self._done.append(Result(claim, sending.SKIPPED, now, details="a message just went to them", again=True))
            heapq.heappush(self._later, (self._seconds() + wait / 1_000_000, claim.send_id, claim.row))
        else:
            self._pace.sent(now.timestamp(), self.rate)
            self.posted += 1
            future = self.client.submit(payload)
            future.add_done_callback(self._landed.put)
            self._flying[future] = claim

    def _objection(self, claim: Claim, now: pd.Timestamp) -> tuple[str, str]:
        """Return the outcome and the reason for which a claim must not be posted now, ``""`` where it may be."""
        if self.posted % max(1, round(self.rate / RATE)) == 0:  # every 12 ms, where that is more than one message
            self._listen(claim, now)
        row = {**claim.row, "closes_at": claim.closes_at}
        _, outcome, why = sending.allowed(row, self._standings.get(claim.customer_id), now, self.plan.limits)
        if not outcome and (why := self.breaker.product_fault(row) or self.breaker.stopped):
            outcome = sending.SKIPPED
        return outcome, why

    def _listen(self, claim: Claim, now: pd.Timestamp) -> None:
        """Take in what was heard since the claims were made: who stands differently, and what stops the campaign."""
        news = self.ledger.news()
        if news == self._news:
            return
        if self.ledger.is_of_note(self._news):
            self._standings = self.ledger.standings([each.row for each in self._claimed], now)
            if code := self.ledger.alarm(self._heard, self._begun):
                self.breaker.refused(claim.row, codes.rule(code), code)
        self._news = news

    def _land(self) -> None:
        """Wait for an answer and take it in."""
        self._take_in([self._landed.get()])

    def _take_in(self, landed: Iterable[Future[Accepted]]) -> None:
        for future in landed:
            # An interrupt may have come between the posting and its note: then the ledger has it as unknown.
            if claim := self._flying.pop(future, None):
                self._take(claim, future)

    def _land_all(self) -> None:
        """Wait for the answers still out, give back what was claimed and not posted, and write everything down."""
        if self._flying or self._claimed:
            self.breaker.stop("interrupted")
        while self._flying:
            self._land()
        self._give_back(f"not sent, the run was stopped: {self.breaker.stopped}")
        self.ledger.record(self.plan.campaign, self._done)
        self._done.clear()

    def _give_back(self, why: str) -> list[Row]:
        """Note that nothing was posted of what is claimed; return its rows."""
        now, rows = self.client.now(), [claim.row for claim in self._claimed]
        self._done += [Result(claim, sending.SKIPPED, now, details=why, again=True) for claim in self._claimed]
        self._claimed.clear()
        return rows

    def _take(self, claim: Claim, future: Future[Accepted]) -> None:
        now = self.client.now()
        try:
            accepted = future.result()
        except OutcomeUnknown as error:
            self._finish(Result(claim, sending.UNKNOWN, now, details=str(error)), failed=True)
        except NotSent as error:
            self._refused(Result(claim, sending.SKIPPED, now, details=str(error), again=True), NO_NETWORK, None)
        except CloudAPIError as error:
            rule = codes.rule(error.code, error.details, error.http_status)
            details = error.details or error.message
            result = Result(claim, sending.REFUSED, now, code=error.code, details=details)
            self._refused(result._replace(again=rule.action in codes.LATER), rule, error.retry_after)
        except Exception as error:  # noqa: BLE001  # raised again by `run`, once all else is written down
            self._finish(Result(claim, sending.UNKNOWN, now, details="the client broke"), failed=True)
            self.breaker.stop(f"the client broke ({type(error).__name__})")
            self._broke = error
        else:
            aliases = (customer_id("phone", accepted.wa_id), customer_id("user", accepted.user_id))
            result = Result(claim, sending.ACCEPTED, now, wamid=accepted.wamid, aliases=aliases)
            self._pauses.clear()
            self._finish(result, failed=False)

    def _refused(self, result: Result, rule: codes.Rule, retry_after: float | None) -> None:
        """Try again later, stop the run, or leave it at that: as the rule of the code says."""
        claim, now = result.claim, self._seconds()
        tries, whom = (self._pauses, rule.meaning) if rule.whole_number else (self._tries, claim.send_id)
        if not rule.whole_number or self._paused_until <= now:  # else it was in flight when the pause began
            tries[whom] += 1
        pause = codes.pause(rule, max(1, tries[whom]), retry_after)
        if pause is None:
            self._finish(result, failed=True)
            self.breaker.refused(claim.row, rule, result.code)
            if rule.whole_number:
                self.breaker.stop(rule.meaning)
            return
        self._done.append(result)
        due = now + pause
        heapq.heappush(self._later, (due, claim.send_id, claim.row))
        if rule.whole_number:
            self._paused_until = max(self._paused_until, due)
        if result.code == THROTTLED and self._slowed_at < due - pause - 1:
            self._slowed_at, self.rate = due - pause, max(self.rate * SLOWER, min(self.rate, SLOWEST))

    def _finish(self, result: Result, *, failed: bool) -> None:
        self._done.append(result)
        self.breaker.ended(failed=failed)

    def _rest(self, seconds: float) -> None:
        """Wait, with all that is known written down before."""
        self.ledger.record(self.plan.campaign, self._done)
        self._done.clear()
        with self._interrupts.resting():
            self.client.clock.sleep(seconds)

    def _seconds(self) -> float:
        return self.client.now().timestamp()


def message(plan: Plan, row: Row, send_id: str) -> dict[str, Any]:
    """Return the payload of a planned row. Raises DataError where it breaks a limit."""
    return single_product(
        to=row["to"] or None,
        recipient=None if row["to"] else row["recipient"],
        catalog_id=plan.catalog_id,
        product_retailer_id=row["product_retailer_id"],
        body=row["body"] or None,
        footer=row["footer"] or None,
        opaque=send_id,
    )
