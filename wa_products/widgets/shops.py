"""The shop as it is now: the exports, and what the ledger heard and sent since."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from wa_products import events, frames, windows
from wa_products.ledger.views import ROWS
from wa_products.states import VALIDITY, states

if TYPE_CHECKING:
    from collections.abc import Callable

    from wa_products.datasets import Dataset
    from wa_products.ledger import Ledger

MEMORY = VALIDITY  # what was sent earlier changes no more
SENT = frozenset({"accepted", "unknown"})


class Shop:
    """
    `data` brought up to date from `ledger` by `refresh`; `now` tells the time.

    A customer whom the exports know keeps that id, whatever address they write from. Of what was sent before, the
    campaigns of the last `MEMORY` are known.
    """

    def __init__(self, data: Dataset, ledger: Ledger, now: Callable[[], pd.Timestamp]) -> None:
        self._given, self._ledger, self._now = data, ledger, now
        self._last: int | None = None
        self._digests: set[str] = set()
        self._rows: dict[str, pd.DataFrame] = {}
        self._alias = _aliases(data)
        self.events = frames.empty(frames.EVENTS)
        self.data = data
        self.sends = frames.conform(frames.empty(ROWS), ROWS, "the ledger")

    def refresh(self) -> bool:
        """Take in what is new in the ledger; return whether there was anything."""
        campaigns = self._ledger.campaigns()
        recent = campaigns["expires_at"] >= self._now() - MEMORY
        new = campaigns[recent & ~campaigns["digest"].isin(self._digests)]
        last = self._ledger.last_event()
        heard, self._last = self._heard_since(last), last
        if new.empty and heard.empty:
            return False
        self._digests = set(campaigns["digest"])
        if len(heard):
            self._hear(heard)
        self.reload(new["campaign"].unique())
        return True

    def reload(self, campaigns: object) -> None:
        """Read these campaigns again, and how far each message came."""
        for name in list(campaigns):  # type: ignore[call-overload]  # an iterable of names
            rows = self._ledger.receipts(name)
            self._rows[name] = rows.assign(customer_id=self._known(rows["customer_id"]))
        if self._rows:
            self.sends = states(pd.concat(self._rows.values(), ignore_index=True), self.events)

    def _heard_since(self, last: int) -> pd.DataFrame:
        """Return the events up to `last` that are new; at first the receipts, most of them, are left to `reload`."""
        if self._last is None:
            return self._ledger.answers()
        return self._ledger.events_after(self._last) if last > self._last else self.events.iloc[:0]

    @property
    def threads(self) -> pd.DataFrame:
        """The `threads` frame as it is at this moment."""
        found = self.data.threads
        return found.assign(is_open=windows.is_open(found["closes_at"], self._now()))

    def _hear(self, heard: pd.DataFrame) -> None:
        named = heard.assign(customer_id=[self._who(row) for row in heard.itertuples()])
        self.events = pd.concat([self.events, named], ignore_index=True)
        wrote = events.inbound(self.events)
        wrote = wrote[~wrote["message_id"].isin(self._given.inbound["message_id"])]
        carts = events.orders(self.events)
        carts = carts[~carts["order_id"].isin(self._given.orders["order_id"])]
        self.data = replace(
            self._given,
            inbound=_joined(self._given.inbound, wrote, frames.INBOUND),
            orders=_joined(self._given.orders, carts, frames.ORDERS),
            # A webhook may be stamped a moment ahead of this clock; what was heard is known.
            as_of=max(self._now(), self.events["at"].max()),
        )

    def _who(self, event: object) -> str:
        """Return the customer of an event, as the exports call them, and remember their addresses."""
        told: str = event.customer_id  # type: ignore[attr-defined]  # a row of the events frame
        names = ("previous_wa_id", "previous_user_id", "wa_id", "user_id")
        addresses = [address for name in names if (address := getattr(event, name))]
        known = [told] if told in self._alias else addresses
        who = next((self._alias[each] for each in known if each in self._alias), told)
        self._alias |= dict.fromkeys([told, *addresses] if who else [], who)
        return who

    def _known(self, customers: pd.Series) -> pd.Series:
        return customers.map(lambda who: self._alias.get(who, who)).astype("str")


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
