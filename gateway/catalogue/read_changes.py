"""Reads the mapping keys that `[webhook]` and `[[poll]]` share."""

from collections.abc import Mapping
from typing import Literal

from gateway.catalogue.change_map import Action, ChangeMap, Split
from gateway.catalogue.dates import ReadDate, date_reader
from gateway.catalogue.table import Table, nearest
from gateway.catalogue.template import Context, compile_template
from gateway.catalogue.words import ACTIONS

#: `dedupe = "never"`: there is nothing by which two notices could be the same.
NEVER = "never"


def change_map(table: Table, context: Context) -> ChangeMap:
    """How one change is read here."""
    table.need("type")
    never_equal = table.data.get("dedupe") == NEVER
    return ChangeMap(
        type=table.template("type", context) or compile_template("", context),
        action=table.locator("action", context),
        action_split=_split(table, "action_split", "last"),
        actions=_actions(table),
        object_type=table.locator("object_type", context),
        object_type_split=_split(table, "object_type_split", "first"),
        object_id=table.locator("object_id", context),
        version=table.locator("version", context),
        date=table.locator("date", context),
        read_date=reader(table, "date_format", "date_timezone"),
        dedupe=None if never_equal else table.template("dedupe", context),
        never_equal=never_equal,
        payload=table.locator("payload", context),
    )


def reader(table: Table, form: str, zone: str) -> ReadDate:
    """How a date is read whose form and zone stand at two keys."""
    made = table.tried(form, lambda: date_reader(table.text(form) or "iso8601", table.text(zone) or "UTC"))
    return made or date_reader("iso8601", "UTC")


def _split(table: Table, key: str, usual: Literal["first", "last"]) -> Split | None:
    if isinstance(table.data.get(key), dict):
        inner = table.table(key, "split")
        if inner is None:
            return None
        inner.need("sep")
        take: Literal["first", "last"] = (
            "first" if inner.choice("take", ("first", "last"), usual) == "first" else "last"
        )
        return Split(inner.text("sep") or ".", take)
    text = table.text(key)
    if text == "":
        table.problem(key, "expected a separator, got an empty text")
    return Split(text, usual) if text else None


def _actions(table: Table) -> Mapping[str, Action]:
    actions: dict[str, Action] = {}
    for word, value in table.mapping("actions").items():
        match value:
            case "CREATED" | "UPDATED" | "DELETED":
                actions[word] = value
            case _:
                hint = nearest(str(value), ACTIONS)
                table.problem(f"actions.{word}", f"expected one of {', '.join(ACTIONS)}, got {value!r}{hint}")
    if actions and not table.has("action"):
        table.problem("action", "is missing, yet actions are mapped")
    return actions
