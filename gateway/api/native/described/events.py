"""Events: lists, one with all that happened to it, what became of something, the ledger, following live."""

from typing import get_args

from gateway.api.native.described.words import PAGING, chapter, page_of
from gateway.api.openapi.model import Answer, Chapter, Json, Parameter
from gateway.api.openapi.schemas import HEX, header, length, listed, one_of, op, query, record
from gateway.delivery.model import State
from gateway.events.model import Source
from gateway.events.refusal import NotStored
from gateway.history.filter import FIELDS, LONGEST_TEXT, Status
from gateway.history.ledgers.model import ARRIVED, LEFT

_ONE = "/api/v1/events/{id:hex}"
_TEXT = length(1, LONGEST_TEXT)
_FILTER: dict[str, tuple[Json | str, str]] = {
    **dict.fromkeys(FIELDS, (_TEXT, "")),
    "instance_id": ("id", ""),
    "backfill": ("boolean", ""),
    "since": ("time", "The moment itself is meant too."),
    "until": ("time", "The moment itself is not meant."),
    "status": (one_of(*get_args(Status)), ""),
    "source": (one_of(*get_args(Source)), ""),
}
FILTER: list[Parameter] = [query(name, *_FILTER[name]) for name in FIELDS]
_LEDGER = " ".join(f"{name}:integer" for name in ARRIVED)
_LISTED = (
    "id:hex type:text? action:text? object_type:text? object_id:text? vendor_event_id:text? instance_id:integer "
    "connector account_id:hex backfill:boolean occurred_at:time? received_at:time bytes:integer"
)
_WORDS: dict[str, Json] = {"source": one_of(*get_args(Source)), "status": one_of(*get_args(Status))}
_HEADERS = listed({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2})
SCHEMAS: dict[str, Json] = {
    "Event": record(_LISTED, **_WORDS),
    "EventPage": page_of("Event"),
    "WholeEvent": record(
        _LISTED + " emptied_at:time? body_hash:text? filter_nulls:boolean request:object? payload:text? "
        "payload_base64:text? notification:Notification removed_nulls:Removed? deliveries:DeliveryTried[] "
        "more_deliveries:boolean",
        **_WORDS,
    ),
    "Notification": record("body:text?", headers=_HEADERS),
    "Goal": record("id:integer instance_id:integer url"),
    "Delivery": record(
        "id:hex event_id:hex destination:Goal? reason:text? attempts_made:integer next_attempt_at:time? "
        "replay_id:hex? replayed_as:hex? created_at:time settled_at:time?",
        state=one_of(*get_args(State)),
    ),
    "DeliveryTried": record(
        "id:hex event_id:hex destination:Goal? reason:text? attempts_made:integer next_attempt_at:time? "
        "replay_id:hex? replayed_as:hex? created_at:time settled_at:time? attempts:Attempt[]",
        state=one_of(*get_args(State)),
    ),
    "Attempt": record(
        "number:integer at:time status:integer? reason:text? phases:Phases answer:text?", answer_headers=_HEADERS
    ),
    "Phases": record("connect_ms:integer? wait_ms:integer? total_ms:integer"),
    "Fate": record(
        "reason:text? detail:text? event_id:hex? instance_id:integer vendor_event_id:text? object_id:text? at:time "
        "received_at:time next_attempt_at:time? attempts_made:integer delivery_id:hex? destination:Goal?",
        status=one_of(*get_args(Status), *get_args(NotStored)),
    ),
    "FatePage": page_of("Fate"),
    "DeliverySums": record(" ".join(f"{name}:integer" for name in LEFT)),
    "Ledger": record(_LEDGER + " deliveries:DeliverySums"),
    "DestinationSums": record(
        "id:integer account_id:hex instance_id:integer kind url state:active|off|removed reason:text? since:time "
        "deliveries:DeliverySums"
    ),
    "DestinationPage": page_of("DestinationSums"),
}
_BYTES = Answer("The bytes, as they are.", {})
_NUMBERS = (query("instance_id", "id"), query("destination_id", "id"))
_HASH: Json = {"type": "string", "pattern": "^([0-9a-fA-F]{32}|[0-9a-fA-F]{64})$"}

CHAPTER: Chapter = chapter(
    "Events",
    "What was received, and what became of it. A page may come back short and still have a `next`.",
    SCHEMAS,
    [
        op("listEvents", "GET /api/v1/events", "Events, newest first", *FILTER, *PAGING, answer="EventPage",
           refusals=(404,)),
        op("getEvent", f"GET {_ONE}", "One event: what came, what was sent, every attempt", answer="WholeEvent"),
        op("getPayload", f"GET {_ONE}/payload", "The exact bytes that came", answer=_BYTES),
        op("getNotification", f"GET {_ONE}/notification", "The exact bytes that are sent", answer=_BYTES),
        op(
            "followEvents", "GET /api/v1/events/stream", "Events as they are stored, as server-sent events",
            *(one for one in FILTER if one.name not in ("since", "until")),
            query("include", one_of("notification"), "With what a consumer is sent, signed anew."),
            query("last_event_id", HEX, "Go on behind this event."),
            header("Last-Event-ID", HEX, "The same."),
            text="Each `event` has an item of the list as its data; a comment line comes every 10 seconds.",
            answer=Answer("The stream; it does not end by itself.", {"type": "string"}, "text/event-stream"),
            refusals=(404,),
        ),
        op(
            "findFate", "GET /api/v1/fate", "Where is it?",
            query("vendor_event_id", _TEXT), query("object_id", _TEXT),
            query("body_hash", _HASH, "Of the body's SHA-256 the first 32 digits, or all."), query("event_id", HEX),
            *PAGING, text="Exactly one of the four names must be given.", answer="FatePage",
        ),
        op("getLedger", "GET /api/v1/ledger", "The ledger, of one moment", *_NUMBERS, answer="Ledger", refusals=(404,)),
        op("listDestinations", "GET /api/v1/destinations", "Destinations with their half of the ledger",
           query("instance_id", "id"), *PAGING, answer="DestinationPage", refusals=(404,)),
    ],
)  # fmt: skip
