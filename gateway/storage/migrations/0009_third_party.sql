-- 3rd-party connectors; each is a destination of kind 'third_party' and has its id, its state and its URL.
-- headers, data, fires: JSON; sealed: the values of secret headers, the password and the signing secrets.
-- folded_name: the name as names are compared.
CREATE TABLE third_parties (
    id BIGINT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    method TEXT NOT NULL,
    type TEXT NOT NULL,
    url TEXT NOT NULL,
    headers TEXT NOT NULL,
    username TEXT,
    data TEXT NOT NULL,
    root TEXT NOT NULL,
    fires TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX third_parties_by_name ON third_parties (account_id, folded_name) WHERE deleted_at IS NULL;
CREATE INDEX third_parties_by_partner ON third_parties (partner_id, id) WHERE deleted_at IS NULL;

-- What a 3rd-party connector was called with, newest last; a delivery to a callback stands in no further index.
ALTER TABLE deliveries ADD COLUMN third_party BIGINT;
CREATE INDEX deliveries_of_third_parties ON deliveries (third_party, id) WHERE third_party IS NOT NULL;
