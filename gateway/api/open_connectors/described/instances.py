"""Instances, their configuration, their events, their pollers."""

from gateway.api.open_connectors import events, instances, polling
from gateway.api.open_connectors.described.words import (
    BOTH,
    EITHER,
    ELEMENT,
    REFUSALS,
    SECURITY,
    TIMES,
    array_of,
    paging,
)
from gateway.api.openapi.model import Answer, Chapter, Json, Operation, Parameter, Security
from gateway.api.openapi.schemas import length, maybe, one_of, op, query, record, wish
from gateway.provisioning.draft import LONGEST_NAME, MOST_TAGS

_VALUE: Json = {"type": ["string", "boolean", "number", "object", "array", "null"]}
_TAG = length(1, LONGEST_NAME)
_NAMED = wish("", closed=False, key={"type": ["string", "integer"]}, id={"type": ["string", "integer"]})
_FIELDS: dict[str, Json] = {
    "name": maybe(_TAG),
    "tags": {"type": ["array", "null"], "items": _TAG, "maxItems": MOST_TAGS},
    "configuration": {"type": ["object", "null"], "additionalProperties": _VALUE},
    "externalAuthentication": maybe(one_of("initial", "none")),
    "providerData": {
        "anyOf": [
            length(1, 4096),
            {"type": "object", "properties": {"code": maybe(length(1, 4096))}},
            {"type": "null"},
        ]
    },
}
_CHANGE = wish("", closed=False, **_FIELDS)
_CREATE = wish("", closed=False, element=_NAMED, connector=_NAMED, **_FIELDS)
_EXAMPLE = {
    "element": {"key": "closeio"},
    "name": "Acme",
    "configuration": {"username": "api_key", "event.notification.enabled": True},
}
_INSTANCE = (
    "id:integer name createdDate:time token:text? element:Element elementId:integer tags:texts valid:boolean "
    "disabled:boolean maxCacheSize:integer cacheTimeToLive:integer eventsEnabled:boolean traceLoggingEnabled:boolean "
    "cachingEnabled:boolean externalAuthentication user:InstanceUser -eventsNotificationCallbackUrl "
    "-subscriptionId:integer -provisionInteractions:any[]"
)
_TEXTS: Json = {"type": "object", "additionalProperties": {"type": ["string", "null"]}}
_POLLER = "objectName status:ok|failing|reauth|disabled reason:text? failures:integer"
_RECORD = (
    "id elementInstanceId:integer elementKey " + _POLLER + " records:integer lastPollDate:time? watermark:text? "
    "nextPollDate:time?"
)


def _instance(extra: str = "", **others: Json) -> Json:
    schema = record(f"{_INSTANCE} {extra}", **others)
    schema["properties"]["configuration"] = _TEXTS
    return schema


SCHEMAS: dict[str, Json] = {
    "ElementInstance": _instance(),
    "MadeElementInstance": _instance("-webhookUrl -signingSecret -webhookSecret -recommendations:texts"),
    "StoppedElementInstance": _instance("pollers:StoppedPoller[]"),
    "InstanceUser": record("id:integer emailAddress:text?"),
    "InstanceCount": record("totalInstances:integer elementInstances:ElementCount[]"),
    "ElementCount": record("elementKey elementId:integer count:integer"),
    "ConfigurationRecord": record(
        "id:integer key name propertyValue:text? description type required:boolean hideFromConsole:boolean "
        "elementInstanceId:integer"
    ),
    "ElementEvent": record(
        "id:hex eventDate:time status:RECEIVED|DISPATCHED|CONSUMED|NOTIFIED providerData instanceId:integer encodedId "
        "elementKey eventType:text? objectType:text? objectId:text? -notifiedData:texts"
    ),
    "Disposition": record("eventId:hex elementInstanceId:integer notificationData:DispositionLine[]"),
    "DispositionLine": record("message date:time"),
    "StoppedPoller": record(_POLLER + " disabledDate:time"),
    "PollerRecord": record(_RECORD),
    "StoppedPollerRecord": record(_RECORD + " disabledDate:time"),
}
_DELETED = Answer("Deleted.", record(""))
_PAGES = paging(events.DEFAULT_PAGE, events.LARGEST_PAGE)
_POLL_PAGES = paging(polling.DEFAULT_PAGE, polling.LARGEST_PAGE)
_TAGS = query(
    "tags[]", {"type": "array", "items": {"type": "string", "maxLength": LONGEST_NAME}, "maxItems": MOST_TAGS}
)
_LIST: tuple[Parameter, ...] = (
    _TAGS, query("searchText", length(0, LONGEST_NAME)), query("hydrate", {"type": "boolean", "default": False}),
    *paging(instances.DEFAULT_PAGE, instances.LARGEST_PAGE),
)  # fmt: skip


def _of_one(named: bool) -> list[Operation]:
    """The operations of one instance: the one that the path names, or the one whose token is given."""
    own, mine = ("/instances/{id:id}", "") if named else ("/instances", "My")
    ways: tuple[Security, ...] = SECURITY if named else ELEMENT
    either: tuple[Security, ...] = SECURITY if named else EITHER
    record_ = own + "/configuration/{configId:id}"
    return [
        op(f"replace{mine}Instance", f"PUT {own}", "Change an instance; a configuration replaces the stored one",
           body=_CHANGE, example={"name": "Acme"}, answer="ElementInstance", refusals=(409, 502), security=ways,
           prefixes=BOTH),
        op(f"change{mine}Instance", f"PATCH {own}", "Change an instance", body=_CHANGE, example={"name": "Acme"},
           answer="ElementInstance", refusals=(409, 502), security=ways, prefixes=BOTH),
        op(f"delete{mine}Instance", f"DELETE {own}", "Delete an instance", answer=_DELETED, refusals=(409,),
           security=ways, prefixes=BOTH),
        op(f"enable{mine}Instance", f"PUT {own}/enabled", "Enable an instance", answer="ElementInstance",
           refusals=(409,), security=ways, prefixes=BOTH),
        op(f"disable{mine}Instance", f"DELETE {own}/enabled", "Disable an instance", answer="ElementInstance",
           refusals=(409,), security=ways, prefixes=BOTH),
        op(f"list{mine}Configuration", f"GET {own}/configuration", "The configuration's records",
           answer=array_of("ConfigurationRecord"), security=ways, prefixes=BOTH),
        op(f"get{mine}Configuration", f"GET {record_}", "One record", answer="ConfigurationRecord", security=ways,
           prefixes=BOTH),
        op(f"change{mine}Configuration", f"PATCH {record_}", "The record with a new `propertyValue`",
           body=wish("key", closed=False, propertyValue=_VALUE) | {"required": ["propertyValue"]},
           example={"propertyValue": "a new value"}, answer="ConfigurationRecord", refusals=(409, 502), security=ways,
           prefixes=BOTH),
        op(f"list{mine}ElementEvents", f"GET {own}/events", "Events, newest first", *TIMES, *_PAGES,
           answer=array_of("ElementEvent"), security=either, prefixes=BOTH),
        op(f"list{mine}Dispositions", f"GET {own}/events/dispositions", "What happened to each event", *TIMES, *_PAGES,
           answer=array_of("Disposition"), security=either, prefixes=BOTH),
        op(f"get{mine}ElementEvent", f"GET {own}/events/{{eventId:hex}}", "One event, with what its consumer is sent",
           answer="ElementEvent", security=either, prefixes=BOTH),
        op(f"list{mine}PollerRecords", f"GET {own}/event-poller-records", "What is polled", *_POLL_PAGES,
           answer=array_of("PollerRecord"), security=either, prefixes=BOTH),
    ]  # fmt: skip


CHAPTER = Chapter(
    name="Open Connectors: instances",
    text="Instances, at the bare paths and below `/elements/api-v2` alike. Routes without an id mean the instance of "
    "the Element token. Every answer that went well is a 200.",
    schemas=SCHEMAS,
    refusals=REFUSALS,
    security=SECURITY,
    operations=[
        op("createInstance", "POST /instances", "Make an instance", body=_CREATE, example=_EXAMPLE,
           answer="MadeElementInstance", refusals=(404, 409, 502), prefixes=BOTH),
        op("listElementInstances", "GET /instances", "The instances", *_LIST, answer=array_of("ElementInstance"),
           refusals=(404,), prefixes=BOTH),
        op("createInstanceOf", "POST /elements/{keyOrId}/instances", "Make an instance of an element", body=_CHANGE,
           example={"name": "Acme", "configuration": {"username": "api_key"}}, answer="MadeElementInstance",
           refusals=(409, 502), prefixes=BOTH),
        op("listInstancesOf", "GET /elements/{keyOrId}/instances", "The instances of an element", *_LIST,
           answer=array_of("ElementInstance"), prefixes=BOTH),
        op("countInstances", "GET /instances/count", "How many there are", answer="InstanceCount", prefixes=BOTH),
        op("getElementInstance", "GET /instances/{id:id}", "An instance", answer="ElementInstance", prefixes=BOTH),
        *_of_one(named=True),
        *_of_one(named=False),
        op("listPollingDisabled", "GET /instances/polling-disabled", "Where something is not polled any more",
           *_POLL_PAGES, answer=array_of("StoppedElementInstance"), prefixes=BOTH),
        op("listPollingDisabledOf", "GET /instances/{id:id}/polling-disabled", "What of one instance is not",
           answer="StoppedPoller[]", prefixes=BOTH),
        op("listPollingDisabledJobs", "GET /jobs/polling-disabled", "The same as one list of pollers", *_POLL_PAGES,
           answer=array_of("StoppedPollerRecord"), security=EITHER, prefixes=BOTH),
        op("getDocs", "GET /instances/{id:id}/docs", "OpenAPI 3.1 of exactly what this instance can do",
           answer="object",
           prefixes=BOTH),
        op("getOperationDocs", "GET /instances/{id:id}/docs/{operationId}", "The same of one operation",
           answer="object",
           prefixes=BOTH),
    ],
)  # fmt: skip
