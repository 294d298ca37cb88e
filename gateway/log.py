"""Logging: one wide line per act, JSON or for a terminal, with secrets taken out on the way."""

import json
import logging
import sys
import time
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, BinaryIO

import orjson
import structlog

from gateway.clock import iso_ms, now_ms
from gateway.config import Log, environment

_SECRET = ("secret", "password", "authorization", "token", "api_key", "api.key", "signature_key", "encryption_key")
_MASK = "********"
_REQUESTS = "aiohttp.server"
_MOST_A_SECOND = 3
_LEVELS = {"exception": "error", "warn": "warning"}


def configure(settings: Log, out: BinaryIO | None = None) -> None:
    """Send every line of this process to standard output in the form that is set, or as JSON to `out`."""
    wanted = settings.format == "console" or (settings.format == "auto" and sys.stdout.isatty())
    terminal = wanted and out is None
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    # A traceback with every local value would show secrets, and take seconds, wherever rich happens to be installed.
    renderer = structlog.dev.ConsoleRenderer(colors=colours(), exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[for_terminal, renderer] if terminal else [as_json],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout) if terminal else structlog.BytesLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    _route_libraries()


def colours() -> bool:
    """Whether standard output takes colours: it is a terminal, and NO_COLOR is not set."""
    return sys.stdout.isatty() and not environment().get("NO_COLOR")


def as_json(_: Any, level: str, event: MutableMapping[str, Any]) -> bytes:
    """A line of JSON; one step for everything, since each act on the road writes one."""
    line = _completed(level, event)
    try:
        return orjson.dumps(line, default=str)
    except TypeError:
        # Half a surrogate pair, or an integer beyond 64 bits: a line must never stop the act that it tells of.
        return json.dumps(line, default=str).encode()


def for_terminal(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The same line for people's eyes."""
    return _completed(level, event)


def _completed(level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if "exc_info" in event:
        event = structlog.processors.format_exc_info(None, level, event)
    for name in event:
        if _is_secret(name):
            event[name] = _MASK
    event["level"] = _LEVELS.get(level, level)
    event["timestamp"] = iso_ms(now_ms())
    return event


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET)


class _ToStructlog(logging.Handler):
    """Lines of libraries take the same way as ours."""

    def emit(self, record: logging.LogRecord) -> None:
        line = structlog.get_logger().bind(library=record.name)
        line.log(max(record.levelno, logging.WARNING), record.getMessage(), exc_info=record.exc_info)


class _Discreet(logging.Filter):
    """Of a request that aiohttp cannot read, the kind of failure alone: its text quotes tokens; and seldom."""

    def __init__(self) -> None:
        super().__init__()
        self._second, self._passed = 0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if record.exc_info else None
        record.msg, record.args = kind.__name__ if kind else "failure", ()
        record.exc_info = record.exc_text = record.stack_info = None
        record.levelno = min(record.levelno, logging.WARNING)
        record.levelname = logging.getLevelName(record.levelno)
        return self._is_seldom()

    def _is_seldom(self) -> bool:
        second = int(time.monotonic())
        self._passed = self._passed + 1 if second == self._second else 1
        self._second = second
        return self._passed <= _MOST_A_SECOND


_DISCREET = _Discreet()


def keep_requests_out() -> None:
    """Let no line of aiohttp's server tell what a request said."""
    logging.getLogger(_REQUESTS).addFilter(_DISCREET)


def _route_libraries() -> None:
    keep_requests_out()
    root = logging.getLogger()
    root.handlers = [_ToStructlog()]
    root.setLevel(logging.WARNING)
