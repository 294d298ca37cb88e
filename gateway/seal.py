"""Credentials at rest: AES-GCM under the newest key, opened by any, bound to the row they stand in."""

import hashlib
import os
from base64 import b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import StartRefused

_NONCE = 12
_KEY_ID = 4


def new_key() -> str:
    """A fresh sealing key as text: 32 random bytes, base64url."""
    return urlsafe_b64encode(os.urandom(32)).decode()


class Seal:
    """Seals and opens values; a value moved to another place does not open."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._ciphers = {_key_id(raw): AESGCM(raw) for raw in map(_raw, keys)}
        self._newest = next(iter(self._ciphers))

    def close(self, value: str, place: str) -> bytes:
        """Seal `value` for `place` (table:row:column)."""
        nonce = os.urandom(_NONCE)
        return self._newest + nonce + self._ciphers[self._newest].encrypt(nonce, value.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """The value that was sealed for `place`."""
        cipher = self._ciphers.get(sealed[:_KEY_ID])
        if cipher is None:
            raise StartRefused("A stored credential was sealed with a key that is not in security.encryption_keys.")
        nonce, text = sealed[_KEY_ID : _KEY_ID + _NONCE], sealed[_KEY_ID + _NONCE :]
        try:
            return cipher.decrypt(nonce, text, place.encode()).decode()
        except InvalidTag as problem:
            raise StartRefused(f"The sealed value at {place} does not open; the database was changed.") from problem

    @property
    def fingerprint(self) -> str:
        """The newest key's public fingerprint, kept in the database."""
        return self._newest.hex()

    @property
    def fingerprints(self) -> frozenset[str]:
        """The fingerprints of all keys that can open."""
        return frozenset(key.hex() for key in self._ciphers)


def _key_id(raw: bytes) -> bytes:
    return hashlib.sha256(b"connector-gateway key id" + raw).digest()[:_KEY_ID]


def _raw(text: str) -> bytes:
    try:
        raw = b64decode(text, b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise StartRefused("security.encryption_keys: each key is 32 bytes in base64url; `gateway init` writes one.")
    return raw
