"""Extra headers of a callback: a JSON object, or `Name: value` lines."""

import re
from dataclasses import dataclass

import orjson

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,4096}")
_OWN = frozenset(
    {
        "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "keep-alive",
        "upgrade", "te", "trailer", "expect", "proxy-authorization", "proxy-connection", "user-agent",
        "accept-encoding", "webhook-id", "webhook-timestamp", "webhook-signature", "elements-webhook-id",
        "elements-webhook-signature",
    }
)  # fmt: skip
_MOST = 32


@dataclass(frozen=True, slots=True)
class CallbackHeaders:
    """The headers that were read, and what is wrong with the others."""

    headers: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]


def parse_headers(text: str) -> CallbackHeaders:
    """Read headers; nothing that could end a header line or replace one of the gateway's own is taken."""
    pairs = _pairs(text)
    if pairs is None:
        return CallbackHeaders((), ("expected a JSON object of names and values, or lines of `Name: value`",))
    if len(pairs) > _MOST:
        return CallbackHeaders((), (f"at most {_MOST} headers are taken",))
    problems = tuple(problem for name, value in pairs if (problem := _problem(name, value)))
    good = tuple((name, value) for name, value in pairs if _problem(name, value) is None)
    return CallbackHeaders(good, problems)


def _pairs(text: str) -> list[tuple[str, str]] | None:
    if text.lstrip().startswith("{"):
        try:
            content = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        return [(name, value if isinstance(value, str) else "\x00") for name, value in content.items()]
    lines = [line.strip(" \t\r") for line in text.split("\n") if line.strip()]
    if not all(":" in line for line in lines):
        return None
    return [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def _problem(name: str, value: str) -> str | None:
    if not _NAME.fullmatch(name):
        return f"{name[:40]!r} is no header name"
    if name.lower() in _OWN:
        return f"{name} is set by the gateway"
    if not _VALUE.fullmatch(value):
        return f"the value of {name} is no text of a header"
    return None
