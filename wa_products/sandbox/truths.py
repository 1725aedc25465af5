"""
What a campaign truly did, which no real shop can know: each customer's cart with and without the message.

The world without messages is fixed by the seed (`shoppers.on_day`). A message adds at most one intended cart
(`shoppers.react`). An intended cart comes to be unless the customer had one within the `REST` before it, so a cart
that a message brings may only bring forward one that would have come anyway: that is no effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.sandbox import shoppers
from wa_products.sandbox.clocks import SECOND, micros
from wa_products.sandbox.reactions import in_time

if TYPE_CHECKING:
    from collections.abc import Iterable

TRUTH: dict[str, frames.Kind] = {
    "customer_id": "text",
    "was_messaged": "flag",
    "product_retailer_id": "text",
    "since": "time",
    "cart_without_message": "flag",
    "cart_without_message_at": "time",
    "cart_with_message": "flag",
    "cart_with_message_at": "time",
    "true_effect": "number",
    "expected_effect": "number",
}


def truth(
    people: pd.DataFrame, messages: pd.DataFrame, *, start: int, otherwise: pd.Timestamp, horizon: pd.Timedelta
) -> pd.DataFrame:
    """
    Return one row a customer in the shape of `TRUTH`.

    `messages` is what `react` returned, with `at` (acceptance, microseconds) and `was_messaged` (False for a message
    that is only supposed); `start` is when the world began, `otherwise` the `since` of those without a message.
    """
    products = messages[messages["product_retailer_id"] != ""]
    first = products.sort_values("at").groupby("customer_id").first().reindex(people.index)
    since = first["at"].fillna(micros(otherwise)).astype("int64")
    until = since + int(horizon / pd.Timedelta(microseconds=1))
    anyway = _organic(people, start, int(until.max()) if len(until) else start)
    answers = products.loc[products["cart"].notna(), ["customer_id", "at", "cart"]]
    answers = answers.assign(at=answers["at"] + (answers["cart"] * SECOND).astype("int64"))
    without = _first_cart(anyway, since, until)
    together = _first_cart(pd.concat([anyway, answers[["customer_id", "at"]]], ignore_index=True), since, until)
    known = first["product_retailer_id"].notna()
    rows = pd.DataFrame(
        {
            "customer_id": people.index,
            "was_messaged": first["was_messaged"].eq(other=True).to_numpy(),
            "product_retailer_id": first["product_retailer_id"].to_numpy(),
            "since": _times(since),
            "cart_without_message": without.notna().to_numpy(),
            "cart_without_message_at": _times(without),
            "cart_with_message": np.where(known, together, without) > 0,
            "cart_with_message_at": _times(together.where(known, without)),
        }
    )
    rows["true_effect"] = (rows["cart_with_message"].astype(float) - rows["cart_without_message"]).where(
        known.to_numpy()
    )
    rows["expected_effect"] = (first["adds"] * in_time(horizon) * _no_cart(people, start, since, horizon)).to_numpy()
    return frames.conform(rows, TRUTH, "truth")


def realised(intended: Iterable[int], rest: int) -> list[int]:
    """Return the times of `intended` that come to be: each unless one came to be less than `rest` before it."""
    kept: list[int] = []
    for at in sorted(intended):
        if not kept or at - kept[-1] >= rest:
            kept.append(at)
    return kept


def _no_cart(people: pd.DataFrame, start: int, since: pd.Series, horizon: pd.Timedelta) -> np.ndarray:
    """Return each customer's probability of intending no cart of their own from `since` on, within `horizon`."""
    days = horizon / pd.Timedelta(days=1)
    first = ((since - start) // (shoppers.DAY * SECOND)).to_numpy()
    none = np.ones(len(people))
    for number in range(int(np.ceil(days))):
        share = min(1.0, days - number)  # of the last day a part, where the horizon is no whole number of days
        none *= (1 - shoppers.chances(people, "buys", first + number)) ** share
    return none


def _organic(people: pd.DataFrame, start: int, end: int) -> pd.DataFrame:
    day = shoppers.DAY * SECOND
    parts = [pd.DataFrame({"customer_id": pd.Series(dtype="str"), "at": pd.Series(dtype="int64")})]
    for number in range(max(0, end - start) // day + 1):
        acts = shoppers.on_day(people, "buys", number)
        parts.append(
            acts.assign(at=start + number * day + (acts["second"] * SECOND).astype("int64"))[["customer_id", "at"]]
        )
    return pd.concat(parts, ignore_index=True)


def _first_cart(intended: pd.DataFrame, since: pd.Series, until: pd.Series) -> pd.Series:
    rest = int(shoppers.REST / pd.Timedelta(microseconds=1))
    found = {}
    for who, times in intended.groupby("customer_id")["at"]:
        inside = [at for at in realised(times, rest) if since[who] <= at < until[who]]
        if inside:
            found[who] = inside[0]
    return pd.Series(found, dtype="float64").reindex(since.index)


def _times(micros_since_1970: pd.Series) -> np.ndarray:
    return pd.to_datetime(micros_since_1970, unit="us", utc=True).to_numpy()
