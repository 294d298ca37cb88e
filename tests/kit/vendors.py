"""Vendors that exist in tests alone: their connector files, and deliveries signed as they sign them."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

from gateway import config
from tests.kit.gateway import settings

_HEAD = """
format = 1
key = "{key}"
name = "{key}"
version = "1.0.0"
ack_deadline = "5s"
[[config]]
key = "app.secret"
name = "App secret"
secret = true
[[config]]
key = "portal"
name = "Portal"
[[config]]
key = "proof"
name = "Proof"
default = "hmac"
choices = ["hmac", "none"]
[[config]]
key = "hook.secret"
name = "Hook secret"
secret = true
[auth.none]
type = "none"
[http]
base_url = "https://vendor.example"
"""
_PROOF = """
[[webhook.verify]]
scheme = "hmac"
hash = "sha256"
secret = "config:app.secret"
signature = "header:x-sig"
signed = "{raw}"
if = { proof = "hmac" }
[[webhook.verify]]
scheme = "none"
if = { proof = "none" }
"""
_CHALLENGE = """
[[webhook.handshake]]
when = { body = { type = "url_verification" } }
verify = true
respond = { content_type = "text/plain", body = "{body:challenge}" }
"""

#: One URL for all customers; a delivery is a list of changes, each of which names its portal.
HUB = (
    _HEAD.format(key="hub")
    + """
[webhook]
scope = "connector"
account = "item:portal"
account_config = "portal"
items = "body:"
type = "{item:type}"
object_type = "const:thing"
object_id = "item:id"
version = "item:id"
"""
    + _PROOF
    + _CHALLENGE
)
#: The same with the shop in a header, between fixed texts.
SHOP = (
    _HEAD.format(key="shop")
    + """
[webhook]
scope = "connector"
account = "header:x-shop"
account_equals = "{config:portal}.shop.example"
type = "{body:type}"
object_id = "body:id"
"""
    + _PROOF
)
#: One URL for each instance, and a delivery says whose it is all the same.
OWN = (
    _HEAD.format(key="own")
    + """
[webhook]
account = "body:portal"
account_config = "portal"
type = "{body:type}"
object_id = "body:id"
"""
    + _PROOF
)
#: Deliveries that carry a nonce which the signature covers, and the body does not.
ONCE = (
    _HEAD.format(key="once")
    + """
[webhook]
items = "body:items"
type = "{item:type}"
object_id = "item:id"
dedupe = "{item:id}"
[[webhook.verify]]
scheme = "hmac"
hash = "sha256"
secret = "config:app.secret"
signature = "header:x-sig"
signed = "{header:x-nonce}"
replay = "header:x-nonce"
"""
)
#: Finds instances by what a delivery holds.
FOUND = (
    _HEAD.format(key="found")
    + """
[webhook]
type = "{body:type}"
object_id = "body:id"
"""
    + _PROOF
)
#: Hands its secret over, has addresses confirmed, and probes with GET and HEAD.
SHY = (
    _HEAD.format(key="shy")
    + """
[webhook]
type = "{body:type}"
[[webhook.verify]]
scheme = "hmac"
hash = "sha256"
secret = "config:hook.secret"
signature = "header:x-sig"
signed = "{raw}"
[[webhook.handshake]]
when = { header = { x-hook-secret = "*" } }
save_once = { "hook.secret" = "header:x-hook-secret" }
respond = { headers = { X-Hook-Secret = "{header:x-hook-secret}" } }
[[webhook.handshake]]
when = { method = ["GET", "HEAD"] }
respond = { body = "here" }
[[webhook.handshake]]
when = { body = { type = "confirm" } }
confirm_url = "body:url"
confirm_hosts = CONFIRM_HOSTS
respond = { body = "confirmed" }
"""
)
ALL = {"hub": HUB, "shop": SHOP, "own": OWN, "once": ONCE, "found": FOUND, "shy": SHY}


def with_vendors(
    folder: Path, database_url: str, *, confirm_hosts: str = '["vendor.example"]', **sections: Any
) -> config.Config:
    """Settings of a gateway that knows these vendors."""
    place = folder / "connectors"
    place.mkdir(exist_ok=True)
    for key, text in ALL.items():
        (place / f"{key}.toml").write_text(text.replace("CONFIRM_HOSTS", confirm_hosts))
    return settings(folder, database_url, catalogue={"paths": [str(place)]}, **sections)


def signed(secret: str, body: bytes, **headers: str) -> dict[str, str]:
    """Headers of a delivery; a nonce is signed instead of the body."""
    content = headers["x_nonce"].encode() if "x_nonce" in headers else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    digest = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "x-sig": digest, **named}
