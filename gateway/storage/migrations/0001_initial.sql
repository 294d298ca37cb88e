-- Times are epoch milliseconds, truth values 0 or 1. Only SQL that SQLite and PostgreSQL both speak.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Small integers that are never given twice: instances, configuration entries, destinations, users, connectors.
CREATE TABLE sequences (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE partners (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    organization_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX accounts_by_partner ON accounts (partner_id, id);

CREATE TABLE users (
    id BIGINT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    username TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT,
    secret_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_by_name ON users (partner_id, username);

CREATE TABLE credential_sets (
    client_id TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE access_tokens (
    hash TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    account_id TEXT,
    client_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);

CREATE TABLE connector_ids (
    key TEXT PRIMARY KEY,
    id BIGINT NOT NULL UNIQUE
);

CREATE TABLE instances (
    id BIGINT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    connector TEXT NOT NULL,
    name TEXT NOT NULL,
    tags TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    external_authentication TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX instances_by_account ON instances (account_id, id) WHERE deleted_at IS NULL;

-- A value stands in the clear or sealed, never both.
CREATE TABLE configuration (
    instance_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    id BIGINT NOT NULL UNIQUE,
    value TEXT,
    sealed BYTEA,
    PRIMARY KEY (instance_id, key)
);

-- Tokens and secrets that the gateway made, and earlier values of an entry while a rotation overlaps.
CREATE TABLE instance_secrets (
    id TEXT PRIMARY KEY,
    instance_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX instance_secrets_by_instance ON instance_secrets (instance_id, kind, created_at);

CREATE TABLE destinations (
    id BIGINT PRIMARY KEY,
    account_id TEXT NOT NULL,
    instance_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    url TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    since BIGINT NOT NULL
);
CREATE INDEX destinations_by_instance ON destinations (instance_id, kind);

CREATE TABLE events (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    instance_id BIGINT NOT NULL,
    connector TEXT NOT NULL,
    source TEXT NOT NULL,
    type TEXT NOT NULL,
    action TEXT NOT NULL,
    object_type TEXT,
    object_id TEXT,
    occurred_at BIGINT,
    vendor_event_id TEXT,
    identity TEXT,
    filter_nulls BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    payload BYTEA NOT NULL
);
CREATE UNIQUE INDEX events_by_identity ON events (instance_id, identity);
CREATE INDEX events_by_instance ON events (instance_id, id);

-- A delivery is leased by `lease_owner` until `lease_until`; every claim raises `epoch`, and a settlement names it.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    event_id TEXT NOT NULL,
    instance_id BIGINT NOT NULL,
    destination_id BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    reason TEXT,
    created_at BIGINT NOT NULL,
    settled_at BIGINT
);
CREATE INDEX deliveries_by_event ON deliveries (event_id);
CREATE INDEX deliveries_pending ON deliveries (destination_id, due_at) WHERE state = 'pending';

CREATE TABLE attempts (
    delivery_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status BIGINT,
    reason TEXT,
    answer BYTEA,
    PRIMARY KEY (delivery_id, number)
);

CREATE TABLE refusals (
    id TEXT PRIMARY KEY,
    instance_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    failed_check TEXT NOT NULL,
    detail TEXT NOT NULL,
    remote TEXT NOT NULL,
    body_hash TEXT NOT NULL
);
CREATE INDEX refusals_by_instance ON refusals (instance_id, id);

-- The ledger outlives what it counts. `shard` keeps nodes from waiting for each other; sums are over all shards.
CREATE TABLE ledger_events (
    instance_id BIGINT NOT NULL,
    shard BIGINT NOT NULL,
    received BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    ignored BIGINT NOT NULL,
    routed BIGINT NOT NULL,
    unrouted BIGINT NOT NULL,
    PRIMARY KEY (instance_id, shard)
);

CREATE TABLE ledger_deliveries (
    destination_id BIGINT NOT NULL,
    shard BIGINT NOT NULL,
    created BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    pending BIGINT NOT NULL,
    dead BIGINT NOT NULL,
    cancelled BIGINT NOT NULL,
    PRIMARY KEY (destination_id, shard)
);
