-- The registration of an instance's URL at its vendor: 'wanted' (to be made), 'active', 'failing' (tried again at next_at),
-- 'removing', 'refused' (until somebody changes something) and 'unsupported' (kept by hand).
-- asked_id is set while a request for a new one may be out: if nobody came back from it, a stray one may be at the vendor.
-- sealed: what was asked for, and all that the removal of an older one needs.
CREATE TABLE registrations (
    instance_id BIGINT PRIMARY KEY,
    state TEXT NOT NULL,
    reason TEXT,
    since BIGINT NOT NULL,
    vendor_id TEXT,
    callback_hash TEXT,
    public_url TEXT,
    expires_at BIGINT,
    renew_at BIGINT,
    checked_at BIGINT,
    next_at BIGINT,
    attempts BIGINT NOT NULL,
    asked_id TEXT,
    sealed BYTEA,
    wishes BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    epoch BIGINT NOT NULL
);
CREATE INDEX registrations_due ON registrations (next_at) WHERE next_at IS NOT NULL;
