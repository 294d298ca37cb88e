"""Lists of this wire: bare arrays, numbered pages, totals in headers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from gateway.api.cyclr.wire import answer, fits, whole, wrong

T = TypeVar("T")

DEFAULT_SIZE = 100
LARGEST_SIZE = 1000
_LAST_PAGE = 1_000_000_000
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is asked for, counted from 1, and in which order."""

    page: int
    size: int
    order: str
    ascending: bool

    @property
    def first(self) -> int:
        """How many items stand before the page."""
        return (self.page - 1) * self.size


def paging(request: web.Request, orders: Sequence[str], *, usual: str = "Id") -> Paging:
    """The paging of the query; `orders` are the names that a list can be sorted by, in any case."""
    order = text(request, "orderBy") or usual
    known = {name.lower(): name for name in (*orders, usual)}
    if order.lower() not in known:
        raise wrong("orderBy", f"must be one of {', '.join(known.values())}")
    return Paging(
        page=_number(request, "page", 1, _LAST_PAGE),
        size=_number(request, "pageSize", DEFAULT_SIZE, LARGEST_SIZE),
        order=known[order.lower()],
        ascending=flag(request, "sortOrderAsc", default=True),
    )


def text(request: web.Request, name: str) -> str:
    """A text of the query, its name in any case; empty where there is none."""
    found = next((value for key, value in request.query.items() if key.lower() == name.lower()), "")
    if len(found) > _LONGEST or not fits(found):
        raise wrong(name, f"must be a text of at most {_LONGEST} characters")
    return found


def flag(request: web.Request, name: str, *, default: bool) -> bool:
    """A truth value of the query."""
    found = text(request, name).lower() or str(default).lower()
    if found not in ("true", "false"):
        raise wrong(name, "must be true or false")
    return found == "true"


def page_of(items: Sequence[T], asked: Paging, keys: Mapping[str, Callable[[T], Any]]) -> Sequence[T]:
    """The page of a list that is in memory, by the key of its order."""
    ordered = sorted(items, key=keys[asked.order], reverse=not asked.ascending)
    return ordered[asked.first : asked.first + asked.size]


def listed(items: Sequence[Any], total: int, asked: Paging) -> web.Response:
    """The bare array, and the totals beside it."""
    pages = -(-total // asked.size)
    return answer(list(items), headers={"Total-Records": str(total), "Total-Pages": str(pages)})


def _number(request: web.Request, name: str, default: int, most: int) -> int:
    given = text(request, name)
    if not given:
        return default
    found = whole(given) if len(given) < 15 else (most if given.isascii() and given.isdigit() else None)
    if found is None or found < 1:
        raise wrong(name, "must be a whole number of 1 or more")
    return min(found, most)
