"""One request of a delivery: render, sign, send, and say what came of it."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from gateway import redact
from gateway.clock import now_ms
from gateway.delivery import sign
from gateway.delivery.model import Attempt
from gateway.delivery.notification import render
from gateway.delivery.retry import retry_after_ms
from gateway.egress.model import Answer, Client, Request
from gateway.events.model import Event
from gateway.instances.view import Callback

KEPT_ANSWER = 1024
MOST_HEADERS = 40
REPLAY_HEADER = "Gateway-Replay-Id"
MAX_ANSWER = 65_536
MAX_REASON = 500
#: A larger payload is rendered and signed in a thread, so that the event loop goes on meanwhile.
MOST_INLINE = 128 << 10


@dataclass(frozen=True, slots=True)
class Unsendable:
    """Which field makes no request of this event, and why; it will not make one later either."""

    field: str
    message: str

    @property
    def reason(self) -> str:
        return f"cannot be rendered: {self.field}: {self.message}"


class Sending(Protocol):
    """One request of a delivery: how it is made at the moment of sending, and what of its answer is kept."""

    @property
    def size(self) -> int:
        """How much it takes to make it."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether the answer is kept."""
        ...

    def request(self, at: int) -> Request | Unsendable:
        """The request as it is sent at a time."""
        ...

    def secrets(self, request: Request) -> Sequence[str]:
        """What is never kept, though the other side should answer with what it was sent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCallback:
    """The event's notification to a callback."""

    event: Event
    #: The hub of the event's own connector; the callback may be another instance's.
    hub: str
    callback: Callback
    replay_id: str | None
    timeout_s: float
    keeps: bool
    hidden: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.event.payload)

    def request(self, at: int) -> Request:
        callback, body = self.callback, render(self.event, self.hub)
        return Request(
            method="POST",
            url=callback.destination.url,
            headers=(*signed_headers(self.event, body, callback, at, self.replay_id), *callback.headers),
            body=body,
            timeout=self.timeout_s,
            max_answer=MAX_ANSWER,
        )

    def secrets(self, request: Request) -> Sequence[str]:
        del request
        return self.hidden


async def attempt(client: Client, sending: Sending) -> Attempt:
    """Send the request of an event once; only a 2xx is a success, and a redirect is not followed."""
    at = now_ms()
    made = await asyncio.to_thread(sending.request, at) if sending.size > MOST_INLINE else sending.request(at)
    if isinstance(made, Unsendable):
        return failed(at, made.reason, final=True)
    outcome = await client.send(made)
    if isinstance(outcome, Answer):
        return _answered(outcome, at, sending.secrets(made) if sending.keeps else None)
    reason = _storable(f"{outcome.reason}: {outcome.detail}")
    connect_ms = round(outcome.connect_ms) or None
    return failed(at, reason, duration_ms=round(outcome.total_ms), connect_ms=connect_ms)


def failed(
    at: int, reason: str, *, duration_ms: int = 0, connect_ms: int | None = None, final: bool = False
) -> Attempt:
    """An attempt that brought no answer."""
    return Attempt(
        at=at,
        duration_ms=duration_ms,
        status=None,
        reason=reason,
        retry_after_ms=None,
        connect_ms=connect_ms,
        answer=b"",
        final=final,
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


def _answered(answer: Answer, at: int, secrets: Sequence[str] | None) -> Attempt:
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
        answer=b"" if secrets is None else redact.body(answer.body, secrets, KEPT_ANSWER),
        headers=None if secrets is None else _kept_headers(answer, secrets),
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
