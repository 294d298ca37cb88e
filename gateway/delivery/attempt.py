"""One request of a delivery: render, sign, send, and say what came of it."""

import asyncio
import re

from gateway.clock import now_ms
from gateway.delivery import sign
from gateway.delivery.model import Attempt
from gateway.delivery.notification import render
from gateway.delivery.retry import retry_after_ms
from gateway.egress.model import Answer, Client, Failure, Request
from gateway.events.model import Event
from gateway.instances.view import Callback, InstanceView

KEPT_ANSWER = 1024
MAX_ANSWER = 65_536
MAX_REASON = 500
#: A larger payload is rendered and signed in a thread, so that the event loop goes on meanwhile.
MOST_INLINE = 128 << 10


async def attempt(client: Client, view: InstanceView, callback: Callback, event: Event, timeout_s: float) -> Attempt:
    """Send the event's notification once; only a 2xx is a success, and a redirect is not followed."""
    at = now_ms()
    if len(event.payload) > MOST_INLINE:
        request = await asyncio.to_thread(_request, view, callback, event, at, timeout_s)
    else:
        request = _request(view, callback, event, at, timeout_s)
    outcome = await client.send(request)
    if isinstance(outcome, Failure):
        return Attempt(
            at=at,
            duration_ms=round(outcome.total_ms),
            status=None,
            reason=_storable(f"{outcome.reason}: {outcome.detail}"),
            retry_after_ms=None,
            answer=b"",
        )
    return _answered(outcome, at)


def _request(view: InstanceView, callback: Callback, event: Event, at: int, timeout_s: float) -> Request:
    body = render(event, view.connector.hub)
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
    return Request(
        method="POST",
        url=callback.destination.url,
        headers=(*headers, *callback.headers),
        body=body,
        timeout=timeout_s,
        max_answer=MAX_ANSWER,
    )


def _answered(answer: Answer, at: int) -> Attempt:
    success = 200 <= answer.status < 300
    header = None if success else next((value for name, value in answer.headers if name == "retry-after"), None)
    return Attempt(
        at=at,
        duration_ms=round(answer.total_ms),
        status=answer.status,
        reason=None if success else f"status {answer.status}",
        retry_after_ms=retry_after_ms(header, at),
        answer=answer.body[:KEPT_ANSWER],
    )


def _storable(text: str) -> str:
    """What a peer said may stand in the text, and no database may stumble over it."""
    return text[:MAX_REASON].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def host_of(url: str) -> str:
    """The scheme and host of a URL; what logs may show of it."""
    match = re.match(r"https?://[^/?#]*", url)
    return match[0].rsplit("@", 1)[-1] if match else ""
