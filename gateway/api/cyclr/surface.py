"""The Cyclr wire: its token endpoint, the sign-in page, `/v1.0` and `/api/partner`; `{"Message"}` but at the former."""

from collections.abc import Callable

from aiohttp import web

from gateway.api.auditing import route_of
from gateway.api.cyclr import oauth, partner, signin, v1, wire
from gateway.api.cyclr.described.chapters import CHAPTERS
from gateway.api.surface import Failure, Surface

_TREES = ("/v1.0", "/api/partner")
_OF_VENDORS = ("/methods/{methodId}", "/test/{methodId}")
_REFUSALS: dict[str, Callable[[Failure], web.Response]] = {oauth.PATH: oauth.refuse, signin.PATH: signin.refuse}


def surface() -> Surface:
    """The routes of this wire."""
    routes = [*oauth.routes(), *signin.routes(), *v1.routes(), *partner.routes()]
    return Surface("cyclr", owns, routes, refuse, wire.finish, CHAPTERS, _audits)


def owns(path: str) -> bool:
    """Whether a path belongs to this wire."""
    return path in _REFUSALS or any(path == tree or path.startswith(tree + "/") for tree in _TREES)


def _audits(request: web.Request, status: int) -> bool:
    """Calls of a vendor change nothing here."""
    del status
    return not route_of(request).endswith(_OF_VENDORS)


def refuse(request: web.Request, failure: Failure) -> web.StreamResponse:
    """What went wrong, in the shape of the path."""
    special = _REFUSALS.get(request.path)
    return wire.refuse(request, failure) if special is None else special(failure)
