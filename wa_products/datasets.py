"""A shop at one moment: catalog, order history, inbound messages, and the time from which it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from wa_products import frames, windows
from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

SNAPSHOT = "snapshot"  # the kind of an inbound row that tells when a customer last wrote, and hides what came before


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """
    A shop as it was known at `as_of`, the only clock of the logic.

    `catalog`, `orders`, `inbound`, `sends` (messages already sent, from a ledger) and `issues` are frames in the
    shapes of `wa_products.frames`. `catalog_id` is Meta's id of the catalog, ``""`` where unknown. `pictures` maps
    a product_retailer_id to the bytes of a PNG or JPEG that lies beside the export, for previews without a network.
    """

    catalog: pd.DataFrame
    orders: pd.DataFrame
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
            frames.require(getattr(self, name), shape, name)

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
        known = pd.concat([self.orders["customer_id"], self.inbound["customer_id"]], ignore_index=True)
        return pd.Index(sorted(set(known.unique()) - {""}), dtype="str", name="customer_id")

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
            orders=self.orders[self.orders["ordered_at"] < at],
            inbound=self.inbound[self.inbound["received_at"] < at],
            sends=self.sends[self.sends["at"] < at],
            as_of=at,
        )

    def __repr__(self) -> str:
        return (
            f"<Dataset of {len(self.catalog):,} products, {len(self.orders):,} order lines, "
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
