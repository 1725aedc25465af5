"""
The ledger's tables: facts that are added and never changed. What is true now is derived from them.

Events and the identities that they prove are themselves derived, from the raw bodies of webhooks: they alone may be
made anew, when a body is read better than it was. Each such repair is a fact.

Only kinds of value that SQLite and PostgreSQL share: text, floats, and times as whole microseconds since 1970 in UTC,
0 for unknown. Money is its exact text.
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from wa_products import frames, plans

if TYPE_CHECKING:
    from datetime import datetime

    from wa_products.frames import Kind

METADATA = MetaData()
_SQL: dict[Kind, Any] = {
    "text": Text,
    "time": BigInteger,
    "money": Text,
    "number": Float(53),
    "integer": BigInteger,
    "flag": Integer,
}
_LONG = BigInteger().with_variant(Integer, "sqlite")  # what SQLite calls INTEGER holds as much


def _serial() -> Column[int]:
    """Return a key that counts up: the order in which facts were written."""
    return Column("seq", _LONG, primary_key=True, autoincrement=True)


def _columns(shape: dict[str, Kind]) -> list[Column[Any]]:
    return [Column(name, _SQL[kind], nullable=kind in ("money", "number")) for name, kind in shape.items()]


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def _times(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


RECORDS = Table(
    "wa_migrations",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    *_texts("about"),
    *_times("applied_at"),
)
PLANS = Table(
    "wa_plans",
    METADATA,
    _serial(),
    *_texts("digest", "campaign", "catalog_id", "approved_by", "waterfall", "content"),
    *_times("created_at", "expires_at", "registered_at"),
    Column("holdout", Float(53), nullable=False),
    UniqueConstraint("digest"),
    Index("wa_plans_campaign", "campaign"),
)
PLAN_ROWS = Table(
    "wa_plan_rows",
    METADATA,
    *_texts("digest", "arm"),
    *_columns(plans.ROWS),
    PrimaryKeyConstraint("digest", "customer_id"),
    Index("wa_plan_rows_customer", "customer_id"),
)
# A customer, and an address, once in a campaign: what makes a second message impossible, whoever sends.
INTENTS = Table(
    "wa_intents",
    METADATA,
    *_texts("send_id", "campaign", "customer_id", "address", "digest", "arm"),
    *_times("at"),
    PrimaryKeyConstraint("send_id"),
    UniqueConstraint("campaign", "customer_id"),
    UniqueConstraint("campaign", "address"),
    Index("wa_intents_customer", "customer_id", "campaign"),
)
# Written before each POST. An attempt without an outcome is one whose answer nobody knows.
ATTEMPTS = Table(
    "wa_attempts",
    METADATA,
    *_texts("send_id"),
    Column("n", Integer, nullable=False),
    *_texts("digest", "owner"),
    *_times("at"),
    PrimaryKeyConstraint("send_id", "n"),
)
WITH_CODE, WITH_WAMID = text("code <> 0"), text("wa_outcomes.wamid <> ''")
OUTCOMES = Table(
    "wa_outcomes",
    METADATA,
    _serial(),
    *_texts("campaign", "customer_id", "send_id"),
    Column("n", Integer, nullable=False),
    *_texts("outcome", "wamid", "details"),
    Column("code", BigInteger, nullable=False),
    Column("again", Integer, nullable=False),
    *_times("at"),
    Index("wa_outcomes_campaign", "campaign"),
    Index("wa_outcomes_customer", "customer_id", sqlite_where=WITH_CODE, postgresql_where=WITH_CODE),
    Index("wa_outcomes_send", "send_id"),
    Index("wa_outcomes_wamid", "wamid", sqlite_where=WITH_WAMID, postgresql_where=WITH_WAMID),
)
# Raw bodies, each content once, numbered by whoever holds the lock of those who listen.
WEBHOOKS = Table(
    "wa_webhooks",
    METADATA,
    Column("number", _LONG, primary_key=True, autoincrement=False),
    *_texts("digest"),
    Column("body", LargeBinary, nullable=False),
    *_times("stored_at"),
    UniqueConstraint("digest"),
)
# What each body says. Two bodies may tell of one event, and not in the same words: readers take one telling of each.
# Receipts are most of what comes; that a customer was told of in them is never asked.
OF_NOTE = text("(kind <> 'status' OR code <> 0)")
EVENTS = Table(
    "wa_events",
    METADATA,
    _serial(),
    *_columns(frames.EVENTS),
    Column("webhook", _LONG, nullable=False),
    Index("wa_events_event", "event_id", "seq"),
    Index("wa_events_customer", "customer_id", sqlite_where=OF_NOTE, postgresql_where=OF_NOTE),
    Index("wa_events_send", "kind", "send_id", "wamid", "status", "at"),
    Index("wa_events_at", "kind", "at"),
    Index("wa_events_webhook", "webhook"),
)
# Receipts of messages that no campaign sent, as far as was known when they came: derived, as events are. Most of what
# comes, where agents and other tools use the number too.
ORPHANS = Table(
    "wa_orphans",
    METADATA,
    *_times("at"),
    *_texts("wamid", "send_id"),
    PrimaryKeyConstraint("at", "wamid", "send_id"),
)
REPAIRS = Table(
    "wa_repairs",
    METADATA,
    _serial(),
    *_texts("version"),
    *_times("at"),
    Column("webhooks", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False),
)
IDENTITIES = Table(
    "wa_identities",
    METADATA,
    _serial(),
    *_texts("left_id", "right_id", "rule"),
    *_times("at"),
    UniqueConstraint("left_id", "right_id", "rule"),
    Index("wa_identities_right", "right_id", "left_id"),
)
SUPPRESSIONS = Table(
    "wa_suppressions",
    METADATA,
    _serial(),
    *_texts("customer_id", "reason"),
    *_times("at"),
    Index("wa_suppressions_customer", "customer_id"),
)
ASIDES = Table(
    "wa_asides",
    METADATA,
    _serial(),
    *_texts("customer_id", "set_by"),
    *_times("at"),
    Column("is_aside", Integer, nullable=False),
    Index("wa_asides_customer", "customer_id", "seq"),
)


def micros(at: datetime | pd.Timestamp | None) -> int:
    """Return microseconds since 1970, 0 for an unknown time."""
    if at is None or at is pd.NaT:
        return 0
    return floor(at.timestamp()) * 1_000_000 + at.microsecond


def times(values: pd.Series) -> pd.Series:
    """Return the times of a column of microseconds, unknown for 0."""
    known = values.astype("int64").astype(frames.DTYPES["time"])
    return known.where(values != 0)
