"""What stands in front of all surfaces, met with small applications."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from gateway.api import front, operations
from gateway.api.cyclr import surface as cyclr
from gateway.api.native import surface as native
from gateway.api.open_connectors import surface as open_connectors
from gateway.api.surface import SERVICES, Surface
from gateway.errors import Conflict, Forbidden, GatewayError, Invalid, NotFound, Problem, StorageDown, Unauthorized
from gateway.metrics import Metrics
from tests.kit.gateway import Gateway

Client = TestClient[web.Request, web.Application]
MakeClient = Callable[[web.Application], Awaitable[Client]]
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]

PATHS = {
    "open_connectors": "/instances/broken",
    "native": "/api/v1/broken",
    "cyclr": "/oauth/token",
    "operations": "/x",
}


def _application(handle: Handle) -> web.Application:
    surfaces = [cyclr.surface(), native.surface(), open_connectors.surface(), operations.surface()]
    app = web.Application(middlewares=[front.front(surfaces, Metrics())])
    app.add_routes([web.get(path, handle) for path in PATHS.values()])
    return app


def _raising(error: Exception) -> Handle:
    async def handle(request: web.Request) -> web.StreamResponse:
        del request
        raise error

    return handle


@pytest.mark.parametrize("surface", PATHS)
async def test_a_mistake_of_the_gateway_is_a_500_that_tells_nothing(aiohttp_client: MakeClient, surface: str) -> None:
    client = await aiohttp_client(_application(_raising(RuntimeError("the inner workings"))))
    answered = await client.get(PATHS[surface])
    assert answered.status == 500
    assert "inner workings" not in await answered.text()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("Wrong.", (Problem("field", "why"),)), 400),
        (Unauthorized(), 401),
        (Forbidden(), 403),
        (NotFound("Nothing."), 404),
        (Conflict("Twice."), 409),
        (StorageDown(), 503),
        (GatewayError(), 500),
    ],
)
@pytest.mark.parametrize("surface", ["open_connectors", "native", "cyclr"])
async def test_an_error_of_a_room_has_its_status_and_the_surfaces_shape(
    aiohttp_client: MakeClient, surface: str, error: GatewayError, status: int
) -> None:
    client = await aiohttp_client(_application(_raising(error)))
    answered = await client.get(PATHS[surface])
    body = await answered.json(content_type=None)
    assert answered.status == status
    keys = {"open_connectors": "requestId", "native": "request_id", "cyclr": "error"}
    assert keys[surface] in body
    assert ("Retry-After" in answered.headers) == (status == 503)


async def test_each_request_has_an_id_of_its_own(aiohttp_client: MakeClient) -> None:
    client = await aiohttp_client(_application(_raising(NotFound("Nothing."))))
    ids = {(await client.get("/instances/broken")).headers["Elements-Request-Id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(len(one) == 24 for one in ids)


async def _operations(gateway: Gateway, aiohttp_client: MakeClient, *, draining: bool = False) -> Client:
    surface: Surface = operations.surface()
    app = web.Application(middlewares=[front.front([surface], Metrics())])
    app[SERVICES] = gateway.running.services
    app[operations.DRAINING] = [True] if draining else []
    app.add_routes(surface.routes)
    return await aiohttp_client(app)


async def test_a_gateway_is_ready_while_it_can_store_and_does_not_leave(
    sqlite_gateway: Gateway, aiohttp_client: MakeClient
) -> None:
    assert (await (await _operations(sqlite_gateway, aiohttp_client)).get("/readyz")).status == 200
    assert (await (await _operations(sqlite_gateway, aiohttp_client, draining=True)).get("/readyz")).status == 503


async def test_health_says_alive(sqlite_gateway: Gateway, aiohttp_client: MakeClient) -> None:
    answered = await (await _operations(sqlite_gateway, aiohttp_client)).get("/healthz")
    assert await answered.json() == {"status": "alive"}
