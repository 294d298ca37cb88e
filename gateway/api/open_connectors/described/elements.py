"""Connectors, called elements; the ways to log in at them; calls through an instance, and what was called."""

from gateway.api.open_connectors import elements, usage
from gateway.api.open_connectors.described.words import (
    BOTH,
    EITHER,
    ELEMENT,
    PREFIX,
    REFUSALS,
    SECURITY,
    TIMES,
    WIRE_WORDS,
    array_of,
    paging,
)
from gateway.api.openapi.model import JSON, Answer, Body, Chapter, Json, Operation
from gateway.api.openapi.schemas import header, length, listed, one_of, op, query, record, ref
from gateway.catalogue.offers import VERBS

_TEXTS: Json = {"type": "object", "additionalProperties": {"type": ["string", "null"]}, "maxProperties": 100}
_ELEMENT = (
    "id:integer key name description hub active:boolean deleted:boolean typeOauth:boolean trialAccount:boolean "
    "signupURL:text? authentication:ElementAuthentication transformationsEnabled:boolean bulkDownloadEnabled:boolean "
    "bulkUploadEnabled:boolean cloneable:boolean extendable:boolean extended:boolean beta:boolean private:boolean "
    "protocolType parameters:any[] resources:any[] objectMetadata:any[] useModelsForMetadata:boolean "
    "-configuration:FormField[]"
)
SCHEMAS: dict[str, Json] = {
    "Element": record(_ELEMENT),
    "ElementAuthentication": record("type"),
    "ElementKey": record("id:integer key name hub"),
    "AuthenticationType": record("id type default:boolean typeOauth:boolean"),
    "FormField": record(
        "id:integer key name description defaultValue:text? type required:boolean choices:texts "
        "authenticationTypes:texts displayOrder:integer hideFromConsole:boolean active:boolean internal:boolean "
        "groupControl:boolean companyConfig:boolean resellerConfig:boolean isPrivate:boolean"
    ),
    "ElementMetadata": record(
        "id:integer key name description hub authenticationType:text? authenticationTypes:texts events:EventMetadata "
        "resources:ResourceMetadata[] bulk:object discovery:object"
    ),
    "EventMetadata": record("supported:boolean methods:texts"),
    "ResourceMetadata": record("canonicalName operations:texts events:EventMetadata"),
    "LoginAddress": record("oauthUrl element"),
    "Ping": record("dateTime:time endpoint"),
    "ResourceName": record("name vendorName:text? type"),
    "Use": record(
        "id requestId date:time elementKey elementInstanceId:integer userId:integer? operationId:text? method path "
        "status:integer vendorStatus:integer? bytes:integer duration:integer"
    ),
}
_ONE = "/elements/{keyOrId}"
_PAGES = paging(elements.DEFAULT_PAGE, elements.LARGEST_PAGE)
_LOGIN = [query(name) for name in ("apiKey", "callbackUrl", "scope", "state", "siteAddress")]
_SENT = Body(_TEXTS, False, (JSON, "application/x-www-form-urlencoded"), {"callbackUrl": "https://app.example/back"})
_HELIUM = header("Elements-Version", one_of("Helium", "Hydrogen"), "With Helium, what the vendor calls them too.")
_NAMES: Json = {"anyOf": [{"type": "array", "items": {"type": "string"}}, listed(ref("ResourceName"))]}
_VENDOR = (400, 403, 429, 502, 504)
_WORDS = [query(name, *WIRE_WORDS[name]) for name in WIRE_WORDS]
_CALLED = Answer("The vendor's answer, without its envelope; of a list, a bare array.", {}, "*/*")
_ANY = Body({}, False, ("*/*",), None)
_HOW = (
    "What there is, `GET /instances/{id}/docs` describes: resources, and each method under the vendor's own verb and "
    "path. A resource may hold slashes."
)
_ACTS = {"GET": "Read", "POST": "Create", "PUT": "Replace", "PATCH": "Update", "DELETE": "Delete"}


def _calls(id_: str, path: str, prefixes: tuple[str, ...]) -> list[Operation]:
    """A call through the instance, in each verb."""
    return [
        op(f"{id_}{_ACTS[verb]}", f"{verb} {path}/{{resource}}", f"{_ACTS[verb]} through the instance",
           *(_WORDS if verb == "GET" else ()), text=_HOW, body=_ANY if verb not in ("GET", "DELETE") else None,
           answer=_CALLED, refusals=(*_VENDOR, 404, 405, 408, 413, 415), security=ELEMENT, prefixes=prefixes)
        for verb in VERBS
    ]  # fmt: skip


def _found(id_: str, path: str, prefixes: tuple[str, ...]) -> list[Operation]:
    return [
        op(f"{id_}Objects", f"GET {path}/objects", "The names of the instance's resources", _HELIUM, answer=_NAMES,
           refusals=(404,), security=ELEMENT, prefixes=prefixes),
        op(f"{id_}Ping", f"GET {path}/ping", "Whether the vendor takes the credentials", answer="Ping",
           refusals=(*_VENDOR, 404), security=ELEMENT, prefixes=prefixes),
    ]  # fmt: skip


ELEMENTS = Chapter(
    name="Open Connectors: elements",
    text="What there is to connect to, and how a person logs in there.",
    schemas=SCHEMAS,
    refusals=REFUSALS,
    security=SECURITY,
    operations=[
        op("listElements", "GET /elements", "The elements", *_PAGES, answer=array_of("Element", total=True),
           prefixes=BOTH),
        op("listElementKeys", "GET /elements/keys", "The elements, a line each", *_PAGES,
           answer=array_of("ElementKey", total=True), prefixes=BOTH),
        op("getElement", f"GET {_ONE}", "An element with its form", answer="Element", prefixes=BOTH),
        op("getElementConfiguration", f"GET {_ONE}/configuration", "What a form for an instance asks",
           answer="FormField[]", prefixes=BOTH),
        op("getElementMetadata", f"GET {_ONE}/metadata", "What a user interface wants to know; by number only",
           answer="ElementMetadata", prefixes=BOTH),
        op("getLoginAddress", f"GET {_ONE}/oauth/url", "Where a person logs in", *_LOGIN, answer="LoginAddress",
           refusals=(400, 409), prefixes=BOTH),
        op("postLoginAddress", f"POST {_ONE}/oauth/url", "The same, its parameters in the body", *_LOGIN, body=_SENT,
           answer="LoginAddress", refusals=(400, 409), prefixes=BOTH),
        op("listAuthenticationTypes", f"GET {_ONE}/authentication-types", "The ways to authenticate",
           answer="AuthenticationType[]", prefixes=BOTH),
        op("getAuthenticationType", f"GET {_ONE}/authentication-types/{{type}}/configurations",
           "What a form asks for this way", answer="FormField[]", prefixes=BOTH),
    ],
)  # fmt: skip
_ASKED = (
    query("hub", length(0, 64)),
    query("keys[]", {"type": "array", "items": length(0, 64), "maxItems": 100}),
    query("tags[]", {"type": "array", "items": length(0, 200), "maxItems": 20}),
    query("status", "text", "A status such as `404` or `4xx`, `success`, or `failed`."),
    query("searchText", length(0, 200), "In the path."),
    query("pageOffset", {"type": "integer", "minimum": 0, "default": 0}),
)
CALLS = Chapter(
    name="Open Connectors: calls",
    text="The vendor called through an instance: the gateway knows the credentials and keeps to the vendor's pace.",
    refusals=REFUSALS,
    security=SECURITY,
    operations=[
        *_found("hub", "/hubs/{hub}", BOTH),
        *_found("own", PREFIX, ("",)),
        *_calls("hub", "/hubs/{hub}", BOTH),
        *_calls("call", PREFIX, ("",)),
        op("listUsage", f"GET {PREFIX}/usage", "Every call, newest first", *_ASKED, *TIMES,
           *paging(usage.DEFAULT_PAGE, usage.LARGEST_PAGE), answer=array_of("Use"), security=EITHER),
        op("getUse", f"GET {PREFIX}/usage/{{requestId}}", "One call", answer="Use", security=EITHER),
    ],
)  # fmt: skip
