"""Test deliveries: `GET /api/v1/instances/{id}/fixtures` and `POST /api/v1/instances/{id}/send`."""

from aiohttp import web

from gateway.api import read
from gateway.api.native import shapes_live
from gateway.api.native.calls import PREFIX, answer, caller, invalid, json_object, query, services
from gateway.api.surface import RECEIVER
from gateway.errors import Problem
from gateway.provisioning import samples


def routes() -> list[web.AbstractRouteDef]:
    """What sending has."""
    one = PREFIX + "/instances/{id}"
    return [web.get(one + "/fixtures", fixtures), web.post(one + "/send", send)]


async def fixtures(request: web.Request) -> web.Response:
    """`GET /api/v1/instances/{id}/fixtures`: the recorded deliveries of the instance's connector."""
    who = await caller(request)
    query(request)
    found = await samples.samples(services(request), who, read.path_id(request))
    return answer({"items": [shapes_live.sample(one) for one in found], "next": None})


async def send(request: web.Request) -> web.Response:
    """`POST /api/v1/instances/{id}/send` with `{"fixture": "…"}`, or without: the first that can be sent."""
    query(request)
    who = await caller(request)
    given = await json_object(request, "fixture", optional=True)
    name = given.get("fixture")
    if name is not None and not (isinstance(name, str) and name):
        raise invalid(Problem("fixture", "expected the name of a recorded delivery"))
    receiver = request.app[RECEIVER]
    return answer(shapes_live.sent(await samples.send(services(request), receiver, who, read.path_id(request), name)))
