"""Close's event log: newest first, 50 a page, 30 days; a change that follows soon is written into the former entry."""

import json
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiohttp import web

from tests.vendors.life import Clock, Life, Sorted, Write

PATH = "/api/v1/event/"
PAGE = 50
RETENTION_S = 30 * 86_400
Row = dict[str, Any]


@dataclass
class EventLog:
    """What happened to the objects of one organization."""

    clock: Clock = field(default_factory=Clock)
    #: Within how many seconds another change of the same object goes into the entry that there is; 0: never.
    consolidates_s: float = 0.0
    retention_s: float = RETENTION_S
    entries: dict[str, Row] = field(default_factory=dict)
    _dates: Sorted = field(default_factory=Sorted)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _newest: dict[tuple[str, str], str] = field(default_factory=dict)
    _at: dict[str, float] = field(default_factory=dict)

    def add(self, kind: str, action: str, data: Row, at: float | None = None) -> Row:
        """What happened to an object, as the log tells it: an entry, or a new date of the former one."""
        when = self.clock.now() + self.clock.skew if at is None else at
        former = self.entries.get(self._newest.get((kind, data["id"]), ""))
        if former is not None and action == former["action"] == "updated" and self._is_soon(former, when):
            if when < self._at[former["id"]]:
                return former  # the index learnt of it late, and what came after is told already
            self._dates.move(self._at[former["id"]], when, former["id"])
            self._at[former["id"]] = when
            former.update(data=data, date_updated=_text(when))
            return former
        entry = {
            "id": f"ev_{next(self._numbers):09d}",
            "organization_id": "orga_1",
            "object_type": kind,
            "object_id": data["id"],
            "action": action,
            "date_created": _text(when),
            "date_updated": _text(when),
            "data": {} if action == "deleted" else data,
            "previous_data": {},
            "changed_fields": [],
        }
        self.entries[entry["id"]] = entry
        self._newest[kind, data["id"]] = entry["id"]
        self._dates.put(when, entry["id"])
        self._at[entry["id"]] = when
        return entry

    def follow(self, life: Life, kind: str = "lead") -> None:
        """Write down what happens in a life."""
        life.told.append(lambda write: self._write(kind, write))

    async def answer(self, request: web.Request) -> web.Response:
        """One page, newest first: after a cursor, or of what was updated since."""
        if "_cursor" in request.query and any(name.startswith("date_updated") for name in request.query):
            # Close drops the filter without a word; who sends both is told here.
            return web.json_response({"error": "date filters do not stand beside a cursor"}, status=400)
        bound, found = self._page(request.query.get("_cursor"), _since(request.query))
        size = min(PAGE, int(request.query.get("_limit", PAGE)))
        page = found[:size]
        more = json.dumps([*page[-1], bound]).encode().hex() if len(found) > size else None
        rows = [self.entries[key] for _, key in page]
        return web.json_response({"data": rows, "cursor_next": more, "cursor_previous": None})

    def _page(self, cursor: str | None, since: float) -> tuple[float, list[tuple[float, str]]]:
        """From when on, and a page and one more of what is older than the cursor."""
        entries, kept = self._dates.entries, self.clock.now() - self.retention_s
        if cursor is None:
            bound, end = since, len(entries)
        else:
            # The cursor is a place among the dates: what moved above it is not in this walk any more.
            at, key, bound = json.loads(bytes.fromhex(cursor))
            end = bisect_left(entries, (at, key))
        first = bisect_left(entries, (max(bound, kept), ""))
        return bound, entries[max(first, end - PAGE - 1) : end][::-1]

    def _is_soon(self, former: Row, when: float) -> bool:
        return 0 <= when - _seconds(former["date_created"]) < self.consolidates_s

    def _write(self, kind: str, write: Write) -> None:
        self.add(kind, write.action, {"id": write.thing, "state": write.state}, write.at)


def _since(query: Any) -> float:
    text = query.get("date_updated__gte")
    return 0.0 if text is None else _seconds(text)


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _text(at: float) -> str:
    """As Close writes it: UTC, without saying so."""
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat()
