"""Where messages are handed in: Meta's checks that need the catalog, the customer and the clock."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products.sandbox import chance, offers, rules
from wa_products.sandbox.clocks import SECOND, Pace, micros
from wa_products.sandbox.refusals import OUTDATED, Refusal, coded
from wa_products.windows import WINDOW

if TYPE_CHECKING:
    from wa_products.datasets import Dataset
    from wa_products.sandbox.addresses import Addresses
    from wa_products.sandbox.faults import Fault
    from wa_products.sandbox.shelves import Shelf
    from wa_products.sandbox.webhooks import Person

THROUGHPUT, PAIR_EVERY, PAIR_BURST = 80, 6.0, 45
_WINDOW = int(WINDOW / pd.Timedelta(microseconds=1))
_WEEK = 7 * 86_400 * SECOND


@dataclass(frozen=True, repr=False)
class Message:
    """
    One message that was accepted, from the business to a customer.

    `customer_id` is ``""`` where nobody is at the address; `product_retailer_id` is the product that tempts most of
    those it shows; `number` is 0 for the first to that customer, `recent` counts the product messages of the week
    before; `at` is in microseconds since 1970; `code` and `details` tell why it will fail, 0 where it will not;
    `content` is what was posted.
    """

    wamid: str
    customer_id: str
    person: Person
    product_retailer_id: str
    number: int
    at: int
    opaque: str = ""
    code: int = 0
    details: str = ""
    recent: int = 0
    content: dict[str, Any] = field(default_factory=dict)
    shown: tuple[str, ...] = ()


class Desk:
    """Takes messages or refuses them; knows when each customer last wrote, who wants no marketing, who is blocked."""

    def __init__(
        self, data: Dataset, people: pd.DataFrame, shelf: Shelf, addresses: Addresses, *, seed: int, throughput: int
    ) -> None:
        self._seed, self._shelf, self._addresses = seed, shelf, addresses
        self._outdated = frozenset(people.index[people["outdated"]])
        self._unreachable = frozenset(people.index[people["unreachable"]])
        self.wrote = {str(who): micros(at) for who, at in people["last_inbound_at"].dropna().items()}
        self.stopped = _stopped(data.inbound)
        self.blocked: set[str] = set()  # by the business
        self.blocking: set[str] = set()  # the business
        self.messages: list[Message] = []
        self.counts: dict[str, int] = {}
        self._offered: dict[str, list[int]] = {}
        self._sent: dict[str, list[Message]] = {}
        self._pairs = Pace(PAIR_EVERY, PAIR_BURST)
        self.throughput = throughput
        self.line = Pace(1 / throughput, throughput)

    def check(self, message: Any, now: int, *, business: str, counted: bool) -> tuple[str, Person]:  # noqa: ANN401  # any JSON
        """
        Return who is at the address of a message that can be taken. Raises Refusal for the others.

        Throughput is counted only where that is asked for.
        """
        rules.check(message)
        if found := offers.offer(message):
            self._shelf.show(found)
        who, person = self._addresses.find(message)
        if person.wa_id == business:
            raise coded(131021)
        if who in self.blocked:
            raise coded(130403)
        if counted and not self.line.allows("", now):
            raise coded(130429)
        if not self._pairs.allows(person.address, now):
            raise coded(131056)
        return who, person

    def take(self, message: dict[str, Any], who: str, person: Person, now: int, fault: Fault | None) -> dict[str, Any]:
        """Return what Meta answers to a message that was checked, and let it be on its way."""
        found = offers.offer(message)
        shown = self._shelf.show(found) if found else ()
        product = self._shelf.lead(who, found, shown) if found else ""
        number = self.counts.get(who or person.address, 0)
        self.counts[who or person.address] = number + 1
        self._addresses.wrote_to(who, message, now)
        wamid = chance.wamid(self._seed, person.address, "out", number)
        opaque = message.get("biz_opaque_callback_data", "")
        code, details = (fault and fault.failure) or self.failure(who, now, product)
        recent = self._recent(who, now, product)
        told = (wamid, who, person, product, number, now, opaque, code, details, recent, message, shown)
        self.messages.append(Message(*told))
        self._sent.setdefault(who, []).append(self.messages[-1])
        contact = {"wa_id": person.wa_id} if person.wa_id else {"user_id": person.user_id}
        contact = {"input": str(message.get("to") or message["recipient"]), **contact}
        return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid}]}

    def failure(self, who: str, at: int, product: str) -> tuple[int, str]:
        """Return the code and details with which a message accepted at `at` fails later, (0, "") where it does not."""
        if not who or who in self._unreachable or who in self.blocking:
            return 131026, ""
        if not self.is_open(who, at):
            return 131047, ""
        if product and who in self.stopped:
            return 131050, ""
        return (131026, OUTDATED) if product and who in self._outdated else (0, "")

    def is_open(self, who: str, at: int) -> bool:
        """Return whether the customer wrote within the 24 hours before `at`."""
        return who in self.wrote and at < self.wrote[who] + _WINDOW

    def closes(self, who: str) -> int:
        """Return when the customer's window closes or closed, in microseconds since 1970."""
        return self.wrote[who] + _WINDOW

    def sent_to(self, who: str) -> list[Message]:
        """Return what was accepted for a customer so far."""
        return self._sent.get(who, [])

    def block(self, users: list[Any], *, blocks: bool) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """Block or unblock customers on behalf of the business; return whom it was done to, and whom not."""
        done, failed = [], []
        for user in users:
            address = str(user.get("user", "")) if isinstance(user, dict) else ""
            try:
                who, person = self._addresses.find({"to": address}) if address else ("", None)
            except Refusal:
                who, person = "", None
            if not who or person is None:
                failed.append({"input": address})
                continue
            (self.blocked.add if blocks else self.blocked.discard)(who)
            done.append({"input": address, "wa_id": person.wa_id})
        return done, failed

    def _recent(self, who: str, now: int, product: str) -> int:
        if not product:
            return 0
        times = self._offered.setdefault(who, [])
        times.append(now)
        return len(times) - 1 - bisect_left(times, now - _WEEK)


def _stopped(inbound: pd.DataFrame) -> set[str]:
    said = inbound[inbound["kind"] == "preference"].sort_values("received_at", kind="stable")
    last = said.groupby("customer_id")["text"].last()
    return set(last.index[last == "stop"])
