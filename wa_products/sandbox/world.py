"""
The world behind the endpoints: it moves time, lets customers act, and collects webhooks.

Everything that will happen lies in a queue by time; moving the clock works it off. Nothing here draws by itself:
each act asks `chance` under its own name, so the order in which messages were sent changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from threading import RLock
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products.sandbox import chance, shoppers, webhooks
from wa_products.sandbox.addresses import Addresses
from wa_products.sandbox.clocks import SECOND, Clock, moment
from wa_products.sandbox.desk import Desk, Message
from wa_products.sandbox.refusals import failure
from wa_products.sandbox.shelves import Shelf
from wa_products.sandbox.truths import truth
from wa_products.windows import NOT_OPENING

if TYPE_CHECKING:
    from wa_products.datasets import Dataset

CONTEXT_IN_CART, NOTE_IN_CART, STOP_AS_PREFERENCE = 0.05, 0.15, 0.5
NOTES = ("After 6 pm please", "Can you deliver on Friday?", "Same address as last time", "Leave it <at> the door", "✅")
QUESTIONS = ("Is this still available?", "How long does delivery take?", "Do you have it in another size?")
HELLOS = ("Hello", "Are you open today?", "Where is my order?", "Do you deliver on Saturdays?", "Thank you!")
NO_MESSAGE = Message("", "", webhooks.Person("", "", ""), "", 0, 0)
_DAY = shoppers.DAY * SECOND
_REST = int(shoppers.REST / pd.Timedelta(microseconds=1))
_AFTER_A_MESSAGE = {
    "sent": "status",
    "delivered": "status",
    "read": "status",
    "cart": "cart",
    "asks": "ask",
    "stops": "stop",
}


@dataclass(frozen=True)
class Act:
    """Something that will happen: `what` names the method of `World` that does it, with an underscore before."""

    what: str
    customer_id: str = ""
    message: Message = NO_MESSAGE
    detail: str = ""


class World:
    """The state of one sandbox. Its public methods may be called from several threads."""

    def __init__(
        self, data: Dataset, *, seed: int, clock: Clock, sender: webhooks.Sender, catalog_id: str, shape: webhooks.Shape
    ) -> None:
        self.seed, self.clock, self.sender, self.shape = seed, clock, sender, shape
        self.tastes = shoppers.tastes(data)
        self.people = shoppers.people(data, self.tastes, seed)
        self.shelf = Shelf(data.catalog, self.tastes, catalog_id)
        self.addresses = Addresses(data, self.people)
        self.desk = Desk(data, self.people, self.shelf, self.addresses, seed=seed)
        self._lock = RLock()
        self._settled = 0
        self._bought: dict[str, int] = {}
        self._queue: list[tuple[int, str, Act]] = [(clock.start, "day", Act("day", detail="0"))]
        self._outbox: list[tuple[int, str, webhooks.Item]] = []

    def accept(self, message: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever JSON was posted
        """Return what Meta answers to a message that it accepts. Raises Refusal for the others."""
        with self._lock:
            if self.clock.ticks:
                self.catch_up()
            number = self.sender.display_phone_number
            return self.desk.accept(message, self.clock.now, business=number, ticks=self.clock.ticks)

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
            now = self.clock.now
            while self._queue and self._queue[0][0] <= now:
                at, name, act = heappop(self._queue)
                getattr(self, f"_{act.what}")(at, name, act)

    def take(self) -> list[bytes]:
        """Return the webhook bodies that have arrived by now and were not taken yet."""
        with self._lock:
            self.catch_up()
            now, arrived = self.clock.now, []
            while self._outbox and self._outbox[0][0] <= now:
                arrived.append(heappop(self._outbox))
            return webhooks.bodies(self.seed, self.sender, arrived)

    def truth(self, planned: pd.DataFrame | None, horizon: pd.Timedelta) -> pd.DataFrame:
        """Return what `truths.truth` tells of all messages so far, and of the `planned` ones as if they were sent."""
        with self._lock:
            sent = list(self.desk.messages)
            since = min((message.at for message in sent), default=self.clock.start)
            supposed = [] if planned is None else self._supposed(planned, {m.customer_id for m in sent}, since)
        rows = [self._reactions(sent).assign(was_messaged=True), self._reactions(supposed).assign(was_messaged=False)]
        messages = pd.concat(rows, ignore_index=True)
        return truth(self.people, messages, start=self.clock.start, otherwise=moment(since), horizon=horizon)

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
            self._inbound(self.clock.now, f"moved to {wa_id}", Act("moved", who), content, person=old)
            self.desk.wrote.pop(who, None)

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
        heappush(self._queue, (message.at + int(seconds * SECOND), f"{message.wamid}:{act.detail}", act))

    def _reactions(self, messages: list[Message]) -> pd.DataFrame:
        """Return the shoppers' reactions with `at`; to a message that fails there is none."""
        known = [message for message in messages if message.customer_id in self.people.index]
        columns = {
            "customer_id": "str",
            "product_retailer_id": "str",
            "number": "int64",
            "at": "int64",
            "code": "int64",
        }
        rows = pd.DataFrame(
            {
                name: pd.Series([getattr(message, name) for message in known], dtype=kind)
                for name, kind in columns.items()
            }
        )
        rows = shoppers.react(rows, self.people, self.tastes)
        return rows.assign(cart=rows["cart"].where(rows["code"] == 0), adds=rows["adds"].where(rows["code"] == 0, 0.0))

    def _supposed(self, planned: pd.DataFrame, messaged: set[str], at: int) -> list[Message]:
        pairs = planned[["customer_id", "product_retailer_id"]].itertuples(index=False, name=None)
        return [
            Message("", who, self.addresses.people[who], product, 0, at, "", *self.desk.failure(who, at, product))
            for who, product in pairs
            if who not in messaged and who in self.addresses.people
        ]

    # What follows are the acts, each called with its time and name when the clock reaches it.

    def _day(self, at: int, _name: str, act: Act) -> None:
        number = int(act.detail)
        for habit, what in (("buys", "cart"), ("writes", "write")):
            acts = shoppers.on_day(self.people, habit, number)
            for who, second in zip(acts["customer_id"], acts["second"], strict=True):
                heappush(self._queue, (at + int(second * SECOND), f"{who}:{habit}:{number}", Act(what, who)))
        heappush(self._queue, (at + _DAY, "day", Act("day", detail=str(number + 1))))

    def _status(self, at: int, name: str, act: Act) -> None:
        message = act.message
        error = failure(message.code, message.details) if message.code else None
        person = message.person if message.person.name else self._as_addressed(message)
        value = webhooks.status(person, self.shape, message.wamid, at, act.detail, opaque=message.opaque, error=error)
        self._send(webhooks.Item(name, at, "messages", value))

    def _cart(self, at: int, name: str, act: Act) -> None:
        who, message = act.customer_id, act.message
        if not self.shelf.is_cart_enabled or at - self._bought.get(who, at - _REST) < _REST:
            return
        lines = self.shelf.fill(self.seed, who, name, message.product_retailer_id)
        if not lines:
            return
        self._bought[who] = at
        note = self._pick(name, "note", NOTES) if self._draw(name, "notes") < NOTE_IN_CART else ""
        items = [self.shelf.line(product, quantity) for product, quantity in lines]
        order = {"catalog_id": self.shelf.catalog_id, "text": note, "product_items": items}
        content: dict[str, Any] = {"type": "order", "order": order}
        if message.wamid and self._draw(name, "context") < CONTEXT_IN_CART:
            content["context"] = {"from": self.sender.display_phone_number, "id": message.wamid}
        self._inbound(at, name, act, content)

    def _ask(self, at: int, name: str, act: Act) -> None:
        product = {"catalog_id": self.shelf.catalog_id, "product_retailer_id": act.message.product_retailer_id}
        inquiry = chance.wamid(0, self.addresses.people[act.customer_id].address, "product_inquiry")
        context = {"from": self.sender.display_phone_number, "id": inquiry, "referred_product": product}
        self._inbound(at, name, act, {**self._text(self._pick(name, "question", QUESTIONS)), "context": context})

    def _write(self, at: int, name: str, act: Act) -> None:
        self._inbound(at, name, act, self._text(self._pick(name, "hello", HELLOS)))

    def _stop(self, at: int, name: str, act: Act) -> None:
        if self._draw(name, "how") >= STOP_AS_PREFERENCE:
            self._inbound(at, name, act, self._text("STOP"))
            return
        self.desk.stopped.add(act.customer_id)
        value = webhooks.preference(self.addresses.people[act.customer_id], self.shape, at, "stop")
        self._send(webhooks.Item(name, at, "user_preferences", value))

    def _inbound(
        self, at: int, name: str, act: Act, content: dict[str, Any], person: webhooks.Person | None = None
    ) -> None:
        who = act.customer_id
        person = person or self.addresses.people[who]
        message_id = chance.wamid(self.seed, person.address, "in", name)
        if content["type"] not in NOT_OPENING:
            self.desk.wrote[who] = max(at, self.desk.wrote.get(who, at))
        self._send(webhooks.Item(name, at, "messages", webhooks.message(person, self.shape, message_id, at, content)))

    def _send(self, item: webhooks.Item) -> None:
        for arrival in webhooks.arrivals(self.seed, item):
            heappush(self._outbox, arrival)

    def _as_addressed(self, message: Message) -> webhooks.Person:
        """The customer under the address that was written to, with the name that webhooks tell."""
        known = self.addresses.people.get(message.customer_id)
        return message.person if known is None else webhooks.Person(message.person.wa_id, known.user_id, known.name)

    def _draw(self, name: str, purpose: str) -> float:
        return chance.share(self.seed, name, purpose)

    def _pick(self, name: str, purpose: str, choices: tuple[str, ...]) -> str:
        return choices[int(self._draw(name, purpose) * len(choices))]

    @staticmethod
    def _text(body: str) -> dict[str, Any]:
        return {"type": "text", "text": {"body": body}}
