"""Settings as people write them: each is checked against the type of its key, in words that say what to do."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import orjson

from gateway.clock import duration_ms
from gateway.units import Duration, Size, size_bytes

PREFIX = "GATEWAY_"
_FILE = "_FILE"
_EXPECTED: Mapping[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Duration: 'a duration such as "15s", "5m" or "30d"',
    Size: 'a size such as "64KiB" or "1MiB"',
}
_GOT: Mapping[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}

Kinds = Mapping[str, Mapping[str, Any]]


class Reading:
    """Values by section and key, where each was given, and everything that is wrong with them."""

    def __init__(self, kinds: Kinds, tables: Mapping[str, type[msgspec.Struct]] = MappingProxyType({})) -> None:
        self._kinds = kinds
        self._tables = tables
        #: What stands in sections of which there may be several, where there are any.
        self.tables: dict[str, tuple[Any, ...]] = {}
        self.values: dict[str, dict[str, Any]] = {section: {} for section in kinds}
        self.sources: dict[str, str] = {}
        self.problems: list[str] = []

    def file(self, content: Mapping[str, Any], source: str) -> None:
        """Take what a file says."""
        for section, keys in content.items():
            if section in self._tables:
                self._take_tables(section, keys, f"{source}: {section}")
            elif section not in self._kinds:
                self.problems.append(f"{source}: {_no_section(section, keys, self._kinds)}")
            elif not isinstance(keys, dict):
                self.problems.append(f"{source}: {section} is a section; write [{section}] and its keys below it.")
            else:
                for key, value in keys.items():
                    self._take(section, key, value, f"{source}: {section}.{key}")

    def environment(self, environ: Mapping[str, str]) -> None:
        """Take what the environment says; it wins over the file."""
        for section in self._tables:
            name = PREFIX + section.upper()
            if name in environ:
                self._take_tables(section, _parsed(tuple, environ[name]), f"{name} in the environment")
        names = {name.removesuffix(_FILE): name for name in environ if name.startswith(PREFIX) and "__" in name}
        for stem, name in names.items():
            section, key = stem.removeprefix(PREFIX).lower().split("__", 1)
            if stem != name and stem in environ:
                self.problems.append(f"{stem} and {name} are both given; give one of them.")
            elif key not in self._kinds.get(section, {}):
                self.problems.append(f"{name} in the environment: {_no_variable(section, key, self._kinds)}")
            else:
                self._from_text(section, key, name, environ[name], is_path=stem != name)

    def _from_text(self, section: str, key: str, name: str, text: str, *, is_path: bool) -> None:
        if is_path:
            try:
                text = Path(text).read_text("utf-8").strip()
            except (OSError, ValueError) as problem:
                # Whoever put the secret itself in place of its file does not find it in the log.
                reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
                self.problems.append(f"{name} names a file that cannot be read: {reason}.")
                return
        self._take(section, key, _parsed(self._kinds[section][key], text), f"{name} in the environment")

    def _take_tables(self, section: str, given: Any, source: str) -> None:
        kind = self._tables[section]
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            self.problems.append(f"{source}: write [[{section}]] once for each, and its keys below it.")
            return
        hints, found = get_type_hints(kind), []
        needed = [one.name for one in msgspec.structs.fields(kind) if one.required]
        for number, one in enumerate(given, start=1):
            unknown = [f"there is no such key: {key}" for key in one if key not in hints]
            missing = [f"{key} is missing" for key in needed if key not in one]
            wrong = [] if unknown or missing else list(_mistakes(hints, one))
            self.problems += [f"{source}, number {number}: {text}." for text in (*unknown, *missing, *wrong)]
            found += [] if unknown or missing or wrong else [kind(**one)]
        self.tables[section] = tuple(found)
        self.sources[section] = source

    def _take(self, section: str, key: str, value: Any, source: str) -> None:
        kind = self._kinds[section].get(key)
        if kind is None:
            near = nearest(f"{section}.{key}", _every_key(self._kinds))
            self.problems.append(f"{source}: there is no such key{near}")
            return
        try:
            self.values[section][key] = typed(kind, value)
        except ValueError as problem:
            self.problems.append(f"{source}: {problem}.")
        self.sources[f"{section}.{key}"] = source


def typed(kind: Any, value: Any) -> Any:
    """The value as its key wants it; ValueError says what was expected."""
    try:
        return msgspec.convert(value, kind, dec_hook=_decode)
    except msgspec.ValidationError as problem:
        raise ValueError(f"expected {expected(kind)}, got {_got(kind, value)}") from problem


def expected(kind: Any) -> str:
    """What a key of this type wants, in words."""
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if get_origin(kind) is tuple:
        example = '["5s", "5m"]' if get_args(kind)[0] is Duration else '["one", "two"]'
        return f"a list such as {example}"
    return _EXPECTED[kind]


def nearest(word: str, known: Iterator[str]) -> str:
    """The end of a sentence: `; did you mean …?` where a known word is near."""
    every = list(known)
    near = get_close_matches(word, every, n=1, cutoff=0.75) or [
        one for one in every if one.endswith("." + word.rpartition(".")[2])
    ]
    return f"; did you mean {near[0]}?" if near else "."


def _mistakes(hints: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    for key, value in given.items():
        try:
            typed(hints[key], value)
        except ValueError as problem:
            yield f"{key}: {problem}"


def _got(kind: Any, value: Any) -> str:
    # Values of texts and lists of texts may be secrets; a value that is one of few words cannot.
    if isinstance(value, str) and kind is not str and get_origin(kind) is not tuple:
        return repr(value[:60])
    return _GOT.get(type(value), "something else")


def _parsed(kind: Any, text: str) -> Any:
    """A text of the environment; what is unreadable stays as it is, and is refused by its type."""
    if kind in (str, Duration, Size) or get_origin(kind) is Literal:
        return text
    try:
        return orjson.loads(text.lower() if kind is bool else text)
    except orjson.JSONDecodeError:
        return text


def _decode(kind: type, value: Any) -> Any:
    if kind is Duration and isinstance(value, str):
        duration_ms(value)
        return Duration(value)
    if kind is Size and isinstance(value, str | int) and not isinstance(value, bool):
        size_bytes(str(value))
        return Size(value)
    raise ValueError(f"not {expected(kind)}")


def _no_section(name: str, value: Any, kinds: Kinds) -> str:
    if isinstance(value, dict):
        near = get_close_matches(name, kinds, n=1)
        return f"there is no section [{name}]" + (f"; did you mean [{near[0]}]?" if near else ".")
    return f"{name} stands outside a section{nearest(name, _every_key(kinds))}"


def _no_variable(section: str, key: str, kinds: Kinds) -> str:
    names = (PREFIX + known.upper().replace(".", "__") for known in _every_key(kinds))
    return f"there is no key {section}.{key}{nearest(f'{PREFIX}{section}__{key}'.upper(), names)}"


def _every_key(kinds: Kinds) -> Iterator[str]:
    return (f"{section}.{key}" for section, keys in kinds.items() for key in keys)
