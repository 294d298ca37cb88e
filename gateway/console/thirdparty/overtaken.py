"""Two people at one connector: which fields the other has changed since they were shown; pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from gateway.console.shown import cut
from gateway.thirdparty.masking import shown
from gateway.thirdparty.model import ThirdParty

_MARK = 12
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Changed:
    """A field that stands otherwise now; its value as lines of text, without secrets."""

    field: str
    value: str


def marks(connector: ThirdParty) -> str:
    """What the fields were like when they were shown, for a hidden field of the form; it tells nothing of them."""
    return ",".join(_mark(one) for one in _values(connector).values())


def changed(seen: str, connector: ThirdParty) -> tuple[Changed, ...]:
    """The fields that are not as they were; all of them where it is not known how they were."""
    values, before = _values(connector), seen.split(",")
    if len(before) != len(values):
        before = [""] * len(values)
    return tuple(
        Changed(name, cut(value, _LONGEST))
        for (name, value), mark in zip(values.items(), before, strict=True)
        if _mark(value) != mark
    )


def names(before: ThirdParty, after: ThirdParty) -> list[str]:
    """The names of the fields that a change has changed, secrets among them."""
    found = [name for name, value in _values(after).items() if value != _values(before)[name]]
    old, new = before.definition, after.definition
    if "headers" not in found and old.headers != new.headers:
        found.append("headers")
    return [*found, "password"] if old.password != new.password else found


def _values(connector: ThirdParty) -> Mapping[str, str]:
    safe = shown(connector.definition)
    fires = safe.fires
    return {
        "name": safe.name,
        "method": safe.method,
        "type": safe.type,
        "url": safe.url,
        "headers": "\n".join(f"{one.name}: {one.value}" for one in safe.headers),
        "username": safe.username or "",
        "data": "\n".join(f"{one.name} = {one.value}" for one in safe.data),
        "kinds": " ".join(one.kind for one in safe.data),
        "root": safe.root,
        "fires": "\n".join(
            ", ".join(map(str, one))
            for one in (fires.instance_ids, fires.connectors, fires.event_types, fires.object_types)
            if one
        ),
        "enabled": str(connector.enabled).lower(),
    }


def _mark(value: str) -> str:
    return hashlib.sha256(orjson.dumps(value)).hexdigest()[:_MARK]
