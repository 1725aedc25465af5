"""A shop at one moment: catalog, order history, inbound messages, and the time from which it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

import pandas as pd

from wa_products import frames, parts, windows
from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np

Made = TypeVar("Made")
SNAPSHOT = "snapshot"  # the kind of an inbound row that tells when a customer last wrote, and hides what came before

REMEMBERED = pd.Timedelta(days=400)  # of a ledger's sends and messages: no rest that a shop would ask for is longer


class _Orders:
    """The field `orders`: a frame, or stored lines, which are read as one frame only when all of them are asked for."""

    def __get__(self, data: Dataset | None, _owner: type | None = None) -> pd.DataFrame:
        if data is None:
            raise AttributeError("orders has no default")
        known = vars(data)
        if isinstance(known["orders"], pd.DataFrame):
            return known["orders"]
        if "_all_orders" not in known:
            known["_all_orders"] = known["orders"].frame()
        return known["_all_orders"]

    def __set__(self, data: Dataset, value: pd.DataFrame | parts.Stored) -> None:
        vars(data)["orders"] = value


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """
    A shop as it was known at `as_of`, the only clock of the logic.

    `catalog`, `orders`, `inbound`, `sends` (messages of the last 400 days, from a ledger) and `issues` are frames in
    the shapes of `wa_products.frames`. Where the orders come from a store (`stored`), `orders` reads all of them at
    once; what must work on more than fits into memory takes the `lines` of `each` part of the customers.

    `catalog_id` is Meta's id of the catalog, ``""`` where unknown. `pictures` maps a product_retailer_id to the bytes
    of a PNG or JPEG that lies beside the export, for previews without a network.
    """

    catalog: pd.DataFrame
    orders: _Orders = _Orders()  # a frame, or what the store gives: dataclasses know descriptors
    inbound: pd.DataFrame
    as_of: pd.Timestamp
    issues: pd.DataFrame = field(default_factory=lambda: frames.empty(frames.ISSUES))
    sends: pd.DataFrame = field(default_factory=lambda: frames.empty(frames.SENDS))
    catalog_id: str = ""
    currency: str = ""
    region: str = ""
    timezone: str = "UTC"
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Check each frame once, at the door."""
        if self.as_of.tzinfo is None:
            raise DataError(f"as_of must have a time zone, for example {self.as_of.isoformat()}+00:00")
        for name, shape in _SHAPES.items():
            if name != "orders" or self.stored is None:
                frames.require(getattr(self, name), shape, name)

    @property
    def stored(self) -> parts.Stored | None:
        """The orders where they are not a frame in memory."""
        orders = vars(self)["orders"]
        return None if isinstance(orders, pd.DataFrame) else orders

    def lines(self, *columns: str) -> pd.DataFrame:
        """Return these columns of all order lines; of stored ones texts are categories."""
        return self.orders[list(columns)] if self.stored is None else self.stored.read(list(columns))

    def each(self, function: Callable[[Dataset], Made]) -> Iterator[Made]:
        """
        Return what `function` makes of each part of the shop, the parts by `parts.places` of the customers.

        A shop whose orders are a frame is one part. A part has the lines, messages and sends of its customers only.
        """
        if self.stored is None:
            return iter([function(self)])
        return self.stored.each(lambda stored: function(self.part(stored)))

    def each_of(
        self,
        customers: pd.Index | None,
        function: Callable[[Dataset, pd.Index], pd.DataFrame],
        question: bytes | None = None,
    ) -> Iterator[pd.DataFrame]:
        """
        Return what `function` makes of each part of the shop and those of `customers` (None: all) who belong to it.

        With a `question` frames of a run that was stopped are taken over, see `parts.Stored.kept`.
        """
        if self.stored is None:
            return iter([function(self, self.customers if customers is None else customers)])
        wanted = self if customers is None else self.of(customers)
        places = None if customers is None else parts.places(customers)

        def of_part(stored: parts.Stored) -> pd.DataFrame:
            part = wanted.part(stored)
            if customers is None or places is None:
                return function(part, part.customers)
            return function(part, customers[parts.belong(places, stored)])

        stored = cast("parts.Stored", wanted.stored)
        return stored.each(of_part) if question is None else stored.kept(of_part, question)

    def of(self, customers: pd.Index) -> Dataset:
        """Return the shop with only what these `customers` ordered, wrote and were sent."""
        inbound, sends = (frame[frame["customer_id"].isin(customers)] for frame in (self.inbound, self.sends))
        orders = (
            self.orders[self.orders["customer_id"].isin(customers)]
            if self.stored is None
            else self.stored.of(customers)
        )
        return replace(self, orders=orders, inbound=inbound, sends=sends)

    def part(self, stored: parts.Stored) -> Dataset:
        """Return the shop with these lines, and the messages and sends of the customers of the same part."""
        inbound, sends = (parts.belong(places, stored) for places in self._places)
        return replace(self, orders=stored, inbound=self.inbound[inbound], sends=self.sends[sends])

    def sampled(self, lines: int) -> Dataset:
        """
        Return a shop in memory: this one, or of a stored one as many customers as have about so many `lines` at most.

        They are a random sample by hash, so always the same: those of all, of a half, of a quarter and so on.
        """
        if self.stored is None:
            return self
        share = parts.share_of(len(self.stored), lines)
        inbound, sends = (places < share for places in self._places)
        some = self.stored.first(share).frame()
        return replace(self, orders=some, inbound=self.inbound[inbound], sends=self.sends[sends])

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """The places of the customers of messages and sends."""
        return parts.places_of_rows(self.inbound["customer_id"]), parts.places_of_rows(self.sends["customer_id"])

    @cached_property
    def threads(self) -> pd.DataFrame:
        """One row a customer who ever wrote: when their window closes, whether it is open, where to send."""
        return windows.threads(self.inbound, self.as_of)

    @cached_property
    def purchases(self) -> pd.DataFrame:
        """The order lines that were bought and name a product of the catalog."""
        return self.orders[self.orders["is_purchase"] & (self.orders["product_retailer_id"] != "")]

    @cached_property
    def customers(self) -> pd.Index:
        """Every customer who ordered or wrote, sorted."""
        ordered = list(self.each(lambda part: part.lines("customer_id")["customer_id"].unique().astype("str")))
        known = set(self.inbound["customer_id"].unique()).union(*ordered)
        return pd.Index(sorted(known - {""}), dtype="str", name="customer_id")

    def before(self, t: pd.Timestamp | str) -> Dataset:
        """
        Return the same shop as it was known at `t`: later orders, messages and sends are not there.

        `t` without a time zone is read as UTC. The catalog stays: exports tell only what it is today. Raises DataError
        where the messages are a snapshot, which tells of each customer the last one alone.
        """
        at = pd.Timestamp(t)
        at = at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")
        if at < self.as_of and (self.inbound["kind"] == SNAPSHOT).any():
            raise DataError(
                "the shop cannot be seen earlier: its threads come from an export that tells only when each customer "
                "last wrote; load a webhook log instead, or leave the threads out"
            )
        return replace(
            self,
            orders=self.orders[self.orders["ordered_at"] < at] if self.stored is None else self.stored.before(at),
            inbound=self.inbound[self.inbound["received_at"] < at],
            sends=self.sends[self.sends["at"] < at],
            as_of=at,
        )

    def __repr__(self) -> str:
        return (
            f"<Dataset of {len(self.catalog):,} products, {len(vars(self)['orders']):,} order lines, "
            f"{len(self.customers):,} customers, {int(self.threads['is_open'].sum()):,} open threads "
            f"as of {self.as_of:%Y-%m-%d %H:%M} UTC, {len(self.issues):,} issues>"
        )


_SHAPES = {
    "catalog": frames.CATALOG,
    "orders": frames.ORDERS,
    "inbound": frames.INBOUND,
    "issues": frames.ISSUES,
    "sends": frames.SENDS,
}
