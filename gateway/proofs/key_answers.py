"""Public keys in what vendors' addresses and methods answer: a set of keys, one key, or PEM, maybe somewhere inside."""

from collections.abc import Mapping
from functools import lru_cache

from gateway import jose
from gateway.catalogue.document import Unreadable, read, walk
from gateway.proofs.asymmetric import PublicKey, read_key, usable


@lru_cache(maxsize=256)
def key_in(
    text: bytes, field: str | None, key_id: str | None, algorithm: str, jwt_algorithm: str | None = None
) -> PublicKey | None:
    """The key of this id and kind; without an id only where there is no choice."""
    value = _value(text)
    if field is not None:
        value = walk(value, field.split("."))
    for one in _meant(value, key_id):
        key = _key(one, algorithm, jwt_algorithm)
        if key is not None:
            return key
    return None


def _value(text: bytes) -> object:
    document = read(text)
    return text.decode("latin-1") if isinstance(document, Unreadable) else document.value


def _meant(value: object, key_id: str | None) -> list[object]:
    if isinstance(value, dict):
        if "kty" in value:
            return [value] if key_id is None or value.get("kid", key_id) == key_id else []
        if not isinstance(value.get("keys"), list):
            return [value[key_id]] if key_id is not None and key_id in value else []
        value = value["keys"]
    if isinstance(value, list):
        if key_id is None:
            return value if len(value) == 1 else []
        return [one for one in value if isinstance(one, dict) and one.get("kid") == key_id]
    return [value]


def _key(value: object, algorithm: str, jwt_algorithm: str | None) -> PublicKey | None:
    if isinstance(value, str):
        return read_key(value, algorithm)
    return usable(jose.public_key(value, jwt_algorithm), algorithm) if isinstance(value, Mapping) else None
