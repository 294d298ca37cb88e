"""Calls through an instance: `/hubs/{hub}/{resource…}`, and `/{resource…}` below the vendor's prefix."""

import time
from dataclasses import dataclass, field

from aiohttp import web

from gateway.access.act import Called, Manner, Unsent
from gateway.accounts.authorization import parse
from gateway.accounts.usage.model import Use
from gateway.api import read
from gateway.api.front import REQUEST_ID
from gateway.api.open_connectors import answers, paging
from gateway.api.open_connectors.calls import INSTANCE, finish, refused
from gateway.api.open_connectors.desk import DESK, Desk, Granted
from gateway.api.open_connectors.flow import Upload
from gateway.api.open_connectors.paging import Held
from gateway.api.streaming import streamed
from gateway.api.surface import Failure, of_error
from gateway.calls.asking import Wish, request_of, wished
from gateway.calls.model import Access, Rendered
from gateway.calls.pages import Place, first, following, turned
from gateway.catalogue.call_model import Pagination
from gateway.catalogue.offers import VERBS, Found, NoVerb, Unknown
from gateway.catalogue.sources import Sources
from gateway.clock import now_ms
from gateway.errors import Forbidden, GatewayError, NotFound
from gateway.ids import time_ordered
from gateway.instances.view import InstanceView

#: First steps below the prefix that are the platform's own; a vendor's resource of such a name is behind /hubs/{hub}/.
PLATFORM = ("instances", "elements", "hubs", "events", "usage", "objects", "ping")
_HELD_UPLOAD = 1 << 20
_LONGEST_KEPT_PATH = 512
_MANNER = Manner()


@dataclass(slots=True)
class _Noted:
    """What the usage log will say of a call."""

    path: str
    began: float = field(default_factory=time.perf_counter)
    method: str | None = None
    status: int = 500
    vendor_status: int | None = None
    size: int = 0
    #: Whether anything of it was sent to the vendor.
    sent: bool = False

    def met(self, outcome: Called | Unsent) -> None:
        """Note what a request of the call came to."""
        self.sent |= isinstance(outcome, Called) or outcome.sent
        if isinstance(outcome, Called):
            self.vendor_status = outcome.status


@dataclass(frozen=True, slots=True)
class _Call:
    """Everything about one call that does not change while it is made."""

    request: web.Request
    desk: Desk
    view: InstanceView
    found: Found
    wish: Wish
    rendered: Rendered
    noted: _Noted
    upload: Upload | None = None

    @property
    def access(self) -> Access:
        return Access(connector=self.view.connector, config=self.view.config)


def routes(prefix: str) -> list[web.AbstractRouteDef]:
    """The routes of calls; they stand behind all others, since they take any path."""
    hubs = prefix + "/hubs/{hub}/{resource:.+}"
    own = prefix + "/{resource:(?!(?:" + "|".join(PLATFORM) + ")(?:/|$)).+}"
    paths = [hubs, own] if prefix else [hubs]
    return [web.route(verb, path, call) for path in paths for verb in VERBS]


async def call(request: web.Request) -> web.StreamResponse:
    """`GET|POST|PUT|PATCH|DELETE …/{resource…}`: the method that it names, called in the instance's name."""
    path = _asked_path(request)
    if "hub" not in request.match_info and parse(request.headers.get("Authorization", "")).element is None:
        raise NotFound("There is nothing at this address; calls through an instance need its Element token.")
    desk = request.app[DESK]
    granted = await desk.granted(request)
    request[INSTANCE] = granted.view.instance.id
    return await _recorded(request, desk, granted, path)


def _asked_path(request: web.Request) -> str:
    """The resource's path as it was sent, percent-encoding and all."""
    resource = request.match_info.route.resource
    before = resource.canonical.split("/").index("{resource}") if resource else 1
    return request.rel_url.raw_path.split("/", before)[before]


async def _recorded(request: web.Request, desk: Desk, granted: Granted, path: str) -> web.StreamResponse:
    """The call's answer, and its line in the usage log whatever comes of it."""
    noted = _Noted(path="/" + path.encode("ascii", "replace").decode()[:_LONGEST_KEPT_PATH])
    try:
        response = await _answered(request, desk, granted.view, path, noted)
        noted.status = response.status
    except GatewayError as error:
        noted.status = of_error(error).status
        raise
    except web.HTTPException as error:
        noted.status = error.status
        raise
    finally:
        desk.usage.note(_use(request, granted, noted), sent=noted.sent)
    return response


def _use(request: web.Request, granted: Granted, noted: _Noted) -> Use:
    instance = granted.view.instance
    return Use(
        id=time_ordered(),
        request_id=request[REQUEST_ID],
        partner_id=instance.partner_id,
        account_id=instance.account_id,
        user_id=granted.caller.user.id,
        instance_id=instance.id,
        connector=instance.connector,
        method=noted.method,
        verb=request.method,
        path=noted.path,
        status=noted.status,
        vendor_status=noted.vendor_status,
        bytes=noted.size,
        duration_ms=round(1000 * (time.perf_counter() - noted.began)),
        at=now_ms(),
    )


async def _answered(
    request: web.Request, desk: Desk, view: InstanceView, path: str, noted: _Noted
) -> web.StreamResponse:
    if not view.instance.enabled:
        raise Forbidden("The instance is disabled.")
    found = desk.offers(view.connector).find(request.method, path, view.config)
    if isinstance(found, Unknown):
        raise NotFound(f"{view.connector.key} has no resource {path.partition('/')[0][:100]}{found.hint}.")
    if isinstance(found, NoVerb):
        listed = ", ".join(found.allowed)
        message = f"{request.method} is not offered for {path[:100]}; what is: {listed}."
        return refused(request, Failure(405, message, headers=(("Allow", listed),)))
    noted.method = found.offer.method.id
    made = await _made(request, desk, view, found, noted)
    return await (_listed(made) if found.offer.method.paginate is not None else _single(made))


async def _made(request: web.Request, desk: Desk, view: InstanceView, found: Found, noted: _Noted) -> _Call:
    body, upload = b"", None
    if found.offer.method.body == "raw" and not 0 <= (request.content_length or -1) <= _HELD_UPLOAD:
        upload = Upload(request)
    elif request.can_read_body:
        body = await read.body(request)
    query = [*request.query.items()]
    wish, problems = wished(found, request.method, query, body, request.headers)
    if wish.token is not None and not problems and found.offer.method.paginate is not None:
        wish = paging.resumed(found, wish, _held(desk, view, found, wish))
    rendered = request_of(Access(connector=view.connector, config=view.config), found.offer.method, wish, problems)
    return _Call(request, desk, view, found, wish, rendered, noted, upload)


def _held(desk: Desk, view: InstanceView, found: Found, wish: Wish) -> Held:
    scope = paging.scope_of(view.instance.id, found, wish)
    return paging.held_by(desk.services.runtime.seal, scope, wish.token or "")


async def _single(made: _Call) -> web.StreamResponse:
    vendors = made.desk.services.vendors
    async with vendors.send(made.view, made.rendered, _MANNER, upload=made.upload) as outcome:
        made.noted.met(outcome)
        if made.upload is not None and made.upload.problem is not None:
            raise made.upload.problem
        content = await _read(made, outcome)
        if isinstance(content, web.StreamResponse):
            return content
        return _response(made, outcome, content, {})


async def _listed(made: _Call) -> web.StreamResponse:
    """One page of a list; those before it are walked through where the vendor knows no numbers of pages."""
    page_of = made.view.connector.pagination[made.found.offer.method.paginate or ""]
    wish, skipped = made.wish, 0
    if wish.token is not None:
        place: Place | None = _held(made.desk, made.view, made.found, made.wish).place
    else:
        place = paging.at_page(page_of, wish.size, wish.page)
        if place is None:
            place, skipped = first(page_of, wish.size), wish.page - 1
    while place is not None:
        answer = await _page(made, page_of, place, last=not skipped)
        if isinstance(answer, web.StreamResponse):
            return answer
        place, skipped = answer, skipped - 1
    return _response(made, None, answers.Content(body=b"[]", content_type="application/json", count=0), {})


async def _page(made: _Call, page_of: Pagination, place: Place, *, last: bool) -> web.StreamResponse | Place | None:
    """The answer of the page that was asked for; of those before it, where the next one is."""
    rendered = turned(made.access, page_of, made.rendered, place)
    if isinstance(rendered, Unsent):
        content = await _read(made, rendered)
        assert isinstance(content, web.StreamResponse)
        return content
    async with made.desk.services.vendors.send(made.view, rendered, _MANNER) as outcome:
        content = await _read(made, outcome)
        if isinstance(content, web.StreamResponse):
            return content
        assert isinstance(outcome, Called)
        sources = Sources(config=made.view.config, headers=outcome.headers, raw=outcome.body or b"")
        after = following(page_of, place, sources, content.count or 0, made.wish.size)
        if not last:
            return after
        headers = {} if after is None else {"Elements-Next-Page-Token": _token(made, after)}
        total = paging.total_of(outcome.headers, content.value)
        if total is not None:
            headers["Elements-Total-Count"] = str(total)
        return _response(made, outcome, content, headers)


def _token(made: _Call, after: Place) -> str:
    scope = paging.scope_of(made.view.instance.id, made.found, made.wish)
    held = Held(after, made.wish.size, tuple(made.wish.arguments.query), made.wish.fields)
    return paging.token_of(made.desk.services.runtime.seal, scope, held)


async def _read(made: _Call, outcome: Called | Unsent) -> answers.Content | web.StreamResponse:
    """What the vendor said, or the answer where there is nothing more to do with it."""
    view, method, fields = made.view, made.found.offer.method, made.wish.fields
    made.noted.met(outcome)
    failure = answers.failure_of(view, outcome)
    if failure is None and isinstance(outcome, Called) and outcome.pieces is not None:
        failure = answers.too_large(view, method, outcome, fields)
        if failure is None:
            return await _streamed(made, outcome)
    if failure is None and isinstance(outcome, Called):
        if outcome.status in (204, 205) or not (outcome.body or made.found.offer.is_list):
            return _bare(outcome)
        content = answers.content_of(view, method, outcome, fields, is_list=made.found.offer.is_list)
        if isinstance(content, answers.Content):
            return content
        failure = content
    assert failure is not None
    return refused(made.request, failure)


async def _streamed(made: _Call, outcome: Called) -> web.StreamResponse:
    assert outcome.pieces is not None
    headers = answers.passed_on(outcome.headers, whole=True)
    response, made.noted.size = await streamed(made.request, outcome.status, headers, outcome.pieces, finish)
    return response


def _bare(outcome: Called) -> web.Response:
    """An answer without a body, as deletions have it."""
    status = outcome.status if outcome.status < 300 else 200
    headers = {name: value for name, value in answers.passed_on(outcome.headers, whole=True).items() if name == "etag"}
    return web.Response(status=status, headers=headers)


def _response(
    made: _Call, outcome: Called | Unsent | None, content: answers.Content, headers: dict[str, str]
) -> web.Response:
    made.noted.size = len(content.body)
    if content.count is not None:
        headers["Elements-Returned-Count"] = str(content.count)
    status = 200
    if isinstance(outcome, Called):
        is_whole = content.body is outcome.body
        headers |= answers.passed_on(outcome.headers, whole=is_whole)
        headers.pop("content-length", None)
        status = outcome.status if outcome.status < 300 else 200
    headers["content-type"] = content.content_type
    return web.Response(status=status, body=content.body, headers=headers)
