"""Reads one table of a connector file, and remembers everything that is wrong with it."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.catalogue.locator import Locator, compile_locator
from gateway.catalogue.template import Context, Json, Template, compile_json, compile_template, templates_in
from gateway.catalogue.words import TABLES
from gateway.clock import duration_ms

T = TypeVar("T")

_NOTHING: Mapping[str, object] = {}
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Use:
    """A place that names a configuration entry, and whether a secret may stand there."""

    where: str
    key: str
    secret_allowed: bool


@dataclass(slots=True)
class Findings:
    """What reading a file has brought to light."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)

    def problem(self, where: str, expected: str) -> None:
        """Something is wrong at a place."""
        self.problems.append(f"{where}: {expected}")


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that looks most like this one; empty where none does."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""


class Table:
    """One table; every question names a key, and a wrong answer becomes a finding instead of an exception."""

    __slots__ = ("data", "findings", "where")

    def __init__(self, data: Mapping[str, object], where: str, kind: str, findings: Findings) -> None:
        self.data = data
        self.where = where
        self.findings = findings
        known = TABLES[kind]
        if known.issuperset(data):
            return
        for key in data.keys() - known:
            hint = nearest(key, known) or f"; expected one of {', '.join(sorted(known))}"
            findings.problem(self.at(key), f"unknown key{hint}")

    def at(self, key: str) -> str:
        """The full name of a key."""
        return f"{self.where}.{key}" if self.where else key

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.data

    def problem(self, key: str, expected: str) -> None:
        """Something is wrong with a key."""
        self.findings.problem(self.at(key), expected)

    def need(self, *keys: str) -> None:
        """These keys must be there."""
        for key in keys:
            if key not in self.data:
                self.problem(key, "is missing")

    def text(self, key: str) -> str | None:
        """A text."""
        value = self.data.get(key)
        if value is None or isinstance(value, str):
            return value
        self.problem(key, f"expected a text, got {value!r}")
        return None

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self.data.get(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self.problem(key, f"expected true or false, got {value!r}")
        return default

    def whole(self, key: str, least: int = 0) -> int | None:
        """A whole number."""
        value = self.data.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= least):
            return value
        self.problem(key, f"expected a whole number of {least} or more, got {value!r}")
        return None

    def wholes(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        value = self.data.get(key, [])
        if isinstance(value, list) and all(type(one) is int for one in value):
            return tuple(value)
        self.problem(key, f"expected a list of whole numbers, got {value!r}")
        return ()

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or one."""
        value = self.data.get(key)
        if value is None:
            return ()
        listed = [value] if isinstance(value, str) else value
        if isinstance(listed, list) and all(isinstance(one, str) for one in listed):
            return tuple(listed)
        self.problem(key, f"expected a list of texts, got {value!r}")
        return ()

    def choice(self, key: str, words: Sequence[str], default: str = "") -> str:
        """One of some words."""
        value = self.data.get(key)
        if value is None:
            return default
        if isinstance(value, str) and (value in words or value == default):
            return value
        hint = nearest(str(value), words)
        self.problem(key, f"expected one of {', '.join(words)}, got {value!r}{hint}")
        return default

    def choice_or_setting(self, key: str, words: Sequence[str], default: str) -> str:
        """One of some words, or `@key`: the word that a configuration entry says."""
        value = self.data.get(key)
        if isinstance(value, str) and value.startswith("@"):
            self.use(key, value[1:], secret_allowed=False)
            return value
        return self.choice(key, words, default)

    def duration(self, key: str) -> int | None:
        """A duration in milliseconds."""
        value = self.text(key)
        return None if value is None else self.tried(key, lambda: duration_ms(value))

    def tried(self, key: str, read: Callable[[], T]) -> T | None:
        """What `read` makes of a key; its ValueError becomes a finding."""
        try:
            return read()
        except ValueError as error:
            self.problem(key, str(error))
            return None

    def use(self, key: str, entry: str, *, secret_allowed: bool) -> None:
        """Notes that a key names a configuration entry."""
        self.findings.uses.append(Use(self.at(key), entry, secret_allowed))

    def entry(self, key: str) -> str | None:
        """`config:<key>`, the only form in which a secret is named."""
        value = self.text(key)
        if value is None:
            return None
        if not value.startswith("config:"):
            self.problem(key, f"expected config:<entry>, got {value!r}")
            return None
        self.use(key, value[7:], secret_allowed=True)
        return value[7:]

    def locator(self, key: str, context: Context, default: str | None = None) -> Locator | None:
        """A locator; with a default source a bare path will do."""
        value = self.text(key)
        return None if value is None else self.compiled(key, value, context, default)

    def compiled(self, key: str, text: str, context: Context, default: str | None = None) -> Locator | None:
        """A locator from a text that stands at a key."""
        locator = self.tried(key, lambda: compile_locator(text, context.sources, default))
        if locator is not None:
            self._note(key, [locator], context)
        return locator

    def locators(self, key: str, context: Context) -> tuple[Locator, ...]:
        """A list of locators, or one."""
        found = (self.compiled(key, text, context) for text in self.texts(key))
        return tuple(locator for locator in found if locator is not None)

    def template(self, key: str, context: Context) -> Template | None:
        """A template."""
        value = self.text(key)
        return None if value is None else self.worded(key, value, context)

    def worded(self, key: str, text: str, context: Context) -> Template | None:
        """A template from a text that stands at a key."""
        template = self.tried(key, lambda: compile_template(text, context))
        if template is not None:
            self._note(key, template.locators, context)
        return template

    def json(self, key: str, context: Context) -> Json:
        """A JSON value with templates in it."""
        if not self.has(key):
            return None
        tree = self.tried(key, lambda: compile_json(self.data[key], context))
        for template in templates_in(tree):
            self._note(key, template.locators, context)
        return tree

    def mapping(self, key: str) -> Mapping[str, object]:
        """A table with free keys."""
        value = self.data.get(key)
        if value is None:
            return _NOTHING
        if isinstance(value, dict):
            return value
        self.problem(key, f"expected a table, got {value!r}")
        return {}

    def templates(self, key: str, context: Context) -> Mapping[str, Template]:
        """A table of templates with free keys."""
        return dict(self._each(key, lambda name, text: self.worded(f"{key}.{name}", text, context)))

    def headers(self, key: str, context: Context) -> Mapping[str, Template]:
        """A table of templates by names of headers."""
        for name in self.mapping(key):
            if not _HEADER.fullmatch(name):
                self.problem(key, f"expected names of headers, got {name!r}")
        return self.templates(key, context)

    def places(self, key: str, context: Context, default: str | None = None) -> tuple[tuple[str, Locator], ...]:
        """A table of locators with free keys."""
        return tuple(self._each(key, lambda name, text: self.compiled(f"{key}.{name}", text, context, default)))

    def _each(self, key: str, make: Callable[[str, str], T | None]) -> list[tuple[str, T]]:
        made = []
        for name, text in self.mapping(key).items():
            if not isinstance(text, str):
                self.problem(f"{key}.{name}", f"expected a text, got {text!r}")
            elif (one := make(name, text)) is not None:
                made.append((name, one))
        return made

    def table(self, key: str, kind: str) -> "Table | None":
        """A table inside this one."""
        return Table(self.mapping(key), self.at(key), kind, self.findings) if self.has(key) else None

    def tables(self, key: str, kind: str) -> "list[Table]":
        """A list of tables, written `[[…]]`."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.problem(key, f"expected a list of tables, written [[{self.at(key)}]]")
            return []
        return [Table(one, f"{self.at(key)}[{n}]", kind, self.findings) for n, one in enumerate(value)]

    def named(self, key: str) -> list[tuple[str, Mapping[str, object]]]:
        """Tables by free names, not yet looked into."""
        found: list[tuple[str, Mapping[str, object]]] = []
        for name, value in self.mapping(key).items():
            if isinstance(value, dict):
                found.append((name, value))
            else:
                self.problem(f"{key}.{name}", f"expected a table, got {value!r}")
        return found

    def _note(self, key: str, locators: Iterable[Locator], context: Context) -> None:
        for locator in locators:
            for entry in locator.config_keys:
                self.use(key, entry, secret_allowed=context.secrets)


def scalar_texts(value: object) -> frozenset[str] | None:
    """The texts of one plain value or of a list of them; None where it is something else."""
    values = value if isinstance(value, list) else [value]
    texts = {_scalar(one) for one in values}
    return None if None in texts else frozenset(text for text in texts if text is not None)


def _scalar(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None
