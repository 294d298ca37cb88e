"""The composition root: opens everything in order, closes it in reverse."""

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from aiohttp import web

from gateway import keyring
from gateway.access.act import Vendors
from gateway.access.tend import Tending
from gateway.accounts.bootstrap import bootstrap
from gateway.accounts.reception import Reception
from gateway.api import front, operations
from gateway.api.cyclr import custom
from gateway.api.cyclr import desk as cyclr_desk
from gateway.api.cyclr import surface as cyclr
from gateway.api.native import surface as native
from gateway.api.open_connectors import docs
from gateway.api.open_connectors import surface as open_connectors
from gateway.api.open_connectors.desk import DESK, Desk
from gateway.api.openapi import surface as description
from gateway.api.openapi.instance import DOCUMENT
from gateway.api.surface import DESK as REPLAYS
from gateway.api.surface import FEED, RECEIVER, SERVICES, Failure, Surface
from gateway.catalogue.custom.shelf import Shelf
from gateway.catalogue.folders import Folders
from gateway.catalogue.reload import Reload
from gateway.catalogue.store import stable_ids
from gateway.config import Config
from gateway.console import surface as console
from gateway.delivery.worker import Worker
from gateway.duties import duties
from gateway.egress.guard import Guard
from gateway.egress.open import open_client, open_streaming_client
from gateway.errors import CatalogueError, StartRefused
from gateway.history.feed.feed import Feed
from gateway.inbound.asking import Asking
from gateway.inbound.proving import Means
from gateway.inbound.receive import Receiver
from gateway.inbound.routes import InboundRoutes
from gateway.inbound.wire import IDLE_S, Wire
from gateway.instances.index import InstanceIndex
from gateway.metrics import Metrics
from gateway.polling.alignment import Alignment
from gateway.polling.dispatcher import Dispatcher
from gateway.polling.poll import Polling
from gateway.proofs.keys import KeyStore
from gateway.provisioning.services import Services
from gateway.registrations.registrar import Registrations
from gateway.replays.desk import Desk as ReplayDesk
from gateway.replays.runner import Runner
from gateway.runtime import Runtime
from gateway.seal import Seal
from gateway.sealing_key import check_fingerprint
from gateway.storage.open import open_database
from gateway.subscriptions.publish import Publisher
from gateway.thirdparty.index import ThirdParties
from gateway.traffic.flush import Flushing

log = structlog.get_logger()

API_BODY = 1 << 20
#: As long as a whole head may be on the short way in, so that both ways take the same.
MOST_LINE = 16_384
NOTICE_S = 1.0


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that listens."""

    config: Config
    services: Services
    #: Where secrets stand that nobody gave; None where all were given.
    secrets_file: Path | None
    #: Whether this was the first start.
    first: bool
    port: int


@asynccontextmanager
async def running(given: Config) -> AsyncIterator[Running]:
    """A listening gateway; StartRefused says what stands in the way."""
    complete, secrets_file = keyring.complete(given)
    async with AsyncExitStack() as stack:
        config, held = _with_port(stack, complete)
        folders = Folders([Path(path) for path in config.catalogue.paths])
        runtime = await _runtime(stack, config, folders)
        flushing = Flushing(runtime.traffic, runtime.database)
        stack.push_async_callback(flushing.close)
        shelf = Shelf(runtime.catalogue, runtime.database, runtime.metrics)
        # Before anything runs that would miss a connector.
        await shelf.look()
        first = await bootstrap(runtime.database, config.bootstrap)
        index = InstanceIndex(runtime)
        third_parties = ThirdParties(runtime)
        stack.push_async_callback(third_parties.close)
        worker = await stack.enter_async_context(Worker(runtime, index, third_parties).running())
        vendors = Vendors(runtime, index)
        stack.push_async_callback(vendors.close)
        registrations = await stack.enter_async_context(Registrations(runtime, index, vendors).running())
        runner = await stack.enter_async_context(Runner(runtime, worker).running())
        feed = Feed(runtime.database, runtime.metrics, alone=runtime.database.engine == "sqlite")
        publisher = Publisher(runtime, worker, feed)
        polling = Polling(runtime, index, vendors, publisher)
        pollers = await stack.enter_async_context(Dispatcher(runtime, polling).running(_share(config)))
        services = Services(
            runtime=runtime,
            reception=Reception(runtime.database),
            index=index,
            worker=worker,
            vendors=vendors,
            registrations=registrations,
            polling=polling,
            pollers=pollers,
        )
        alignment = await stack.enter_async_context(Alignment(runtime, polling.plans, pollers.poke).running())
        changed = _both(index.connectors_changed, alignment.poke)
        reload = Reload(folders, runtime.catalogue, runtime.database, runtime.metrics, changed)
        shelf.changed = changed
        tending = Tending(runtime, index, vendors)
        await stack.enter_async_context(duties(runtime, reload, shelf, tending, registrations, pollers, flushing))
        keys = KeyStore(runtime.client)
        stack.push_async_callback(keys.close)
        receiver = Receiver(runtime, index, publisher, Means(keys, Asking(vendors)))
        app = _application(services, receiver, feed)
        app[REPLAYS] = ReplayDesk(runtime.database, runner)
        app[custom.SHELF] = shelf
        port = await stack.enter_async_context(_listening(app, receiver, config, held))
        yield Running(config, services, secrets_file, first, port)


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        first()
        second()

    return call


def _with_port(stack: AsyncExitStack, config: Config) -> tuple[Config, socket.socket | None]:
    """Where port 0 leaves the choice to the system: the configuration with its choice, and the socket that has it."""
    server = config.server
    if server.port:
        return config, None
    held = stack.enter_context(socket.socket(socket.AF_INET6 if ":" in server.host else socket.AF_INET))
    try:
        held.bind((server.host, 0))
    except OSError as problem:
        raise _not_listening(config, problem) from problem
    chosen = msgspec.structs.replace(server, port=held.getsockname()[1])
    return msgspec.structs.replace(config, server=chosen), held


async def _runtime(stack: AsyncExitStack, config: Config, folders: Folders) -> Runtime:
    database = await stack.enter_async_context(
        open_database(
            config.storage_url, min_free=config.storage.min_free.bytes, auto_migrate=config.storage.auto_migrate
        )
    )
    seal = Seal(config.security.encryption_keys)
    await check_fingerprint(database, seal)
    guard = _guard(config)
    # Destinations of one application share its host; the lanes part the slots, so a host may have all of them.
    client = await stack.enter_async_context(
        open_client(config.delivery.client, guard, connections_per_host=2 * config.delivery.concurrency)
    )
    vendors = await stack.enter_async_context(open_streaming_client(guard, kind=config.delivery.client))
    try:
        catalogue = folders.load()
    except CatalogueError as problem:
        raise StartRefused(str(problem)) from problem
    catalogue.number(await stable_ids(database, catalogue))
    return Runtime(
        config=config,
        database=database,
        guard=guard,
        client=client,
        vendors=vendors,
        catalogue=catalogue,
        seal=seal,
        metrics=Metrics(),
    )


def _guard(config: Config) -> Guard:
    try:
        return Guard(allow_http=config.egress.allow_http, allow_networks=config.egress.allow_networks)
    except ValueError as problem:
        raise StartRefused(f"egress.allow_networks: {problem}") from problem


def _application(services: Services, receiver: Receiver, feed: Feed) -> web.Application:
    config = services.runtime.config
    inbound = InboundRoutes(
        receiver,
        services.index,
        public_url=config.public_url,
        trusted_proxies=config.server.trusted_proxies,
        allow_guessable=config.inbound.allow_guessable_urls,
    )
    vendors = Surface("inbound", _is_inbound, inbound.table(), _refuse_inbound)
    surfaces = [vendors, console.surface(), *described(config.public_url)]
    app = web.Application(client_max_size=API_BODY, middlewares=[front.front(surfaces, services.runtime.metrics)])
    app[SERVICES] = services
    app[DESK] = Desk(services)
    app[DOCUMENT] = lambda view: docs.document(view, app[DESK].offers(view.connector), config.public_url)
    app[cyclr_desk.DESK] = cyclr_desk.Desk(services)
    app[operations.DRAINING] = []
    app[RECEIVER] = receiver
    app[FEED] = feed
    app.on_shutdown.append(lambda _: feed.close())
    for surface in surfaces:
        app.add_routes(surface.routes)
    return app


def described(public_url: str) -> list[Surface]:
    """Every surface for programs, and the description of them all; the last one owns what no other does."""
    spoken = [cyclr.surface(), native.surface(), open_connectors.surface(), operations.surface()]
    chapters = [chapter for one in spoken for chapter in one.chapters]
    return [description.surface(chapters, public_url), *spoken]


def _is_inbound(path: str) -> bool:
    return path.startswith(("/in/", "/elements/api-v2/events/"))


def _refuse_inbound(request: web.Request, failure: Failure) -> web.StreamResponse:
    del request
    # A fault of ours must make the vendor send again.
    status = 503 if failure.status == 500 else failure.status
    headers = {"Retry-After": "5"} if status == 503 else {}
    return web.Response(status=status, text=failure.message + "\n", headers=headers)


@asynccontextmanager
async def _listening(
    app: web.Application, receiver: Receiver, config: Config, held: socket.socket | None
) -> AsyncIterator[int]:
    grace = _share(config)
    # Signatures cover what was sent, so bodies are not decompressed on the way in.
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=grace,
        keepalive_timeout=IDLE_S,
        auto_decompress=False,
        lingering_time=1,
        max_line_size=MOST_LINE,
        max_field_size=MOST_LINE,
    )
    await runner.setup()
    assert runner.server is not None
    wire = Wire(receiver, runner.server, public_url=config.public_url, trusted_proxies=config.server.trusted_proxies)
    try:
        server = await _bound(wire, config, held)
        sweeper = asyncio.create_task(wire.sweep_forever())
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            app[operations.DRAINING].append(True)
            # For a moment more everything is answered, so that a balancer reads the 503 of /readyz and turns away.
            await asyncio.sleep(min(NOTICE_S, config.server.shutdown_grace.seconds * 0.05))
            server.close()
            await wire.drain(grace)
            sweeper.cancel()
    finally:
        await runner.cleanup()


def _share(config: Config) -> float:
    """A share of the grace for each step of leaving, in seconds; half of it is the deliveries' own."""
    return config.server.shutdown_grace.seconds * 0.15


async def _bound(wire: Wire, config: Config, held: socket.socket | None) -> asyncio.Server:
    host, port = config.server.host, config.server.port
    loop = asyncio.get_running_loop()
    try:
        if held is not None:
            return await loop.create_server(wire, sock=held, backlog=1024)
        return await loop.create_server(wire, host, port, backlog=1024, reuse_address=True)
    except OSError as problem:
        raise _not_listening(config, problem) from problem


def _not_listening(config: Config, problem: OSError) -> StartRefused:
    where, reason = f"{config.server.host}:{config.server.port}", problem.strerror or str(problem)
    return StartRefused(f"{where} cannot be listened on ({reason}); set server.host or server.port.")


async def serve(config: Config, greet: Callable[[Running], None]) -> None:
    """Run until SIGTERM or SIGINT; `greet` is told once when the gateway listens."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(config) as gateway:
        # What start-up made stays; collections need not look at it again and again.
        gc.collect()
        gc.freeze()
        _announce(gateway)
        greet(gateway)
        await stop.wait()
        log.info("gateway.stopping", grace=config.server.shutdown_grace)
    log.info("gateway.stopped")


def _announce(gateway: Running) -> None:
    config = gateway.config
    log.info(
        "gateway.ready",
        address=f"http://{config.server.host}:{gateway.port}",
        public_url=config.public_url,
        engine=gateway.services.runtime.database.engine,
        connectors=len(gateway.services.runtime.catalogue),
        first_start=gateway.first,
        credentials_file=str(gateway.secrets_file) if gateway.secrets_file else None,
    )
