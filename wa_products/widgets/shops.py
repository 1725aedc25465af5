"""The shop as it is now: the exports, and what the ledger heard and sent since."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from wa_products import events, frames, windows
from wa_products.identities import customer_id
from wa_products.ledger.views import ROWS
from wa_products.states import VALIDITY, are_in, states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wa_products.datasets import Dataset
    from wa_products.ledger import Ledger

MEMORY = VALIDITY  # what was sent earlier changes no more
LATELY = pd.Timedelta(days=3)  # whoever wrote in it is shown: a window is open for one day of it
SENT = frozenset({"accepted", "unknown"})
_NAMES = ("previous_wa_id", "previous_user_id", "wa_id", "user_id")


class Shop:
    """
    `data` brought up to date from `ledger` by `refresh`; `now` tells the time.

    Of the ledger it reads what was said in the last days (`LATELY`). Of customers whose window is open it also knows
    what they were sent by the campaigns of the last `MEMORY`, their carts, and since ever what says how they stand;
    of whomever `meet` is asked for, all that they said. A customer whom the exports know keeps that id, whatever
    address they write from.
    """

    def __init__(self, data: Dataset, ledger: Ledger, now: Callable[[], pd.Timestamp]) -> None:
        self._ledger, self._now = ledger, now
        self._last: int | None = None
        self._digests: set[str] = set()
        self._learnt: set[str] = set()
        self._met: set[str] = set()
        self._alias = _aliases(data)
        self._addresses = tuple(self._alias)
        self.data = data
        self.sends = states(frames.conform(frames.empty(ROWS), ROWS, "the ledger"), frames.empty(frames.EVENTS))

    def refresh(self) -> bool:
        """Take in what is new in the ledger; return whether there was anything, as at first."""
        campaigns = self._ledger.campaigns()
        recent = campaigns["expires_at"] >= self._now() - MEMORY
        new = campaigns[recent & ~campaigns["digest"].isin(self._digests)]
        before, self._last = self._last, self._ledger.last_event()
        heard = self._heard_since(before, self._last)
        if before is not None and new.empty and heard.empty:
            return False
        self._digests = set(campaigns["digest"])
        self._recognize(heard)
        whose = self._hear(heard, self._names(heard))
        if before is not None:
            self._take(*(self._ledger.receipts(name) for name in new["campaign"].unique()))
            self._reread(self._learnt & whose)
        threads = self.threads
        self._learn_of(set(threads.loc[threads["is_open"], "customer_id"]) - self._learnt)
        return True

    def meet(self, customer: str) -> None:
        """Know all that this customer ever said to the ledger, and what they were sent up to now."""
        if customer not in self._met:
            ids = self._ids({customer})
            self._remember(self._ledger.answers(customers=ids.keys()), ids)
            self._met.add(customer)
            self._learnt.add(customer)
        self._reread({customer})

    @property
    def threads(self) -> pd.DataFrame:
        """The `threads` frame as it is at this moment."""
        found = self.data.threads
        return found.assign(is_open=windows.is_open(found["closes_at"], self._now()))

    def _heard_since(self, before: int | None, last: int) -> pd.DataFrame:
        """Return the events up to `last` that are new; at first what was said lately, without receipts."""
        if before is None:
            return self._ledger.answers(self._now() - LATELY)
        return self._ledger.events_after(before) if last > before else frames.empty(frames.EVENTS)

    def _learn_of(self, customers: set[str]) -> None:
        """Know how these customers stand, what they put into carts, and what they were sent."""
        if customers:
            ids = self._ids(customers)
            self._remember(self._ledger.remembered(self._now() - LATELY, ids.keys()), ids)
            self._learnt |= customers
            self._reread(customers)

    def _reread(self, customers: set[str]) -> None:
        """Take in what these customers were sent, as far as it came by now."""
        if customers:
            ids = self._ids(customers)
            rows = self._ledger.sent_to(ids.keys(), self._now() - MEMORY)
            self._take(rows.assign(customer_id=rows["customer_id"].map(ids).astype("str")))

    def _take(self, *parts: pd.DataFrame) -> None:
        """Take in messages with their receipts, each in place of what was known of it."""
        sent = [part.assign(customer_id=self._known(part["customer_id"])) for part in parts]
        if rows := [part[part["send_id"] != ""] for part in sent if len(part)]:
            told = states(pd.concat(rows, ignore_index=True), frames.empty(frames.EVENTS))
            every = pd.concat([self.sends, told], ignore_index=True)
            self.sends = every.drop_duplicates("send_id", keep="last", ignore_index=True)

    def _hear(self, heard: pd.DataFrame, names: list[str]) -> set[str]:
        """Take in what is not known of some events, by the names of the customers; return whom they concern."""
        named = heard.assign(customer_id=pd.Series(names, heard.index, dtype="str"))
        wrote, carts = events.inbound(named), events.orders(named)
        wrote = wrote[~are_in(wrote["message_id"], self.data.inbound["message_id"])]
        carts = carts[~are_in(carts["order_id"], self.data.orders["order_id"])]
        if len(wrote) or len(carts):
            inbound = _joined(self.data.inbound, wrote, frames.INBOUND)
            orders = _joined(self.data.orders, carts, frames.ORDERS)
            # A webhook may be stamped a moment ahead of this clock; what was heard is known.
            as_of = max(self._now(), inbound["received_at"].max())
            self.data = replace(self.data, inbound=inbound, orders=orders, as_of=as_of)
        about = are_in(self.sends["send_id"], heard["send_id"])
        return {*names, *self.sends.loc[about, "customer_id"]} - {""}

    def _remember(self, heard: pd.DataFrame, ids: dict[str, str]) -> None:
        """Hear of customers who were asked for by `ids`, and remember their addresses."""
        names = heard["customer_id"].map(ids).tolist()
        for who, (_, *addresses) in zip(names, _addressed(heard), strict=True):
            self._alias |= {each: who for each in addresses if each and each not in self._alias}
        self._hear(heard, names)

    def _recognize(self, heard: pd.DataFrame) -> None:
        """Find out who those are of whom nothing that was heard is known: the ledger knows their old numbers too."""
        told = _addressed(heard[heard["kind"] != "status"])
        strangers = {one for one, *addresses in told if one and self._who(one, addresses) is None}
        for each, stranger in self._ledger.ids(strangers).items() if strangers else ():
            if who := self._alias.get(each) or self._hashed.get(each):
                self._alias[stranger] = who

    @cached_property
    def _hashed(self) -> dict[str, str]:
        """Which customer of the exports each address is, by the id that the ledger has for it."""
        kinds = ((address, "phone" if address.isdecimal() else "user") for address in self._addresses)
        return {customer_id(kind, address): self._alias[address] for address, kind in kinds}

    def _names(self, heard: pd.DataFrame) -> list[str]:
        """Return the customer of each event, as the exports call them, and remember their addresses."""
        names = []
        for told, *addresses in _addressed(heard):
            who = self._who(told, addresses) or told
            self._alias |= dict.fromkeys([each for each in (told, *addresses) if each and who], who)
            names.append(who)
        return names

    def _who(self, told: str, addresses: list[str]) -> str | None:
        """Return the customer with this id or else one of these addresses, None where nobody is known by them."""
        known = [told] if told in self._alias else addresses
        return next((self._alias[each] for each in known if each in self._alias), None)

    def _known(self, customers: pd.Series) -> pd.Series:
        return customers.map(lambda who: self._alias.get(who, who)).astype("str")

    def _ids(self, customers: set[str]) -> dict[str, str]:
        """Return which of these customers each id is by which the ledger may know them."""
        threads = self.data.threads
        some = threads[threads["customer_id"].isin(customers)]
        phones = (customer_id("phone", each.lstrip("+")) for each in some["to"])
        users = (customer_id("user", each) for each in some["recipient"])
        every = zip([*phones, *users], [*some["customer_id"]] * 2, strict=True)
        return {each: each for each in sorted(customers)} | {one: who for one, who in every if one}


def _addressed(heard: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Return the customer id of each event and the addresses that it names."""
    return zip(*(heard[name].tolist() for name in ("customer_id", *_NAMES)), strict=True)


def _aliases(data: Dataset) -> dict[str, str]:
    """Return which customer of the exports each id and address is."""
    found = {str(who): str(who) for who in data.customers}
    for column, rows in (("phone", data.orders), ("wa_id", data.inbound), ("user_id", data.inbound)):
        used = rows.loc[rows[column] != "", [column, "customer_id"]].drop_duplicates()
        found |= dict(zip(used[column].str.lstrip("+"), used["customer_id"], strict=True))
    found.pop("", None)
    return found


def _joined(given: pd.DataFrame, new: pd.DataFrame, shape: dict[str, frames.Kind]) -> pd.DataFrame:
    return frames.conform(pd.concat([given, new], ignore_index=True), shape, "the ledger") if len(new) else given
