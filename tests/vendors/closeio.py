"""A small Close: the objects, envelopes, errors and webhook subscriptions that connector and tests rely on."""

import binascii
import hashlib
import hmac
import json
import secrets
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiohttp import web

from tests.vendors.arrived import BODY
from tests.vendors.closeio_search import matches
from tests.vendors.event_log import PATH, EventLog
from tests.vendors.life import Clock

API_KEY = "api_1234567890abcdef.0987654321fedcba"
BASE = "/api/v1"
ORGANIZATION = "orga_1"
_PREFIX = {
    "lead": "lead", "contact": "cont", "opportunity": "oppo", "task": "task", "user": "user", "activity/note": "acti",
    "activity": "acti", "webhook": "whsub",
}  # fmt: skip
_REQUIRED = {
    "contact": ("lead_id",), "opportunity": ("lead_id",), "task": ("lead_id", "text"), "activity/note": ("lead_id",),
    "webhook": ("url", "events"),
}  # fmt: skip
_MOST = 100
_NAMES = {"activity/note": "Activity", "activity": "Activity", "webhook": "Webhook"}
Row = dict[str, Any]


@dataclass
class Close:
    """The rows of one organization, and who may see them."""

    api_keys: set[str] = field(default_factory=lambda: {API_KEY})
    rows: dict[str, dict[str, Row]] = field(default_factory=dict)
    bearer_is_valid: Callable[[str], bool] = field(default=lambda _token: False)
    clock: Clock = field(default_factory=Clock)
    log: EventLog = field(default_factory=EventLog)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.add("user", first_name="Ada", last_name="Example", email="ada@vendor.example")

    def add(self, kind: str, **values: object) -> Row:
        """A new row, with the id and dates that Close gives."""
        now = self._now()
        row: Row = {
            "id": f"{_PREFIX[kind]}_{next(self._numbers):08d}",
            "organization_id": ORGANIZATION,
            "date_created": now,
            "date_updated": now,
            **_usual(kind),
            **values,
        }
        self.rows.setdefault(_table(kind), {})[row["id"]] = row
        self._happened(kind, "created", row)
        return row

    def all(self, kind: str) -> list[Row]:
        """The rows of a kind, oldest first."""
        return list(self.rows.get(_table(kind), {}).values())

    def routes(self) -> list[web.RouteDef]:
        """What it serves."""
        found = [web.get(f"{BASE}/me/", self._me), web.get(PATH, self._events)]
        for kind in ("activity/note", "activity", "lead", "contact", "opportunity", "task", "user", "webhook"):
            found += self._routes_of(kind)
        return found

    def _routes_of(self, kind: str) -> list[web.RouteDef]:
        many, one = f"{BASE}/{kind}/", f"{BASE}/{kind}/{{id}}/"
        served = {
            "list": web.get(many, self._for(kind, self._list)),
            "get": web.get(one, self._for(kind, self._get)),
            "create": web.post(many, self._for(kind, self._create)),
            "update": web.put(one, self._for(kind, self._update)),
            "delete": web.delete(one, self._for(kind, self._delete)),
        }
        only = {"user": ("list", "get"), "activity": ("list",)}.get(kind, tuple(served))
        return [served[name] for name in only]

    def _for(self, kind: str, answer: Callable[[str, web.Request], web.Response]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            return self._denied(request) or answer(kind, request)

        return handle

    async def _me(self, request: web.Request) -> web.Response:
        return self._denied(request) or web.json_response(self.all("user")[0])

    def _denied(self, request: web.Request) -> web.Response | None:
        scheme, _, proof = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and self.bearer_is_valid(proof):
            return None
        if scheme == "Basic" and _user_name(proof) in self.api_keys:
            return None
        message = "The provided API key or access token is not valid."
        return web.json_response({"error": message}, status=401, headers={"WWW-Authenticate": 'Basic realm="Close"'})

    def _list(self, kind: str, request: web.Request) -> web.Response:
        try:
            skip, limit = int(request.query.get("_skip", 0)), int(request.query.get("_limit", _MOST))
        except ValueError:
            return _invalid(errors=["_skip and _limit must be integers."])
        if skip < 0 or not 0 < limit <= _MOST:
            return _invalid(errors=[f"_limit must be between 1 and {_MOST}."])
        found = [row for row in self.all(kind) if matches(row, request.query)]
        page = [_chosen(row, request) for row in found[skip : skip + limit]]
        answer: Row = {"data": page, "has_more": skip + limit < len(found)}
        return web.json_response(answer | ({"total_results": len(found)} if kind == "lead" else {}))

    def _get(self, kind: str, request: web.Request) -> web.Response:
        row = self._row(kind, request)
        return _missing(kind) if row is None else web.json_response(_chosen(row, request))

    def _create(self, kind: str, request: web.Request) -> web.Response:
        values = _values(request)
        if values is None:
            return _invalid(errors=["The request's body is not a valid JSON object."])
        lacking = {name: "This field is required." for name in _REQUIRED.get(kind, ()) if not values.get(name)}
        if lacking or (kind == "lead" and not values):
            return _invalid(lacking, [] if lacking else ["Empty request."])
        if "lead_id" in values and values["lead_id"] not in self.rows.get("lead", {}):
            return _invalid({"lead_id": "Object not found."})
        row = self.add(kind, **values)
        # The key to its signatures is told once.
        told = {"signature_key": row["signature_key"]} if kind == "webhook" else {}
        return web.json_response(_public(row) | told, status=201 if kind == "webhook" else 200)

    def _update(self, kind: str, request: web.Request) -> web.Response:
        row, values = self._row(kind, request), _values(request)
        if row is None:
            return _missing(kind)
        if values is None:
            return _invalid(errors=["The request's body is not a valid JSON object."])
        row.update(values, date_updated=self._now())
        self._happened(kind, "updated", row)
        return web.json_response(_public(row))

    def _delete(self, kind: str, request: web.Request) -> web.Response:
        row = self._row(kind, request)
        if row is None:
            return _missing(kind)
        del self.rows[_table(kind)][row["id"]]
        self._happened(kind, "deleted", row)
        return web.Response(status=204) if kind == "webhook" else web.json_response({})

    def _happened(self, kind: str, action: str, row: Row) -> None:
        if kind not in ("user", "webhook"):
            self.log.add(kind.replace("/", "."), action, dict(row))

    def _now(self) -> str:
        return datetime.fromtimestamp(self.clock.now(), UTC).isoformat()

    async def _events(self, request: web.Request) -> web.Response:
        return self._denied(request) or await self.log.answer(request)

    def _row(self, kind: str, request: web.Request) -> Row | None:
        return self.rows.get(_table(kind), {}).get(request.match_info["id"])

    def delivery(self, subscription: Row, event: Row) -> tuple[dict[str, str], bytes]:
        """Headers and body of an event as Close sends it to a subscription."""
        body = json.dumps({"subscription_id": subscription["id"], "event": event}).encode()
        at = str(int(time.time()))  # the gateway's clock is the real one
        key = bytes.fromhex(subscription["signature_key"])
        digest = hmac.new(key, at.encode() + body, hashlib.sha256).hexdigest()
        return {"Content-Type": "application/json", "close-sig-timestamp": at, "close-sig-hash": digest}, body


def _table(kind: str) -> str:
    return kind.partition("/")[0]


def _usual(kind: str) -> Row:
    if kind == "webhook":
        return {"status": "active", "verify_ssl": True, "signature_key": secrets.token_hex(32)}
    if kind == "lead":
        return {"name": "", "description": None, "url": None, "contacts": [], "addresses": [], "status_label": "New"}
    if kind == "opportunity":
        return {"status_type": "active", "value": None, "note": None}
    if kind == "task":
        return {"_type": "lead", "is_complete": False, "assigned_to": None}
    return {"_type": "Note"} if kind.startswith("activity") else {}


def _public(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "signature_key"}


def _chosen(row: Row, request: web.Request) -> Row:
    wanted = [name for name in request.query.get("_fields", "").split(",") if name]
    return {name: value for name, value in _public(row).items() if not wanted or name in wanted}


def _values(request: web.Request) -> Row | None:
    try:
        values = json.loads(request[BODY] or b"{}")
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def _user_name(proof: str) -> str:
    try:
        return b64decode(proof, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _missing(kind: str) -> web.Response:
    name = _NAMES.get(kind, kind.capitalize())
    return web.json_response({"error": f"Empty query: {name} matching query does not exist."}, status=404)


def _invalid(fields: dict[str, str] | None = None, errors: list[str] | None = None) -> web.Response:
    return web.json_response({"field-errors": fields or {}, "errors": errors or []}, status=400)
