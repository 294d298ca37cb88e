-- Figures for charts, added up by every node: of an account, and of its whole partner (account_id empty), by the minute
-- (span 60000) and by the hour (span 3600000). way_*: how many deliveries took so long from the event's arrival, took_*:
-- how many attempts took so long; each by the buckets of a histogram.
CREATE TABLE traffic (
    partner_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    span BIGINT NOT NULL,
    at BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    ignored BIGINT NOT NULL,
    attempts_ok BIGINT NOT NULL,
    attempts_failed BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    dead BIGINT NOT NULL,
    polls_ok BIGINT NOT NULL,
    polls_failed BIGINT NOT NULL,
    way_00 BIGINT NOT NULL, way_01 BIGINT NOT NULL, way_02 BIGINT NOT NULL, way_03 BIGINT NOT NULL,
    way_04 BIGINT NOT NULL, way_05 BIGINT NOT NULL, way_06 BIGINT NOT NULL, way_07 BIGINT NOT NULL,
    way_08 BIGINT NOT NULL, way_09 BIGINT NOT NULL, way_10 BIGINT NOT NULL, way_11 BIGINT NOT NULL,
    way_12 BIGINT NOT NULL, way_13 BIGINT NOT NULL, way_14 BIGINT NOT NULL, way_15 BIGINT NOT NULL,
    way_16 BIGINT NOT NULL, way_17 BIGINT NOT NULL, way_18 BIGINT NOT NULL, way_19 BIGINT NOT NULL,
    way_20 BIGINT NOT NULL, way_21 BIGINT NOT NULL, way_22 BIGINT NOT NULL, way_23 BIGINT NOT NULL,
    way_24 BIGINT NOT NULL,
    took_00 BIGINT NOT NULL, took_01 BIGINT NOT NULL, took_02 BIGINT NOT NULL, took_03 BIGINT NOT NULL,
    took_04 BIGINT NOT NULL, took_05 BIGINT NOT NULL, took_06 BIGINT NOT NULL, took_07 BIGINT NOT NULL,
    took_08 BIGINT NOT NULL, took_09 BIGINT NOT NULL, took_10 BIGINT NOT NULL, took_11 BIGINT NOT NULL,
    took_12 BIGINT NOT NULL, took_13 BIGINT NOT NULL, took_14 BIGINT NOT NULL, took_15 BIGINT NOT NULL,
    took_16 BIGINT NOT NULL, took_17 BIGINT NOT NULL, took_18 BIGINT NOT NULL, took_19 BIGINT NOT NULL,
    took_20 BIGINT NOT NULL, took_21 BIGINT NOT NULL, took_22 BIGINT NOT NULL, took_23 BIGINT NOT NULL,
    took_24 BIGINT NOT NULL,
    PRIMARY KEY (partner_id, account_id, span, at)
);
CREATE INDEX traffic_by_age ON traffic (span, at);

-- Attempts at a destination by the hour, and in a word why the last one failed.
CREATE TABLE traffic_destinations (
    destination_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    partner_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    ok BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    reason TEXT,
    failed_at BIGINT,
    PRIMARY KEY (destination_id, hour)
);
CREATE INDEX traffic_destinations_by_age ON traffic_destinations (hour);
CREATE INDEX traffic_failing_by_partner ON traffic_destinations (partner_id, hour) WHERE failed > 0;
CREATE INDEX traffic_failing_by_account ON traffic_destinations (account_id, hour) WHERE failed > 0;
