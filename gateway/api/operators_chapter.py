"""What operators' machines ask, described."""

from gateway.api.openapi.model import Answer, Chapter, Refusals
from gateway.api.openapi.schemas import one_of, op, record

_TEXT = "text/plain"
_STORES = record("-reason", status=one_of("ready", "draining", "cannot store"))

CHAPTER = Chapter(
    name="Operations",
    text="Is it alive, can it store, and the numbers.",
    refusals=Refusals(name="Line", schema={"type": "string"}, media=_TEXT, texts={401: "The metrics token is wrong."}),
    operations=[
        op("alive", "GET /healthz", "Alive", answer=record("", status=one_of("alive"))),
        op("ready", "GET /readyz", "Whether an event could be stored now",
           answers={200: Answer("It could.", _STORES), 503: Answer("It could not, or the gateway leaves.", _STORES)}),
        op("metrics", "GET /metrics", "The numbers, for Prometheus",
           text="Open unless server.metrics_token is set.", security=(("metrics",), ()), refusals=(401,),
           answer=Answer("The numbers.", {"type": "string"}, _TEXT)),
    ],
)  # fmt: skip
