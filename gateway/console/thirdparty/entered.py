"""The fields of the editor: what stands in them, as stored or as typed, and the draft that they make; pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gateway.console.forms import Form
from gateway.errors import Conflict, Invalid, Problem
from gateway.thirdparty import draft as drafts
from gateway.thirdparty.masking import shown
from gateway.thirdparty.model import DEFAULT_ROOT, DataRow, Definition, Draft, Fires, Header

_ROW_FIELD = re.compile(r"(headers|data)\.([0-9]+)(?:\.(.*))?")
_PASSED_ON = re.compile(r"fires\.(instance_ids|connectors|event_types|object_types)\b.*")
#: What a button of a row asks for where no script runs, such as `add-data` or `remove-headers-2`.
_ACT = re.compile(r"(add|remove)-(headers|data)(?:-([0-9]{1,4}))?")
_NUMBER = re.compile(r"[0-9]{1,15}")
_LINE = re.compile(r"[\r\n]+")
R = TypeVar("R", bound=Header | DataRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """The fields, rows that are empty among them; the password only where somebody has just typed it."""

    name: str = ""
    method: str = "POST"
    type: str = "JSON"
    url: str = ""
    root: str = DEFAULT_ROOT
    username: str = ""
    password: str = ""
    headers: tuple[Header, ...] = ()
    data: tuple[DataRow, ...] = ()
    instance_ids: tuple[str, ...] = ()
    connectors: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    object_types: tuple[str, ...] = ()

    @property
    def has_conditions(self) -> bool:
        """Whether only some events fire it."""
        return bool(self.instance_ids or self.connectors or self.event_types or self.object_types)


def stored(definition: Definition) -> Entered:
    """The fields of a connector as it is stored; its secrets are masked."""
    safe, fires = shown(definition), definition.fires
    return Entered(
        name=safe.name,
        method=safe.method,
        type=safe.type,
        url=safe.url,
        root=safe.root,
        username=safe.username or "",
        headers=safe.headers,
        data=safe.data,
        instance_ids=tuple(map(str, fires.instance_ids)),
        connectors=fires.connectors,
        event_types=fires.event_types,
        object_types=fires.object_types,
    )


def typed(form: Form, kept_password: str = "") -> Entered:
    """The fields as they were sent; `kept_password` is one that was typed before."""
    return Entered(
        name=form.get("name"),
        method=form.get("method", "POST"),
        type=form.get("type", "JSON"),
        url=form.get("url"),
        root=form.get("root"),
        username=form.get("basic.username"),
        password=form.typed("basic.password") or kept_password,
        headers=tuple(Header(name.strip(), value) for name, value in _rows(form, "headers.name", "headers.value")),
        data=tuple(
            DataRow(name.strip(), value.replace("\r\n", "\n"), "json" if kind == "json" else "text")
            for name, value, kind in _rows(form, "data.name", "data.value", "data.kind")
        ),
        instance_ids=_chosen(form, "fires.instance_ids"),
        connectors=_chosen(form, "fires.connectors"),
        event_types=_chosen(form, "fires.event_types"),
        object_types=_chosen(form, "fires.object_types"),
    )


def renamed(entered: Entered, name: str) -> Entered:
    """The same fields with another name."""
    return replace(entered, name=name)


def reshaped(entered: Entered, act: str) -> Entered | None:
    """The fields with a row more or less; None where that is not what was asked for."""
    match = _ACT.fullmatch(act)
    if match is None:
        return None
    place = -1 if match[1] == "add" else int(match[3] or 0)
    if match[2] == "headers":
        return replace(entered, headers=_otherwise(entered.headers, place, Header("", "")))
    return replace(entered, data=_otherwise(entered.data, place, DataRow("", "")))


def draft_of(entered: Entered) -> Draft:
    """What is wanted; Invalid where it has no shape, its problems at the places of the fields."""
    body: dict[str, Any] = {
        "name": entered.name,
        "method": entered.method,
        "type": entered.type,
        "url": entered.url,
        "headers": [{"name": one.name, "value": one.value} for one in _filled(entered.headers)],
        "basic": _basic(entered),
        "data": [{"name": one.name, "value": one.value, "kind": one.kind} for one in _filled(entered.data)],
        "fires": {
            "instance_ids": [int(one) if _NUMBER.fullmatch(one) else one for one in entered.instance_ids],
            "connectors": list(entered.connectors),
            "event_types": list(entered.event_types),
            "object_types": list(entered.object_types),
        },
    }
    if entered.type == "XML" or entered.root:
        body["root"] = entered.root
    return drafts.read(body)


def said(definition: Definition) -> Draft:
    """A draft that says all of a definition, its secrets with it."""
    return Draft(
        name=definition.name,
        method=definition.method,
        type=definition.type,
        url=definition.url,
        headers=definition.headers,
        username=definition.username or "",
        password=definition.password or "",
        data=definition.data,
        root=definition.root,
        fires=definition.fires,
    )


def placed(error: Invalid | Conflict, entered: Entered) -> Invalid | Conflict:
    """The same problems with the numbers that rows have in the editor, where empty ones count too."""
    if not isinstance(error, Invalid):
        return error
    return Invalid(str(error), tuple(Problem(_place(one.field, entered), one.message) for one in error.problems))


def conditions(entered: Entered) -> Fires:
    """Which events fire it, as far as it can be told."""
    return Fires(
        instance_ids=tuple(int(one) for one in entered.instance_ids if _NUMBER.fullmatch(one)),
        connectors=entered.connectors,
        event_types=entered.event_types,
        object_types=entered.object_types,
    )


def _place(field: str, entered: Entered) -> str:
    condition = _PASSED_ON.fullmatch(field)
    if condition is not None:
        return f"fires.{condition[1]}"
    match = _ROW_FIELD.fullmatch(field)
    if match is None:
        return field
    rows: Sequence[Header | DataRow] = getattr(entered, match[1])
    numbers = [number for number, row in enumerate(rows) if not _is_empty(row)]
    wanted = int(match[2])
    number = numbers[wanted] if wanted < len(numbers) else wanted
    return f"{match[1]}.{number}.{match[3] or 'name'}"


def _basic(entered: Entered) -> dict[str, str] | None:
    if not entered.username and not entered.password:
        return None
    found = {"username": entered.username}
    return found | {"password": entered.password} if entered.password else found


def _rows(form: Form, *names: str) -> Iterator[tuple[str, ...]]:
    columns: list[list[str]] = [[value for key, value in form.items() if key == name] for name in names]
    yield from zip(*columns, strict=False)


def _chosen(form: Form, name: str) -> tuple[str, ...]:
    """What is ticked, and what was typed beside it, a line each."""
    lines = (line.strip() for line in _LINE.split(form.typed(f"{name}.more")))
    return tuple(dict.fromkeys(one for one in (*form.all(name), *lines) if one))


def _otherwise(rows: tuple[R, ...], place: int, empty: R) -> tuple[R, ...]:
    """With an empty row at the end, or without the one at a place."""
    return (*rows, empty) if place < 0 else rows[:place] + rows[place + 1 :]


def _filled(rows: tuple[R, ...]) -> list[R]:
    return [row for row in rows if not _is_empty(row)]


def _is_empty(row: Header | DataRow) -> bool:
    return not row.name and not row.value.strip()
