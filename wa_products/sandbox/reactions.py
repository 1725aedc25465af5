"""
What a message makes of a shopper: who reads it and when, who buys, asks, passes it on or says STOP.

Pure, and drawn like all else by seed, customer and purpose (see `shoppers`). A message that is read adds 4 points to
the probability of a cart where the product is new to the customer, 10 where they bought it before, 15 where it is
due, 22 where they asked for it, times a responsiveness of their own; some four in five are read. One cart in ten
comes days late, from a cart that was left lying.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from wa_products.sandbox import chance, shoppers

if TYPE_CHECKING:
    import pandas as pd

PULL = {"asked": 0.22, "due": 0.15, "bought": 0.10, "new": 0.04}
SILENT, ASKS, PASSES_ON, STOPS, STOPS_IF_NEW = 0.01, 0.04, 0.015, 0.008, 0.02
LATE, LATE_AFTER, LATE_SPREAD = 0.1, 3.0 * shoppers.DAY, 0.6
READS_SPREAD = 1.1
TEMPTING = PULL["bought"] / 2


def react(messages: pd.DataFrame, people: pd.DataFrame, tastes: pd.DataFrame) -> pd.DataFrame:
    """
    Return what becomes of each delivered message, as seconds after its acceptance; NaN is never.

    `messages` has `customer_id`, `number` (0 for the customer's first), `recent` (how many product messages they got
    within the week before), `day` (days since the start) and `product_retailer_id` (``""`` for a text message, which
    is read and answered by nothing). Added columns: `sent, delivered, read, read_receipt, cart, asks, passes_on,
    stops`, and `adds`, the probability with which the message makes a cart at some time, reading included.
    """
    who = people.loc[messages["customer_id"]]
    keys, number = who["key"].to_numpy(), messages["number"].to_numpy()
    product = messages["product_retailer_id"].to_numpy() != ""
    patience = who["patience"].to_numpy() ** messages["recent"].to_numpy()
    pull = np.where(product, _pull(messages, tastes), 0.0) * who["responsiveness"].to_numpy() * patience

    def happens(purpose: str, probability: np.ndarray | float) -> np.ndarray:
        return chance.uniform(keys, f"message: {purpose}", number) < probability

    def delay(purpose: str, median: float, spread: float) -> np.ndarray:
        return chance.lognormal(keys, f"message: {purpose}", number, median, spread)

    sent = 1.0 + delay("sent", 0.8, 0.4)
    delivered = sent + np.where(happens("offline", 0.1), delay("offline for", 9_000, 1.0), delay("delivered", 3, 0.6))
    delivered = np.where(happens("silent", SILENT), np.nan, delivered)
    at_once = happens("at once", 0.08)
    read = delivered + np.where(at_once, 0.4, who["reads_after"].to_numpy() * delay("read", 1.0, READS_SPREAD))
    read = np.where(happens("reads", who["reads"].to_numpy()), read, np.nan)
    acts = happens("cart", pull)
    asks = ~acts & product & happens("asks", ASKS)
    annoyed = np.where(pull < TEMPTING, STOPS_IF_NEW, STOPS) / patience
    stops = ~acts & ~asks & product & happens("stops", annoyed)
    late = np.where(happens("late", LATE), delay("late by", LATE_AFTER, LATE_SPREAD), 0.0)
    return messages.assign(
        sent=sent,
        # A message read the moment it arrives is reported as read only.
        delivered=np.where(at_once & ~np.isnan(read) & who["receipts"].to_numpy(), np.nan, delivered),
        read=read,
        read_receipt=np.where(who["receipts"].to_numpy(), read, np.nan),
        cart=np.where(acts, read + delay("to cart", 4_000, 1.2) + late, np.nan),
        asks=np.where(asks, read + delay("to ask", 300, 1.0), np.nan),
        passes_on=np.where(product & happens("passes on", PASSES_ON), read + delay("to pass on", 600, 1.0), np.nan),
        stops=np.where(stops, read + delay("to stop", 60, 0.8), np.nan),
        adds=np.minimum(pull, 1.0) * who["reads"].to_numpy() * (1 - SILENT),
    )


def in_time(horizon: pd.Timedelta) -> float:
    """Return the share of the carts answering a message that come within `horizon`, but for those days not drawn."""
    return 1 - LATE + LATE * float(ndtr(np.log(horizon.total_seconds() / LATE_AFTER) / LATE_SPREAD))


def _pull(messages: pd.DataFrame, tastes: pd.DataFrame) -> np.ndarray:
    """Return what a read message adds for a customer of average responsiveness, as things stand on its day."""
    pairs = messages[["customer_id", "product_retailer_id"]]
    found = pairs.merge(tastes, on=["customer_id", "product_retailer_id"], how="left")
    due = shoppers.is_due(found["period"].to_numpy(), found["age"].to_numpy() + messages["day"].to_numpy())
    asked = found["asked"].eq(other=True).to_numpy() & (messages["day"].to_numpy() < shoppers.ASKED_WITHIN.days)
    states = [asked, due, found["age"].notna().to_numpy()]
    return np.select(states, [PULL["asked"], PULL["due"], PULL["bought"]], PULL["new"])
