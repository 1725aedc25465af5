"""Where messages are handed in: Meta's checks that need the catalog, the customer and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products.sandbox import chance, rules
from wa_products.sandbox.clocks import Pace, micros
from wa_products.sandbox.refusals import OUTDATED, coded
from wa_products.windows import WINDOW

if TYPE_CHECKING:
    from wa_products.datasets import Dataset
    from wa_products.sandbox.addresses import Addresses
    from wa_products.sandbox.shelves import Shelf
    from wa_products.sandbox.webhooks import Person

THROUGHPUT, PAIR_EVERY, PAIR_BURST = 80, 6.0, 45
_WINDOW = int(WINDOW / pd.Timedelta(microseconds=1))


@dataclass(frozen=True, repr=False)
class Message:
    """
    One message that was accepted, from the business to a customer.

    `customer_id` is ``""`` where nobody is at the address; `number` is 0 for the first to that customer; `at` is in
    microseconds since 1970; `code` and `details` tell why it will fail, 0 where it will not.
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


class Desk:
    """Takes messages or refuses them; knows when each customer last wrote and who stopped marketing messages."""

    def __init__(self, data: Dataset, people: pd.DataFrame, shelf: Shelf, addresses: Addresses, *, seed: int) -> None:
        self._seed, self._shelf, self._addresses = seed, shelf, addresses
        self._outdated = frozenset(people.index[people["outdated"]])
        self._unreachable = frozenset(people.index[people["unreachable"]])
        self.wrote = {str(who): micros(at) for who, at in people["last_inbound_at"].dropna().items()}
        self.stopped = _stopped(data.inbound)
        self.messages: list[Message] = []
        self.counts: dict[str, int] = {}
        self._pairs = Pace(PAIR_EVERY, PAIR_BURST)
        self._line = Pace(1 / THROUGHPUT, THROUGHPUT)

    def accept(self, message: Any, now: int, *, business: str, ticks: bool) -> dict[str, Any]:  # noqa: ANN401  # any JSON
        """
        Return what Meta answers to a message that it accepts. Raises Refusal for the others.

        Throughput is counted only where the clock `ticks`: while it stands still there are no seconds to count in.
        """
        rules.check(message)
        product = ""
        if message.get("type") == "interactive":
            action = message["interactive"]["action"]
            product = action["product_retailer_id"]
            self._shelf.check(action["catalog_id"], product)
        who, person = self._addresses.find(message)
        if person.wa_id == business:
            raise coded(131021)
        if ticks and not self._line.allows("", now):
            raise coded(130429)
        if not self._pairs.allows(person.address, now):
            raise coded(131056)
        number = self.counts.get(who or person.address, 0)
        self.counts[who or person.address] = number + 1
        wamid = chance.wamid(self._seed, person.address, "out", number)
        opaque = message.get("biz_opaque_callback_data", "")
        code, details = self.failure(who, now, product)
        self.messages.append(Message(wamid, who, person, product, number, now, opaque, code, details))
        contact = {"wa_id": person.wa_id} if person.wa_id else {"user_id": person.user_id}
        contact = {"input": str(message.get("to") or message["recipient"]), **contact}
        return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid}]}

    def failure(self, who: str, at: int, product: str) -> tuple[int, str]:
        """Return the code and details with which a message accepted at `at` fails later, (0, "") where it does not."""
        if not who or who in self._unreachable:
            return 131026, ""
        if who not in self.wrote or at >= self.wrote[who] + _WINDOW:
            return 131047, ""
        if product and who in self.stopped:
            return 131050, ""
        return (131026, OUTDATED) if product and who in self._outdated else (0, "")


def _stopped(inbound: pd.DataFrame) -> set[str]:
    said = inbound[inbound["kind"] == "preference"].sort_values("received_at", kind="stable")
    last = said.groupby("customer_id")["text"].last()
    return set(last.index[last == "stop"])
