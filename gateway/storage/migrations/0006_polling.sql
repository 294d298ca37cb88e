-- What is asked of vendors for an instance, one row for each list; id is the gateway's own, the cursor belongs to (instance, name).
-- While a row is leased, next_due is the lease's end: what is due is free. NULL: on demand only, or stopped.
-- planned_at is the slot of the schedule; wishes counts the calls to look at it now.
CREATE TABLE pollers (
    id TEXT PRIMARY KEY,
    instance_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    next_due BIGINT,
    planned_at BIGINT,
    state TEXT NOT NULL,
    reason TEXT,
    since BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    records_total BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    wishes BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    cursor TEXT NOT NULL
);
CREATE UNIQUE INDEX pollers_by_instance ON pollers (instance_id, name);
-- All that a look for what is due needs; SQLite must find enabled in it too, to leave the rows alone.
CREATE INDEX pollers_due ON pollers (next_due, id, instance_id, enabled) WHERE enabled = 1;
CREATE INDEX pollers_leased ON pollers (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX pollers_stopped ON pollers (state, instance_id) WHERE state <> 'ok';

-- Snapshots: what was in the last complete listing, so that the next one shows what is new, changed and gone.
CREATE TABLE poller_objects (
    poller_id TEXT NOT NULL,
    object_id TEXT NOT NULL,
    content TEXT NOT NULL,
    misses BIGINT NOT NULL,
    PRIMARY KEY (poller_id, object_id)
);
