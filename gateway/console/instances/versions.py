"""What a form began with, so that the second of two people is told what the first has changed; pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from gateway.errors import Conflict

_LONGEST = 65_536


class Overtaken(Conflict):
    """Somebody else has changed this since."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__()
        self.keys = keys


@dataclass(frozen=True, slots=True)
class Versions:
    """Marks values by field; who does not know the key cannot tell from a mark what a secret is."""

    key: bytes

    def of(self, values: Mapping[str, str]) -> str:
        """The marks of what a form begins with, as it takes them along."""
        return orjson.dumps({name: self._mark(value) for name, value in values.items()}).decode()

    def refuse_overtaken(self, given: str, values: Mapping[str, str]) -> None:
        """Overtaken where anything that a form began with is another by now; a text that is no mark claims nothing."""
        changed = tuple(name for name, mark in _read(given).items() if mark != self._mark(values.get(name, "")))
        if changed:
            raise Overtaken(changed)

    def is_untouched(self, given: str, name: str, typed: str) -> bool:
        """Whether what was typed is what the form began with."""
        return _read(given).get(name) == self._mark(typed)

    def _mark(self, value: str) -> str:
        return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), key=self.key, digest_size=8).hexdigest()


def versions(secret: str) -> Versions:
    """Marks that only this gateway makes."""
    return Versions(hashlib.sha256(b"instance versions\0" + secret.encode()).digest())


def _read(given: str) -> dict[str, str]:
    try:
        found = orjson.loads(given[:_LONGEST]) if given else {}
    except orjson.JSONDecodeError:
        return {}
    return {str(name): str(mark) for name, mark in found.items()} if isinstance(found, dict) else {}
