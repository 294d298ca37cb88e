"""What the chapters of this wire share: refusals, pages, accounts, lenient values."""

from collections.abc import Sequence

from gateway.api.cyclr.authorize import ACCOUNT
from gateway.api.cyclr.lists import DEFAULT_SIZE, LARGEST_SIZE
from gateway.api.openapi.model import Answer, Json, Parameter, Refusals, Security
from gateway.api.openapi.schemas import header, listed, one_of, query, record, ref, size

SECURITY: tuple[Security, ...] = (("bearer",),)
REFUSALS = Refusals(
    name="Message",
    schema=record("Message"),
    texts={
        400: "The request cannot be taken; the message says why.",
        401: "The token is missing or wrong, or X-Cyclr-Account is missing.",
        403: "The token, or the address that the request comes from, may not do this.",
        404: "There is none, or it is somebody else's.",
        408: "The body came too slowly.",
        409: "This contradicts what is stored.",
        413: "The body is longer than 1 MiB.",
        415: "The body has a Content-Encoding.",
        429: "The vendor takes no further call now.",
        502: "The vendor cannot be reached, or its answer makes no sense.",
        503: "The gateway cannot store anything now; Retry-After says when to come again.",
        504: "The vendor does not answer in time.",
    },
    always=(403, 503),
)
#: The account that is meant; without it, 401.
ACCOUNT_MEANT = header(
    ACCOUNT, "text", "The account: its GUID, with or without dashes, or the partner's own id.", required=True
)
GUID: Json = {"type": "string", "format": "uuid"}
FLAG: Json = {"anyOf": [{"type": "boolean"}, one_of("true", "false")]}
WHOLE: Json = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]{1,15}$"}]}
HEX_ID: Json = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
PLAIN_TIME: Json = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"}
LONG_TIME: Json = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$"}
_TOTALS = {"Total-Records": {"type": "integer"}, "Total-Pages": {"type": "integer"}}


def paging(orders: Sequence[str], *, usual: str = "Id") -> tuple[Parameter, ...]:
    """The parameters of a list that can be sorted by these."""
    names = dict.fromkeys((*orders, usual))
    return (
        query("page", {"type": "integer", "minimum": 1, "default": 1}, "Past the end the list is empty."),
        query("pageSize", size(DEFAULT_SIZE, LARGEST_SIZE, longest=None)),
        query("orderBy", {**one_of(*names), "default": usual}, "In any case."),
        query("sortOrderAsc", {"type": "boolean", "default": True}),
    )


def array_of(name: str | Json) -> Answer:
    """A bare array, its totals beside it."""
    items = ref(name) if isinstance(name, str) else name
    return Answer("A page of the list.", listed(items), headers=_TOTALS)
