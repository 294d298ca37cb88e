"""The signatures of a notification: Standard Webhooks 1.0.0, and Elements where the consumer set a key."""

import hmac
from base64 import b64encode
from collections.abc import Sequence


def standard(keys: Sequence[bytes], message_id: str, timestamp_s: int, body: bytes) -> str:
    """The `webhook-signature` header: one entry for each key that counts, newest first."""
    content = b"%b.%d.%b" % (message_id.encode(), timestamp_s, body)
    return " ".join("v1," + b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys)


def elements(key: bytes, body: bytes) -> str:
    """The `Elements-Webhook-Signature` header: `sha256=` and the base64 HMAC of the body."""
    return "sha256=" + b64encode(hmac.digest(key, body, "sha256")).decode()
