"""What this surface's documents share, the gateway's and an instance's: errors, pages, the wire's words."""

from collections.abc import Mapping

from gateway.api.openapi.model import Answer, Json, Parameter, Refusals, Security
from gateway.api.openapi.schemas import listed, query, record, ref, size

PREFIX = "/elements/api-v2"
BOTH = ("", PREFIX)
#: A user and their partner, or a bearer token: for routes that name an instance, or none.
SECURITY: tuple[Security, ...] = (("secrets",), ("bearer",))
#: The instance whose token it is.
ELEMENT: tuple[Security, ...] = (("element",),)
EITHER: tuple[Security, ...] = (*SECURITY, *ELEMENT)
ERROR: Json = record(
    "message",
    requestId={"type": "string", "pattern": "^[0-9a-f]{24}$"},
)
ERROR["properties"]["providerMessage"] = {"type": "string", "description": "What the vendor said, in its own words."}
STATUSES: Mapping[int, str] = {
    400: "The request does not fit the method, or the vendor refuses it.",
    401: "The credentials are wrong, or the instance was deleted; with providerMessage, the vendor's own 401.",
    403: "The instance is disabled, or needs to be authenticated again.",
    404: "There is no such resource or object.",
    429: "The vendor takes no further call now; Retry-After says when.",
    502: "The vendor cannot be reached, or its answer makes no sense.",
    504: "The vendor does not answer in time.",
}
REFUSALS = Refusals(
    name="Error",
    schema=ERROR,
    texts={
        **STATUSES,
        400: "The request does not fit; the message names everything that is wrong. Or the vendor refuses it.",
        401: "The credentials are missing or wrong; with providerMessage, the vendor's own 401.",
        404: "There is none, or it is somebody else's.",
        405: "The verb is not offered at this path.",
        408: "The body came too slowly.",
        409: "The change contradicts what is stored.",
        413: "The body is too long.",
        415: "The body has a Content-Encoding.",
        503: "The gateway cannot store anything now; Retry-After says when to come again.",
    },
    always=(503,),
)
WIRE_WORDS: Mapping[str, tuple[Json, str]] = {
    "pageSize": ({"type": "integer", "minimum": 1}, "Records a page; brought down to the vendor's maximum."),
    "page": ({"type": "integer", "minimum": 1, "default": 1}, "The number of the page."),
    "nextPage": ({"type": "string"}, "The Elements-Next-Page-Token of the page before."),
    "where": ({"type": "string"}, "Comparisons such as `name = 'Acme'`, joined by AND."),
    "fields": ({"type": "string"}, "Names of members that records shall have, joined by commas."),
    "orderBy": ({"type": "string"}, "The order, as the vendor writes it."),
}
PAGE_HEADERS: Mapping[str, Json] = {
    "Elements-Returned-Count": {"type": "integer"},
    "Elements-Total-Count": {"type": "integer"},
    "Elements-Next-Page-Token": {"type": "string"},
}
NEXT = query("nextPage", "text", "The Elements-Next-Page-Token of the page before.")
TIMES = (query("from", "time"), query("to", "time"))


def paging(default: int, most: int) -> tuple[Parameter, ...]:
    """The parameters of a list."""
    return query("pageSize", size(default, most)), NEXT


def array_of(name: str, *, total: bool = False) -> Answer:
    """A bare array; what else is to be said of the page stands in headers."""
    headers = {one: schema for one, schema in PAGE_HEADERS.items() if total or one != "Elements-Total-Count"}
    return Answer("A page of the list.", listed(ref(name)), headers=headers)
