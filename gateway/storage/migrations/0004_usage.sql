-- Every call through an instance, as it was answered; ids sort by time, paths hold no query.
CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    request_id TEXT NOT NULL,
    partner_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    instance_id BIGINT NOT NULL,
    connector TEXT NOT NULL,
    method TEXT,
    verb TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    vendor_status INTEGER,
    bytes BIGINT NOT NULL,
    duration_ms INTEGER NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX calls_by_partner ON calls (partner_id, id);
CREATE INDEX calls_by_request ON calls (request_id);
