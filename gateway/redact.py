"""What of a request or an answer may be kept and shown: everything but what opens something."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote, unquote_plus

REDACTED = "[redacted]"
#: Shorter values stand in many places that are no secrets.
SHORTEST_SECRET = 6
MOST_HEADERS = 100
LONGEST_VALUE = 1_024

_TELLING = re.compile(
    r"authori[sz]ation|authentication|cookie|token|secret|passw|api-?_?key|credential|(?:^|[-_])(?:auth|key|pwd|sig)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def is_telling(name: str) -> bool:
    """Whether what stands under a name is taken for a secret, whatever it is."""
    return _TELLING.search(name) is not None


def headers(pairs: Iterable[tuple[str, str]], secrets: Sequence[str]) -> list[tuple[str, str]]:
    """Headers as they may be kept: without values of telling names, and of any that holds one of the secrets."""
    found = list(islice(pairs, MOST_HEADERS))
    # All at once first: that a secret stands in a header is seldom, and this is done for every event.
    if _holds("\n".join([f"{name}\n{value}" for name, value in found]), secrets):
        return [(_shown("", name, secrets), _shown(name, value, secrets)) for name, value in found]
    most = LONGEST_VALUE
    return [(name[:most], REDACTED if is_telling(name) else value[:most]) for name, value in found]


def query(text: str, secrets: Sequence[str]) -> str:
    """A query as it may be kept, each parameter judged as a header is."""
    if not text:
        return ""
    return "&".join([_parameter(part, secrets) for part in text.split("&", MOST_HEADERS)[:MOST_HEADERS]])


def body(content: bytes, secrets: Sequence[str], most: int) -> bytes:
    """The first bytes of a body as they may be kept: each of the secrets is put out of it before it is cut."""
    for secret in sorted(secrets, key=len, reverse=True):
        content = content.replace(secret.encode("utf-8", "surrogateescape"), REDACTED.encode())
    return content[:most]


def _parameter(part: str, secrets: Sequence[str]) -> str:
    name, separator, value = part.partition("=")
    shown = _shown("", name, secrets)
    return f"{shown}={_shown(unquote_plus(name), value, secrets)}" if separator else shown


def _shown(name: str, value: str, secrets: Sequence[str]) -> str:
    if (name and is_telling(name)) or _holds(value, secrets):
        return REDACTED
    return value[:LONGEST_VALUE]


def _holds(value: str, secrets: Sequence[str]) -> bool:
    for form in _forms(value):
        for secret in secrets:
            if secret in form:
                return True
    return False


def _forms(value: str) -> Iterator[str]:
    """What a text may be read as."""
    yield value
    if not value.isascii():
        # Bytes of a header stand for text that nobody has read yet.
        value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        yield value
    if "%" in value:
        yield unquote(value)
        yield unquote_plus(value)
    elif "+" in value:
        yield value.replace("+", " ")
