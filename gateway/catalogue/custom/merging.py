"""Merge fields, written `{{Name}}`: which there are, and texts with them as templates of a connector file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.catalogue.template import WORDS

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_FIELD = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_NO_WORD = WORDS | {"verb", "uuid"}


@dataclass(slots=True)
class MergeFields:
    """What each name stands for, in lower case: a property's entry, a parameter of the method, or a fixed text."""

    properties: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)

    def template(self, text: str) -> str:
        """The text as a template; ValueError names a merge field that nobody declares."""
        done, at = [], 0
        for match in _FIELD.finditer(text):
            done += [literal(text[at : match.start()]), self._placeholder(match[1])]
            at = match.end()
        return "".join([*done, literal(text[at:])])

    def used(self, text: str) -> frozenset[str]:
        """The names of all merge fields in a text, in lower case."""
        return frozenset(match[1].lower() for match in _FIELD.finditer(text))

    def only_properties(self, text: str) -> bool:
        """Whether nothing in a text is the caller's to say."""
        return self.used(text) <= self.properties.keys()

    def _placeholder(self, name: str) -> str:
        low = name.lower()
        if low in self.fixed:
            return literal(self.fixed[low])
        if low in self.parameters:
            return f"{{{self.parameters[low]}}}"
        if low in self.properties:
            return f"{{config:{self.properties[low]}}}"
        raise ValueError(f"{{{{{name}}}}} is no merge field that is declared; declare it among the Parameters")


def literal(text: str) -> str:
    """A text that means itself in a template."""
    return text.replace("{", "{{").replace("}", "}}")


def word(name: str) -> str:
    """The name of a method's parameter; what the gateway fills in itself has another name."""
    found = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if not found or found[0].isdigit():
        found = f"_{found}"
    return f"{found}_" if found in _NO_WORD else found


def slug(text: str, usual: str, taken: Mapping[str, object]) -> str:
    """An id of lower-case words that is not taken yet."""
    stem = "_".join(re.findall(r"[a-z0-9]+", text.lower()))[:48] or usual
    found, number = stem, 2
    while found in taken:
        found, number = f"{stem}_{number}", number + 1
    return found
