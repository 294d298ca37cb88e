"""Lists of objects by their last change, in the ways that vendors have, with the faults that lists can have."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import orjson
from aiohttp import web

from tests.vendors.life import Life, Write

ISSUES = "/repos/octo/hello/issues"
THINGS = "/things"
Row = dict[str, Any]
Fault = Literal["", "no_id", "wrong_zone", "repeats", "goes_in_circles", "never_ends", "no_date", "half"]


@dataclass
class Lists:
    """GitHub's issues (by change, pages that move while things do, Link) and things of a plain API (by id, Link)."""

    life: Life = field(default_factory=Life)
    #: How long each answer takes, in the vendor's own time.
    takes_s: float = 0.4
    #: What happens meanwhile.
    meanwhile: Callable[[float], object] | None = None
    fault: Fault = ""
    largest_page: int = 100
    answered: int = 0

    def routes(self) -> list[web.RouteDef]:
        """What it serves."""
        return [web.get(ISSUES, self._issues), web.get(THINGS, self._things), web.get("/user", self._user)]

    async def _user(self, _request: web.Request) -> web.Response:
        return web.json_response({"id": 1, "login": "octo"})

    async def _issues(self, request: web.Request) -> web.Response:
        since = _seconds(request.query["since"]) if "since" in request.query else None
        found = self.life.listed(since)
        if request.query.get("direction", "desc") == "desc":
            found.reverse()
        return self._paged(request, found, _issue, size="per_page")

    async def _things(self, request: web.Request) -> web.Response:
        since = _seconds(request.query["updated_since"]) if "updated_since" in request.query else None
        found = sorted(self.life.listed(since, deleted=True), key=lambda write: write.thing)
        return self._paged(request, found, _thing, size="size")

    def _paged(
        self, request: web.Request, found: list[Write], shape: Callable[[Write], Row], *, size: str
    ) -> web.Response:
        """One page by number: whatever happens between two pages moves the later one."""
        self.answered += 1
        most = min(self.largest_page, int(request.query.get(size, self.largest_page)))
        number = int(request.query.get("page", 1))
        if self.fault == "half":
            found = found[: len(found) // 4]
        rows = [shape(write) for write in found[(number - 1) * most : number * most]]
        following = self._following(number, number * most < len(found))
        if self.fault in ("repeats", "goes_in_circles", "never_ends"):
            rows = [shape(write) for write in found[:most]]
        headers = {} if following is None else {"Link": f'<{_turned(request, following)}>; rel="next"'}
        answer = _answer(request, [_spoilt(row, self.fault) for row in rows], headers)
        self._wait()
        return answer

    def _following(self, number: int, there_is_more: bool) -> int | None:
        if self.fault == "repeats":
            return number
        if self.fault == "goes_in_circles":
            return 3 - number if number in (1, 2) else 1
        return number + 1 if there_is_more or self.fault == "never_ends" else None

    def _wait(self) -> None:
        if self.meanwhile is not None:
            self.meanwhile(self.takes_s)


def _answer(request: web.Request, rows: list[Row], headers: Mapping[str, str]) -> web.Response:
    body = orjson.dumps(rows)
    etag = f'W/"{hash(body) & 0xFFFFFFFF:08x}"'
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers={"ETag": etag})
    return web.Response(body=body, content_type="application/json", headers={"ETag": etag, **headers})


def _turned(request: web.Request, number: int) -> str:
    return str(request.url.update_query(page=str(number)))


def _issue(write: Write) -> Row:
    return {
        "id": _number(write.thing),
        "number": _number(write.thing),
        "title": f"state {write.state}",
        "state": "open",
        "created_at": iso(write.created),
        "updated_at": iso(write.at),
        "user": None,
    }


def _thing(write: Write) -> Row:
    return {
        "id": write.thing,
        "state": write.state,
        "deleted": write.action == "deleted",
        "created_at": iso(write.created),
        "updated_at": iso(write.at),
    }


def _spoilt(row: Row, fault: Fault) -> Row:
    if fault == "no_id":
        return {name: value for name, value in row.items() if name != "id"}
    if fault == "no_date":
        return {**row, "updated_at": None}
    if fault == "wrong_zone":
        # Local time of a place east of here, with nothing that says so.
        east = timezone(timedelta(hours=9))
        moment = datetime.fromisoformat(row["updated_at"]).astimezone(east).replace(tzinfo=None)
        return {**row, "updated_at": moment.isoformat()}
    return row


def states(payload: bytes) -> Iterator[int]:
    """The states that a stored record tells of."""
    value = orjson.loads(payload)
    state = value.get("state")
    yield int(value["title"].removeprefix("state ")) if isinstance(state, str) else int(state)


def _number(thing: str) -> int:
    return int(thing.rpartition("_")[2])


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def iso(at: float) -> str:
    """`2026-01-02T03:04:05Z`; the fraction where there is one."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")
