"""The console as a surface: its routes, its pages for what goes wrong, the headers that every page has."""

from aiohttp import web

from gateway.api.front import REQUEST_ID
from gateway.api.surface import Failure, Surface
from gateway.console import assets, sign_in
from gateway.console.connectors import surface as connectors
from gateway.console.events import routes as events
from gateway.console.instances import surface as instances
from gateway.console.letters import views as letters
from gateway.console.letters import whole
from gateway.console.overview import views as overview
from gateway.console.page import page
from gateway.console.replays import views as replays
from gateway.console.settings import routes as settings
from gateway.console.thirdparty import routes as thirdparty
from gateway.console.visitor import visitor
from gateway.console.where import views as where
from gateway.console.wording import has
from gateway.errors import NotFound

PREFIX = "/console"
#: Nothing inline, nothing from elsewhere; a page cannot be framed, and sends forms to the gateway alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def surface() -> Surface:
    """Every page."""
    routes = [
        web.get("/", home),
        *assets.routes(),
        *sign_in.routes(),
        *overview.routes(),
        *connectors.routes(),
        *instances.routes(),
        *thirdparty.routes(),
        *letters.routes(),
        *whole.routes(),
        *replays.routes(),
        *settings.routes(),
        *events.routes(),
        *where.routes(),
        web.get(PREFIX + "/{rest:.*}", nothing),
    ]
    return Surface("console", owns, routes, refuse, finish)


def owns(path: str) -> bool:
    """Whether a path belongs to the console."""
    return path in (PREFIX, "/", "/favicon.ico") or path.startswith(PREFIX + "/")


async def home(request: web.Request) -> web.Response:
    """`GET /`: people come to the console."""
    del request
    return web.Response(status=302, headers={"Location": PREFIX})


async def nothing(request: web.Request) -> web.Response:
    """For an address that nothing is at; who is not signed in is not told so."""
    await visitor(request)
    raise NotFound("There is no such page.")


def refuse(request: web.Request, failure: Failure) -> web.StreamResponse:
    """A page that says what is wrong and what to do; who is not signed in gets to sign in."""
    if failure.status == 401:
        return sign_in.way_in(request)
    name = f"frame.problem.{failure.status}"
    return page(
        request,
        "frame/problem.html",
        status=failure.status,
        title=f"{name}.title" if has(f"{name}.title") else "frame.problem.other.title",
        message=failure.message,
        problems=failure.problems,
        request_id=request[REQUEST_ID],
    )


def finish(request: web.Request, response: web.StreamResponse) -> None:
    """The headers of every answer."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Request-Id", request[REQUEST_ID])
