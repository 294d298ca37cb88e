"""The editor as somebody sees it: fields, choices, what would be sent, and what others have changed meanwhile."""

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from aiohttp import web

from gateway.console.forms import Form, number
from gateway.console.page import page
from gateway.console.recording import latest
from gateway.console.thirdparty import entered as fields
from gateway.console.thirdparty import overtaken, suggestions
from gateway.console.thirdparty.choices import choices
from gateway.console.thirdparty.entered import Entered
from gateway.console.thirdparty.table import PATH, table
from gateway.console.visitor import Visitor, services
from gateway.errors import Conflict, Invalid, NotFound, StartRefused
from gateway.provisioning import third_party
from gateway.provisioning.trying.model import Preview, Tested
from gateway.thirdparty import connectors
from gateway.thirdparty.model import BODY_TYPES, METHODS, Draft, ThirdParty

_EVENT = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(kw_only=True)
class Editing:
    """One connector, new or stored, in the hands of somebody."""

    entered: Entered
    form: Form = field(default_factory=Form)
    #: The stored one that is changed.
    connector: ThirdParty | None = None
    #: The stored one that a new one is made after.
    source: ThirdParty | None = None
    preview: Preview | None = None
    tested: Tested | None = None
    #: Why a test was not sent.
    untested: str = ""
    #: What somebody else has changed since the fields were shown, and who it was.
    changed: tuple[overtaken.Changed, ...] = ()
    changed_by: str = ""
    #: Which version the fields were taken from.
    version: int = 0
    seen: str = ""

    @property
    def base(self) -> ThirdParty | None:
        """The stored one whose secrets stay where the mask stands."""
        return self.connector or self.source


def opened(connector: ThirdParty | None, source: ThirdParty | None = None) -> Editing:
    """The editor before anything is typed."""
    base = connector or source
    return Editing(
        entered=Entered() if base is None else fields.stored(base.definition),
        connector=connector,
        source=source,
        version=connector.version if connector else 0,
        seen=overtaken.marks(connector) if connector else "",
    )


async def continued(request: web.Request, who: Visitor, form: Form, connector_id: int | None = None) -> Editing:
    """The editor with what was typed into it."""
    runtime = services(request).runtime
    connector_id = connector_id or number(form.get("id"))
    copied = None if connector_id else number(form.get("copy"))
    return Editing(
        entered=fields.typed(form, _kept(request, who, form)),
        form=form,
        connector=await connectors.one(runtime, who.caller, connector_id) if connector_id else None,
        source=await connectors.one(runtime, who.caller, copied) if copied else None,
        version=number(form.get("version")) or 0,
        seen=form.get("seen"),
    )


def refuse(editing: Editing, problem: Invalid | Conflict) -> None:
    """Lay what is wrong to the fields."""
    editing.form.refused_by(fields.placed(problem, editing.entered))


async def looked_at(request: web.Request, who: Visitor, editing: Editing, *, live: bool = False) -> None:
    """Find out what would be sent; where somebody is just typing, what is wrong is told at the fields."""
    rooms, base = services(request), editing.base
    given = editing.form.get("event")
    event = given if _EVENT.fullmatch(given) else None
    base_id = None if base is None else base.id
    try:
        draft = fields.draft_of(editing.entered)
    except Invalid as problem:
        refuse(editing, problem)
        draft = Draft()
    try:
        editing.preview = await third_party.preview(rooms, who.caller, draft, id=base_id, event_id=event)
    except NotFound:
        # The event was taken away while the editor was open.
        editing.preview = await third_party.preview(rooms, who.caller, draft, id=base_id)
    untouched = {"url": editing.entered.url, "name": editing.entered.name}
    problems = tuple(one for one in editing.preview.problems if untouched.get(one.field, one.field))
    if live and problems:
        refuse(editing, Invalid("", problems))


async def overtake(request: web.Request, who: Visitor, editing: Editing) -> None:
    """Tell what somebody else has changed meanwhile, and let the next save be meant against that."""
    assert editing.connector is not None
    current = await connectors.one(services(request).runtime, who.caller, editing.connector.id)
    if current.version == editing.version:
        return
    editing.connector = current
    editing.changed = overtaken.changed(editing.seen, current)
    found = await latest(request, who, "third_party", current.id)
    editing.changed_by = "" if found is None else found.username
    editing.version, editing.seen = current.version, overtaken.marks(current)


async def shown(request: web.Request, who: Visitor, editing: Editing, *, status: int = 200) -> web.Response:
    """The editor as a page."""
    runtime, search = services(request).runtime, editing.form.get("search")
    if editing.preview is None:
        await looked_at(request, who, editing)
    preview = editing.preview
    assert preview is not None
    offered = await choices(runtime, who.caller, editing.entered, search)
    return page(
        request,
        "thirdparty/edit.html",
        status=status,
        editing=editing,
        entered=editing.entered,
        form=editing.form,
        choices=offered,
        search=search,
        kept=_sealed(request, who, editing.entered.password),
        methods=[(one, one) for one in METHODS],
        types=[(one, one) for one in BODY_TYPES],
        here=PATH,
        onward=_onward(request),
        preview=preview,
        facts=suggestions.of_event(preview.event, offered.names.get(preview.event.instance_id, "")),
        paths=suggestions.of_payload(preview.event.payload),
    )


def _onward(request: web.Request) -> str:
    """The query that leads back to where the editor was opened."""
    return "?at=one" if request.query.get("at") == "one" else table(request.query).query


def _kept(request: web.Request, who: Visitor, form: Form) -> str:
    """A password that was typed before the page came back with a problem; it is never shown again, and not lost."""
    try:
        sealed = b64decode(form.get("basic.kept"), validate=True)
        return services(request).runtime.seal.open(sealed, _place(who)) if sealed else ""
    except (binascii.Error, ValueError, StartRefused):
        return ""


def _sealed(request: web.Request, who: Visitor, password: str) -> str:
    return b64encode(services(request).runtime.seal.close(password, _place(who))).decode() if password else ""


def _place(who: Visitor) -> str:
    return f"console:third_party:password:{who.session.user.id}"
