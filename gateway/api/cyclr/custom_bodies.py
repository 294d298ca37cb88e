"""Custom connectors on this wire: definitions as they are given, laid over each other, and shown."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from gateway.api.cyclr.wire import ABSENT, Given, dashed, moment, wrong
from gateway.catalogue.custom.model import LONGEST_DEFINITION, Custom, Entry, Status
from gateway.errors import Invalid

#: What the gateway says itself, whatever a definition holds under these names.
_OURS = ("Id", "UniqueIdentifier", "ReleaseStatus", "LiveRelease", "CreatedDate", "ModifiedDate")
_NOT_KEPT = frozenset(name.lower() for name in _OURS)
_STATUSES: Mapping[Status, str] = {"draft": "Draft", "live": "Live"}
_OF_ONE_WAY = ("AuthName", "AuthDescription", "AuthType", "OAuth2Type", "AuthScheme")
Definition = dict[str, Any]


def definition(body: Given, current: Definition | None = None) -> Definition:
    """What a body says, laid over what there is; Invalid where it is too much to keep."""
    laid = {str(name).lower(): (str(name), value) for name, value in (current or {}).items()}
    for name, value in body.given.items():
        low = name.lower()
        if low not in _NOT_KEPT:
            laid[low] = (laid[low][0] if low in laid else name, value)
    return dict(laid.values())


def written(found: Definition) -> str:
    """A definition as it is kept."""
    text = orjson.dumps(found).decode()
    if len(text) > LONGEST_DEFINITION:
        raise Invalid(f"Invalid connector: (it is longer than {LONGEST_DEFINITION // 1024} KiB)")
    return text


def read(found: Custom) -> Definition:
    """A definition that was kept."""
    kept: Definition = orjson.loads(found.definition)
    return kept


def guid(body: Given) -> str | None:
    """The GUID that a body names, as hexadecimal digits; None where it names none."""
    if body.raw("UniqueIdentifier") is ABSENT:
        return None
    given = body.text("UniqueIdentifier", longest=100) or ""
    found = as_guid(given.strip())
    if found is None:
        raise wrong("UniqueIdentifier", "must be a GUID")
    return found


def as_guid(text: str) -> str | None:
    """The hexadecimal digits of a GUID, with or without dashes; None where it is none."""
    try:
        found = UUID(text).hex
    except ValueError:
        return None
    return found if text.replace("-", "").lower() == found else None


def wants_release(body: Given) -> bool:
    """Whether a body asks for what it says to count."""
    given = (body.text("ReleaseStatus", longest=100) or "Draft").strip().lower()
    if given not in ("draft", "live"):
        raise wrong("ReleaseStatus", "must be Draft or Live")
    return given == "live"


def shape(found: Custom) -> dict[str, Any]:
    """A custom connector with its definition."""
    kept = read(found)
    said = {name.lower(): value for name, value in kept.items()}
    release = orjson.loads(found.released)["version"] if found.released is not None else None
    ways = [{**one, "IsDefault": place == 0} for place, one in enumerate(_ways(said))]
    return {
        **{name: value for name, value in kept.items() if name.lower() != "authentication"},
        **_head(found.id, found.guid, found.status, found.created_at, found.updated_at),
        "LiveRelease": release,
        "Authentication": ways,
    }


def line(found: Entry) -> dict[str, Any]:
    """A custom connector in a list."""
    head = _head(found.id, found.guid, found.status, found.created_at, found.updated_at)
    return {**head, "Name": found.name, "IsReleased": found.is_released}


def _head(number: int, guid_: str, status: Status, created_at: int, updated_at: int) -> dict[str, Any]:
    return {
        "Id": number,
        "UniqueIdentifier": dashed(guid_),
        "ReleaseStatus": _STATUSES[status],
        "CreatedDate": moment(created_at),
        "ModifiedDate": moment(updated_at),
    }


def _ways(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ways to authenticate, the default one first; one that is said at the top stands alone."""
    listed = said.get("authentication")
    if isinstance(listed, list) and listed:
        found = [{str(name): value for name, value in one.items()} for one in listed if isinstance(one, dict)]
        lows = [{name.lower(): value for name, value in one.items()} for one in found]
        order = sorted(range(len(found)), key=lambda place: str(lows[place].get("isdefault", "")).lower() != "true")
        return [{name: value for name, value in found[place].items() if name.lower() != "isdefault"} for place in order]
    return [{name: said.get(name.lower()) for name in _OF_ONE_WAY} | {"AuthType": said.get("authtype") or "None"}]
