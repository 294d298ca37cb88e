"""The numbers of this node for Prometheus; what must survive a restart is counted in the ledger instead."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30)
INBOUND = ("accepted", "duplicate", "ignored", "handshake", "refused", "unknown", "rate_limited", "unavailable")


class Metrics:
    """The instruments of one node, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        inbound = Counter(
            "gateway_inbound_requests_total", "Requests on inbound URLs.", ["answer"], registry=self.registry
        )
        self.inbound = {answer: inbound.labels(answer) for answer in INBOUND}
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
