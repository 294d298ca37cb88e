-- Accounts as partners keep them: their own id for one, its plan, and the billing periods; hours where retention differs.
ALTER TABLE accounts ADD COLUMN external_id TEXT;
ALTER TABLE accounts ADD COLUMN parent_id TEXT;
ALTER TABLE accounts ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN timezone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE accounts ADD COLUMN price_plan BIGINT;
ALTER TABLE accounts ADD COLUMN audit_info TEXT;
ALTER TABLE accounts ADD COLUMN task_audit_info TEXT;
ALTER TABLE accounts ADD COLUMN last_bill_at BIGINT;
ALTER TABLE accounts ADD COLUMN next_bill_at BIGINT;
ALTER TABLE accounts ADD COLUMN billing_day BIGINT;
ALTER TABLE accounts ADD COLUMN success_hours BIGINT;
ALTER TABLE accounts ADD COLUMN errored_hours BIGINT;
ALTER TABLE accounts ADD COLUMN error_webhook TEXT;
ALTER TABLE accounts ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN deleted_at BIGINT;
CREATE UNIQUE INDEX accounts_by_external ON accounts (partner_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX accounts_by_parent ON accounts (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX accounts_by_bill ON accounts (next_bill_at) WHERE deleted_at IS NULL;

-- Credential sets and tokens are told apart, listed and revoked one by one; a refresh token goes with its access token.
ALTER TABLE credential_sets ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE credential_sets ADD COLUMN revoked_at BIGINT;
ALTER TABLE access_tokens ADD COLUMN id TEXT;
ALTER TABLE access_tokens ADD COLUMN user_id BIGINT;
ALTER TABLE access_tokens ADD COLUMN grant_type TEXT NOT NULL DEFAULT 'client_credentials';
ALTER TABLE access_tokens ADD COLUMN refresh_hash TEXT;
CREATE UNIQUE INDEX access_tokens_by_id ON access_tokens (id) WHERE id IS NOT NULL;
CREATE UNIQUE INDEX access_tokens_by_refresh ON access_tokens (refresh_hash) WHERE refresh_hash IS NOT NULL;
CREATE INDEX access_tokens_by_partner ON access_tokens (partner_id, created_at);
ALTER TABLE users ADD COLUMN deleted_at BIGINT;

-- Single-use tokens by which a partner signs a person in, and the sessions that follow.
CREATE TABLE sign_in_tokens (
    hash TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    username TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX sign_in_tokens_by_expiry ON sign_in_tokens (expires_at);
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Addresses that may call: list 'calls' (empty: nobody, but for native instances) or 'api' (empty: everybody).
CREATE TABLE ip_allowed (
    partner_id TEXT NOT NULL,
    list TEXT NOT NULL,
    network TEXT NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (partner_id, list, network)
);

-- Numbers of what a connector's file names: methods, parameters, fields. Given once, never again.
CREATE TABLE member_ids (
    key TEXT PRIMARY KEY,
    id BIGINT NOT NULL UNIQUE
);

-- An account connector's description, and whether it is one to the partner's own product.
ALTER TABLE instances ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN native BIGINT NOT NULL DEFAULT 0;

-- What an account used, by the hour; a period is the sum of the hours that begin in it. flows: how many event flows were
-- active at most.
CREATE TABLE metering (
    account_id TEXT NOT NULL,
    hour BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    polls BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (account_id, hour)
);
CREATE TABLE flows (
    account_id TEXT NOT NULL,
    hour BIGINT NOT NULL,
    most BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (account_id, hour)
);

-- Connectors that a partner brought: what was given, and the file that was made of it once it is released.
CREATE TABLE custom_connectors (
    id BIGINT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    unique_id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    definition TEXT NOT NULL,
    released TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX custom_connectors_by_partner ON custom_connectors (partner_id, id);
