"""Logging: one wide line per act, JSON or for a terminal, with secrets taken out on the way."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

from gateway.config import Log

_SECRET = ("secret", "password", "authorization", "token", "api_key", "api.key", "signature_key", "encryption_key")
_MASK = "********"


def configure(settings: Log) -> None:
    """Send every line of this process to standard output in the form that is set."""
    terminal = settings.format == "console" or (settings.format == "auto" and sys.stdout.isatty())
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout) if terminal else structlog.BytesLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    _route_libraries()


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask every value whose name says that it is a secret."""
    for name in event:
        if any(word in name.lower() for word in _SECRET):
            event[name] = _MASK
    return event


def _json(event: Any, **_: Any) -> bytes:
    return orjson.dumps(event, default=str)


class _ToStructlog(logging.Handler):
    """Lines of libraries take the same way as ours."""

    def emit(self, record: logging.LogRecord) -> None:
        line = structlog.get_logger().bind(library=record.name)
        line.log(max(record.levelno, logging.WARNING), record.getMessage(), exc_info=record.exc_info)


def _route_libraries() -> None:
    root = logging.getLogger()
    root.handlers = [_ToStructlog()]
    root.setLevel(logging.WARNING)
