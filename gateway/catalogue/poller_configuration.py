"""What an instance itself says of its polling, as the Open Connectors wire has it: read, and every problem named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import orjson

from gateway.catalogue.poller_entry import PollerEntry, legacy_entry, poller_entry
from gateway.catalogue.selection import EVERYTHING, Selection
from gateway.errors import Problem

CONFIGURATION = "event.poller.configuration"
URLS = "event.poller.urls"
METADATA = "event.metadata"
OBJECTS = "event.objects"
INTERVAL = "event.poller.refresh_interval"
MINUTE_MS = 60_000
#: From here on an interval means: never by itself. Clients of this wire send 999999999.
NEVER_MINUTES = 525_600
_MOST_ENTRIES = 100
_LONGEST_NAME = 128
_ACTIONS = ("CREATED", "UPDATED", "DELETED")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The resources that are polled instead of what the connector declares (none: what it declares), and which of them.

    `names` are chosen among the pollers, in lower case; None: all.
    """

    entries: tuple[PollerEntry, ...] = ()
    names: frozenset[str] | None = None
    selection: Selection = EVERYTHING
    problems: tuple[Problem, ...] = ()


def wanted(values: Mapping[str, str]) -> Wanted:
    """Everything that the entries of an instance say; of several ways to say it the newest counts."""
    problems: list[Problem] = []
    lines = [line.strip() for line in (values.get(URLS) or "").splitlines() if line.strip()]
    is_legacy = any(_is_legacy(line) for line in lines)
    metadata = _object(METADATA, values.get(METADATA), problems)
    observed = _object(METADATA, metadata.get("polling"), problems, "polling")
    entries = _entries(CONFIGURATION, _object(CONFIGURATION, values.get(CONFIGURATION), problems), problems)
    if not entries and is_legacy:
        entries = _legacy(lines, problems)
    if not entries:
        described = {name: one for name, one in observed.items() if isinstance(one, dict) and "url" in one}
        entries = _entries(METADATA, described, problems, "polling.")
    objects = _names([*(values.get(OBJECTS) or "").replace("\n", ",").split(",")]) or _names(list(observed))
    chosen = None if is_legacy else _names([name for line in lines for name in line.split("|")])
    return Wanted(
        entries=tuple(entries),
        names=chosen,
        selection=Selection(objects, dict(_actions(observed, problems))),
        problems=tuple(problems),
    )


def interval_ms(values: Mapping[str, str], usual: int) -> tuple[int | None, bool]:
    """The time between two polls, None where only somebody's asking starts one; and whether the user set it."""
    try:
        minutes = float(values[INTERVAL])
    except (KeyError, ValueError):
        return usual, False
    if minutes >= NEVER_MINUTES:
        return None, True
    return max(MINUTE_MS, round(minutes * MINUTE_MS)), True


def interval_problem(values: Mapping[str, str]) -> Problem | None:
    """What is wrong with the interval; that it is no number was said before."""
    try:
        minutes = float(values[INTERVAL])
    except (KeyError, ValueError):
        return None
    if minutes >= 1:
        return None
    return Problem(INTERVAL, f"expected 1 minute or more ({NEVER_MINUTES} or more: only on demand)")


def _is_legacy(line: str) -> bool:
    """Whether a line says what is asked; one that does not only names resources."""
    url = line.partition("|")[2].partition("|")[0].strip()
    return url.startswith(("/", "http://", "https://")) or "${" in line or "?" in url


def _object(key: str, text: object, problems: list[Problem], at: str = "") -> dict[str, object]:
    value = text
    # A JSON text in a JSON text is how some clients send an object.
    for _ in range(2):
        if not isinstance(value, str) or not value:
            break
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            break
    if value in (None, "", "null"):
        return {}
    if not isinstance(value, dict):
        problems.append(Problem(key, f"{at + ': ' if at else ''}expected a JSON object keyed by resource"))
        return {}
    return value


def _entries(key: str, found: Mapping[str, object], problems: list[Problem], before: str = "") -> list[PollerEntry]:
    if len(found) > _MOST_ENTRIES:
        problems.append(Problem(key, f"has {len(found)} resources, at most {_MOST_ENTRIES} are polled"))
        return []
    made = []
    for name, value in found.items():
        entry, wrong = poller_entry(name, value)
        problems += [Problem(key, f"{before}{name[:_LONGEST_NAME]}{text}") for text in wrong]
        if entry is not None:
            made.append(entry)
    return made


def _legacy(lines: list[str], problems: list[Problem]) -> list[PollerEntry]:
    if len(lines) > _MOST_ENTRIES:
        problems.append(Problem(URLS, f"has {len(lines)} lines, at most {_MOST_ENTRIES} are polled"))
        return []
    made: dict[str, PollerEntry] = {}
    for number, line in enumerate(lines, 1):
        entry, wrong = legacy_entry(line)
        problems += [Problem(URLS, f"line {number}{text}") for text in wrong]
        if entry is not None and entry.name in made:
            problems.append(Problem(URLS, f"line {number}: {entry.name} is there already"))
        elif entry is not None:
            made[entry.name] = entry
    return list(made.values())


def _names(texts: list[str]) -> frozenset[str] | None:
    found = frozenset(text.strip().lower() for text in texts if text.strip())
    return found or None


def _actions(observed: Mapping[str, object], problems: list[Problem]) -> Iterator[tuple[str, frozenset[str]]]:
    """Which kinds of change an object's `eventTypes` name."""
    for name, value in observed.items():
        listed = value.get("eventTypes") if isinstance(value, dict) else None
        if listed is None:
            continue
        words = [str(word).upper() for word in listed] if isinstance(listed, list) else ["?"]
        unknown = next((word for word in words if word not in _ACTIONS), None)
        if unknown is not None:
            near = get_close_matches(unknown, _ACTIONS, n=1)
            hint = f"; did you mean {near[0].lower()}?" if near else ""
            problems.append(
                Problem(METADATA, f"polling.{name[:80]}.eventTypes: expected a list of created, updated, deleted{hint}")
            )
        elif words:
            yield name.lower(), frozenset(words)
