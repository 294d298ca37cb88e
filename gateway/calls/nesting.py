"""Fields of a body that stand deeper than at its top: callers give them side by side, vendors get them nested."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.catalogue.call_model import Field, Step


def has_depth(fields: Mapping[str, Field]) -> bool:
    """Whether any field goes deeper than the top."""
    return any(one.at for one in fields.values())


def nested(fields: Mapping[str, Field], members: Mapping[str, object]) -> dict[str, Any]:
    """The members where they belong; of a list of objects, the first values make the first object, and so on."""
    found: dict[str, Any] = {}
    for name, value in members.items():
        declared = fields.get(name)
        if declared is None or not declared.at:
            found[name] = value
        else:
            _put(found, declared.at, value)
    return found


def _put(target: dict[str, Any], steps: Sequence[Step], value: object) -> None:
    step, rest = steps[0], steps[1:]
    if not step.many and not rest:
        target[step.name] = value
    elif not step.many:
        _put(target.setdefault(step.name, {}), rest, value)
    else:
        _spread(target.setdefault(step.name, []), rest, value if isinstance(value, list) else [value])


def _spread(elements: list[Any], rest: Sequence[Step], values: Sequence[object]) -> None:
    if not rest:
        elements.extend(values)
        return
    for place, value in enumerate(values):
        if place == len(elements):
            elements.append({})
        _put(elements[place], rest, value)
