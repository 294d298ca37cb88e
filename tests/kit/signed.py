"""Deliveries signed as vendors sign them; the signing is written here anew, not taken from the gateway."""

import base64
import hashlib
import hmac
import time
import uuid


def github(secret: str, body: bytes, *, event: str = "issues", delivery: str | None = None) -> dict[str, str]:
    """Headers of a GitHub delivery."""
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def close(hex_key: str, body: bytes, *, at: int | None = None) -> dict[str, str]:
    """Headers of a Close delivery."""
    stamp = str(int(time.time()) if at is None else at)
    digest = hmac.new(bytes.fromhex(hex_key), stamp.encode() + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "close-sig-timestamp": stamp, "close-sig-hash": digest}


def standard(secret: str, body: bytes, *, message_id: str | None = None, at: int | None = None) -> dict[str, str]:
    """Headers of a Standard Webhooks delivery."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    message_id, stamp = message_id or f"msg_{uuid.uuid4().hex}", int(time.time()) if at is None else at
    content = f"{message_id}.{stamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": f"v1,{signature}",
    }
