"""Instances, their test deliveries, and the preview of a filter."""

from typing import get_args

from gateway.api.native.described.words import DURATION, PAGING, chapter, page_of
from gateway.api.native.preview import DEFAULT_LAST, FILTER, MOST_LAST
from gateway.api.openapi.model import Answer, Chapter, Json
from gateway.api.openapi.schemas import listed, maybe, one_of, op, record, ref, wish
from gateway.provisioning.rotate import DEFAULT_OVERLAP, What
from gateway.provisioning.samples import Outcome
from gateway.registrations import model as registrations

_ONE = "/api/v1/instances/{id:id}"
_EMPTY = wish("")
SCHEMAS: dict[str, Json] = {
    "Instance": record(
        "id:integer name connector connector_id:integer account_id:hex tags:texts enabled:boolean "
        "events_enabled:boolean filter_nulls:boolean created_at:time updated_at:time destination:Destination? "
        "credentials:Credentials registration:Registration? pollers:Poller[] recommendations:texts"
    ),
    "Destination": record("id:integer url state:active|off reason:text? since:time"),
    "Credentials": record("state:good|unchecked|reauth reason:text? since:time"),
    "Registration": record(
        "reason:text? vendor_id:text? since:time? expires_at:time? checked_at:time?",
        state=one_of(*get_args(registrations.State)),
    ),
    "Poller": record(
        "name state reason:text? since:time watermark:text? last_success_at:time? lag_ms:integer? "
        "clock_skew_ms:integer? records:integer failures:integer next_run_at:time? running:boolean stuck_polls:integer"
    ),
    "InstancePage": page_of("Instance"),
    "Fixture": record("name origin types:texts sendable:boolean problem:text?"),
    "Sent": record("fixture status:integer answer event_ids:texts", outcome=one_of(*get_args(Outcome))),
    "Polled": record("name outcome reason:text? records:integer events:integer duplicates:integer"),
    "Removed": record("count:integer pointers:texts"),
    "Difference": record(
        "event_id:hex changes:boolean removed_now:Removed removed_then:Removed bytes_now:integer bytes_then:integer"
    ),
    "Preview": record(
        "instance_id:integer events:integer changed:integer bytes_now:integer bytes_then:integer complete:boolean "
        "items:Difference[]",
        **{FILTER: {"type": "boolean"}},
    ),
}
_SETTING: Json = {"anyOf": [{"type": "boolean"}, one_of("true", "false")]}
_LAST: Json = {"type": "integer", "minimum": 1, "maximum": MOST_LAST, "default": DEFAULT_LAST}
_ROTATED = Answer("The new one, shown this once.", wish("webhookUrl signingSecret webhookSecret"))

CHAPTER: Chapter = chapter(
    "Instances",
    "Instances as the gateway itself sees them: how they stand, what they can be told to do.",
    SCHEMAS,
    [
        op("listInstances", "GET /api/v1/instances", "The instances", *PAGING, answer="InstancePage"),
        op("getInstance", f"GET {_ONE}", "An instance without its secrets", answer="Instance"),
        op(
            "rotate",
            f"POST {_ONE}/rotate/{{what:{'|'.join(get_args(What))}}}",
            "Make a new URL or secret",
            text="The old one counts until the overlap ends.",
            body=wish("", overlap={**DURATION, "default": DEFAULT_OVERLAP, "description": "From 0s to 30d."}),
            example={"overlap": "24h"},
            optional=True,
            answer=_ROTATED,
            refusals=(409,),
        ),
        op("enableDestination", f"POST {_ONE}/destination/enable", "Switch the callback on again", answer="Instance",
           refusals=(409,)),
        op("register", f"POST {_ONE}/registration", "Look after the registration at the vendor now", body=_EMPTY,
           optional=True, answer="Instance", refusals=(409, 502)),
        op("pollNow", f"POST {_ONE}/poll", "Poll now, and say what was found", body=_EMPTY, optional=True,
           answer=record("pollers:Polled[]"), refusals=(409,)),
        op("resumePollers", f"POST {_ONE}/pollers/resume", "Let what has stopped go on from where it stood",
           body=_EMPTY, optional=True, answer="Instance", refusals=(409,)),
        op("listFixtures", f"GET {_ONE}/fixtures", "The recorded deliveries of the connector",
           answer=record("", items=listed(ref("Fixture")), next={"type": "null"})),
        op("sendFixture", f"POST {_ONE}/send", "Send the instance a test delivery",
           text="Signed with the instance's own secret, by the vendor's road; without a name, the first that can be.",
           body=wish("", fixture=maybe({"type": "string", "minLength": 1})), example={"fixture": "an updated lead"},
           optional=True, answer="Sent", refusals=(409,)),
        op("previewFilter", f"POST {_ONE}/filter/preview",
           "What a changed null filter would have made of the last events",
           text="Changes nothing.",
           body=wish("", closed=True, **{FILTER: _SETTING, "last": _LAST}) | {"required": [FILTER]},
           example={FILTER: False, "last": 10}, answer="Preview"),
    ],
)  # fmt: skip
