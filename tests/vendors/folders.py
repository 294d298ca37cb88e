"""A folder, told in two ways: all of it page by page as Box does, or what changed since a cursor as Dropbox does."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from tests.vendors.arrived import BODY

LISTING = "/2.0/folders/42/items"
CHANGES = "/2/files/list_folder/continue"
Row = dict[str, Any]


@dataclass
class Folder:
    """What lies in it, and what happened to it."""

    items: dict[str, Row] = field(default_factory=dict)
    changes: list[Row] = field(default_factory=list)
    page: int = 4
    #: After how many pages a listing breaks off; None: never.
    breaks_off: int | None = None
    #: Cursors of former generations are not known any more.
    generation: int = 1
    _pages: int = 0

    def routes(self) -> list[web.RouteDef]:
        """What it serves."""
        return [
            web.get(LISTING, self._listing),
            web.get("/2.0/users/me", self._who),
            web.post("/2/users/get_current_account", self._who),
            web.post("/2/files/list_folder/get_latest_cursor", self._latest),
            web.post(CHANGES, self._since),
        ]

    def put(self, name: str, state: int = 1) -> None:
        """Make or change a file."""
        at = f"2026-05-28T12:00:{state:02}Z"
        self.items[name] = {"id": name, "type": "file", "name": name, "etag": str(state), "modified_at": at}
        rev = f"{name}-{state}"
        self.changes.append({".tag": "file", "id": f"id:{name}", "name": name, "rev": rev, "server_modified": at})

    def remove(self, *names: str) -> None:
        """Files go."""
        for name in names:
            del self.items[name]
            self.changes.append({".tag": "deleted", "name": name, "path_lower": f"/{name}"})

    def forget(self) -> None:
        """Every cursor that was given is worth nothing from now on."""
        self.generation += 1

    async def _who(self, _request: web.Request) -> web.Response:
        return web.json_response({"id": "1", "account_id": "dbid:1"})

    async def _listing(self, request: web.Request) -> web.Response:
        begin, self._pages = int(request.query.get("marker", 0)), self._pages + 1
        if begin == 0:
            self._pages = 1
        if self.breaks_off is not None and self._pages > self.breaks_off:
            return web.json_response({"message": "try later"}, status=503)
        rows = list(self.items.values())
        end = begin + self.page
        more = {"next_marker": str(end)} if end < len(rows) else {}
        return web.json_response({"entries": rows[begin:end], **more})

    async def _latest(self, _request: web.Request) -> web.Response:
        return web.json_response({"cursor": self._cursor(len(self.changes))})

    async def _since(self, request: web.Request) -> web.Response:
        generation, _, begin = str(orjson.loads(request[BODY])["cursor"]).partition(":")
        if int(generation) != self.generation:
            return web.json_response({"error_summary": "reset/..", "error": {".tag": "reset"}}, status=409)
        end = min(len(self.changes), int(begin) + self.page)
        rows, more = self.changes[int(begin) : end], end < len(self.changes)
        return web.json_response({"entries": rows, "cursor": self._cursor(end), "has_more": more})

    def _cursor(self, at: int) -> str:
        return f"{self.generation}:{at}"
