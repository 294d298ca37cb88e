"""Templates: text with `{…}` in it; compiled once, rendered to bytes, text, a URL or a JSON value."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from gateway.catalogue.contents import CONTENTS
from gateway.catalogue.locator import Locator, compile_locator
from gateway.catalogue.sources import Sources, octets

WORDS = frozenset(
    {
        "crc32", "sns_fields", "raw", "method", "url", "url_base", "secret", "form_sorted", "computed",
        "callback_url", "from", "now", "access_token", "action", "expires_at",
    }
)  # fmt: skip
_TOKENS = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PARAMETER = re.compile(r"\+?[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Context:
    """What may stand in a template at one place of a file."""

    sources: frozenset[str]
    words: frozenset[str] = frozenset()
    parameters: bool = False
    secrets: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A named part that the engine fills in, or a path parameter (`wide`: slashes stay)."""

    name: str
    wide: bool = False

    def text(self, sources: Sources) -> str | None:
        """The part as text; None where nobody filled it in."""
        fixed = _FIXED.get(self.name)
        return fixed(sources) if fixed else sources.words.get(self.name)


Placeholder = Locator | Word
Part = str | Placeholder


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template: literal texts and placeholders in turn; `words` are the names that are no locators."""

    source_text: str
    parts: tuple[Part, ...]
    locators: tuple[Locator, ...]
    words: frozenset[str]

    def render(self, sources: Sources) -> bytes:
        """The bytes; what is missing is empty."""
        if self.source_text == "{raw}":  # what most vendors sign
            return sources.raw
        return b"".join([_octets_of(part, sources) for part in self.parts])

    def text(self, sources: Sources) -> str:
        """The text; what is missing is empty."""
        return "".join([part if isinstance(part, str) else part.text(sources) or "" for part in self.parts])

    def complete(self, sources: Sources) -> str | None:
        """The text, or None where any placeholder is missing or empty."""
        texts = []
        for part in self.parts:
            text = part if isinstance(part, str) else part.text(sources)
            if not text:
                return None
            texts.append(text)
        return "".join(texts)

    def value(self, sources: Sources) -> object:
        """The value as it is where the template is one placeholder, else the text."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Locator):
            return _structured(self.parts[0], self.parts[0].find(sources), sources)
        return self.text(sources)

    def url(self, sources: Sources) -> str:
        """The text with every placeholder percent-encoded; one that the template begins with is a URL already."""
        whole = bool(self.parts) and not isinstance(self.parts[0], str)
        encoded = [_encoded(part, sources, raw=whole and n == 0) for n, part in enumerate(self.parts)]
        return "".join(encoded)


Json = Template | Mapping[str, "Json"] | tuple["Json", ...] | int | float | bool | None


@lru_cache(maxsize=4096)
def compile_template(text: str, context: Context) -> Template:
    """Compiles a template; ValueError says what was expected."""
    if "{" not in text and "}" not in text:
        return Template(text, (text,) if text else (), (), frozenset())
    parts: list[Part] = []
    at = 0
    for match in _TOKENS.finditer(text):
        parts.append(text[at : match.start()])
        parts.append(_part(match, context))
        at = match.end()
    parts.append(text[at:])
    joined = _joined(parts)
    locators = tuple(part for part in joined if isinstance(part, Locator))
    return Template(text, joined, locators, frozenset(part.name for part in joined if isinstance(part, Word)))


def compile_json(value: object, context: Context) -> Json:
    """Compiles a JSON value whose texts are templates."""
    if isinstance(value, str):
        return compile_template(value, context)
    if isinstance(value, Mapping):
        return {str(key): compile_json(inner, context) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(compile_json(inner, context) for inner in value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise ValueError("expected JSON: texts, numbers, true or false, lists and tables")


def render_json(tree: Json, sources: Sources) -> object:
    """The JSON value with its templates filled in."""
    if isinstance(tree, Template):
        return tree.value(sources)
    if isinstance(tree, Mapping):
        return {key: render_json(inner, sources) for key, inner in tree.items()}
    if isinstance(tree, tuple):
        return [render_json(inner, sources) for inner in tree]
    return tree


def templates_in(tree: Json) -> list[Template]:
    """Every template of a JSON value."""
    if isinstance(tree, Template):
        return [tree]
    inner: list[Json] = []
    if isinstance(tree, Mapping):
        inner = list(tree.values())
    elif isinstance(tree, tuple):
        inner = list(tree)
    return [template for value in inner for template in templates_in(value)]


def _part(match: re.Match[str], context: Context) -> Part:
    token = match[0]
    if token in ("{{", "}}"):
        return token[0]
    if match[1] is None:
        raise ValueError(f"a lone {token!r} without its other half; write {token * 2} for the character itself")
    return _placeholder(match[1].strip(), context)


def _placeholder(inner: str, context: Context) -> Placeholder:
    if inner in context.words:
        return Word(inner)
    if inner in WORDS:
        raise ValueError(f"{{{inner}}} has no meaning here")
    if ":" in inner:
        if not inner.startswith("+"):
            return compile_locator(inner, context.sources)
        found = compile_locator(inner[1:], context.sources)
        return Locator(found.source_text, found.alternatives, found.find, found.config_keys, wide=True)
    if context.parameters and _PARAMETER.fullmatch(inner):
        return Word(inner.removeprefix("+"), wide=inner.startswith("+"))
    known = ", ".join(sorted(context.words)) or "none"
    raise ValueError(f"{{{inner}}} is neither a locator (source:path) nor a word known here ({known})")


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return tuple(part for part in joined if part != "")


def _structured(locator: Locator, found: object, sources: Sources) -> object:
    """The JSON behind the text of an entry that holds JSON; anything else as it is."""
    if type(found) is not str or sources.structured.isdisjoint(locator.config_keys):
        return found
    chosen = locator.chosen(sources)
    if chosen is None or chosen.config_key not in sources.structured:
        return found
    try:
        return json.loads(found)
    except (ValueError, RecursionError):
        return found


def _octets_of(part: Part, sources: Sources) -> bytes:
    if type(part) is Locator:
        text = part.text(sources)
        return octets(text) if text else b""
    if isinstance(part, Word) and part.name == "raw":
        return sources.raw
    return octets(part if isinstance(part, str) else part.text(sources) or "")


def _encoded(part: Part, sources: Sources, *, raw: bool) -> str:
    if isinstance(part, str):
        return part
    text = part.text(sources) or ""
    if raw:
        return text
    return quote(octets(text), safe="/" if part.wide else "")


_FIXED: Mapping[str, Callable[[Sources], str | None]] = {
    "raw": lambda sources: sources.raw.decode("utf-8", "surrogateescape"),
    "method": lambda sources: sources.method,
    "url": lambda sources: sources.url,
    "url_base": lambda sources: sources.url.partition("?")[0],
    **CONTENTS,
}
