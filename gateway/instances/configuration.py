"""Configuration values: what a caller sends, checked against what the connector declares, kept as texts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import orjson

from gateway.catalogue.core import entries_of
from gateway.catalogue.model import Connector, Entry
from gateway.clock import duration_ms
from gateway.errors import Invalid, Problem
from gateway.instances.callback_headers import parse_headers
from gateway.instances.polling_checks import ENABLED, asks_as_declared, is_polled, polling_problems

MASK = "********"
MAX_ENTRIES = 200
_LONGEST = {"json": 262_144}
_LONGEST_TEXT = 8_192
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_SPELLINGS = {"event.vendor.type": {"webhooks": "webhook"}}

#: Answers why a URL may not be called, or None.
UrlRule = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Change:
    """Checked values: a text to store, or None to clear what is stored."""

    values: Mapping[str, str | None]


def check(
    connector: Connector, stored: Mapping[str, str], sent: object, url_rule: UrlRule, *, unfinished: bool = False
) -> Change:
    """Check what a caller sent, on top of what is stored; Invalid names every problem at once.

    A secret sent back as its mask is unchanged, null clears an entry; with `unfinished` entries may be missing.
    """
    entries = entries_of(connector)
    values, problems = _values(entries, sent, url_rule)
    merged = {key: value for key, value in {**stored, **values}.items() if value is not None}
    problems += _combination(connector, merged)
    if problems:
        raise Invalid(_sentence(problems), tuple(problems))
    if not unfinished and (missing := missing_of(connector, merged)):
        raise Invalid(_missing_sentence(connector, missing), tuple(missing))
    return Change(values)


def scheme_of(connector: Connector, values: Mapping[str, str]) -> str | None:
    """The authentication in use: the one that is set, else the first that the connector declares."""
    return values.get("authentication.type") or next(iter(connector.auth), None)


def _values(
    entries: Mapping[str, Entry], sent: object, url_rule: UrlRule
) -> tuple[dict[str, str | None], list[Problem]]:
    if not isinstance(sent, dict):
        return {}, [Problem("configuration", "expected an object of configuration entries")]
    if len(sent) > MAX_ENTRIES:
        return {}, [Problem("configuration", f"has {len(sent)} entries, at most {MAX_ENTRIES} are taken")]
    values: dict[str, str | None] = {}
    problems: list[Problem] = []
    for key, value in sent.items():
        entry = entries.get(key)
        if entry is None:
            problems.append(Problem(_short(key), f"is no entry of this connector{_nearest(key, entries)}"))
        elif not (entry.secret and value == MASK):
            _take(entry, value, values, problems, url_rule)
    return values, problems


def _take(
    entry: Entry, value: object, values: dict[str, str | None], problems: list[Problem], url_rule: UrlRule
) -> None:
    try:
        text = None if value is None else _text(entry, value)
        if text:
            _check_text(entry, text, url_rule)
    except ValueError as problem:
        problems.append(Problem(entry.key, str(problem)))
        return
    # An empty text is how forms say "not set".
    values[entry.key] = text or None


def _text(entry: Entry, value: object) -> str:
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = value
    elif isinstance(value, int | float):
        text = repr(value)
    elif entry.type == "json" or entry.multiple or entry.key == "event.notification.callback.headers":
        text = _written(value)
    else:
        raise ValueError(f"expected {_expected(entry)}")
    return _spelled(entry, text.strip() if entry.type not in ("string", "json") else text)


def _written(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError as problem:  # orjson reads deeper than it writes
        raise ValueError("is nested too deep") from problem


def _spelled(entry: Entry, text: str) -> str:
    if entry.type == "boolean":
        text = text.lower()
    return _SPELLINGS.get(entry.key, {}).get(text, text)


def _check_text(entry: Entry, text: str, url_rule: UrlRule) -> None:
    longest = _LONGEST.get(entry.type, _LONGEST_TEXT)
    if len(text) > longest:
        raise ValueError(f"is longer than {longest} characters")
    if "\x00" in text or not _encodable(text):
        raise ValueError("holds a NUL or half a surrogate pair")
    if not _typed(entry, text):
        raise ValueError(f"expected {_expected(entry)}")
    if entry.choices and text not in entry.choices:
        raise ValueError(f"expected one of {', '.join(entry.choices)}")
    if entry.pattern and not entry.pattern.search(text):
        raise ValueError(f"does not match {entry.pattern.pattern}")
    if entry.type == "url" and (refusal := url_rule(text)):
        raise ValueError(refusal)


def _typed(entry: Entry, text: str) -> bool:
    match entry.type:
        case "boolean":
            return text in ("true", "false")
        case "integer":
            return _INTEGER.fullmatch(text) is not None
        case "number":
            return _NUMBER.fullmatch(text) is not None
        case "json":
            return _readable(text)
        case "duration":
            return duration_ms(text) >= 0
        case _:
            return True


def _readable(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _expected(entry: Entry) -> str:
    return {"boolean": "true or false", "json": "JSON", "url": "an https URL", "string": "a text"}.get(
        entry.type, f"a value of type {entry.type}"
    )


def _combination(connector: Connector, values: Mapping[str, str]) -> list[Problem]:
    problems = []
    if values.get(ENABLED) == "true" and not is_polled(connector, values) and not connector.has_webhook:
        hint = "; set event.vendor.type to polling" if connector.methods else ""
        problems.append(Problem(ENABLED, f"{connector.name} declares no webhook{hint}"))
    problems += polling_problems(connector, values)
    if ":" in values.get("event.notification.basic.username", ""):
        problems.append(Problem("event.notification.basic.username", "must not contain a colon"))
    if finder := values.get("event.notification.instance.finder"):
        problems += _finder_problems(connector, finder)
    if headers := values.get("event.notification.callback.headers"):
        problems += [Problem("event.notification.callback.headers", text) for text in parse_headers(headers).problems]
    return problems


def _finder_problems(connector: Connector, finder: str) -> list[Problem]:
    """What is wrong with `<entry>|<path>`; a text without a bar is a name of old times, and finds nothing."""
    key, bar, path = finder.partition("|")
    if not bar:
        return []
    entries, message = entries_of(connector), None
    entry = entries.get(key)
    if entry is None:
        message = f"expected <entry>|<path>: {_short(key)!r} is no entry of this connector{_nearest(key, entries)}"
    elif entry.secret or entry.sealed:
        message = f"expected <entry>|<path> with an entry that is no secret, and {key} is one"
    elif "" in path.split("."):
        message = "expected <entry>|<path> with a path of names joined by single dots"
    return [] if message is None else [Problem("event.notification.instance.finder", message)]


def missing_of(connector: Connector, values: Mapping[str, str]) -> list[Problem]:
    """The entries that an instance with these values still needs."""
    entries = entries_of(connector)
    scheme = scheme_of(connector, values)
    return [
        Problem(key, f"{entry.name} is required")
        for key, entry in entries.items()
        if _required(entry, connector, scheme, values) and not values.get(key) and entry.default is None
    ]


def _required(entry: Entry, connector: Connector, scheme: str | None, values: Mapping[str, str]) -> bool:
    if entry.auth is not None and scheme not in entry.auth:
        return False
    if entry.required_for:
        return values.get(ENABLED) == "true" and _is_used_for(entry.required_for, connector, values)
    return entry.required


def _is_used_for(road: str, connector: Connector, values: Mapping[str, str]) -> bool:
    if road == "polling":
        return asks_as_declared(connector, values)
    return not is_polled(connector, values)


def _missing_sentence(connector: Connector, missing: list[Problem]) -> str:
    listed = ", ".join(f"{problem.field} ({problem.message.removesuffix(' is required')})" for problem in missing)
    return f"Missing required configuration for {connector.key}: {listed}."


def _sentence(problems: list[Problem]) -> str:
    return (
        "Invalid configuration: " + "; ".join(f"{problem.field}: {problem.message}" for problem in problems[:20]) + "."
    )


def _nearest(key: object, entries: Mapping[str, Entry]) -> str:
    near = get_close_matches(str(key)[:100], entries, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _short(key: object) -> str:
    text = str(key).encode("utf-8", "replace").decode()
    return text if len(text) <= 80 else f"{text[:77]}..."
