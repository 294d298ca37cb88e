"""One request of a delivery: render, sign, send, and say what came of it."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from gateway import redact
from gateway.clock import now_ms
from gateway.delivery import sign
from gateway.delivery.model import Attempt
from gateway.delivery.notification import render
from gateway.delivery.retry import retry_after_ms
from gateway.egress.model import Answer, Client, Failure, Request
from gateway.events.model import Event
from gateway.instances.view import Callback

KEPT_ANSWER = 1024
MOST_HEADERS = 40
REPLAY_HEADER = "Gateway-Replay-Id"
MAX_ANSWER = 65_536
MAX_REASON = 500
#: A larger payload is rendered and signed in a thread, so that the event loop goes on meanwhile.
MOST_INLINE = 128 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request of a delivery: what is sent, to whom, and in which manner."""

    event: Event
    #: The hub of the event's own connector; the callback may be another instance's.
    hub: str
    callback: Callback
    replay_id: str | None
    timeout_s: float
    #: Whether the answer is kept; without these, though the consumer should answer with what it was sent.
    keeps: bool = True
    secrets: tuple[str, ...] = ()


async def attempt(client: Client, sending: Sending) -> Attempt:
    """Send the event's notification once; only a 2xx is a success, and a redirect is not followed."""
    at = now_ms()
    if len(sending.event.payload) > MOST_INLINE:
        request = await asyncio.to_thread(_request, sending, at)
    else:
        request = _request(sending, at)
    outcome = await client.send(request)
    if isinstance(outcome, Failure):
        return Attempt(
            at=at,
            duration_ms=round(outcome.total_ms),
            status=None,
            reason=_storable(f"{outcome.reason}: {outcome.detail}"),
            retry_after_ms=None,
            connect_ms=round(outcome.connect_ms) or None,
            answer=b"",
        )
    return _answered(outcome, at, sending)


def _request(sending: Sending, at: int) -> Request:
    callback, body = sending.callback, render(sending.event, sending.hub)
    return Request(
        method="POST",
        url=callback.destination.url,
        headers=(*signed_headers(sending.event, body, callback, at, sending.replay_id), *callback.headers),
        body=body,
        timeout=sending.timeout_s,
        max_answer=MAX_ANSWER,
    )


def signed_headers(
    event: Event, body: bytes, callback: Callback, at: int, replay_id: str | None
) -> list[tuple[str, str]]:
    """The headers by which a consumer knows a notification; a replay names itself beside the event's own id."""
    seconds = at // 1000
    headers = [
        ("Content-Type", "application/json"),
        ("webhook-id", event.id),
        ("webhook-timestamp", str(seconds)),
        ("webhook-signature", sign.standard(callback.signing_keys, event.id, seconds, body)),
        ("Elements-Webhook-Id", event.id),
    ]
    if callback.elements_key is not None:
        headers.append(("Elements-Webhook-Signature", sign.elements(callback.elements_key, body)))
    if replay_id is not None:
        headers.append((REPLAY_HEADER, replay_id))
    return headers


def _answered(answer: Answer, at: int, sending: Sending) -> Attempt:
    success = 200 <= answer.status < 300
    header = None if success else next((value for name, value in answer.headers if name == "retry-after"), None)
    return Attempt(
        at=at,
        duration_ms=round(answer.total_ms),
        status=answer.status,
        reason=None if success else f"status {answer.status}",
        retry_after_ms=retry_after_ms(header, at),
        connect_ms=round(answer.connect_ms),
        head_ms=round(answer.head_ms),
        answer=redact.body(answer.body, sending.secrets, KEPT_ANSWER) if sending.keeps else b"",
        headers=_kept_headers(answer, sending.secrets) if sending.keeps else None,
    )


def _kept_headers(answer: Answer, secrets: Sequence[str]) -> str:
    kept = redact.headers(answer.headers[:MOST_HEADERS], secrets)
    return orjson.dumps([(_storable(name), _storable(value)) for name, value in kept]).decode()


def _storable(text: str) -> str:
    """What a peer said may stand in the text, and no database may stumble over it."""
    return text[:MAX_REASON].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def host_of(url: str) -> str:
    """The scheme and host of a URL; what logs may show of it."""
    match = re.match(r"https?://[^/?#]*", url)
    return match[0].rsplit("@", 1)[-1] if match else ""
