"""
Webhook bodies -> events: every message, status, cart line and preference of a body, one row each.

Bodies come repeated, shuffled, batched and in the shapes of several years: numbers as text, phones absent since
business-scoped user ids exist, keys renamed. Nothing is left out: what is not understood is a row of the kind
``unsupported``, with the reason in its details and what came in ``raw``.
"""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import TYPE_CHECKING

import pandas as pd

from wa_products import frames
from wa_products.events.bodies import Event, of_bodies, unsupported
from wa_products.events.values import Number

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Event", "inbound", "orders", "parse", "records", "to_frame", "verify"]

_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=Number)
_LINE = r"(?s)^(?P<message_id>.*):(?P<line_no>[0-9]+)$"


def parse(body: object) -> pd.DataFrame:
    """
    Return the events of one webhook body (dict, bytes or str): the `events` frame, at least one row.

    ``event_id`` is the message id, ``<wamid>:<status>`` for a status and ``<message id>:<n>`` for the n-th cart line,
    so the same event has the same id in whatever body it comes. Never raises for any JSON, nor for what is not JSON.
    """
    return to_frame(records(body))


def to_frame(found: Iterable[Event]) -> pd.DataFrame:
    """Return the `events` frame of what `records` found, one row each in the same order."""
    rows = list(found)
    return pd.DataFrame(
        {
            column: pd.Series([row[column] for row in rows], dtype=frames.DTYPES[kind])
            for column, kind in frames.EVENTS.items()
        }
    )


def records(body: object) -> list[Event]:
    """Return what `parse` returns as dicts with the columns of `frames.EVENTS`: many times faster for many bodies."""
    try:
        return of_bodies(_decoded(body))
    except (ValueError, TypeError, RecursionError):
        return [unsupported(body, "not JSON")]


def inbound(events: pd.DataFrame) -> pd.DataFrame:
    """
    Return the `inbound` frame of what customers sent: one row a message, kind in the words of `windows`.

    A cart is one row of the kind ``order``, a preference has ``stop`` or ``resume`` as its text.
    """
    sent = events[events["kind"].isin(["inbound", "enquiry", "cart", "preference", "system"])]
    sent = pd.concat([sent, events[(events["kind"] == "unsupported") & (events["customer_id"] != "")]]).sort_index()
    is_cart = sent["kind"] == "cart"
    message_id = sent["event_id"].where(~is_cart, sent["event_id"].str.extract(_LINE)["message_id"])
    kind = sent["kind"].where(sent["kind"] != "inbound", sent["status"]).where(~is_cart, "order")
    found = sent.assign(message_id=message_id, kind=kind, received_at=sent["at"])
    found["product_retailer_id"] = found["product_retailer_id"].where(~is_cart, "")
    found = frames.conform(found, frames.INBOUND, "events")[list(frames.INBOUND)]
    return found.drop_duplicates("message_id", ignore_index=True)


def orders(events: pd.DataFrame) -> pd.DataFrame:
    """Return the `orders` frame of the submitted carts, one row a line, status ``cart``."""
    lines = events[events["kind"] == "cart"].drop_duplicates("event_id", ignore_index=True)
    parts = lines["event_id"].str.extract(_LINE)
    found = lines.assign(
        order_id=parts["message_id"],
        line_no=parts["line_no"].astype("int64"),
        ordered_at=lines["at"],
        title="",
        status="cart",
        is_purchase=True,
        phone=("+" + lines["wa_id"]).where(lines["wa_id"] != "", ""),
        source_file="webhooks",
    )
    return frames.conform(found, frames.ORDERS, "events")[list(frames.ORDERS)]


def verify(raw: bytes, signature: str | None, app_secret: str) -> bool:
    """Return whether `signature` (the header ``X-Hub-Signature-256``) is that of the raw body under the app secret."""
    if not app_secret or not signature:
        return False
    right = "sha256=" + hmac.new(app_secret.encode(), raw, sha256).hexdigest()
    return hmac.compare_digest(right.encode(), signature.strip().lower().encode("utf-8", "replace"))


def _decoded(body: object) -> object:
    """Return the JSON value with every number as a `Number`."""
    text = body if isinstance(body, bytes | bytearray | str) else json.dumps(body, default=str)
    if not isinstance(text, str):
        text = bytes(text).decode(json.detect_encoding(text), "surrogatepass")
    return _DECODER.decode(text.removeprefix("\ufeff"))
