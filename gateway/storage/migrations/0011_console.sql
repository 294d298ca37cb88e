-- Who changed what. details: what was changed, as JSON, never a secret.
CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    username TEXT NOT NULL,
    at BIGINT NOT NULL,
    via TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    details TEXT NOT NULL,
    remote TEXT NOT NULL
);
CREATE INDEX audit_by_partner ON audit (partner_id, id);
CREATE INDEX audit_by_account ON audit (account_id, id);

-- People sign in by their name, and do not say whose they are.
CREATE INDEX users_by_username ON users (username);
