"""What operators' machines ask: is it alive, can it store, and the numbers."""

import hmac
from collections.abc import Iterable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.api.operators_chapter import CHAPTER
from gateway.api.surface import SERVICES, Failure, Surface
from gateway.doctor import store
from gateway.errors import StorageDown
from gateway.storage.probe import probe

DRAINING: web.AppKey[list[bool]] = web.AppKey("draining", list)

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_ARRIVED = ("received", "accepted", "duplicate", "refused", "ignored", "routed", "unrouted")
_LEFT = ("created", "delivered", "dead", "cancelled")
JOBS = ("replay", "discard", "erasure")


def surface() -> Surface:
    """The routes of operation; also the owner of every path that no other surface has."""
    routes = [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)]
    return Surface("operations", lambda _: True, routes, refuse, chapters=(CHAPTER,))


async def alive(request: web.Request) -> web.Response:
    """`GET /healthz`."""
    del request
    return web.json_response({"status": "alive"})


async def ready(request: web.Request) -> web.Response:
    """`GET /readyz`: 503 where an event could not be stored now, and while the gateway leaves."""
    if request.app[DRAINING]:
        return web.json_response({"status": "draining"}, status=503)
    try:
        await probe(request.app[SERVICES].runtime.database)
    except StorageDown as problem:
        return web.json_response({"status": "cannot store", "reason": str(problem)}, status=503)
    return web.json_response({"status": "ready"})


async def metrics(request: web.Request) -> web.Response:
    """`GET /metrics`, for Prometheus."""
    runtime = request.app[SERVICES].runtime
    token = runtime.config.server.metrics_token
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    if token and not hmac.compare_digest(given, f"Bearer {token}".encode()):
        return web.Response(status=401, text="unauthorized\n", headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(_Ledger(await store.sums(runtime.database), await store.jobs_running(runtime.database)))
    body = generate_latest(runtime.metrics.registry) + generate_latest(registry)
    return web.Response(body=body, headers={"Content-Type": _TEXT})


class _Ledger(Collector):
    """The ledger's sums, which outlive restarts and retention; and the jobs that run, of all nodes."""

    def __init__(self, sums: Mapping[str, int], jobs: Mapping[str, int]) -> None:
        self._sums = sums
        self._jobs = jobs

    def collect(self) -> Iterable[Metric]:
        counted = CounterMetricFamily(
            "gateway_ledger_events",
            "received = accepted + duplicate + refused + ignored; accepted = routed + unrouted.",
            labels=["fate"],
        )
        for fate in _ARRIVED:
            counted.add_metric([fate], float(self._sums[fate]))
        yield counted
        moved = CounterMetricFamily(
            "gateway_ledger_deliveries", "created = delivered + pending + dead + cancelled.", labels=["state"]
        )
        for state in _LEFT:
            moved.add_metric([state], float(self._sums[state]))
        yield moved
        pending = GaugeMetricFamily("gateway_ledger_deliveries_pending", "Deliveries that are still to be made.")
        pending.add_metric([], float(self._sums["pending"]))
        yield pending
        yield self._removed()
        running = GaugeMetricFamily("gateway_jobs_running", "Replays, discards and erasures.", labels=["kind"])
        for kind in JOBS:
            running.add_metric([kind], float(self._jobs.get(kind, 0)))
        yield running

    def _removed(self) -> Metric:
        removed = CounterMetricFamily(
            "gateway_removed", "What retention and erasure took away: events, and deliveries by state.", labels=["what"]
        )
        removed.add_metric(["events"], float(self._sums["removed"]))
        for state in ("delivered", "dead", "cancelled"):
            removed.add_metric([state], float(self._sums[f"removed_{state}"]))
        return removed


def refuse(request: web.Request, failure: Failure) -> web.StreamResponse:
    """A line of text, for people with curl."""
    del request
    return web.Response(status=failure.status, text=failure.message + "\n")
