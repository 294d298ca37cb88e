"""What an event offers to templates: its facts and the places of its payload, each with what stands there; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import orjson

from gateway.clock import iso_ms
from gateway.console.shown import cut
from gateway.provisioning.trying.model import Basis
from gateway.thirdparty.facts import FACTS

MOST = 80
LONGEST_EXAMPLE = 60
LONGEST_PATH = 200
_DEEPEST = 8
#: Of a list, its first elements tell what the others are like.
_ELEMENTS = 1
#: What reading it costs would be felt by who types.
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A placeholder, and what it stands for in this event."""

    placeholder: str
    example: str


def of_payload(payload: bytes) -> list[Suggestion]:
    """The places of a payload, in its order; none where it is no JSON or too large to be read here."""
    if len(payload) > _LARGEST:
        return []
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return []
    return list(islice(_within(value, "", _DEEPEST), MOST))


def of_event(event: Basis, instance_name: str) -> list[Suggestion]:
    """The facts of an event, those that it does not have too."""
    known = {
        "id": event.event_id,
        "type": event.type,
        "action": event.action,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "received_at": iso_ms(event.received_at),
        "instance_id": str(event.instance_id) if event.instance_id else None,
        "instance_name": instance_name,
        "connector": event.connector,
    }
    return [Suggestion(f"{{event:{name}}}", _cut(known.get(name) or "")) for name in FACTS]


def _within(value: object, path: str, levels: int) -> Iterator[Suggestion]:
    if isinstance(value, dict | list) and value and levels:
        steps = value.items() if isinstance(value, dict) else enumerate(value[:_ELEMENTS])
        for name, inner in steps:
            step = _step(str(name))
            longer = f"{path}.{step}" if path else step
            if step and len(longer) <= LONGEST_PATH:
                yield from _within(inner, longer, levels - 1)
    elif path:
        yield Suggestion(f"{{body:{path}}}", _cut(_text(value)))


def _step(name: str) -> str:
    """The name as a step of a path; empty where no path can name it."""
    if not name or not name.isprintable() or any(mark in name for mark in ("'", "{", "}", "??")):
        return ""
    plain = "." not in name and name == name.strip() and not name.startswith("@") and ":" not in name
    return name if plain else f"'{name}'"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def _cut(text: str) -> str:
    return cut(" ".join(text[: 4 * LONGEST_EXAMPLE].split()), LONGEST_EXAMPLE)
