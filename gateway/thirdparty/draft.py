"""What a caller wants of a 3rd-party connector, read from a body and checked for its shape."""

from collections.abc import Mapping
from typing import Any, TypeVar

from gateway.errors import Invalid, Problem
from gateway.thirdparty.model import (
    BODY_TYPES,
    METHODS,
    ROW_KINDS,
    DataRow,
    Draft,
    Fires,
    Header,
)

FIELDS = ("name", "method", "type", "url", "headers", "basic", "data", "root", "fires", "enabled")
FIRES = ("instance_ids", "connectors", "event_types", "object_types")
MOST_HEADERS = 50
MOST_ROWS = 200
MOST_CONDITIONS = 200
_LARGEST = 2**63 - 1
W = TypeVar("W", bound=str)


def read(body: Mapping[str, Any]) -> Draft:
    """Read the fields of a body; Invalid names everything that is wrong with its shape."""
    problems: list[Problem] = []
    username, password = _basic(body, problems)
    draft = Draft(
        name=_text(body, "name", problems),
        method=_word(body, "method", METHODS, problems),
        type=_word(body, "type", BODY_TYPES, problems),
        url=_text(body, "url", problems),
        headers=_headers(body.get("headers"), problems),
        username=username,
        password=password,
        data=_rows(body.get("data"), problems),
        root=_text(body, "root", problems),
        fires=_fires(body.get("fires"), problems),
        enabled=_flag(body.get("enabled"), problems),
    )
    if problems:
        raise refused(problems)
    return draft


def refused(problems: list[Problem]) -> Invalid:
    """What is wrong with a connector, field by field, in a sentence too."""
    return Invalid("; ".join(f"{one.field}: {one.message}" for one in problems[:20]) + ".", tuple(problems))


def _text(body: Mapping[str, Any], name: str, problems: list[Problem], where: str = "") -> str | None:
    value = body.get(name)
    if value is None or isinstance(value, str):
        return value
    problems.append(Problem(where + name, "expected a text"))
    return None


def _word(body: Mapping[str, Any], name: str, known: tuple[W, ...], problems: list[Problem]) -> W | None:
    value = body.get(name)
    if value is None:
        return None
    given = value.upper() if isinstance(value, str) else value
    found = next((one for one in known if one == given), None)
    if found is None:
        problems.append(Problem(name, f"expected one of {', '.join(known)}"))
    return found


def _flag(value: object, problems: list[Problem]) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    problems.append(Problem("enabled", "expected true or false"))
    return None


def _basic(body: Mapping[str, Any], problems: list[Problem]) -> tuple[str | None, str | None]:
    if "basic" not in body:
        return None, None
    value = body["basic"]
    if value is None:
        return "", None
    if not _is_object(value, "basic", ("username", "password"), problems):
        return None, None
    return _text(value, "username", problems, "basic."), _text(value, "password", problems, "basic.")


def _headers(value: object, problems: list[Problem]) -> tuple[Header, ...] | None:
    rows = _listed(value, "headers", MOST_HEADERS, ("name", "value"), problems)
    return None if rows is None else tuple(Header(row["name"], row["value"]) for row in rows)


def _rows(value: object, problems: list[Problem]) -> tuple[DataRow, ...] | None:
    rows = _listed(value, "data", MOST_ROWS, ("name", "value", "kind"), problems)
    if rows is None:
        return None
    for number, row in enumerate(rows):
        if row["kind"] not in ("", *ROW_KINDS):
            problems.append(Problem(f"data.{number}.kind", f"expected one of {', '.join(ROW_KINDS)}"))
    return tuple(DataRow(row["name"], row["value"], "json" if row["kind"] == "json" else "text") for row in rows)


def _listed(
    value: object, field: str, most: int, names: tuple[str, ...], problems: list[Problem]
) -> list[dict[str, str]] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > most:
        problems.append(Problem(field, f"expected a list of at most {most} rows"))
        return None
    rows = []
    for number, row in enumerate(value):
        if _is_object(row, f"{field}.{number}", names, problems):
            rows.append({name: _text(row, name, problems, f"{field}.{number}.") or "" for name in names})
    return rows


def _fires(value: object, problems: list[Problem]) -> Fires | None:
    if value is None or not _is_object(value, "fires", FIRES, problems):
        return None
    assert isinstance(value, dict)
    found = {name: _condition(value.get(name), name, problems) for name in FIRES}
    return Fires(
        instance_ids=tuple(one for one in found["instance_ids"] if isinstance(one, int)),
        connectors=_texts(found["connectors"]),
        event_types=_texts(found["event_types"]),
        object_types=_texts(found["object_types"]),
    )


def _texts(values: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(one for one in values if isinstance(one, str))


def _condition(value: object, name: str, problems: list[Problem]) -> tuple[object, ...]:
    if value is None:
        return ()
    what = "whole numbers" if name == "instance_ids" else "texts"
    if not isinstance(value, list) or len(value) > MOST_CONDITIONS or not all(_fits(one, name) for one in value):
        problems.append(Problem(f"fires.{name}", f"expected a list of at most {MOST_CONDITIONS} {what}"))
        return ()
    return tuple(dict.fromkeys(value))


def _fits(value: object, name: str) -> bool:
    if name == "instance_ids":
        return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST
    return isinstance(value, str) and 0 < len(value) <= 200


def _is_object(value: object, field: str, names: tuple[str, ...], problems: list[Problem]) -> bool:
    if not isinstance(value, dict):
        problems.append(Problem(field, "expected an object"))
        return False
    unknown = [str(name)[:80] for name in value if name not in names]
    problems.extend(Problem(f"{field}.{name}", "is no field of this request") for name in unknown)
    return not unknown
