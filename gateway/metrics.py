"""The numbers of this node for Prometheus; what must survive a restart is counted in the ledger instead."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30)
CHECKS = (
    "timestamp_stale", "timestamp_missing", "wrong_algorithm", "wrong_key_encoding", "wrong_signature_encoding",
    "body_reencoded", "wrong_url", "old_secret", "other_secret", "missing_header", "missing_secret",
    "signature_mismatch", "body_digest_mismatch", "credentials_mismatch", "network_mismatch", "key_unavailable",
    "certificate_refused", "token_refused", "no_items", "unknown_scheme", "not_configured", "not_json", "too_deep",
    "bad_encoding", "too_large", "too_many_fields", "too_slow", "account_mismatch", "replayed",
    "method_not_allowed", "other",
)  # fmt: skip
REGISTRATIONS = ("wanted", "active", "failing", "removing", "unsupported", "refused")
#: How pollers stand that do not succeed.
NOT_OK = ("failing", "reauth", "disabled")
#: What polls come to; `fenced`: another node had taken over.
POLLS = (
    "changes", "nothing", "partial", "rate_limited", "unavailable", "reauth", "configuration", "malformed", "waits",
    "fenced", "broken",
)  # fmt: skip
_LATE = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400)
INBOUND = ("accepted", "duplicate", "ignored", "handshake", "refused", "unknown", "rate_limited", "unavailable")


class Metrics:
    """The instruments of one node, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        inbound = Counter(
            "gateway_inbound_requests_total", "Requests on inbound URLs.", ["answer"], registry=self.registry
        )
        self.inbound = {answer: inbound.labels(answer) for answer in INBOUND}
        refusals = Counter(
            "gateway_inbound_refusals_total",
            "Refused requests by the check that failed; of a flood only those that are kept are looked into.",
            ["check"],
            registry=self.registry,
        )
        self.refusals = {check: refusals.labels(check) for check in CHECKS}
        self.connectors = Gauge(
            "gateway_catalogue_connectors", "Connectors that this node knows.", registry=self.registry
        )
        self.connectors_refused = Gauge(
            "gateway_catalogue_refused", "Connector files that are refused now.", registry=self.registry
        )
        self.acknowledged = Histogram(
            "gateway_inbound_seconds",
            "From the first byte of an accepted request to its answer.",
            buckets=_LATENCY,
            registry=self.registry,
        )
        attempts = Counter(
            "gateway_delivery_attempts_total", "Requests to destinations.", ["outcome"], registry=self.registry
        )
        self.attempts = {outcome: attempts.labels(outcome) for outcome in ("delivered", "failed")}
        self.delivered = Histogram(
            "gateway_delivery_attempt_seconds", "How long destinations take.", buckets=_LATENCY, registry=self.registry
        )
        self.in_flight = Gauge("gateway_delivery_in_flight", "Attempts under way.", registry=self.registry)
        self.in_memory = Gauge("gateway_delivery_in_memory", "Deliveries held in memory.", registry=self.registry)
        self.requests = Counter(
            "gateway_api_requests_total", "Requests on the surfaces.", ["surface", "status"], registry=self.registry
        )
        self.followers = Gauge("gateway_event_streams", "Readers that follow events live.", registry=self.registry)
        registrations = Gauge(
            "gateway_registrations", "Registrations at vendors, of all nodes.", ["state"], registry=self.registry
        )
        self.registrations = {state: registrations.labels(state) for state in REGISTRATIONS}
        self.registrations_restored = Counter(
            "gateway_registrations_restored_total",
            "Registrations that were gone at the vendor, or pointed elsewhere, and were made anew.",
            registry=self.registry,
        )
        self._add_polling()

    def _add_polling(self) -> None:
        """By connector, never by instance: there may be a hundred thousand of those."""
        registry = self.registry
        self.polls = Counter(
            "gateway_polls_total", "Polls by what they came to.", ["connector", "outcome"], registry=registry
        )
        self.poll_records = Counter(
            "gateway_poll_records_total", "Records that polls have read.", ["connector"], registry=registry
        )
        self.poll_events = Counter(
            "gateway_poll_events_total", "Events that polls have brought.", ["connector"], registry=registry
        )
        self.poll_stuck = Counter(
            "gateway_poll_stuck_total",
            "Pollers that were found reading new records while their watermark stood still.",
            ["connector"],
            registry=registry,
        )
        self.poll_late = Histogram(
            "gateway_poll_due_lag_seconds",
            "From when a poll was due to its beginning.",
            ["connector"],
            buckets=_LATE,
            registry=registry,
        )
        self.poll_behind = Histogram(
            "gateway_poll_source_lag_seconds",
            "How old the newest record was when a poll found it.",
            ["connector"],
            buckets=_LATE,
            registry=registry,
        )
        self.poll_succeeded = Gauge(
            "gateway_poll_last_success_timestamp_seconds",
            "When a poll of this connector succeeded on this node the last time.",
            ["connector"],
            registry=registry,
        )
        stopped = Gauge(
            "gateway_pollers_not_ok", "Pollers of all nodes that fail or have stopped.", ["state"], registry=registry
        )
        self.pollers_not_ok = {state: stopped.labels(state) for state in NOT_OK}
        self.polls_running = Gauge("gateway_polls_running", "Polls under way on this node.", registry=registry)
        self.polls_overdue = Gauge(
            "gateway_polls_overdue", "Pollers of all nodes that wait for more than a minute.", registry=registry
        )
        self.polls_oldest = Gauge(
            "gateway_polls_oldest_due_seconds", "For how long the poller waits that waits longest.", registry=registry
        )
