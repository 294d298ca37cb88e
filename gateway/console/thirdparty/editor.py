"""The editor: a new connector, a stored one, a copy of one; looked at while it is typed, and tried out."""

from aiohttp import web

from gateway.console.forms import number, posted
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.thirdparty import entered as fields
from gateway.console.thirdparty import overtaken
from gateway.console.thirdparty.editing import Editing, continued, looked_at, opened, overtake, refuse, shown
from gateway.console.thirdparty.table import PATH, table
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.wording import text
from gateway.errors import Busy, Conflict, Invalid
from gateway.provisioning import third_party
from gateway.thirdparty import connectors
from gateway.thirdparty.model import Made

_LONGEST_NAME = 200


def routes() -> list[web.AbstractRouteDef]:
    """The editor's addresses."""
    return [
        web.get(PATH + "/new", new),
        web.post(PATH + "/new", create),
        web.post(PATH + "/preview", preview),
        web.post(PATH + "/test", test),
        web.get(PATH + "/{id:[0-9]{1,15}}/edit", edit),
        web.post(PATH + "/{id:[0-9]{1,15}}/edit", change),
    ]


async def new(request: web.Request) -> web.Response:
    """`GET …/new[?copy=]`: the empty editor, or one with what another connector has."""
    who = await visitor(request, "change")
    copied = number(request.query.get("copy", ""))
    source = await connectors.one(services(request).runtime, who.caller, copied) if copied else None
    editing = opened(None, source)
    if source is not None:
        name = text("thirdparty.edit.copy_name", name=source.definition.name[:_LONGEST_NAME])
        editing.entered = fields.renamed(editing.entered, name)
    return await shown(request, who, editing)


async def create(request: web.Request) -> web.Response:
    """`POST …/new`."""
    who, form = await posted(request, "change")
    editing = await continued(request, who, form)
    if (again := await _reshaped(request, who, editing)) is not None:
        return again
    try:
        made = await _made(request, who, editing)
    except (Invalid, Conflict) as problem:
        return await _refused(request, who, editing, problem)
    name, connector_id = made.connector.definition.name, made.connector.id
    await recorded(request, who, "third_party.created", "third_party", connector_id, name)
    return page(
        request,
        "thirdparty/secret.html",
        connector=made.connector,
        secret=made.signing_secret,
        here=PATH,
        rotated=False,
    )


async def _made(request: web.Request, who: Visitor, editing: Editing) -> Made:
    draft, rooms = fields.draft_of(editing.entered), services(request)
    if editing.source is not None:
        # The secrets of the copied one are taken over where the mask stands, by the same rules as in a change.
        draft = fields.said(connectors.definition_of(rooms.runtime, draft, editing.source.definition))
    return await third_party.create(rooms, who.caller, who.account.id, draft)


async def edit(request: web.Request) -> web.Response:
    """`GET …/{id}/edit`."""
    who = await visitor(request, "change")
    connector = await connectors.one(services(request).runtime, who.caller, int(request.match_info["id"]))
    return await shown(request, who, opened(connector))


async def change(request: web.Request) -> web.Response:
    """`POST …/{id}/edit`: who comes second is told, and keeps what was typed."""
    who, form = await posted(request, "change")
    editing = await continued(request, who, form, int(request.match_info["id"]))
    if (again := await _reshaped(request, who, editing)) is not None:
        return again
    before = editing.connector
    assert before is not None
    try:
        draft = fields.draft_of(editing.entered)
        after = await third_party.change(services(request), who.caller, before.id, draft, editing.version)
    except (Invalid, Conflict) as problem:
        return await _refused(request, who, editing, problem)
    if names := overtaken.names(before, after):
        await recorded(
            request, who, "third_party.changed", "third_party", after.id, after.definition.name, changed=names
        )
    onward = f"{PATH}/{after.id}" if request.query.get("at") == "one" else table(request.query).path
    return onwards(services(request).runtime.config, onward, "thirdparty.done.changed", name=after.definition.name)


async def preview(request: web.Request) -> web.Response:
    """`POST …/preview`: what is typed so far, with what would be sent of it."""
    who, form = await posted(request, "change")
    editing = await continued(request, who, form)
    await looked_at(request, who, editing, live=True)
    return await shown(request, who, editing)


async def test(request: web.Request) -> web.Response:
    """`POST …/test`: one real request of what is typed so far."""
    who, form = await posted(request, "change")
    editing = await continued(request, who, form)
    await looked_at(request, who, editing, live=True)
    base_id = None if editing.base is None else editing.base.id
    try:
        draft = fields.draft_of(editing.entered)
        event = None if editing.preview is None else editing.preview.event.event_id
        editing.tested = await third_party.tested(services(request), who.caller, draft, id=base_id, event_id=event)
    except Invalid as problem:
        refuse(editing, problem)
        editing.untested = text("thirdparty.tested.wrong")
    except Busy as problem:
        editing.untested = str(problem)
    else:
        name = editing.entered.name or editing.tested.request.url
        await recorded(
            request, who, "third_party.tested", "third_party", base_id or "", name, status=editing.tested.status
        )
    return await shown(request, who, editing)


async def _reshaped(request: web.Request, who: Visitor, editing: Editing) -> web.Response | None:
    """The editor with another row, or with what a search finds, where that is all that a button asked for."""
    act = editing.form.get("act")
    if not act:
        return None
    editing.entered = fields.reshaped(editing.entered, act) or editing.entered
    return await shown(request, who, editing)


async def _refused(request: web.Request, who: Visitor, editing: Editing, problem: Invalid | Conflict) -> web.Response:
    if isinstance(problem, Conflict) and editing.connector is not None:
        await overtake(request, who, editing)
    refuse(editing, problem)
    return await shown(request, who, editing, status=409 if isinstance(problem, Conflict) else 400)
