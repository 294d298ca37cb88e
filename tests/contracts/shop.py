"""Deliveries of an invented vendor, for tests of fixtures and of those who read them."""

import hashlib
import hmac
from typing import Any

SECRET = "a-secret-of-the-shop"
BODY = '{"type":"order.paid","order":{"id":7}}'


def sign(body: str, secret: str = SECRET) -> str:
    """The shop's signature."""
    return hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()


def delivery(*, signature: str | None = None, request: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An accepted delivery as a fixture has it, but for what is given."""
    sent = {
        "method": "POST",
        "url": "https://gateway.example/in/t0ken",
        "headers": {"x-signature": sign(BODY) if signature is None else signature},
        "body": BODY,
    }
    told = {
        "name": "an order",
        "origin": "made for this test",
        "config": {"secret": SECRET},
        "now": 1_700_000_000,
        "request": {key: value for key, value in {**sent, **(request or {})}.items() if value is not None},
        "expect": "accepted",
    }
    return {**told, **changes}


def fixtures(*deliveries: dict[str, Any]) -> dict[str, Any]:
    """The content of a fixture file."""
    return {"connector": "shop", "deliveries": list(deliveries)}
