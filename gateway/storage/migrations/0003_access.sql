-- How an instance stands with its vendor: 'good', 'reauth' (only a person can help), 'unchecked' (nobody could tell).
-- `renew_at` is when its token is renewed ahead of its end, `check_at` when its credentials are tried again, `tries` how
-- often either went wrong in a row. The lease is of the one node that logs in; whoever waits reads the tokens it stored.
CREATE TABLE logins (
    instance_id BIGINT PRIMARY KEY,
    state TEXT NOT NULL,
    reason TEXT,
    since BIGINT NOT NULL,
    renew_at BIGINT,
    check_at BIGINT,
    tries BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL
);
CREATE INDEX logins_to_renew ON logins (renew_at) WHERE renew_at IS NOT NULL;
CREATE INDEX logins_to_check ON logins (check_at) WHERE check_at IS NOT NULL;
