"""`/openapi.json`, the description of every surface, and `/docs`, the page that shows it to people."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version

import orjson
from aiohttp import web

from gateway.api.openapi import page
from gateway.api.openapi.document import document
from gateway.api.openapi.model import JSON, Answer, Chapter, Json, Refusals
from gateway.api.openapi.schemas import op, schema_of
from gateway.api.surface import Failure, Surface

_TEXT = """One domain, several vocabularies: an instance of Open Connectors, an account connector of Cyclr's API and an
instance of `/api/v1` are the same thing with the same id.

Vendors send to `/in/{token}`, the URL that an instance shows once when it is made, in whatever method and shape
their connector declares; what a verified delivery is answered is the vendor's own convention, and 503 asks for it
again. The older form is `/elements/api-v2/events/{key}/{id in base64}`. Consumers are sent notifications as `POST` to
the instance's callback URL, signed with `webhook-id`, `webhook-timestamp` and `webhook-signature`.

JSON bodies have at most 1 MiB and no Content-Encoding. A fault of the gateway's own is a 500 in the shape of the other
refusals; its log says more under the request's id."""
SCHEMES: Mapping[str, Json] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token of `POST /oauth/token`."},
    "secrets": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`User <user secret>, Organization <organization secret>`, as `gateway auth` prints it.",
    },
    "element": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`User <user secret>, Element <instance token>`",
    },
    "client": {"type": "http", "scheme": "basic", "description": "The id and the secret of a credential set."},
    "metrics": {"type": "http", "scheme": "bearer", "description": "`server.metrics_token`"},
}
CHAPTER = Chapter(
    name="Description",
    text="This description itself; open to everybody.",
    refusals=Refusals(name="Line", schema={"type": "string"}, media="text/plain", texts={}),
    operations=[
        op("getDescription", "GET /openapi.json", "The description of all surfaces",
           answers={200: Answer("OpenAPI 3.1.", schema_of("object")), 304: Answer("It is as it was.")}),
        op("getPage", "GET /docs", "The same as a page", answer=Answer("The page.", {"type": "string"}, "text/html")),
        op("getStyle", "GET /docs/page.css", "How the page looks",
           answer=Answer("A style sheet.", {"type": "string"}, "text/css")),
        op("getScript", "GET /docs/page.js", "How the page searches",
           answer=Answer("A script.", {"type": "string"}, "text/javascript")),
    ],
)  # fmt: skip


class Description:
    """The document of some surfaces, written when it is first asked for."""

    def __init__(self, chapters: Sequence[Chapter], public_url: str) -> None:
        self._chapters = chapters
        self._public_url = public_url

    @cached_property
    def content(self) -> Json:
        """The document."""
        info = {"title": "Connector Gateway", "version": _version(), "description": _TEXT}
        return document(self._chapters, self._public_url, info, SCHEMES)

    @cached_property
    def written(self) -> bytes:
        """The document as it is answered."""
        return orjson.dumps(self.content)

    @cached_property
    def shown(self) -> bytes:
        """The page."""
        return page.html(self.content).encode()

    async def document(self, request: web.Request) -> web.Response:
        """`GET /openapi.json`."""
        return _kept(request, self.written, JSON)

    async def page(self, request: web.Request) -> web.Response:
        """`GET /docs`."""
        return _kept(request, self.shown, "text/html")

    async def style(self, request: web.Request) -> web.Response:
        """`GET /docs/page.css`."""
        return _kept(request, page.file("page.css"), "text/css")

    async def script(self, request: web.Request) -> web.Response:
        """`GET /docs/page.js`."""
        return _kept(request, page.file("page.js"), "text/javascript")


def surface(chapters: Sequence[Chapter], public_url: str) -> Surface:
    """The routes; `chapters` are those of all other surfaces."""
    found = Description([*chapters, CHAPTER], public_url)
    routes = [
        web.get("/openapi.json", found.document),
        web.get("/docs", found.page),
        web.get("/docs/page.css", found.style),
        web.get("/docs/page.js", found.script),
    ]
    return Surface("description", _owns, routes, _refuse, _finish, (CHAPTER,))


def _owns(path: str) -> bool:
    return path in ("/openapi.json", "/docs") or path.startswith("/docs/")


def _kept(request: web.Request, body: bytes, media: str) -> web.Response:
    """What changes with the program alone: asked for again, it is compared."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers={"ETag": tag})
    return web.Response(body=body, content_type=media, charset="utf-8", headers={"ETag": tag})


def _refuse(request: web.Request, failure: Failure) -> web.StreamResponse:
    del request
    return web.Response(status=failure.status, text=failure.message + "\n")


def _finish(request: web.Request, response: web.StreamResponse) -> None:
    del request
    response.headers["Content-Security-Policy"] = page.POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-cache"


def _version() -> str:
    try:
        return version("connector-gateway")
    except PackageNotFoundError:
        return "0"
