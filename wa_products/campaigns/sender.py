"""One run of a campaign: claim, check again, post at most once, write down what came of it."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tqdm.auto import tqdm

from wa_products import codes, pacing
from wa_products.errors import CloudAPIError, NotSent, OutcomeUnknown
from wa_products.identities import customer_id
from wa_products.ledger import sending
from wa_products.ledger.sending import Claim, Result, Row
from wa_products.payloads import single_product

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from wa_products.client import Accepted, Client
    from wa_products.ledger import Ledger
    from wa_products.plans import Plan

BATCH = 10  # what a kill leaves unknown is at most this
RECENT, TOO_MANY = 50, 0.5
NO_NETWORK = codes.Rule("no connection", CloudAPIError, "retry", 1, whole_number=True)


class Sender:
    """
    One run of `plan`: its state in memory, gone when the process goes; the ledger has all that matters.

    After `run`, `posted` counts the requests made and `stopped` says in words why the run ended early, if it did.
    """

    def __init__(self, plan: Plan, ledger: Ledger, client: Client, *, progress: bool) -> None:
        self.plan, self.ledger, self.client, self.progress = plan, ledger, client, progress
        self.posted, self.stopped = 0, ""
        self._owner = uuid4().hex
        self._claimed: deque[Claim] = deque()
        self._later: list[tuple[float, str, Row]] = []
        self._flying: dict[Future[Accepted], Claim] = {}
        self._landed: SimpleQueue[Future[Accepted]] = SimpleQueue()
        self._done: list[Result] = []
        self._tries: Counter[str] = Counter()
        self._failures: deque[bool] = deque(maxlen=RECENT)
        self._due = self._paused_until = 0.0
        self._news: tuple[int, ...] = ()
        self._broke: Exception | None = None

    def run(self, rows: Sequence[Row]) -> None:
        """Send to `rows` in their order. Whatever ends it, all that is known is written down before it returns."""
        waiting = deque(rows)
        with tqdm(total=len(rows), unit=" messages", disable=not self.progress) as bar:
            try:
                while not self.stopped and self._step(waiting):
                    bar.update(len(rows) - len(waiting) - len(self._claimed) - len(self._later) - bar.n)
            finally:
                self._land_all()
        if self._broke:
            raise self._broke

    def _step(self, waiting: deque[Row]) -> bool:
        """Do the next thing there is to do; return False when there is nothing left."""
        now = self._seconds()
        while self._later and self._later[0][0] <= now:
            waiting.appendleft(heapq.heappop(self._later)[2])
        if self._flying and (len(self._flying) >= self.client.workers or self._paused_until > now):
            self._land()
        elif self._claimed and self._paused_until > now:
            self._rest(self._paused_until - now)
        elif self._claimed:
            self._launch(self._claimed[0])
        elif waiting:
            self._claim([waiting.popleft() for _ in range(min(BATCH, len(waiting)))])
        elif self._flying:
            self._land()
        elif self._later:
            self._rest(self._later[0][0] - now)
        else:
            return False
        return True

    def _claim(self, rows: Sequence[Row]) -> None:
        self._news = self.ledger.news()
        now = self.client.now()
        claims = self.ledger.claim(self.plan, rows, now=now, owner=self._owner, done=self._done)
        self._done.clear()
        self._claimed.extend(claims)

    def _launch(self, claim: Claim) -> None:
        """Post a claim, in its turn, if it still may be sent at that very moment."""
        self._due, pause = pacing.reserve(self._due, self._seconds())
        if pause:
            self.client.clock.sleep(pause)
        now = self.client.now()
        standing = None
        if self.ledger.news() != self._news:
            standing = self.ledger.standings([claim.row], now).get(claim.customer_id)
        _, outcome, why = sending.allowed({**claim.row, "closes_at": claim.closes_at}, standing, now)
        payload = message(self.plan, claim.row, claim.send_id)
        self._claimed.popleft()  # before the POST: what is still in the queue may be given back
        if outcome:
            self._done.append(Result(claim, outcome, now, details=why, again=True))
            return
        self.posted += 1
        future = self.client.submit(payload)
        future.add_done_callback(self._landed.put)
        self._flying[future] = claim

    def _land(self) -> None:
        """Wait for an answer and take in all that are there."""
        landed = [self._landed.get(), *(self._landed.get() for _ in range(self._landed.qsize()))]
        for future in landed:
            # An interrupt may have come between the posting and its note: then the ledger has it as unknown.
            if claim := self._flying.pop(future, None):
                self._take(claim, future)

    def _land_all(self) -> None:
        """Wait for the answers still out, give back what was claimed and not posted, and write everything down."""
        self.stopped = self.stopped or ("interrupted" if self._flying or self._claimed else "")
        while self._flying:
            self._land()
        now, why = self.client.now(), f"not sent, the run was stopped: {self.stopped}"
        given_back = [Result(claim, sending.SKIPPED, now, details=why, again=True) for claim in self._claimed]
        self.ledger.record(self.plan.campaign, [*self._done, *given_back])
        self._done.clear()
        self._claimed.clear()

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
            self.stopped, self._broke = f"the client broke ({type(error).__name__})", error
        else:
            aliases = (customer_id("phone", accepted.wa_id), customer_id("user", accepted.user_id))
            result = Result(claim, sending.ACCEPTED, now, wamid=accepted.wamid, aliases=aliases)
            self._finish(result, failed=False)

    def _refused(self, result: Result, rule: codes.Rule, retry_after: float | None) -> None:
        """Try again later, stop the run, or leave it at that: as the rule of the code says."""
        claim = result.claim
        self._tries[claim.send_id] += 1
        pause = codes.pause(rule, self._tries[claim.send_id], retry_after)
        if pause is None:
            self._finish(result, failed=True)
            if rule.action == "stop" or rule is NO_NETWORK:
                self.stopped = f"{rule.meaning} (code {result.code})" if result.code else rule.meaning
            return
        self._done.append(result)
        due = self._seconds() + pause
        heapq.heappush(self._later, (due, claim.send_id, claim.row))
        if rule.whole_number:
            self._paused_until = max(self._paused_until, due)

    def _finish(self, result: Result, *, failed: bool) -> None:
        self._done.append(result)
        self._failures.append(failed)
        if len(self._failures) == RECENT and sum(self._failures) > RECENT * TOO_MANY:
            self.stopped = f"{sum(self._failures)} of the last {RECENT} messages failed"

    def _rest(self, seconds: float) -> None:
        """Wait, with all that is known written down before."""
        self.ledger.record(self.plan.campaign, self._done)
        self._done.clear()
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
