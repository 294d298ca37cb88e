"""What is stored gone through once more: replays, dead letters, erasures."""

from gateway.api.native.dead_letters import LONGEST_REASON
from gateway.api.native.described.words import PAGING, chapter, page_of
from gateway.api.openapi.model import Answer, Chapter, Json
from gateway.api.openapi.schemas import length, maybe, one_of, op, query, record, ref, schema_of, wish
from gateway.history.filter import LONGEST_TEXT
from gateway.replays.desk import ERASURES, REPLAYS
from gateway.replays.letters.model import FIELDS
from gateway.replays.model import DEFAULT_RATE, LARGEST_RATE

_KINDS = one_of(*REPLAYS, *ERASURES)
_LETTER = (
    "id:hex event_id:hex instance_id:integer destination:Place? reason:text? attempts_made:integer created_at:time "
    "dead_at:time? replay_id:hex? connector:text? type:text? action:text? object_type:text? object_id:text? "
    "vendor_event_id:text? received_at:time? has_payload:boolean last_attempt:LastAttempt?"
)
SCHEMAS: dict[str, Json] = {
    "Job": record(
        "id:hex state:running|done|cancelled|failed reason:text? wanted:object seen:integer done:integer "
        "skipped:Skipped expected:integer? percent:number? position:text? created_at:time "
        "updated_at:time finished_at:time?",
        kind=_KINDS,
    ),
    "Skipped": record("total:integer reasons:integers"),
    "JobPage": page_of("Job"),
    "DryRun": record("matched:integer more:boolean sample:Sampled[]", dry_run={"const": True}),
    "Sampled": record("event_id:hex instance_id:integer? type:text? received_at:time?"),
    "Place": record("id:integer instance_id:integer url state:active|off|removed reason:text?"),
    "LastAttempt": record("number:integer at:time status:integer? reason:text? total_ms:integer answer"),
    "DeadLetter": record(_LETTER),
    "DeadLetterPage": page_of("DeadLetter"),
    "WholeDeadLetter": record(_LETTER + " payload:text? payload_base64:text?"),
    "DeadLetterCount": record("destination:Place? dead:integer waiting:integer more:boolean"),
    "DeadLetterCountPage": page_of("DeadLetterCount"),
    "Discarded": record("id:hex reason", state=one_of("cancelled")),
}
_TOWARDS = maybe(schema_of("id"))
_AGAIN = wish("", destination_id=_TOWARDS)
_RATE: Json = {"type": "integer", "minimum": 1, "maximum": LARGEST_RATE, "default": DEFAULT_RATE}
_REASON = length(1, LONGEST_REASON)
_EVERYTHING = "An empty filter means all there is, and needs `everything`."
_MANY = wish("filter:object dry_run:boolean everything:boolean", destination_id=_TOWARDS, rate=_RATE)
_DISCARDS = wish("filter:object dry_run:boolean everything:boolean", reason=_REASON) | {"required": ["reason"]}
_BEGUN = {200: Answer("What it would find: a dry run.", ref("DryRun")), 202: Answer("The job.", ref("Job"))}
_LETTERS = [query(name, "time" if name in ("since", "until") else "id") for name in FIELDS]
_NAME = maybe(length(1, LONGEST_TEXT))
_LINES = Answer("A line of JSON for each, and a last one that says that it is all.", {"type": "string"},
                "application/x-ndjson")  # fmt: skip
_ONE, _LETTER_AT, _ERASURE = "/api/v1/replays/{id:hex}", "/api/v1/dead-letters/{id:hex}", "/api/v1/erasures/{id:hex}"

CHAPTER: Chapter = chapter(
    "Replays, dead letters, erasures",
    "Jobs that go through what is stored. The larger ones answer 202 with a job that can be watched and stopped.",
    SCHEMAS,
    [
        op("replayEvent", "POST /api/v1/events/{id:hex}/replay", "Send one event again", body=_AGAIN, optional=True,
           status=201, answer="Delivery", refusals=(409,)),
        op("replayDelivery", "POST /api/v1/deliveries/{id:hex}/replay", "Make one delivery again", body=_AGAIN,
           optional=True, status=201, answer="Delivery", refusals=(409,)),
        op("replay", "POST /api/v1/replays", "Send again what a filter of events finds", text=_EVERYTHING, body=_MANY,
           example={"filter": {"instance_id": 1, "status": "dead"}, "dry_run": True}, answers=_BEGUN,
           refusals=(404, 409)),
        op("listReplays", "GET /api/v1/replays", "Replays and discards, newest first", *PAGING, answer="JobPage"),
        op("getReplay", f"GET {_ONE}", "One of them", answer="Job"),
        op("cancelReplay", f"POST {_ONE}/cancel", "Stop it", body=wish(""), optional=True, answer="Job",
           refusals=(409,)),
        op("resumeReplay", f"POST {_ONE}/resume", "Let a failed one go on", body=wish(""), optional=True, answer="Job",
           refusals=(409,)),
        op("listDeadLetters", "GET /api/v1/dead-letters", "Dead letters, by destination, the newest first", *_LETTERS,
           *PAGING, answer="DeadLetterPage", refusals=(404,)),
        op("countDeadLetters", "GET /api/v1/dead-letters/counts", "How many each destination has", *PAGING,
           answer="DeadLetterCountPage"),
        op("exportDeadLetters", "GET /api/v1/dead-letters/export", "All of them with what could not be delivered",
           *_LETTERS, answer=_LINES, refusals=(404,)),
        op("replayDeadLetters", "POST /api/v1/dead-letters/replay", "Send again what a filter of dead letters finds",
           text=_EVERYTHING, body=_MANY, example={"filter": {"destination_id": 1}, "dry_run": True}, answers=_BEGUN,
           refusals=(404, 409)),
        op("discardDeadLetters", "POST /api/v1/dead-letters/discard", "Lay down what a filter finds", text=_EVERYTHING,
           body=_DISCARDS, example={"filter": {"destination_id": 1}, "reason": "obsolete", "dry_run": True},
           answers=_BEGUN, refusals=(404, 409)),
        op("getDeadLetter", f"GET {_LETTER_AT}", "One dead letter", answer="WholeDeadLetter"),
        op("replayDeadLetter", f"POST {_LETTER_AT}/replay", "Send one again", body=_AGAIN, optional=True, status=201,
           answer="Delivery", refusals=(409,)),
        op("discardDeadLetter", f"POST {_LETTER_AT}/discard", "Lay one down",
           body=wish("", reason=_REASON) | {"required": ["reason"]}, example={"reason": "obsolete"},
           answer="Discarded", refusals=(409,)),
        op("erase", "POST /api/v1/erasures", "Take away what is stored of an account, or of one of its objects",
           text="For administrators.", body=wish("", account_id=length(1, LONGEST_TEXT), object_type=_NAME,
           object_id=_NAME) | {"required": ["account_id"]}, example={"account_id": "acme", "object_id": "lead_1"},
           status=202, answer="Job", refusals=(403, 404, 409)),
        op("listErasures", "GET /api/v1/erasures", "Erasures, newest first", *PAGING, answer="JobPage"),
        op("getErasure", f"GET {_ERASURE}", "One of them", answer="Job"),
        op("cancelErasure", f"POST {_ERASURE}/cancel", "Stop it", body=wish(""), optional=True, answer="Job",
           refusals=(409,)),
        op("resumeErasure", f"POST {_ERASURE}/resume", "Let a failed one go on", body=wish(""), optional=True,
           answer="Job", refusals=(409,)),
    ],
)  # fmt: skip
