"""The steps by which an older ledger climbs to the tables of today, each with its record in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import text

from wa_products.ledger.schema import METADATA

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection


class Migration(NamedTuple):
    """One numbered step: what it is about, and what it does to the tables of the step before."""

    number: int
    about: str
    apply: Callable[[Connection], object]


def _statements(*statements: str) -> Callable[[Connection], object]:
    """Return a step that says these in the SQL of both databases; it must not lean on tables that change later."""

    def apply(connection: Connection) -> None:
        words = _WORDS[connection.dialect.name] | {"event": _OLD_EVENT}
        for statement in statements:
            connection.execute(text(statement.format_map(words)))

    return apply


_WORDS = {
    "sqlite": {"serial": "INTEGER NOT NULL", "long": "INTEGER", "bytes": "BLOB", "float": "FLOAT"},
    "postgresql": {"serial": "BIGSERIAL NOT NULL", "long": "BIGINT", "bytes": "BYTEA", "float": "FLOAT(53)"},
}
_OLD_EVENT = (
    "event_id, kind, at, customer_id, wa_id, user_id, wamid, send_id, status, code, details, text, "
    "product_retailer_id, quantity, unit_price, currency, phone_number_id, context_id, previous_wa_id, previous_user_id"
)
_BY_BODY = _statements(
    "CREATE TABLE wa_kept AS SELECT ROW_NUMBER() OVER (ORDER BY stored_at, digest) AS number, * FROM wa_webhooks",
    "CREATE INDEX wa_kept_digest ON wa_kept (digest)",
    "DROP TABLE wa_webhooks",
    "CREATE TABLE wa_webhooks (number {long} NOT NULL, digest TEXT NOT NULL, body {bytes} NOT NULL, "
    "stored_at BIGINT NOT NULL, PRIMARY KEY (number), UNIQUE (digest))",
    "INSERT INTO wa_webhooks SELECT number, SUBSTR(digest, 1, 32), body, stored_at FROM wa_kept",
    "CREATE TABLE wa_said AS SELECT seq, {event}, (SELECT number FROM wa_kept WHERE digest = webhook) AS n "
    "FROM wa_events",
    "DROP TABLE wa_events",
    "CREATE TABLE wa_events (seq {serial}, event_id TEXT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL, "
    "customer_id TEXT NOT NULL, wa_id TEXT NOT NULL, user_id TEXT NOT NULL, wamid TEXT NOT NULL, "
    "send_id TEXT NOT NULL, status TEXT NOT NULL, code BIGINT NOT NULL, details TEXT NOT NULL, text TEXT NOT NULL, "
    "product_retailer_id TEXT NOT NULL, quantity {float}, unit_price TEXT, currency TEXT NOT NULL, "
    "phone_number_id TEXT NOT NULL, context_id TEXT NOT NULL, previous_wa_id TEXT NOT NULL, "
    "previous_user_id TEXT NOT NULL, raw TEXT NOT NULL, webhook {long} NOT NULL, PRIMARY KEY (seq))",
    "INSERT INTO wa_events ({event}, raw, webhook) SELECT {event}, '', COALESCE(n, 0) FROM wa_said ORDER BY seq",
    "CREATE INDEX wa_events_event ON wa_events (event_id, seq)",
    "CREATE INDEX wa_events_customer ON wa_events (customer_id) WHERE kind <> 'status' OR code <> 0",
    "CREATE INDEX wa_events_send ON wa_events (kind, send_id, wamid, status, at)",
    "CREATE INDEX wa_events_webhook ON wa_events (webhook)",
    "CREATE TABLE wa_proofs AS SELECT * FROM wa_identities",
    "DROP TABLE wa_identities",
    "CREATE TABLE wa_identities (seq {serial}, left_id TEXT NOT NULL, right_id TEXT NOT NULL, rule TEXT NOT NULL, "
    "at BIGINT NOT NULL, PRIMARY KEY (seq), UNIQUE (left_id, right_id, rule))",
    "INSERT INTO wa_identities (left_id, right_id, rule, at) SELECT left_id, right_id, rule, at FROM wa_proofs "
    "ORDER BY seq",
    "CREATE TABLE wa_repairs (seq {serial}, version TEXT NOT NULL, at BIGINT NOT NULL, webhooks BIGINT NOT NULL, "
    "added BIGINT NOT NULL, removed BIGINT NOT NULL, PRIMARY KEY (seq))",
    *(f"DROP TABLE {name}" for name in ("wa_kept", "wa_said", "wa_proofs")),
)
_BY_CAMPAIGN = _statements(
    "CREATE INDEX wa_events_at ON wa_events (kind, at)",
    "CREATE INDEX wa_identities_right ON wa_identities (right_id, left_id)",
    "DROP INDEX wa_intents_customer",
    "CREATE INDEX wa_intents_customer ON wa_intents (customer_id, campaign)",
    "DROP INDEX wa_outcomes_customer",
    "CREATE INDEX wa_outcomes_customer ON wa_outcomes (customer_id) WHERE code <> 0",
    "CREATE INDEX wa_outcomes_wamid ON wa_outcomes (wamid) WHERE wa_outcomes.wamid <> ''",
    "CREATE TABLE wa_orphans (wamid TEXT NOT NULL, send_id TEXT NOT NULL, at BIGINT NOT NULL, "
    "PRIMARY KEY (wamid, send_id, at))",
    "INSERT INTO wa_orphans (wamid, send_id, at) SELECT DISTINCT wamid, send_id, at FROM wa_events "
    "WHERE kind = 'status' AND at > 0 "
    "AND NOT EXISTS (SELECT 1 FROM wa_intents WHERE wa_intents.send_id = wa_events.send_id) "
    "AND NOT EXISTS (SELECT 1 FROM wa_outcomes WHERE wa_outcomes.wamid = wa_events.wamid AND wa_outcomes.wamid <> '')",
)
_BY_TIME = _statements(
    "CREATE TABLE wa_kept AS SELECT * FROM wa_orphans",
    "DROP TABLE wa_orphans",
    "CREATE TABLE wa_orphans (at BIGINT NOT NULL, wamid TEXT NOT NULL, send_id TEXT NOT NULL, "
    "PRIMARY KEY (at, wamid, send_id))",
    "INSERT INTO wa_orphans (at, wamid, send_id) SELECT at, wamid, send_id FROM wa_kept",
    "DROP TABLE wa_kept",
)
# A new ledger is made at the last step; an older one climbs.
MIGRATIONS = (
    Migration(1, "the first tables", METADATA.create_all),
    Migration(
        2,
        "indexes to find what a customer got in other campaigns, and the outcomes of a send id",
        _statements(
            "CREATE INDEX wa_intents_customer ON wa_intents (customer_id)",
            "CREATE INDEX wa_outcomes_send ON wa_outcomes (send_id)",
        ),
    ),
    Migration(
        3,
        "the chance with which each planned product was drawn",
        _statements("ALTER TABLE wa_plan_rows ADD COLUMN propensity FLOAT"),
    ),
    Migration(4, "events by the body that told them, proofs of identity by their rule, repairs", _BY_BODY),
    Migration(
        5,
        "customers whom an agent put aside without an answer",
        _statements(
            "CREATE TABLE wa_asides (seq {serial}, customer_id TEXT NOT NULL, set_by TEXT NOT NULL, "
            "at BIGINT NOT NULL, is_aside INTEGER NOT NULL, PRIMARY KEY (seq))",
            "CREATE INDEX wa_asides_customer ON wa_asides (customer_id, seq)",
        ),
    ),
    Migration(6, "indexes for what a run asks of a ledger of any size; the receipts of others", _BY_CAMPAIGN),
    Migration(7, "the receipts of others in the order of time", _BY_TIME),
)
