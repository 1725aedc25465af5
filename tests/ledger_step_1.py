"""The tables of a ledger as step 1 made them: what later steps must be able to climb from. Never changed."""

SQLITE = """
CREATE TABLE wa_migrations ( number INTEGER NOT NULL, about TEXT NOT NULL, applied_at BIGINT NOT NULL, PRIMARY
    KEY (number) );
CREATE TABLE wa_plans ( seq INTEGER NOT NULL, digest TEXT NOT NULL, campaign TEXT NOT NULL, catalog_id TEXT
    NOT NULL, approved_by TEXT NOT NULL, waterfall TEXT NOT NULL, content TEXT NOT NULL, created_at BIGINT NOT
    NULL, expires_at BIGINT NOT NULL, registered_at BIGINT NOT NULL, holdout FLOAT NOT NULL, PRIMARY KEY (seq),
    UNIQUE (digest) );
CREATE INDEX wa_plans_campaign ON wa_plans (campaign);
CREATE TABLE wa_plan_rows ( digest TEXT NOT NULL, arm TEXT NOT NULL, customer_id TEXT NOT NULL, "to" TEXT NOT
    NULL, recipient TEXT NOT NULL, product_retailer_id TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL,
    probability FLOAT, last_inbound_at BIGINT NOT NULL, closes_at BIGINT NOT NULL, title TEXT NOT NULL, price
    TEXT, currency TEXT NOT NULL, body TEXT NOT NULL, footer TEXT NOT NULL, PRIMARY KEY (digest, customer_id) );
CREATE INDEX wa_plan_rows_customer ON wa_plan_rows (customer_id);
CREATE TABLE wa_intents ( send_id TEXT NOT NULL, campaign TEXT NOT NULL, customer_id TEXT NOT NULL, address
    TEXT NOT NULL, digest TEXT NOT NULL, arm TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (send_id), UNIQUE
    (campaign, customer_id), UNIQUE (campaign, address) );
CREATE TABLE wa_attempts ( send_id TEXT NOT NULL, n INTEGER NOT NULL, digest TEXT NOT NULL, owner TEXT NOT
    NULL, at BIGINT NOT NULL, PRIMARY KEY (send_id, n) );
CREATE TABLE wa_outcomes ( seq INTEGER NOT NULL, campaign TEXT NOT NULL, customer_id TEXT NOT NULL, send_id
    TEXT NOT NULL, n INTEGER NOT NULL, outcome TEXT NOT NULL, wamid TEXT NOT NULL, details TEXT NOT NULL, code
    BIGINT NOT NULL, again INTEGER NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (seq) );
CREATE INDEX wa_outcomes_customer ON wa_outcomes (customer_id);
CREATE INDEX wa_outcomes_campaign ON wa_outcomes (campaign);
CREATE TABLE wa_webhooks ( digest TEXT NOT NULL, body BLOB NOT NULL, stored_at BIGINT NOT NULL, PRIMARY KEY
    (digest) );
CREATE TABLE wa_events ( seq INTEGER NOT NULL, event_id TEXT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL,
    customer_id TEXT NOT NULL, wa_id TEXT NOT NULL, user_id TEXT NOT NULL, wamid TEXT NOT NULL, send_id TEXT NOT
    NULL, status TEXT NOT NULL, code BIGINT NOT NULL, details TEXT NOT NULL, text TEXT NOT NULL,
    product_retailer_id TEXT NOT NULL, quantity FLOAT, unit_price TEXT, currency TEXT NOT NULL, phone_number_id
    TEXT NOT NULL, context_id TEXT NOT NULL, previous_wa_id TEXT NOT NULL, previous_user_id TEXT NOT NULL, webhook
    TEXT NOT NULL, PRIMARY KEY (seq), UNIQUE (event_id) );
CREATE INDEX wa_events_send ON wa_events (send_id);
CREATE INDEX wa_events_customer ON wa_events (customer_id);
CREATE TABLE wa_identities ( seq INTEGER NOT NULL, left_id TEXT NOT NULL, right_id TEXT NOT NULL, rule TEXT
    NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (seq), UNIQUE (left_id, right_id) );
CREATE TABLE wa_suppressions ( seq INTEGER NOT NULL, customer_id TEXT NOT NULL, reason TEXT NOT NULL, at
    BIGINT NOT NULL, PRIMARY KEY (seq) );
CREATE INDEX wa_suppressions_customer ON wa_suppressions (customer_id)
"""
POSTGRESQL = """
CREATE TABLE wa_migrations ( number INTEGER NOT NULL, about TEXT NOT NULL, applied_at BIGINT NOT NULL, PRIMARY
    KEY (number) );
CREATE TABLE wa_plans ( seq BIGSERIAL NOT NULL, digest TEXT NOT NULL, campaign TEXT NOT NULL, catalog_id TEXT
    NOT NULL, approved_by TEXT NOT NULL, waterfall TEXT NOT NULL, content TEXT NOT NULL, created_at BIGINT NOT
    NULL, expires_at BIGINT NOT NULL, registered_at BIGINT NOT NULL, holdout FLOAT(53) NOT NULL, PRIMARY KEY
    (seq), UNIQUE (digest) );
CREATE INDEX wa_plans_campaign ON wa_plans (campaign);
CREATE TABLE wa_plan_rows ( digest TEXT NOT NULL, arm TEXT NOT NULL, customer_id TEXT NOT NULL, "to" TEXT NOT
    NULL, recipient TEXT NOT NULL, product_retailer_id TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL,
    probability FLOAT(53), last_inbound_at BIGINT NOT NULL, closes_at BIGINT NOT NULL, title TEXT NOT NULL, price
    TEXT, currency TEXT NOT NULL, body TEXT NOT NULL, footer TEXT NOT NULL, PRIMARY KEY (digest, customer_id) );
CREATE INDEX wa_plan_rows_customer ON wa_plan_rows (customer_id);
CREATE TABLE wa_intents ( send_id TEXT NOT NULL, campaign TEXT NOT NULL, customer_id TEXT NOT NULL, address
    TEXT NOT NULL, digest TEXT NOT NULL, arm TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (send_id), UNIQUE
    (campaign, customer_id), UNIQUE (campaign, address) );
CREATE TABLE wa_attempts ( send_id TEXT NOT NULL, n INTEGER NOT NULL, digest TEXT NOT NULL, owner TEXT NOT
    NULL, at BIGINT NOT NULL, PRIMARY KEY (send_id, n) );
CREATE TABLE wa_outcomes ( seq BIGSERIAL NOT NULL, campaign TEXT NOT NULL, customer_id TEXT NOT NULL, send_id
    TEXT NOT NULL, n INTEGER NOT NULL, outcome TEXT NOT NULL, wamid TEXT NOT NULL, details TEXT NOT NULL, code
    BIGINT NOT NULL, again INTEGER NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (seq) );
CREATE INDEX wa_outcomes_customer ON wa_outcomes (customer_id);
CREATE INDEX wa_outcomes_campaign ON wa_outcomes (campaign);
CREATE TABLE wa_webhooks ( digest TEXT NOT NULL, body BYTEA NOT NULL, stored_at BIGINT NOT NULL, PRIMARY KEY
    (digest) );
CREATE TABLE wa_events ( seq BIGSERIAL NOT NULL, event_id TEXT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT
    NULL, customer_id TEXT NOT NULL, wa_id TEXT NOT NULL, user_id TEXT NOT NULL, wamid TEXT NOT NULL, send_id TEXT
    NOT NULL, status TEXT NOT NULL, code BIGINT NOT NULL, details TEXT NOT NULL, text TEXT NOT NULL,
    product_retailer_id TEXT NOT NULL, quantity FLOAT(53), unit_price TEXT, currency TEXT NOT NULL,
    phone_number_id TEXT NOT NULL, context_id TEXT NOT NULL, previous_wa_id TEXT NOT NULL, previous_user_id TEXT
    NOT NULL, webhook TEXT NOT NULL, PRIMARY KEY (seq), UNIQUE (event_id) );
CREATE INDEX wa_events_send ON wa_events (send_id);
CREATE INDEX wa_events_customer ON wa_events (customer_id);
CREATE TABLE wa_identities ( seq BIGSERIAL NOT NULL, left_id TEXT NOT NULL, right_id TEXT NOT NULL, rule TEXT
    NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (seq), UNIQUE (left_id, right_id) );
CREATE TABLE wa_suppressions ( seq BIGSERIAL NOT NULL, customer_id TEXT NOT NULL, reason TEXT NOT NULL, at
    BIGINT NOT NULL, PRIMARY KEY (seq) );
CREATE INDEX wa_suppressions_customer ON wa_suppressions (customer_id)
"""
STEP_1 = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
