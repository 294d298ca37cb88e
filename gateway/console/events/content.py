"""What came and what was sent, side by side, as far as a page holds it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.console.events.pretty import Printed, printed
from gateway.delivery.notification import render
from gateway.events.model import Event
from gateway.instances.view import Callback
from gateway.nulls import removed_paths
from gateway.redact import REDACTED

#: Longer payloads are rendered and looked through on a thread.
MOST_INLINE = 64 << 10
#: Places of what the null filter took out that are named.
MOST_NAMED = 50


@dataclass(frozen=True, slots=True)
class Content:
    """A payload as received and as sent, and what the null filter took out of it."""

    received: Printed
    sent: Printed
    sent_size: int
    removed: Sequence[str]
    removed_number: int


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """What is kept of the vendor's request beside its body."""

    method: str
    query: str
    headers: Sequence[tuple[str, str]]
    remote: str


async def content(event: Event, hub: str) -> Content | None:
    """The payload for a page; None where retention has taken it away."""
    if event.emptied_at is not None:
        return None
    if len(event.payload) > MOST_INLINE:
        return await asyncio.to_thread(_content, event, hub)
    return _content(event, hub)


async def notification(event: Event, hub: str) -> bytes:
    """The bytes that every attempt sends."""
    if len(event.payload) > MOST_INLINE:
        return await asyncio.to_thread(render, event, hub)
    return render(event, hub)


def _content(event: Event, hub: str) -> Content:
    body = render(event, hub)
    removed, number = removed_paths(event.payload, MOST_NAMED) if event.filter_nulls else ([], 0)
    return Content(printed(event.payload, filtered=event.filter_nulls), printed(body), len(body), removed, number)


def headers(event: Event, callback: Callback | None) -> list[tuple[str, str]]:
    """What all attempts to the callback carry; values that open something, or are made anew each time, are left out."""
    found = [("Content-Type", "application/json"), ("webhook-id", event.id), ("Elements-Webhook-Id", event.id)]
    hidden = ["webhook-timestamp", "webhook-signature"]
    if callback is not None:
        hidden += ["Elements-Webhook-Signature"] if callback.elements_key is not None else []
        hidden += [name for name, _ in callback.headers]
    return [*found, *((name, REDACTED) for name in hidden)]


def answer_headers(kept: str | None) -> list[tuple[str, str]]:
    """The headers of an answer; none where they were not kept."""
    return [] if kept is None else [(str(name), str(value)) for name, value in orjson.loads(kept)]


def answer_body(kept: bytes | None) -> Printed | None:
    """The beginning of an answer's body; None where nothing is kept."""
    return printed(bytes(kept)) if kept else None


def request_of(kept: str | None) -> KeptRequest | None:
    """The vendor's request; None where there was none."""
    if kept is None:
        return None
    found: dict[str, Any] = orjson.loads(kept)
    pairs = [(str(name), str(value)) for name, value in found.get("headers", ())]
    return KeptRequest(str(found.get("method", "")), str(found.get("query", "")), pairs, str(found.get("remote", "")))
