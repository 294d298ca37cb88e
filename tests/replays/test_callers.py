"""Nobody gets anything of replays without credentials."""

from aiohttp import web

from gateway.api.native import dead_letters, erasures, replays
from tests.api.asking import is_problem
from tests.kit.gateway import Gateway


async def test_every_route_wants_a_caller(sqlite_gateway: Gateway) -> None:
    routes = [*replays.routes(), *dead_letters.routes(), *erasures.routes()]
    asked = [(one.method, one.path.format(id="0" * 32)) for one in routes if isinstance(one, web.RouteDef)]
    assert len(asked) == len(routes) == 20
    for method, path in asked:
        assert is_problem(await sqlite_gateway.call(method, path, headers={}), 401), path
