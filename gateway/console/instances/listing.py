"""`/console/instances`: the account's instances, newest first, by name, connector and how they stand."""

from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from gateway.console.forms import Form, asked, number
from gateway.console.instances.place import LIST
from gateway.console.instances.standing import Mark, Road, marks, road
from gateway.console.page import page
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.wording import text
from gateway.instances.model import Instance
from gateway.provisioning.details import details_of
from gateway.provisioning.draft import LONGEST_NAME
from gateway.provisioning.health import store
from gateway.provisioning.health.model import NOTHING, STANDINGS, Chosen, Figures, Stretch

SIZE = 25


@dataclass(frozen=True, slots=True)
class Row:
    """An instance as the list shows it; without marks where its connector left the catalogue."""

    instance: Instance
    connector: str
    marks: tuple[Mark, ...]
    road: Road
    figures: Figures


def routes() -> list[web.AbstractRouteDef]:
    """The list."""
    return [web.get(LIST, show)]


async def show(request: web.Request) -> web.Response:
    """`GET /console/instances?q=&connector=&standing=&before=&after=`."""
    who = await visitor(request)
    form = asked(request)
    chosen, places = _chosen(form), (_place(form, "before"), _place(form, "after"))
    found = Stretch((), newer=False, older=False)
    if form.ok:
        database = services(request).runtime.database
        found = await store.page(database, who.caller, chosen, before=places[0], after=places[1], size=SIZE)
    return page(
        request,
        "instances/list.html",
        status=200 if form.ok else 400,
        form=form,
        rows=await _rows(request, found),
        filtered=chosen != Chosen() or any(places),
        connectors=_connectors(request, who),
        standings=_standings(),
        newer=_turned(form, "after", found.items[0].id) if found.newer and found.items else None,
        older=_turned(form, "before", found.items[-1].id) if found.older and found.items else None,
    )


def _chosen(form: Form) -> Chosen:
    search, standing = form.get("q"), form.get("standing")
    if len(search) > LONGEST_NAME or any(one == "\x00" or "\ud800" <= one <= "\udfff" for one in search):
        form.refuse("q", text("instances.list.search_problem", most=LONGEST_NAME))
    wanted = next((one for one in STANDINGS if one == standing), None)
    if standing and wanted is None:
        form.refuse("standing", text("instances.list.standing_problem"))
    return Chosen(search, form.get("connector")[:LONGEST_NAME].replace("\x00", ""), wanted)


def _place(form: Form, name: str) -> int | None:
    found = number(form.get(name))
    if found is None and form.get(name):
        form.refuse("", text("instances.list.place_problem"))
    return found


async def _rows(request: web.Request, found: Stretch) -> list[Row]:
    runtime = services(request).runtime
    known = {one.instance.id: one for one in await details_of(runtime, found.items)}
    figures = await store.figures(runtime.database, [one.id for one in found.items])
    return [
        Row(
            one,
            known[one.id].connector.name if one.id in known else one.connector,
            marks(known[one.id]) if one.id in known else (Mark("unknown", "failed"),),
            road(known[one.id]) if one.id in known else "off",
            figures.get(one.id, NOTHING),
        )
        for one in found.items
    ]


def _standings() -> list[tuple[str, str]]:
    named = ((one, text(f"instances.standing.{one}")) for one in STANDINGS)
    return [("", text("instances.standing.any")), *named]


def _connectors(request: web.Request, who: Visitor) -> list[tuple[str, str]]:
    every = services(request).runtime.catalogue.visible_to(who.caller.partner_id)
    named = sorted(((one.key, one.name) for one in every), key=lambda pair: pair[1].casefold())
    return [("", text("instances.list.any_connector")), *named]


def _turned(form: Form, name: str, instance_id: int) -> str:
    """The same list from another instance on."""
    kept = {key: form.get(key) for key in ("q", "connector", "standing") if form.get(key)}
    return f"{LIST}?{urlencode(kept | {name: str(instance_id)})}"
