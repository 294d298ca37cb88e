"""Identifiers: time-ordered ids for rows, unguessable tokens, and the hashes under which tokens are kept."""

import hashlib
import os
import secrets
from base64 import b64encode

from gateway.clock import now_ms


def time_ordered(at_ms: int | None = None) -> str:
    """A UUID version 7 (RFC 9562) as 32 hex digits: sorts by creation, or by a moment that is given; 74 random bits."""
    value = ((now_ms() if at_ms is None else at_ms) << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF000 << 64)) | (0x7000 << 64)
    value = (value & ~(0xC000 << 48)) | (0x8000 << 48)
    return f"{value:032x}"


def token() -> str:
    """An unguessable token of 256 bits in `[A-Za-z0-9_-]`."""
    return secrets.token_urlsafe(32)


def base64_token() -> str:
    """An unguessable token in standard base64, the form of an Open Connectors secret."""
    return b64encode(os.urandom(32)).decode()


def hex_token() -> str:
    """An unguessable token of 128 bits as 32 hex digits."""
    return os.urandom(16).hex()


def signing_secret() -> str:
    """A Standard Webhooks secret: `whsec_` and base64 of 32 random bytes."""
    return "whsec_" + b64encode(os.urandom(32)).decode()


def digest(token_text: str) -> str:
    """The SHA-256 under which a random token is kept; fit for secrets of 128 bits and more only."""
    return hashlib.sha256(token_text.encode("utf-8", "surrogatepass")).hexdigest()


def body_hash(body: bytes) -> str:
    """The name of a body in the history: half of its SHA-256, as 32 hex digits."""
    return hashlib.sha256(body).hexdigest()[:32]


def first_at(at_ms: int) -> str:
    """The smallest time-ordered id of a moment; ids below it are older."""
    return f"{max(0, at_ms):012x}" + "0" * 20
