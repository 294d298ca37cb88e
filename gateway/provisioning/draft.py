"""What a caller wants of an instance, read from a body and checked for its shape."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from gateway.errors import Invalid, Problem

LONGEST_NAME = 255
MOST_TAGS = 50
_EXTERNAL = ("initial", "none")
_MARKUP = re.compile(r"[<>&]")
_MOST_LAYERS = 8
_LONGEST_CODE = 4096
_LONGEST_MARKUP = 1000
_MOST_MARKED = 4096
_MOST_MARKS = 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A wanted instance; None stands for what was not said."""

    connector: str | int | None = None
    name: str | None = None
    tags: tuple[str, ...] | None = None
    configuration: Mapping[str, Any] | None = None
    external_authentication: str | None = None
    #: What a vendor gave a person who agreed to a login.
    code: str | None = None
    description: str | None = None
    native: bool | None = None
    #: Whether credentials may come later: then nothing is missing, and only what can be tried is tried.
    unfinished: bool = False


def read(body: object) -> Draft:
    """Read a create or update body; Invalid names everything that is wrong with its shape."""
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object.", (Problem("body", "expected an object"),))
    problems: list[Problem] = []
    draft = Draft(
        connector=_connector(body, problems),
        name=_name(body.get("name"), problems),
        tags=_tags(body.get("tags"), problems),
        configuration=_configuration(body.get("configuration"), problems),
        external_authentication=_external(body.get("externalAuthentication"), problems),
        code=_code(body.get("providerData"), problems),
    )
    if problems:
        listed = "; ".join(f"{problem.field}: {problem.message}" for problem in problems)
        raise Invalid(f"Invalid instance: {listed}.", tuple(problems))
    return draft


def _connector(body: dict[str, Any], problems: list[Problem]) -> str | int | None:
    named = body.get("element", body.get("connector"))
    if named is None:
        return None
    if not isinstance(named, dict):
        problems.append(Problem("element", "expected an object with a key"))
        return None
    found = named.get("key") if named.get("key") is not None else named.get("id")
    if isinstance(found, bool) or not isinstance(found, str | int):
        problems.append(Problem("element.key", "expected the key of an element"))
        return None
    return found


def _name(value: object, problems: list[Problem]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        problems.append(Problem("name", "expected a text"))
        return None
    name = "" if len(value) > _LONGEST_MARKUP else plain(value)
    if not 1 <= len(name) <= LONGEST_NAME:
        problems.append(Problem("name", f"expected 1 to {LONGEST_NAME} characters of plain text"))
    return name


def _tags(value: object, problems: list[Problem]) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MOST_TAGS or not all(isinstance(tag, str) for tag in value):
        problems.append(Problem("tags", f"expected a list of at most {MOST_TAGS} texts"))
        return None
    if sum(len(tag) for tag in value if _MARKUP.search(tag)) > _MOST_MARKED:
        problems.append(Problem("tags", f"expected at most {_MOST_MARKED} characters in texts with any of < > &"))
        return None
    tags = tuple(dict.fromkeys("" if len(tag) > _LONGEST_MARKUP else plain(tag) for tag in value))
    if not all(1 <= len(tag) <= LONGEST_NAME for tag in tags):
        problems.append(Problem("tags", f"expected texts of 1 to {LONGEST_NAME} characters"))
    return tags


def _configuration(value: object, problems: list[Problem]) -> Mapping[str, Any] | None:
    if value is None or isinstance(value, dict):
        return value
    problems.append(Problem("configuration", "expected an object of configuration entries"))
    return None


def _external(value: object, problems: list[Problem]) -> str | None:
    if value is None or value in _EXTERNAL:
        return None if value is None else str(value)
    problems.append(Problem("externalAuthentication", f"expected one of {', '.join(_EXTERNAL)}"))
    return None


def _code(value: object, problems: list[Problem]) -> str | None:
    if value is None:
        return None
    code = value.get("code") if isinstance(value, dict) else value
    if code is None or (isinstance(code, str) and 0 < len(code) <= _LONGEST_CODE and not _CONTROL.search(code)):
        return code if isinstance(code, str) else None
    problems.append(Problem("providerData.code", f"expected a text of at most {_LONGEST_CODE} characters"))
    return None


class _Text(HTMLParser):
    """Collects what stands between tags; what a script or style holds is no text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._muted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._muted += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._muted -= tag in ("script", "style") and self._muted > 0

    def handle_data(self, data: str) -> None:
        if not self._muted:
            self.pieces.append(data)


def plain(text: str) -> str:
    """The text without markup and control characters; markup that only appears after decoding goes too."""
    text = _CONTROL.sub("", text)
    for _ in range(_MOST_LAYERS):
        stripped = _stripped(text) if "<" in text or "&" in text else text
        if stripped == text:
            return text.strip()
        text = stripped
    # Nobody wraps a name in so many layers who means well.
    return _unmarked(text).strip()


def _unmarked(text: str) -> str:
    return _MARKUP.sub("", text)


def _stripped(text: str) -> str:
    # From every mark that opens nothing the parser looks through to the end.
    if len(text) > _LONGEST_MARKUP or text.count("<") > _MOST_MARKS:
        return _unmarked(text)
    parser = _Text()
    try:
        parser.feed(text)
        parser.close()
    except AssertionError:  # how the parser gives up on a marked section that is none
        return _unmarked(text)
    return _CONTROL.sub("", "".join(parser.pieces))
