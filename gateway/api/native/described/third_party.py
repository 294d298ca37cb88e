"""3rd-party connectors: requests to other systems, made of events."""

from gateway.api.native.described.words import DURATION, PAGING, chapter, page_of
from gateway.api.native.third_party import LONGEST_SEARCH
from gateway.api.openapi.model import Answer, Chapter, Json
from gateway.api.openapi.schemas import LARGEST_ID, length, listed, maybe, one_of, op, query, record, wish
from gateway.thirdparty.checks import LONGEST_NAME, LONGEST_ROW_NAME, LONGEST_URL, LONGEST_VALUE
from gateway.thirdparty.connectors import MOST_AT_ONCE
from gateway.thirdparty.draft import MOST_CONDITIONS, MOST_HEADERS, MOST_ROWS
from gateway.thirdparty.model import BODY_TYPES, METHODS, ROW_KINDS, SORTS
from gateway.thirdparty.render import LONGEST_HEADER

_METHOD, _TYPE, _KIND = one_of(*METHODS), one_of(*BODY_TYPES), one_of(*ROW_KINDS)
_ORDERS = [name for sort in SORTS for name in (sort, f"-{sort}")]
_PLACE, _ONE = "/api/v1/third-party-connectors", "/api/v1/third-party-connectors/{id:id}"
_NUMBER: Json = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}


def _most(items: Json, most: int) -> Json:
    return maybe({"type": "array", "items": items, "maxItems": most})


def _body(*fields: dict[str, Json]) -> Json:
    return wish("") | {"properties": {name: schema for one in fields for name, schema in one.items()}}


_CONDITION = _most(length(1, 200), MOST_CONDITIONS)
_FIRES = wish(
    "",
    instance_ids=_most(_NUMBER, MOST_CONDITIONS),
    connectors=_CONDITION,
    event_types=_CONDITION,
    object_types=_CONDITION,
)
_WANTED: dict[str, Json] = {
    "name": maybe(length(1, LONGEST_NAME)),
    "method": maybe(_METHOD),
    "type": maybe(_TYPE),
    "url": maybe(length(1, LONGEST_URL)),
    "headers": _most(wish("", name=length(1, 128), value=length(0, LONGEST_HEADER)), MOST_HEADERS),
    "basic": maybe(wish("", username=maybe(length(0, LONGEST_NAME)), password=maybe(length(0, LONGEST_NAME)))),
    "data": _most(
        wish("", name=length(1, LONGEST_ROW_NAME), value=length(0, LONGEST_VALUE), kind=maybe(_KIND)), MOST_ROWS
    ),
    "root": maybe(length(1, LONGEST_ROW_NAME)),
    "fires": maybe(_FIRES),
    "enabled": {"type": ["boolean", "null"]},
}
_ANY: Json = {"type": ["string", "null"]}
#: What is tried may be wrong in these, which the answer tells; a name is not needed.
_TESTED = {**_WANTED, "name": _ANY}
_PREVIEWED = {**_TESTED, "url": _ANY, "root": _ANY}
_EVENT: dict[str, Json] = {"event_id": maybe(length(1, 64))}
_ACCOUNT: dict[str, Json] = {"account_id": maybe(length(1, 64))}
_OF = "event_id:hex? instance_id:integer? connector type action object_type:text? object_id:text?"
SCHEMAS: dict[str, Json] = {
    "ThirdPartyPair": record("name value"),
    "ThirdPartyRow": record("name value", kind=_KIND),
    "ThirdPartyFires": record(
        "connectors:texts event_types:texts object_types:texts", instance_ids=listed({"type": "integer"})
    ),
    "ThirdPartyConnector": record(
        "id:integer account_id:hex name url headers:ThirdPartyPair[] data:ThirdPartyRow[] root fires:ThirdPartyFires "
        "enabled:boolean reason:text? version:integer created_at:time updated_at:time -signing_secret",
        method=_METHOD,
        type=_TYPE,
        basic=maybe(record("username password:text?")),
    ),
    "ThirdPartyPage": page_of("ThirdPartyConnector"),
    "ThirdPartyList": record("items:ThirdPartyConnector[]"),
    "ThirdPartyRequest": record("method url headers:ThirdPartyPair[] body truncated:boolean"),
    "ThirdPartyEvent": record(f"{_OF} received_at:time sample:boolean"),
    "ThirdPartyPreview": record("event:ThirdPartyEvent request:ThirdPartyRequest? problems:ProblemField[]"),
    "ThirdPartyAnswer": record("status:integer headers:ThirdPartyPair[] body truncated:boolean"),
    "ThirdPartyTest": record(
        "event:ThirdPartyEvent request:ThirdPartyRequest answer:ThirdPartyAnswer? reason:text? duration_ms:integer"
    ),
    "ThirdPartyTry": record(
        "number:integer at:time status:integer? reason:text? total_ms:integer answer:text? "
        "answer_headers:ThirdPartyPair[]"
    ),
    "ThirdPartyCall": record(
        "delivery_id:hex event_id:hex instance_id:integer connector:text? type:text? action:text? object_type:text? "
        "object_id:text? state:pending|delivered|dead|cancelled reason:text? attempts_made:integer "
        "next_attempt_at:time? created_at:time settled_at:time? replay_id:hex? attempts:ThirdPartyTry[]"
    ),
    "ThirdPartyCallPage": page_of("ThirdPartyCall"),
}
_IDS = wish("", ids={"type": "array", "items": _NUMBER, "minItems": 1, "maxItems": MOST_AT_ONCE}) | {
    "required": ["ids"]
}
_EXAMPLE: Json = {
    "name": "Tell the warehouse",
    "url": "https://warehouse.example/orders/{body:id}",
    "data": [{"name": "order.total", "value": "{body:total}"}, {"name": "source", "value": "{event:connector}"}],
    "fires": {"event_types": ["CREATED"]},
}
_MAY = "Not for the role end_user."

CHAPTER: Chapter = chapter(
    "3rd-party connectors",
    "Requests to other systems, made of events. Values are templates such as `{body:contact.email}` and `{event:id}`.",
    SCHEMAS,
    [
        op("listThirdPartyConnectors", f"GET {_PLACE}", "An account's connectors", *PAGING,
           query("search", length(0, LONGEST_SEARCH), "In the name, the URL, the method and the type."),
           query("sort", one_of(*_ORDERS), "By the name, where it is absent."), answer="ThirdPartyPage"),
        op("addThirdPartyConnector", f"POST {_PLACE}", "Make one; only this answer has the signing secret", text=_MAY,
           body=_body(_WANTED, _ACCOUNT) | {"required": ["name", "url"]}, example=_EXAMPLE, status=201,
           answer="ThirdPartyConnector", refusals=(403, 404, 409)),
        op("activateThirdPartyConnectors", f"POST {_PLACE}/activate", "Switch some on, all or none", text=_MAY,
           body=_IDS, example={"ids": [1]}, answer="ThirdPartyList", refusals=(403, 404)),
        op("disableThirdPartyConnectors", f"POST {_PLACE}/disable", "Switch some off, all or none",
           text=_MAY + " What is pending for one becomes a dead letter.", body=_IDS, example={"ids": [1]},
           answer="ThirdPartyList", refusals=(403, 404)),
        op("previewThirdPartyConnector", f"POST {_PLACE}/preview", "What a new one would send of an event",
           text="Without `event_id` of the newest event that fires it, else of a sample.",
           body=_body(_PREVIEWED, _ACCOUNT, _EVENT), example=_EXAMPLE, answer="ThirdPartyPreview",
           refusals=(404,)),
        op("getThirdPartyConnector", f"GET {_ONE}", "One of them, its secrets masked", answer="ThirdPartyConnector"),
        op("changeThirdPartyConnector", f"PATCH {_ONE}", "Change what the body names",
           text=_MAY + " `version` is the one that was read: 409 where somebody else has changed it since.",
           body=_body(_WANTED, {"version": _NUMBER}) | {"required": ["version"]}, example={"version": 1, "type": "XML"},
           answer="ThirdPartyConnector", refusals=(403, 409)),
        op("removeThirdPartyConnector", f"DELETE {_ONE}", "Delete it; what is pending is cancelled", text=_MAY,
           status=204, answer=Answer("Gone."), refusals=(403,)),
        op("rotateThirdPartySecret", f"POST {_ONE}/rotate/signing-secret", "Another signing secret, told this once",
           text=_MAY, body=wish("", overlap=DURATION), example={"overlap": "24h"}, optional=True,
           answer=record("signing_secret"), refusals=(403, 409)),
        op("previewStoredThirdPartyConnector", f"POST {_ONE}/preview", "What it would send, with changes if there are",
           body=_body(_PREVIEWED, _EVENT), optional=True, answer="ThirdPartyPreview"),
        op("testThirdPartyConnector", f"POST {_ONE}/test", "One real request, and what comes back", text=_MAY,
           body=_body(_TESTED, _EVENT), optional=True, answer="ThirdPartyTest", refusals=(403,)),
        op("listThirdPartyCalls", f"GET {_ONE}/calls", "What it was called with, newest first", *PAGING,
           answer="ThirdPartyCallPage"),
    ],
)  # fmt: skip
