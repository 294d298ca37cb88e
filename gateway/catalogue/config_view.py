"""The configuration of one instance as the engines read it: opened values, and keys that a rotation has left valid."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ConfigView:
    """Values by entry key, and beside them the earlier values that are still accepted for a while."""

    values: Mapping[str, str]
    previous: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get(self, key: str) -> str | None:
        """The value as stored; None where the instance has none."""
        return self.values.get(key)

    def secrets(self, key: str) -> tuple[str, ...]:
        """Every usable value of an entry, newest first, then its earlier ones; empty ones never count."""
        stored, earlier = self.values.get(key), self.previous.get(key)
        if stored and not earlier and stored[0] != "[":
            return (stored,)
        texts = (stored, *(earlier or ()))
        return tuple([secret for text in texts for secret in _listed(text) if secret])


def _listed(stored: str | None) -> tuple[str, ...]:
    if not stored:
        return ()
    if not stored.startswith("["):
        return (stored,)
    try:
        values = json.loads(stored)
    except (ValueError, RecursionError):
        return (stored,)
    # A secret may itself begin with a bracket: only a list of texts is a list of secrets.
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return tuple(values)
    return (stored,)
