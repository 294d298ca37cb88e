-- What a delivery may carry only once, and which body it came with.
CREATE TABLE nonces (
    instance_id BIGINT NOT NULL,
    nonce TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (instance_id, nonce)
);
CREATE INDEX nonces_by_time ON nonces (at);

-- Instances by what an entry of theirs holds; a long value is no account, and would not fit into an index.
CREATE INDEX configuration_by_value ON configuration (key, value) WHERE length(value) <= 200;
CREATE INDEX instances_by_connector ON instances (connector, id) WHERE deleted_at IS NULL;
