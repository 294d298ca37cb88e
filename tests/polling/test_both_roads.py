"""Every connector that is both told and asked: one change has one identity on both roads, or at least one name."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest

from gateway.catalogue.change import Change
from gateway.catalogue.document import Document
from gateway.catalogue.document import read as parsed
from gateway.catalogue.load import load_catalogue
from gateway.catalogue.model import Connector
from gateway.catalogue.selection import called
from gateway.inbound.normalise import Malformed, normalise
from gateway.polling.merge import merged
from gateway.polling.model import Cursor, Page, Plan, Read, Window
from gateway.polling.reconcile import patience
from gateway.polling.records import Settings
from gateway.proofs.fixtures import Delivery, Unusable, beside, read_fixtures
from gateway.proofs.received import Received
from tests.polling.answers_of_lists import LISTS
from tests.polling.answers_of_logs import LOGS
from tests.polling.parts import NOW

BOTH = {one.key: one for one in load_catalogue([]) if one.webhook is not None and one.polls}
BY_IDENTITY = {key for key, one in BOTH.items() if all(patience(one, poll, "reconcile") is None for poll in one.polls)}
#: How the record that a webhook tells of comes out of the list: the poll, and its records in a delivery's body.
AS_POLLED: dict[str, tuple[str, Callable[[Any], list[dict[str, Any]]]]] = {
    "chargebee": ("events", lambda body: [{"event": body}]),
    "closeio": ("events", lambda body: [body["event"]] if "event" in body else []),
    "gocardless": ("events", lambda body: list(body["events"])),
    "mailgun": ("events", lambda body: [body["event-data"]]),
    "okta": ("log", lambda body: list(body["data"]["events"])),
    "paddle": ("events", lambda body: [body] if "event_id" in body else []),
    "postmark": ("bounces", lambda body: [body] if "Type" in body else []),
    "slack": ("messages", lambda body: [body["event"]] if _is_plain(body.get("event", {})) else []),
    "square": ("events", lambda body: [body]),
    "stripe": ("events", lambda body: [body] if "object" in body.get("data", {}) else []),
    "trello": ("actions", lambda body: [body["action"]]),
    "twilio": ("messages", lambda body: [_message(body)] if "MessageSid" in body else []),
    "typeform": ("responses", lambda body: [body["form_response"]] if body["event_type"] == "form_response" else []),
}
#: Where the two roads tell of different things, and why.
APART = {
    "discord": "its webhook tells of an application, its list of messages",
    "dropbox": "its webhook says that something changed in an account, and not what",
    "ebay": "its notices are named by topics",
    "elevenlabs": "its webhook tells of transcripts and recordings, its list of conversations",
    "generic": "whoever makes the instance says what objects are called",
    "google": "its webhook says that something changed in a channel, and not what",
    "pagerduty": "entries of its log have other ids than its webhook's events, and there are more of them",
    "sendgrid": "its webhook tells of messages, its lists of addresses",
    "x": "its posts come without a name of what they are",
    "zoom": "no delivery about a recording was published",
}

#: What records call themselves.
OWN_WORDS = {"box": {"file", "folder"}, "notion": {"page", "database"}}


def _is_plain(event: dict[str, Any]) -> bool:
    return event.get("type") == "message" and "subtype" not in event


def _message(form: dict[str, Any]) -> dict[str, Any]:
    status = form.get("MessageStatus") or form.get("SmsStatus")
    return {"sid": form["MessageSid"], "status": status, "date_updated": "Mon, 05 Jan 2026 09:30:00 +0000"}


def told(connector: Connector) -> list[tuple[Delivery, tuple[Change, ...]]]:
    """The deliveries that its fixtures accept, and the changes in them."""
    fixtures = read_fixtures(beside(connector))
    assert not isinstance(fixtures, Unusable)
    found = []
    for one in fixtures.deliveries:
        changes = normalise(connector, one.config, one.received, 1 << 26)
        if one.told.expect == "accepted" and not isinstance(changes, Malformed):
            found.append((one, changes))
    return found


def polled(connector: Connector, name: str, one: Delivery, records: list[dict[str, Any]]) -> list[str | None]:
    """The identities of these records, read by a poll."""
    [poll] = [poll for poll in connector.polls if poll.name == name]
    documents = [parsed(orjson.dumps(record)) for record in records]
    pages = (Page([one for one in documents if isinstance(one, Document)]),)
    settings = Settings(one.config, connector.value_defaults)
    plan = Plan(name=name, poll=poll, interval=None, source="reconcile")
    result = merged(plan, Cursor(started=True), Read(pages=pages, asked_at=NOW), Window(None, None), settings)
    assert result.problem is None, result.problem
    return [found.change.identity for chunk in result.chunks for found in chunk.changes]


def body_of(received: Received) -> Any:
    if "form" in received.headers.get("content-type", ""):
        return dict(parse_qsl(received.body.decode()))
    return orjson.loads(received.body)


def test_every_connector_with_both_roads_is_looked_at() -> None:
    assert AS_POLLED.keys() == BY_IDENTITY - APART.keys()
    assert APART.keys() <= BOTH.keys()


@pytest.mark.parametrize("key", AS_POLLED)
def test_a_change_that_is_told_and_polled_has_one_identity(key: str) -> None:
    connector, (name, records) = BOTH[key], AS_POLLED[key]
    compared = 0
    for one, changes in told(connector):
        if any(change.object_type is None for change in changes):
            continue  # its address says what it is about, where somebody wrote that there
        there = records(body_of(one.received))
        if there:
            assert sorted(map(str, polled(connector, name, one, there))) == sorted(str(one.identity) for one in changes)
            compared += 1
    assert compared


@pytest.mark.parametrize("key", sorted(BOTH.keys() - BY_IDENTITY - APART.keys()))
def test_where_identities_differ_an_object_has_one_name_on_both_roads(key: str) -> None:
    connector = BOTH[key]
    webhook = {change.object_type for _, changes in told(connector) for change in changes if change.object_type}
    listed = OWN_WORDS.get(key, set()) | {
        change[2] for shape in (*LISTS, *LOGS) if shape.connector == key for change in shape.changes
    }
    constants = [poll.changes.object_type for poll in connector.polls if poll.changes.object_type is not None]
    listed |= {one.source_text.removeprefix("const:") for one in constants if one.source_text.startswith("const:")}
    assert called(frozenset(webhook), connector.resources) & {name.lower() for name in listed}
