"""Who is reached under which address: phones as people write them, wa_ids, business-scoped user ids, former numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wa_products.errors import DataError
from wa_products.identities import match_key
from wa_products.sandbox import chance
from wa_products.sandbox.clocks import SECOND
from wa_products.sandbox.rules import digits
from wa_products.sandbox.webhooks import Person

if TYPE_CHECKING:
    import pandas as pd

    from wa_products.datasets import Dataset

_MONTH = 30 * 86_400 * SECOND


class Addresses:
    """The people behind the addresses, by customer id; `find` reads the address of a message."""

    def __init__(self, data: Dataset, people: pd.DataFrame) -> None:
        names = people[["wa_id", "user_id", "name"]].itertuples()
        self.people = {str(row.Index): Person(row.wa_id, row.user_id, row.name) for row in names}
        self._customer = {person.user_id: who for who, person in self.people.items()}
        for wa_id, who in _phones(data):
            self._customer.setdefault(wa_id, who)
        self._former = set(data.inbound["previous_wa_id"]) - {""}
        for who, person in self.people.items():
            self._customer[person.wa_id or person.user_id] = who
            self._former.discard(person.wa_id)
        self._by_key = {match_key(known): known for known in self._customer}
        self._hidden: set[str] = set()
        self._phoned: dict[str, int] = {}

    def find(self, message: dict[str, Any]) -> tuple[str, Person]:
        """Return the customer id (``""`` where nobody is there) and the person as Meta answers about them."""
        if not message.get("to"):
            return self._customer.get(str(message["recipient"]), ""), Person("", str(message["recipient"]), "")
        phone = digits(message["to"])
        wa_id = phone if phone in self._customer else self._by_key.get(match_key(phone), phone)
        who = "" if wa_id in self._former else self._customer.get(wa_id, "")
        known = self.people.get(who)
        return who, known if known and known.wa_id == wa_id else Person(wa_id, f"ZZ.{chance.token(0, wa_id)}", "")

    def told(self, who: str, at: int) -> Person:
        """Return a customer as webhooks tell of them at `at`: who hides the phone shows it for 30 days after a call."""
        person = self.people[who]
        if who not in self._hidden or at - self._phoned.get(who, -_MONTH) < _MONTH:
            return person
        return replace(person, wa_id="")

    def wrote_to(self, who: str, message: dict[str, Any], at: int) -> None:
        """Remember that the business wrote to a customer's phone."""
        if message.get("to"):
            self._phoned[who] = at

    def hide(self, who: str) -> None:
        """Let a customer take a user name, so that webhooks tell no phone. Raises DataError for an unknown one."""
        if who not in self.people:
            raise DataError(f"there is no customer {who}")
        self._hidden.add(who)

    def join(self, who: str, person: Person) -> None:
        """Add somebody who is no customer of the shop."""
        self.people[who] = person
        self._customer[person.address] = who

    def move(self, who: str, wa_id: str) -> tuple[Person, Person]:
        """
        Give a customer another number, and with it another user id; return the person before and after.

        Raises DataError for a customer who has no number, and for a number that is somebody's.
        """
        old = self.people.get(who)
        if old is None or not old.wa_id:
            raise DataError(f"customer {who} has no number to change")
        if wa_id in self._customer:
            raise DataError(f"the new number of customer {who} belongs to somebody already")
        country = old.user_id.partition(".")[0]
        new = Person(wa_id, f"{country}.{int(chance.token(0, old.user_id, wa_id, size=7), 16)}", old.name)
        self._former.add(old.wa_id)
        self._customer |= {new.wa_id: who, new.user_id: who}
        self._customer.pop(old.user_id, None)
        self._by_key[match_key(wa_id)] = wa_id
        self.people[who] = new
        return old, new


def _phones(data: Dataset) -> list[tuple[str, str]]:
    ordered = data.orders.loc[data.orders["phone"] != "", ["phone", "customer_id"]].drop_duplicates()
    wrote = data.inbound.loc[data.inbound["wa_id"] != "", ["wa_id", "customer_id"]].drop_duplicates()
    return [*wrote.itertuples(index=False, name=None), *((phone.lstrip("+"), who) for phone, who in ordered.to_numpy())]
