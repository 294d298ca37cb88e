"""What of a 3rd-party connector is secret, and how it is shown without."""

from collections.abc import Iterable
from dataclasses import replace

from gateway.instances.configuration import MASK
from gateway.redact import SHORTEST_SECRET, is_telling
from gateway.thirdparty.model import Definition, Header

_ALSO = ("key", "token", "secret")


def is_secret(header_name: str) -> bool:
    """Whether the value of such a header is sealed and never shown."""
    lowered = header_name.lower()
    return is_telling(lowered) or any(word in lowered for word in _ALSO)


def shown(definition: Definition) -> Definition:
    """The definition as it may be shown."""
    headers = tuple(Header(one.name, MASK if is_secret(one.name) else one.value) for one in definition.headers)
    return replace(definition, headers=headers, password=None if definition.password is None else MASK)


def secrets_of(definition: Definition, headers: Iterable[tuple[str, str]] = ()) -> tuple[str, ...]:
    """What must not be kept where the other side says it back: as it was entered, and as it is sent."""
    sent = [value for name, value in headers if is_secret(name)]
    entered = [one.value for one in definition.headers if is_secret(one.name)]
    parts = [part for value in (*sent, *entered) for part in (value, value.rpartition(" ")[2])]
    if definition.password:
        parts.append(definition.password)
    return tuple(part for part in dict.fromkeys(parts) if len(part) >= SHORTEST_SECRET)
