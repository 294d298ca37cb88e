"""`POST /console/instances/{id}/docs/{operation}`: a call tried out, as an application would make it."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

import orjson
from aiohttp import web

from gateway import redact
from gateway.access.act import Called, Manner, Unsent
from gateway.accounts.usage.log import UsageLog
from gateway.accounts.usage.model import Use
from gateway.api.front import REQUEST_ID
from gateway.calls.asking import request_of, wished
from gateway.calls.model import Access, Rendered
from gateway.calls.pages import first, turned
from gateway.catalogue.offers import Found, Offers
from gateway.clock import now_ms
from gateway.console.forms import Form, posted
from gateway.console.instances.described import Operation
from gateway.console.instances.docs import CALL, chosen, described, shown
from gateway.console.recording import recorded
from gateway.console.visitor import Visitor, services
from gateway.console.wording import text
from gateway.errors import Invalid, NotFound
from gateway.ids import time_ordered
from gateway.instances.view import InstanceView

MOST_SHOWN = 32 << 10
#: Longer ones are shown as they came.
_MOST_WRITTEN = 1 << 20
_MOST_HEADERS = 60
_MANNER = Manner(patience_s=5.0, timeout_s=20.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the vendor answered, as far as it is shown; `why` in place of a status where it did not."""

    took_ms: float
    status: int | None = None
    why: str = ""
    message: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    size: int = 0
    cut: bool = False

    @property
    def ok(self) -> bool:
        """Whether the vendor says that all is well."""
        return self.status is not None and self.status < 300


def routes() -> list[web.AbstractRouteDef]:
    """The form of each call."""
    return [web.post(CALL, tried)]


async def tried(request: web.Request) -> web.Response:
    """`POST …/docs/{operation}`: make the call, and show what came back."""
    who, form = await posted(request)
    found = await described(request, who)
    operation = chosen(request, found)
    if not found.view.instance.enabled:
        form.refuse("", text("instances.try.disabled"))
    rendered = _rendered(found.view, operation, form) if form.ok else None
    if rendered is None:
        return shown(request, found, operation, form)
    call, offered = rendered
    answer, sent = await _answer(request, found.view, call)
    use = _use(request, who, found.view, operation, answer, offered)
    UsageLog(services(request).runtime.database).note(use, sent=sent)
    if operation.verb != "GET":
        await _recorded(request, who, found.view, operation, answer)
    return shown(request, found, operation, form, answer=answer)


def _rendered(view: InstanceView, operation: Operation, form: Form) -> tuple[Rendered, Found] | None:
    """The vendor's request, and what was found at the path; None where the form says what is wrong."""
    given = {one.name: form.typed(one.field) for one in operation.parameters if one.place == "path"}
    for one in operation.parameters:
        if one.required and not form.typed(one.field):
            form.refuse(one.field, text("instances.try.required"))
    if not form.ok:
        return None
    query = [(one.name, form.typed(one.field)) for one in operation.parameters if one.place == "query"]
    offered = Offers(view.connector).find(operation.verb, operation.filled(given).lstrip("/"), view.config)
    if not isinstance(offered, Found):
        raise NotFound(f"{operation.verb} {operation.path} is not offered any more.")
    body = form.typed("body").encode("utf-8", "surrogatepass") if operation.has_body else b""
    headers = {"Content-Type": "application/json"} if body else {}
    wish, problems = wished(offered, operation.verb, [pair for pair in query if pair[1]], body, headers)
    access, method = Access(connector=view.connector, config=view.config), offered.offer.method
    try:
        call = request_of(access, method, wish, problems)
    except Invalid as problem:
        _refuse(form, operation, problem)
        return None
    if method.paginate is not None:
        page_of = view.connector.pagination[method.paginate]
        turned_to = turned(access, page_of, call, first(page_of, wish.size))
        call = turned_to if isinstance(turned_to, Rendered) else call
    return call, offered


def _refuse(form: Form, operation: Operation, problem: Invalid) -> None:
    fields = {one.name: one.field for one in operation.parameters}
    for one in problem.problems:
        form.refuse(fields.get(one.field, "body" if operation.has_body else ""), f"{one.field}: {one.message}")
    form.refuse("", str(problem) if not problem.problems else text("instances.try.wrong"))


async def _answer(request: web.Request, view: InstanceView, call: Rendered) -> tuple[Answer, bool]:
    """What came of it, and whether anything was sent."""
    began = time.perf_counter()
    async with services(request).vendors.send(view, call, _MANNER) as outcome:
        took = 1000 * (time.perf_counter() - began)
        if isinstance(outcome, Unsent):
            said = redact.body(outcome.message.encode(), view.secrets, MOST_SHOWN).decode("utf-8", "replace")
            return Answer(took_ms=took, why=outcome.why, message=said), outcome.sent
        content = await _content(outcome)
    body, cut = await asyncio.to_thread(_written, content, view)
    headers = redact.headers(list(outcome.headers.items())[:_MOST_HEADERS], view.secrets)
    answer = Answer(
        took_ms=took,
        status=outcome.status,
        message=outcome.verdict.message or "",
        headers=tuple(headers),
        body=body,
        size=len(content),
        cut=cut or outcome.body is None,
    )
    return answer, True


async def _content(outcome: Called) -> bytes:
    """The body that is held, or the first of one that is not."""
    if outcome.body is not None or outcome.pieces is None:
        return outcome.body or b""
    content = b""
    async for piece in outcome.pieces:
        content += piece
        if len(content) > MOST_SHOWN:
            break
    return content


def _written(content: bytes, view: InstanceView) -> tuple[str | None, bool]:
    """The body for people, and whether that is not all of it; None where it is no text."""
    if len(content) <= _MOST_WRITTEN:
        # What is no JSON, or is nested deeper than can be written, stays as it is.
        with suppress(orjson.JSONDecodeError, TypeError):
            content = orjson.dumps(orjson.loads(content), option=orjson.OPT_INDENT_2)
    shown_bytes = redact.body(content, view.secrets, MOST_SHOWN)
    written = shown_bytes.decode("utf-8", "replace")
    if "\x00" in written or written.count("\ufffd") > 8:
        return None, False
    return written, len(content) > MOST_SHOWN


def _use(
    request: web.Request, who: Visitor, view: InstanceView, operation: Operation, answer: Answer, offered: Found
) -> Use:
    """It counts as every call through an instance does."""
    instance = view.instance
    return Use(
        id=time_ordered(),
        request_id=request[REQUEST_ID],
        partner_id=instance.partner_id,
        account_id=instance.account_id,
        user_id=who.session.user.id,
        instance_id=instance.id,
        connector=instance.connector,
        method=offered.offer.method.id,
        verb=operation.verb,
        path=operation.path[:512],
        status=answer.status or 502,
        vendor_status=answer.status,
        bytes=answer.size,
        duration_ms=round(answer.took_ms),
        at=now_ms(),
    )


async def _recorded(
    request: web.Request, who: Visitor, view: InstanceView, operation: Operation, answer: Answer
) -> None:
    instance, details = view.instance, {"method": operation.id, "status": answer.status}
    await recorded(request, who, "instance.called", "instance", instance.id, instance.name, **details)
