"""
The world behind the endpoints: it moves time, lets customers act, and collects webhooks.

Everything that will happen lies in a queue by time; moving the clock works it off. Nothing here draws by itself:
each act asks `chance` under its own name, so the order in which messages were sent changes nothing.
"""

from __future__ import annotations

from functools import cached_property
from heapq import heappop, heappush
from threading import RLock
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products.errors import DataError
from wa_products.sandbox import chance, shoppers, webhooks
from wa_products.sandbox.acts import Act, Acts
from wa_products.sandbox.addresses import Addresses
from wa_products.sandbox.clocks import SECOND, Clock, moment
from wa_products.sandbox.desk import THROUGHPUT, Desk, Message
from wa_products.sandbox.faults import Fault, Faults
from wa_products.sandbox.journals import Journal, Posted, Step
from wa_products.sandbox.reactions import react
from wa_products.sandbox.refusals import coded
from wa_products.sandbox.shelves import Shelf
from wa_products.sandbox.tokens import Tokens
from wa_products.sandbox.truths import truth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wa_products.datasets import Dataset

_DAY = shoppers.DAY * SECOND
_AFTER_A_MESSAGE = {
    "sent": "status",
    "delivered": "status",
    "read": "status",
    "cart": "cart",
    "asks": "ask",
    "passes_on": "pass_on",
    "stops": "stop",
}


class World:
    """The state of one sandbox. Its public methods may be called from several threads."""

    def __init__(
        self,
        data: Dataset,
        *,
        seed: int,
        clock: Clock,
        sender: webhooks.Sender,
        catalog_id: str,
        shape: webhooks.Shape,
        throughput: int | None,
        token: str,
    ) -> None:
        self.data, self.seed, self.clock, self.sender, self.shape = data, seed, clock, sender, shape
        self.tastes = shoppers.tastes(data)
        self.people = shoppers.people(data, self.tastes, seed)
        self.shelf = Shelf(data.catalog, self.tastes, catalog_id)
        self.addresses = Addresses(data, self.people)
        counts = throughput or THROUGHPUT
        self.desk = Desk(data, self.people, self.shelf, self.addresses, seed=seed, throughput=counts)
        self.faults, self.journal, self.tokens, self._acts = Faults(), Journal(), Tokens(token), Acts(self)
        # While the clock stands still there are no seconds in which to count, unless a limit was asked for.
        self._counted = clock.ticks or throughput is not None
        self._everyone = self.people.drop(columns="last_inbound_at")
        self._two_devices = set(self.people.index[self.people["two_devices"]])
        self._lock = RLock()
        self._settled = self._taken = 0
        self._orders: dict[str, int] = {}
        self._queue: list[tuple[int, str, Act]] = [(clock.start, "day", Act("day", detail="0"))]
        self._outbox: list[tuple[int, str, webhooks.Item]] = []

    def accept(self, message: Any) -> tuple[dict[str, Any] | None, Fault | None]:  # noqa: ANN401  # whatever JSON was posted
        """
        Return what Meta answers to a message, None where it does not come that far, and what goes wrong with it.

        Raises Refusal for a message that is not accepted.
        """
        with self._lock:
            self._keep_up()
            fault = self.faults.draw(self._addressed(message))
            if fault and not fault.is_taken and not fault.failure:
                if fault.what == "code":
                    raise coded(fault.code, fault.details)
                return None, fault
            now, business = self.clock.now, self.sender.display_phone_number
            who, person = self.desk.check(message, now, business=business, counted=self._counted)
            return self.desk.take(message, who, person, now, fault), fault

    def advance(self, by: pd.Timedelta | str) -> None:
        """Move the clock and let everything happen until then."""
        with self._lock:
            self.catch_up()
            self.clock.move(by)
            self.catch_up()

    def catch_up(self) -> None:
        """Let everything happen that is due by now."""
        with self._lock:
            self._settle()
            self._work_off()

    def flush(self) -> None:
        """Let the webhook bodies go out that are due by now."""
        with self._lock:
            self.catch_up()
            now, arrived = self.clock.now, []
            while self._outbox and webhooks.goes_out(self._outbox[0][0]) <= now:
                arrived.append(heappop(self._outbox))
            for at, body in webhooks.bodies(self.seed, self.sender, arrived):
                self.journal.post(at, body)

    def take(self) -> list[Posted]:
        """Return the webhook bodies that have gone out by now and were not taken yet."""
        with self._lock:
            self.flush()
            fresh = self.journal.posted[self._taken :]
            self._taken += len(fresh)
            return fresh

    def held(self) -> RLock:
        """Return the lock under which the world can be read, after letting everything happen that is due."""
        self.flush()
        return self._lock

    def issue(self, scopes: Iterable[str], expires_in: float | None = None) -> str:
        """Return a further token with these permissions, good for so many seconds; None is for good."""
        with self._lock:
            return self.tokens.issue(scopes, 0 if expires_in is None else self.clock.now + int(expires_in * SECOND))

    def truth(self, planned: pd.DataFrame | None, horizon: pd.Timedelta) -> pd.DataFrame:
        """Return what `truths.truth` tells of all messages so far, and of the `planned` ones as if they were sent."""
        with self._lock:
            sent = [message for message in self.desk.messages if message.customer_id in self.people.index]
            since = min((message.at for message in sent), default=self.clock.start)
            supposed = [] if planned is None else self._supposed(planned, {m.customer_id for m in sent}, since)
        rows = [self._reactions(sent).assign(was_messaged=True), self._reactions(supposed).assign(was_messaged=False)]
        messages = pd.concat(rows, ignore_index=True)
        return truth(self.people, messages, start=self.clock.start, otherwise=moment(since), horizon=horizon)

    def do(self, what: str, customer_id: str, content: dict[str, Any] | None = None, *, value: str = "") -> str:
        """Let a customer do something now: send `content`, prefer `value`, or what else `Acts` can; return its name."""
        with self._lock:
            self.catch_up()
            if customer_id not in self.addresses.people:
                raise DataError(f"there is no customer {customer_id}")
            number = self._orders[customer_id] = self._orders.get(customer_id, 0) + 1
            name, now = f"{customer_id}:told:{number}", self.clock.now
            if content is not None:
                return self._acts.hear(now, name, customer_id, content)
            if what == "prefer":
                self._acts.prefer(now, name, customer_id, value)
            else:
                getattr(self._acts, what)(now, name, Act(what, customer_id))
            return name

    def change_number(self, who: str, wa_id: str) -> None:
        """Let a customer move to another number now: the old one is gone, from the new one nobody wrote yet."""
        with self._lock:
            self.catch_up()
            old, new = self.addresses.move(who, wa_id)
            told = {"body": f"User {old.name} changed from {old.wa_id} to {wa_id}", "wa_id": wa_id}
            told["type"] = "user_changed_number"
            if self.shape == "2026":
                told |= {"user_id": new.user_id, "previous_user_id": old.user_id}
            content = {"type": "system", "system": told}
            self._acts.hear(self.clock.now, f"moved to {wa_id}", who, content, person=old)
            self.desk.wrote.pop(who, None)

    def read(self, message_id: str, *, typing_for: int = 0) -> None:
        """Note that the business read a message of a customer, and is seen typing for so many microseconds."""
        with self._lock:
            rows = self.data.inbound["message_id"] == message_id
            earlier = self.data.inbound.loc[rows, "customer_id"]
            until = self.clock.now + typing_for if typing_for else 0
            self.journal.mark_read(str(message_id), until, "" if earlier.empty else earlier.iloc[0])

    def history(self, wamid: str = "") -> list[tuple[str, list[Step]]]:
        """Return message ids with what became of each so far, the newest first; of `wamid` alone where given."""
        with self._lock:
            self.catch_up()
            sent = [message.wamid for message in reversed(self.desk.messages) if wamid in {"", message.wamid}]
            return [(each, self.journal.steps.get(each, [])) for each in sent]

    def block(self, users: list[Any], *, blocks: bool) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """Block or unblock customers on behalf of the business; return whom it was done to, and whom not."""
        with self._lock:
            return self.desk.block(users, blocks=blocks)

    def blocked(self) -> list[str]:
        """Return the phones of those whom the business blocked."""
        with self._lock:
            return sorted(self.addresses.people[who].wa_id for who in self.desk.blocked)

    @cached_property
    def written_before(self) -> dict[str, Any]:
        """The positions in `data.inbound` of what each customer wrote before the world began, the earliest first."""
        rows = self.data.inbound.reset_index(drop=True).sort_values("received_at", kind="stable")
        return {str(who): found.index.to_numpy() for who, found in rows.groupby("customer_id", sort=False)}

    # What follows is for the acts.

    @property
    def acts(self) -> Acts:
        """What customers can do."""
        return self._acts

    def later(self, at: int, name: str, act: Act) -> None:
        """Let something happen at a time to come."""
        heappush(self._queue, (at, name, act))

    def send(self, item: webhooks.Item) -> None:
        """Hand an update to the webhooks."""
        for arrival in webhooks.arrivals(self.seed, item):
            heappush(self._outbox, arrival)

    def has_two_devices(self, who: str) -> bool:
        """Return whether a customer fills carts on two devices."""
        return who in self._two_devices

    def welcome(self, row: pd.DataFrame) -> None:
        """Let somebody be there who is no customer of the shop; they are in no truth."""
        self._everyone = pd.concat([self._everyone, row[self._everyone.columns]])

    def _addressed(self, message: Any) -> str:  # noqa: ANN401  # whatever JSON was posted
        if not isinstance(message, dict) or not (message.get("to") or message.get("recipient")):
            return ""
        return self.addresses.find(message)[0]

    def _keep_up(self) -> None:
        """Let happen what is due, without asking each message alone what becomes of it: for a second nothing does."""
        waiting = self.desk.messages[self._settled : self._settled + 1]
        if waiting and self.clock.now - waiting[0].at >= SECOND:
            self._settle()
        self._work_off()

    def _work_off(self) -> None:
        now = self.clock.now
        while self._queue and self._queue[0][0] <= now:
            at, name, act = heappop(self._queue)
            (self._day if act.what == "day" else getattr(self._acts, act.what))(at, name, act)

    def _settle(self) -> None:
        """Put into the queue what becomes of the messages that were accepted since the last time."""
        fresh = self.desk.messages[self._settled :]
        self._settled += len(fresh)
        for message in fresh:
            if message.code:
                seconds = 1 + 3 * chance.share(self.seed, message.wamid, "fails")
                self._put(message, seconds, Act("status", message.customer_id, message, "failed"))
        good = [message for message in fresh if not message.code]
        rows = self._reactions(good).assign(read=lambda found: found["read_receipt"])
        for column, what in _AFTER_A_MESSAGE.items():
            for message, seconds in zip(good, rows[column], strict=True):
                if pd.notna(seconds):
                    self._put(message, seconds, Act(what, message.customer_id, message, column))

    def _put(self, message: Message, seconds: float, act: Act) -> None:
        self.later(message.at + int(seconds * SECOND), f"{message.wamid}:{act.detail}", act)

    def _reactions(self, messages: list[Message]) -> pd.DataFrame:
        """Return the shoppers' reactions with `at`; to a message that fails there is none."""
        known = [message for message in messages if message.customer_id in self._everyone.index]
        columns = {
            "customer_id": "str",
            "product_retailer_id": "str",
            "number": "int64",
            "recent": "int64",
            "at": "int64",
            "code": "int64",
        }
        rows = pd.DataFrame(
            {
                name: pd.Series([getattr(message, name) for message in known], dtype=kind)
                for name, kind in columns.items()
            }
        )
        rows["day"] = (rows["at"] - self.clock.start) / _DAY
        rows = react(rows, self._everyone, self.tastes)
        return rows.assign(cart=rows["cart"].where(rows["code"] == 0), adds=rows["adds"].where(rows["code"] == 0, 0.0))

    def _supposed(self, planned: pd.DataFrame, messaged: set[str], at: int) -> list[Message]:
        pairs = planned[["customer_id", "product_retailer_id"]].itertuples(index=False, name=None)
        return [
            Message("", who, self.addresses.people[who], product, 0, at, "", *self.desk.failure(who, at, product))
            for who, product in pairs
            if who not in messaged and who in self.people.index
        ]

    def _day(self, at: int, _name: str, act: Act) -> None:
        number = int(act.detail)
        for habit, what in (("buys", "cart"), ("writes", "write")):
            acts = shoppers.on_day(self.people, habit, number)
            for who, second, needs in acts.itertuples(index=False, name=None):
                self.later(at + int(second * SECOND), f"{who}:{habit}:{number}", Act(what, who, product=needs))
        self.later(at + _DAY, "day", Act("day", detail=str(number + 1)))
