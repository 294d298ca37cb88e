"""The table of an account's 3rd-party connectors, and what can be done with the ticked ones."""

from aiohttp import web

from gateway.console.forms import Form, number, posted
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.thirdparty.table import PATH, SIZES, Table, last_page, table
from gateway.console.visitor import Visitor, services, visitor
from gateway.provisioning import third_party
from gateway.thirdparty import connectors
from gateway.thirdparty.model import SORTS, Page


def routes() -> list[web.AbstractRouteDef]:
    """The table's addresses."""
    return [
        web.get(PATH, show),
        web.post(PATH + "/activate", activate),
        web.post(PATH + "/disable", disable),
    ]


async def show(request: web.Request) -> web.Response:
    """`GET /console/settings/third-party-connectors?q=&sort=&size=&page=`."""
    who, wanted = await visitor(request), table(request.query)
    found = await _found(request, who, wanted)
    if not found.items and found.total:
        wanted = wanted.at(last_page(found.total, wanted.size))
        found = await _found(request, who, wanted)
    return page(
        request,
        "thirdparty/list.html",
        table=wanted,
        found=found,
        sorts=SORTS,
        sizes=[(str(one), str(one)) for one in SIZES],
        here=PATH,
        is_empty=not found.total and not wanted.search,
        form=Form(),
    )


async def _found(request: web.Request, who: Visitor, wanted: Table) -> Page:
    return await connectors.page(
        services(request).runtime,
        who.caller,
        search=wanted.search,
        sort=wanted.sort,
        ascending=wanted.ascending,
        number=wanted.number,
        size=wanted.size,
    )


async def activate(request: web.Request) -> web.Response:
    """`POST …/activate`."""
    return await _switch(request, enabled=True)


async def disable(request: web.Request) -> web.Response:
    """`POST …/disable`."""
    return await _switch(request, enabled=False)


async def _switch(request: web.Request, *, enabled: bool) -> web.Response:
    who, form = await posted(request, "change")
    ticked = [one for one in map(number, form.all("id")) if one]
    onward, done = _onward(request, ticked), "activated" if enabled else "disabled"
    config = services(request).runtime.config
    if not ticked:
        return onwards(config, onward, "thirdparty.done.none")
    made = await third_party.switch(services(request), who.caller, ticked, enabled=enabled)
    act = "third_party.enabled" if enabled else "third_party.disabled"
    name = made[0].definition.name if len(made) == 1 else ""
    several = {"number": len(made), "ids": [one.id for one in made]} if len(made) > 1 else {}
    await recorded(request, who, act, "third_party", made[0].id, name, **several)
    return onwards(config, onward, f"thirdparty.done.{done}", count=len(made))


def _onward(request: web.Request, ticked: list[int]) -> str:
    """Back to the table as it was, or to the one connector's page."""
    return f"{PATH}/{ticked[0]}" if request.query.get("at") == "one" and ticked else table(request.query).path
