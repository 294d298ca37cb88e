"""What the chapters of the gateway's own API share: refusals, pages, tenants."""

from collections.abc import Sequence

from gateway.api.native.calls import DEFAULT_PAGE, LARGEST_PAGE
from gateway.api.native.ruling import PARTNER
from gateway.api.openapi.model import Chapter, Json, Operation, Refusals, Security
from gateway.api.openapi.schemas import listed, query, record, ref, size

SECURITY: tuple[Security, ...] = (("bearer",), ("secrets",))
REFUSALS = Refusals(
    name="Problem",
    media="application/problem+json",
    schema=record(
        "type title status:integer detail instance request_id -providerMessage -errors:ProblemField[]",
    ),
    texts={
        400: "The request does not fit; `errors` names every field that is wrong.",
        401: "The credentials are missing or wrong.",
        403: "The caller may not do this.",
        404: "There is none, or it is somebody else's.",
        408: "The body came too slowly.",
        409: "This contradicts what is stored or under way.",
        413: "The body is longer than 1 MiB.",
        415: "The body has a Content-Encoding.",
        502: "The vendor cannot be reached, or its answer makes no sense.",
        503: "The gateway cannot store anything now, or has too much to do; Retry-After says when to come again.",
    },
    always=(400, 503),
)
SCHEMAS: dict[str, Json] = {"ProblemField": record("field message")}
PAGING = (
    query("limit", size(DEFAULT_PAGE, LARGEST_PAGE)),
    query("cursor", "text", "The `next` of the page before; it holds for the same filter and caller."),
)
PARTNER_MEANT = query(PARTNER, "text", "Another partner; for administrators of the first one.")
DURATION: Json = {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,6})?(ms|s|m|h|d)$"}


def page_of(name: str) -> Json:
    """A page of a list; `next` is null after the last one."""
    return record("next:text?", items=listed(ref(name)))


def chapter(name: str, text: str, schemas: dict[str, Json], operations: Sequence[Operation]) -> Chapter:
    """A chapter of this surface."""
    return Chapter(
        name=name,
        text=text,
        operations=operations,
        schemas={**SCHEMAS, **schemas},
        refusals=REFUSALS,
        security=SECURITY,
    )
