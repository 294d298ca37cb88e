-- What arrived is told in full, and the payload stands last: what is listed is read without it.
-- request: method, query, headers without their secrets, and who sent it, as JSON; body_hash: half of the body's SHA-256.
CREATE TABLE events_told (
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
    backfill BIGINT NOT NULL,
    routed BIGINT NOT NULL,
    body_hash TEXT,
    emptied_at BIGINT,
    request TEXT,
    payload BYTEA NOT NULL
);
INSERT INTO events_told SELECT id, account_id, instance_id, connector, source, type, action, object_type, object_id,
    occurred_at, vendor_event_id, identity, filter_nulls, received_at, 0,
    CASE WHEN EXISTS (SELECT 1 FROM deliveries WHERE deliveries.event_id = events.id) THEN 1 ELSE 0 END,
    NULL, NULL, NULL, payload FROM events;
DROP TABLE events;
ALTER TABLE events_told RENAME TO events;
CREATE UNIQUE INDEX events_by_identity ON events (instance_id, identity);
CREATE INDEX events_by_instance ON events (instance_id, id);
CREATE INDEX events_by_account ON events (account_id, id);
CREATE INDEX events_by_vendor_event ON events (vendor_event_id, instance_id) WHERE vendor_event_id IS NOT NULL;
CREATE INDEX events_by_object ON events (object_id, instance_id) WHERE object_id IS NOT NULL;
CREATE INDEX events_by_body ON events (body_hash) WHERE body_hash IS NOT NULL;
CREATE INDEX events_unrouted ON events (id) WHERE routed = 0;

-- Every delivery that did not arrive, or has not yet: what is looked for by its state is seldom among the others.
CREATE INDEX deliveries_unsettled ON deliveries (event_id, state) WHERE state <> 'delivered';
CREATE INDEX deliveries_dead ON deliveries (destination_id, id) WHERE state = 'dead';
-- replay_id: the replay that made it; replayed_as: the delivery that a dead one was sent again as.
ALTER TABLE deliveries ADD COLUMN replay_id TEXT;
ALTER TABLE deliveries ADD COLUMN replayed_as TEXT;

-- The phases of an attempt: until the connection stood, and until the head of the answer was there.
ALTER TABLE attempts ADD COLUMN connect_ms BIGINT;
ALTER TABLE attempts ADD COLUMN head_ms BIGINT;
ALTER TABLE attempts ADD COLUMN headers TEXT;

-- All that arrived and became no event: 'refused', 'duplicate' (of event_id) and 'ignored'; one row for each change
-- of a request, under what the vendor calls it. Some of each are kept, all are counted.
ALTER TABLE refusals ADD COLUMN outcome TEXT NOT NULL DEFAULT 'refused';
ALTER TABLE refusals ADD COLUMN vendor_event_id TEXT;
ALTER TABLE refusals ADD COLUMN object_id TEXT;
ALTER TABLE refusals ADD COLUMN event_id TEXT;
UPDATE refusals SET body_hash = substr(body_hash, 1, 32);
CREATE INDEX refusals_by_vendor_event ON refusals (vendor_event_id) WHERE vendor_event_id IS NOT NULL;
CREATE INDEX refusals_by_object ON refusals (object_id) WHERE object_id IS NOT NULL;
CREATE INDEX refusals_by_body ON refusals (body_hash);

-- What retention and erasure took away, so that the ledger can be checked against a full count.
ALTER TABLE ledger_events ADD COLUMN removed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ledger_deliveries ADD COLUMN removed_delivered BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ledger_deliveries ADD COLUMN removed_dead BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ledger_deliveries ADD COLUMN removed_cancelled BIGINT NOT NULL DEFAULT 0;

-- Long work on what is stored, 'replay' or 'erasure': it goes on where it stood after any crash, on any node.
-- wanted: what was asked for, as JSON; position: the last event that was looked at.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    account_id TEXT,
    user_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    wanted TEXT NOT NULL,
    wanted_hash TEXT NOT NULL,
    position TEXT NOT NULL,
    seen BIGINT NOT NULL,
    done BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    expected BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    finished_at BIGINT,
    next_at BIGINT,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    epoch BIGINT NOT NULL
);
CREATE INDEX jobs_by_partner ON jobs (partner_id, id);
CREATE INDEX jobs_due ON jobs (next_at) WHERE next_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_once ON jobs (partner_id, kind, wanted_hash) WHERE state = 'running';

-- How long an account's events and payloads are kept, where that differs from the configuration.
CREATE TABLE account_retention (
    account_id TEXT PRIMARY KEY,
    events_ms BIGINT,
    payloads_ms BIGINT,
    updated_at BIGINT NOT NULL
);
