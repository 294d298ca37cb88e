"""Reads `[[config]]`, and adds the entries that registrations and logins fill without declaring them."""

import json
import re
from collections.abc import Iterable, Mapping

from gateway.catalogue.model import Entry, EntryType
from gateway.catalogue.patterns import quick
from gateway.catalogue.table import Table
from gateway.catalogue.words import ENTRY_TYPES

_KEY = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")
_QUICK = (
    "no repeats, options or choices inside a repeated group, none side by side that match the same characters, "
    "no (?…), no \\1"
)
_FILLERS = ("webhook.subscribe", "webhook.handshake")
_TYPES: Mapping[str, EntryType] = {
    "string": "string", "boolean": "boolean", "integer": "integer", "number": "number",
    "url": "url", "json": "json", "duration": "duration",
}  # fmt: skip


def entries(tables: list[Table], auth: Iterable[str]) -> dict[str, Entry]:
    """The declared entries by key, in the order of the file."""
    found: dict[str, Entry] = {}
    schemes = tuple(auth)
    for table in tables:
        entry = _entry(table, schemes)
        if entry.key in found:
            table.problem("key", f"{entry.key!r} is declared twice")
        found[entry.key] = entry
    return found


def implicit(targets: Iterable[tuple[str, str]], declared: Mapping[str, Entry]) -> dict[str, Entry]:
    """Entries for what is saved under keys that nobody declared: hidden, and for the gateway alone."""
    return {
        key: Entry(key=key, name=key, filled_by=filler, hidden=True, internal=True)
        for key, filler in targets
        if key not in declared
    }


def _entry(table: Table, schemes: tuple[str, ...]) -> Entry:
    table.need("key", "name")
    key = table.text("key") or ""
    if not _KEY.fullmatch(key):
        table.problem("key", f"expected lower-case words joined by dots, got {key!r}")
    secret = table.flag("secret")
    entry = Entry(
        key=key,
        name=table.text("name") or key,
        description=table.text("description") or "",
        type=_TYPES[table.choice("type", ENTRY_TYPES, "string")],
        required=table.flag("required"),
        required_for=table.choice("required_for", ("polling", "webhook")) or None,
        secret=secret,
        sealed=table.flag("sealed", secret) or secret,
        default=_default(table),
        choices=table.texts("choices"),
        pattern=_pattern(table),
        multiple=table.flag("multiple"),
        generate=table.flag("generate"),
        filled_by=_filled_by(table, schemes),
        auth=_auth(table, schemes),
        hidden=table.flag("hidden"),
        internal=table.flag("internal"),
    )
    _check(table, entry)
    return entry


def _check(table: Table, entry: Entry) -> None:
    if entry.choices and entry.default is not None and entry.default not in entry.choices:
        table.problem("default", f"expected one of {', '.join(entry.choices)}, got {entry.default!r}")
    if entry.secret and entry.default:
        table.problem("default", "a secret has no default: it would be the same for everybody")
    if entry.generate and not entry.secret:
        table.problem("generate", "only a secret can be generated")


def _default(table: Table) -> str | None:
    value = table.data.get("default")
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except TypeError:
        table.problem("default", f"expected a text, number, list or table, got {value!r}")
        return None


def _pattern(table: Table) -> re.Pattern[str] | None:
    text = table.text("pattern")
    if text is None:
        return None
    if not quick(text):
        table.problem("pattern", f"may take forever: {_QUICK}")
        return None
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        table.problem("pattern", f"is no regular expression: {error}")
        return None


def _filled_by(table: Table, schemes: tuple[str, ...]) -> str | None:
    return table.choice("filled_by", (*_FILLERS, *(f"auth.{scheme}" for scheme in schemes))) or None


def _auth(table: Table, schemes: tuple[str, ...]) -> frozenset[str] | None:
    if not table.has("auth"):
        return None
    named = table.texts("auth")
    for scheme in named:
        if scheme not in schemes:
            table.problem("auth", f"expected one of {', '.join(schemes) or 'no scheme'}, got {scheme!r}")
    return frozenset(named)
