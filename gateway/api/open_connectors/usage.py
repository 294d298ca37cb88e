"""What calls were made: `/usage`."""

import re
from collections.abc import Sequence

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.accounts.usage import store
from gateway.accounts.usage.model import Asked
from gateway.api import read
from gateway.api.open_connectors import shapes
from gateway.api.open_connectors.calls import answer, by_element, caller, page, services
from gateway.errors import Invalid, NotFound, Problem
from gateway.instances import store as instances

DEFAULT_PAGE = 100
LARGEST_PAGE = 500
_MOST_OFFSET = 10_000
_MOST_TAGGED = 1_000
_ID = re.compile(r"[0-9a-f]{24}")
_STATUS = re.compile(r"([1-5])(?:([0-9]{2})|xx)", re.IGNORECASE)


async def list_(request: web.Request) -> web.Response:
    """`GET /usage`, newest first."""
    who, instance_id = await _scope(request)
    asked = await _asked(request, who, instance_id)
    size = read.number(request, "pageSize", default=DEFAULT_PAGE, most=LARGEST_PAGE)
    before = read.position(request, "nextPage", "before", str) or ""
    offset = 0 if before else _offset(request)
    database = services(request).runtime.database
    found = await store.page(database, who, asked, before=before, offset=offset, size=size + 1)
    more = read.page_token({"before": found[size - 1].id}) if len(found) > size else None
    return page([shapes.use(one) for one in found[:size]], more)


async def get(request: web.Request) -> web.Response:
    """`GET /usage/{requestId}`."""
    who, instance_id = await _scope(request)
    wanted = request.match_info["requestId"]
    if not _ID.fullmatch(wanted):
        raise NotFound(f"No usage found with ID {wanted[:64]}")
    use = await store.get(services(request).runtime.database, who, wanted)
    if instance_id not in (None, use.instance_id):
        raise NotFound(f"No usage found with ID {wanted}")
    return answer(shapes.use(use))


async def _scope(request: web.Request) -> tuple[Caller, int | None]:
    return await by_element(request) or (await caller(request), None)


async def _asked(request: web.Request, who: Caller, instance_id: int | None) -> Asked:
    since, until = read.date_ms(request, "from") or 0, read.date_ms(request, "to")
    if until is not None and until < since:
        raise Invalid("to: is before from.", (Problem("to", "is before from"),))
    return Asked(
        instance_ids=await _instance_ids(request, who, instance_id),
        connectors=_connectors(request, who),
        statuses=_statuses(request),
        since=max(0, since),
        until=until,
        search=read.text(request, "searchText", longest=200),
    )


async def _instance_ids(request: web.Request, who: Caller, instance_id: int | None) -> Sequence[int] | None:
    tags = read.texts(request, ("tags[]", "tags"), most=20, longest=200)
    if not tags:
        return None if instance_id is None else (instance_id,)
    database, chosen = services(request).runtime.database, instances.Filter(tags=tags)
    found = await instances.page(database, who, chosen, after=0, size=_MOST_TAGGED)
    return tuple(one.id for one in found if instance_id in (None, one.id))


def _connectors(request: web.Request, who: Caller) -> tuple[str, ...] | None:
    keys = read.texts(request, ("keys[]", "keys"), most=100, longest=64)
    hub = read.text(request, "hub", longest=64)
    if not hub:
        return keys or None
    of_hub = [one.key for one in services(request).runtime.catalogue.visible_to(who.partner_id) if one.hub == hub]
    return tuple(key for key in of_hub if not keys or key in keys)


def _statuses(request: web.Request) -> tuple[int, int] | None:
    text = read.text(request, "status", longest=20).lower()
    if not text:
        return None
    named = {"success": (200, 399), "failed": (400, 599), "error": (400, 599)}.get(text)
    match = _STATUS.fullmatch(text)
    if named is not None or match is None:
        if named is None:
            message = "expected a status such as 404 or 4xx, success, or failed"
            raise Invalid(f"status: {message}.", (Problem("status", message),))
        return named
    first = int(match[1]) * 100 + int(match[2] or 0)
    return first, first if match[2] else first + 99


def _offset(request: web.Request) -> int:
    given = request.query.get("pageOffset", "0")
    return 0 if given == "0" else read.number(request, "pageOffset", default=1, most=_MOST_OFFSET)


def routes(prefix: str) -> list[web.AbstractRouteDef]:
    """The routes of usage; only below the vendor's prefix."""
    if not prefix:
        return []
    return [
        web.get(f"{prefix}/usage", list_, allow_head=False),
        web.get(f"{prefix}/usage/{{requestId}}", get, allow_head=False),
    ]
