"""What a parameter or a field takes: its type, its choices, what is usual."""

from collections.abc import Mapping
from typing import Any

from gateway.catalogue.custom.part import Part

MOST_VALUES = 500
_TYPES: Mapping[str, str] = {
    "": "string", "undefined": "string", "unknown": "string", "text": "string", "string": "string",
    "boolean": "boolean", "datetime": "datetime", "date": "date", "decimal": "number", "float": "number",
    "integer": "integer",
}  # fmt: skip
_ENTRY_TYPES = frozenset({"boolean", "integer", "number"})


def declared(part: Part, *, in_body: bool = False) -> dict[str, Any]:
    """The table of a connector file for a parameter or a field."""
    kind = part.word("DataType")
    found: dict[str, Any] = {"type": _TYPES.get(kind, "string")}
    if in_body and kind in ("undefined", "unknown"):
        found["type"] = "json"
    if kind not in _TYPES:
        part.problem("DataType", "must be Text, Boolean, Integer, Decimal, Float, DateTime or Undefined")
    if not part.flag("IsOptional"):
        found["required"] = True
    usual = default(part)
    if usual:
        found["default"] = usual
    found |= {key: value for key, value in {"choices": choices(part), "description": described(part)}.items() if value}
    return found


def entry(part: Part, key: str) -> dict[str, Any]:
    """The table of a connector file for a property of account connectors."""
    kind = _TYPES.get(part.word("DataType"), "string")
    found: dict[str, Any] = {
        "key": key,
        "name": part.text("DisplayName", "DisplayField", longest=200) or part.text("TargetName", longest=200),
        "type": kind if kind in _ENTRY_TYPES else "string",
        "description": part.text("Description"),
        "required": not part.flag("IsOptional"),
        "secret": part.flag("IsSensitive"),
        "choices": choices(part),
        "hidden": is_fixed(part),
    }
    usual = default(part)
    return found | ({"default": usual} if usual else {})


def is_property(part: Part) -> bool:
    """Whether a connector's parameter has one value for all calls of an account connector."""
    marks = ("IsAccountConnectorProperty", "IsPartnerConnectorProperty", "IsPartnerProperty")
    return any(part.flag(mark) for mark in marks) or bool(default(part))


def is_fixed(part: Part) -> bool:
    """Whether the definition says the value, and nobody else."""
    return bool(default(part)) and (not part.flag("IsAccountConnectorProperty") or part.flag("Hide"))


def default(part: Part) -> str:
    """The value that counts where none is given; empty where there is none."""
    return part.text("DefaultValue", "Value")


def described(part: Part) -> str:
    """What people are told."""
    return part.text("Description") or part.text("DisplayName", "DisplayField")


def choices(part: Part) -> list[str]:
    """The only values there are; empty where any will do."""
    given = part.raw("Values")
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > MOST_VALUES:
        part.problem("Values", f"must be a list of at most {MOST_VALUES} values")
        return []
    members = [one if isinstance(one, dict) else {"Value": one} for one in given]
    texts = [
        Part(one, f"{part.where}.Values[{place}]", part.problems).text("Value") for place, one in enumerate(members)
    ]
    return list(dict.fromkeys(text for text in texts if text))
