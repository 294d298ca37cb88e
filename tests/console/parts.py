"""Webhooks for pages that show events: sent as a vendor does, to an instance with a real consumer."""

import io
import json
from typing import Any

from tests.kit import signed
from tests.kit.gateway import Answered, Gateway


async def send(
    gateway: Gateway,
    made: dict[str, Any],
    body: bytes | dict[str, Any],
    *,
    event: str = "issues",
    delivery: str | None = None,
) -> Answered:
    """One webhook of an instance of GitHub."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = signed.github(made["webhookSecret"], content, event=event, delivery=delivery)
    # A stream, so that the client does not warn of a large one.
    return await gateway.call("POST", made["webhookUrl"], data=io.BytesIO(content), headers=headers)
