"""Ways to log in at a connector on the Open Connectors wire: the address for a person, and what there is to choose."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api import read
from gateway.api.open_connectors import shapes
from gateway.api.open_connectors.calls import answer, caller, services
from gateway.catalogue.model import Connector
from gateway.errors import Invalid, NotFound, Problem
from gateway.provisioning import oauth
from gateway.provisioning.instances import connector_of

_MOST_PARAMETERS = 100
_NAMES = {
    "apiKey": "api_key",
    "callbackUrl": "callback_url",
    "scope": "scope",
    "state": "state",
    "siteAddress": "site_address",
}


async def address(request: web.Request) -> web.Response:
    """`GET|POST /elements/{keyOrId}/oauth/url`: parameters in the query, or as JSON or a form."""
    who = await caller(request)
    connector = _connector(request, who)
    given = {**request.query, **(await _sent(request) if request.method == "POST" else {})}
    # The secret is of no use here; callers of this wire send it all the same.
    given.pop("apiSecret", None)
    own = {_NAMES[name]: value for name, value in given.items() if name in _NAMES}
    others = {name: value for name, value in given.items() if name not in _NAMES}
    wanted = oauth.Wanted(**own, values=others)
    url = oauth.address(services(request).runtime, who, connector, wanted)
    return answer({"oauthUrl": url, "element": connector.key})


async def types(request: web.Request) -> web.Response:
    """`GET /elements/{keyOrId}/authentication-types`."""
    who = await caller(request)
    return answer(shapes.authentication_types(_connector(request, who)))


async def configurations(request: web.Request) -> web.Response:
    """`GET /elements/{keyOrId}/authentication-types/{type}/configurations`."""
    who = await caller(request)
    connector, named = _connector(request, who), request.match_info["type"]
    way = connector.auth.get(named) or next((one for one in connector.auth.values() if one.type == named), None)
    if way is None:
        known = ", ".join(connector.auth) or "none"
        raise NotFound(f"{connector.name} has no authentication type {named[:64]!a}; there is {known}")
    return answer(shapes.element_configuration(connector, way.id))


def _connector(request: web.Request, who: Caller) -> Connector:
    return connector_of(services(request), who, request.match_info["keyOrId"])


async def _sent(request: web.Request) -> Mapping[str, str]:
    if request.content_type == "application/x-www-form-urlencoded":
        return _form(await read.body(request))
    body = await read.json_body(request, optional=True)
    if body is None:
        return {}
    if not isinstance(body, dict) or len(body) > _MOST_PARAMETERS:
        raise Invalid("The body must be a JSON object of texts.", (Problem("body", "expected an object"),))
    wrong = [name for name, value in body.items() if value is not None and not isinstance(value, str)]
    if wrong:
        problems = tuple(Problem(name[:80], "expected a text") for name in wrong)
        raise Invalid(f"Expected a text: {', '.join(problem.field for problem in problems)}.", problems)
    return {name: value for name, value in body.items() if value is not None}


def _form(content: bytes) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(content.decode(), max_num_fields=_MOST_PARAMETERS))
    except ValueError as problem:
        raise Invalid("The body is no form that can be read.", (Problem("body", "expected a form"),)) from problem


def routes(prefix: str) -> Sequence[web.AbstractRouteDef]:
    """The routes below a prefix."""
    own = prefix + "/elements/{keyOrId}"
    return [
        web.get(own + "/oauth/url", address),
        web.post(own + "/oauth/url", address),
        web.get(own + "/authentication-types", types),
        web.get(own + "/authentication-types/{type}/configurations", configurations),
    ]
