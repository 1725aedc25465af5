"""Webhook bodies into the ledger: raw bytes, their events, the identities they prove. Twice is the same as once."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from wa_products import events
from wa_products.identities import customer_id
from wa_products.ledger.inserting import insert_new
from wa_products.ledger.schema import EVENTS, IDENTITIES, WEBHOOKS, micros

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from sqlalchemy import Connection

Body = bytes | str | dict[str, Any]


def add(connection: Connection, bodies: Sequence[Body], now: pd.Timestamp) -> list[events.Event]:
    """Store raw bodies and their events; return the events that are new."""
    stored_at = micros(now)
    raws = {sha256(raw).hexdigest(): raw for raw in map(_raw, bodies)}
    rows = [{"digest": digest, "body": raw, "stored_at": stored_at} for digest, raw in raws.items()]
    fresh = {digest for (digest,) in insert_new(connection, WEBHOOKS, rows, "digest")}
    told: dict[str, events.Event] = {}
    for digest in sorted(fresh):
        for event in events.records(raws[digest]):
            told.setdefault(event["event_id"], {**event, "webhook": digest})
    added = insert_new(connection, EVENTS, [_row(event) for event in told.values()], "event_id")
    new = [event for event in told.values() if (event["event_id"],) in added]
    link(connection, [pair for event in new for pair in _proves(event)], stored_at)
    return new


def link(connection: Connection, pairs: Iterable[tuple[str, str, str]], at: int) -> None:
    """Add what proves that two ids are one customer: (one, other, rule)."""
    known = {(min(one, two), max(one, two)): rule for one, two, rule in pairs if one and two and one != two}
    rows = [{"left_id": one, "right_id": two, "rule": rule, "at": at} for (one, two), rule in known.items()]
    insert_new(connection, IDENTITIES, rows, "left_id")


def _raw(body: Body) -> bytes:
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    text = body if isinstance(body, str) else json.dumps(body, sort_keys=True, default=str)
    return text.encode("utf-8", "surrogatepass")


def _row(event: events.Event) -> dict[str, Any]:
    price, quantity = event["unit_price"], event["quantity"]
    return {
        **event,
        "at": micros(event["at"]),
        "unit_price": None if price is None else str(price),
        "quantity": None if quantity != quantity else quantity,  # noqa: PLR0124  # NaN is not itself
    }


def _proves(event: events.Event) -> list[tuple[str, str, str]]:
    phone, user = customer_id("phone", event["wa_id"]), customer_id("user", event["user_id"])
    here = phone or user
    return [
        (phone, user, "webhook"),
        (customer_id("phone", event["previous_wa_id"]), here, "number changed"),
        (customer_id("user", event["previous_user_id"]), here, "user id changed"),
    ]
