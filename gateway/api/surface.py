"""What every surface is: some paths, a table of routes, and one shape for what went wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.api.openapi.model import Chapter
from gateway.errors import (
    Busy,
    Conflict,
    Forbidden,
    GatewayError,
    Invalid,
    NotFound,
    Problem,
    StorageDown,
    Unauthorized,
    VendorDown,
    VendorRefused,
)
from gateway.history.feed.feed import Feed
from gateway.inbound.receive import Receiver
from gateway.provisioning.services import Services
from gateway.replays.desk import Desk

SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
#: Whom a request was found to speak for; for the audit log.
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
#: Replays, discards and erasures; and who follows events.
DESK: web.AppKey[Desk] = web.AppKey("replays", Desk)
FEED: web.AppKey[Feed] = web.AppKey("feed", Feed)
#: The vendor's road, for test deliveries.
RECEIVER: web.AppKey[Receiver] = web.AppKey("receiver", Receiver)

_STATUS: dict[type[GatewayError], int] = {
    Invalid: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    VendorRefused: 400,
    VendorDown: 502,
    StorageDown: 503,
    Busy: 503,
}
_WORDS = {
    400: "The request cannot be read.",
    404: "There is nothing at this address.",
    405: "This method is not allowed here.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    415: "The body must be sent without a Content-Encoding.",
    500: "The gateway failed; its log says more under this request ID.",
    503: "The gateway cannot store anything now; try again later.",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with a request, before a surface words it."""

    status: int
    message: str
    problems: tuple[Problem, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    #: What the vendor said, in its own words.
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Surface:
    """One vocabulary of the gateway."""

    name: str
    owns: Callable[[str], bool]
    routes: Sequence[web.AbstractRouteDef]
    refuse: Callable[[web.Request, Failure], web.StreamResponse]
    #: The last touch on every response, such as headers that a wire always has.
    finish: Callable[[web.Request, web.StreamResponse], None] = lambda _, __: None
    #: Every operation that the routes have, described.
    chapters: Sequence[Chapter] = ()
    #: Whether a request that went well, with this status, was a change that the audit log keeps.
    audits: Callable[[web.Request, int], bool] = lambda _, __: False


def of_error(error: GatewayError) -> Failure:
    """The failure that a room's error amounts to."""
    status = _STATUS.get(type(error), 500)
    if status == 500:
        return Failure(500, _WORDS[500])
    found = error.problems if isinstance(error, Invalid) else ()
    problems = tuple(Problem(clean(one.field), clean(one.message)) for one in found)
    headers = (("Retry-After", "5"),) if status == 503 else ()
    said = error.provider if isinstance(error, VendorRefused | VendorDown) else None
    message = _WORDS[503] if isinstance(error, StorageDown) else clean(str(error))
    return Failure(status, message, problems, headers, None if said is None else clean(said))


def clean(text: str) -> str:
    """A text that may repeat what a caller sent, fit to be written into any answer or log."""
    return text.encode("utf-8", "replace").decode()


def of_http(error: web.HTTPException) -> Failure:
    """The failure of a request that reached no handler, or whose body was refused."""
    allowed = (("Allow", error.headers["Allow"]),) if "Allow" in error.headers else ()
    return Failure(error.status, _WORDS.get(error.status, error.reason), headers=allowed)


def broken() -> Failure:
    """The failure of the gateway itself; what happened is for the log."""
    return Failure(500, _WORDS[500])
