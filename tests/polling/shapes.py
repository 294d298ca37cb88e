"""What vendors answer to the shipped polls, in the shapes that they document; ids and names are made up."""

from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

#: The newest that was seen before: the window begins so much earlier as the poll overlaps.
WATERMARK = "2026-05-28T12:00:00Z"
WATERMARK_MS = 1_779_969_600_000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it must arrive."""

    path: str
    verb: str = "GET"
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A poll of one connector: what is asked, page by page, what comes back, and what it means.

    `changes` are type, action, object type and object id, oldest first; `{url}` in a Link is the vendor's address.
    """

    connector: str
    poll: str
    asked: tuple[Asked, ...]
    answers: tuple[Any, ...]
    changes: tuple[tuple[str, str, str, str], ...]
    links: tuple[str, ...] = ()
    config: dict[str, str] = field(default_factory=dict)
    base: str = ""
    token: str | None = None
    before: str | None = None
