"""`/console/connectors/{key}/authenticate`: the form of what a connector declares; the vendor is asked first."""

from dataclasses import dataclass, replace

from aiohttp import web

from gateway.catalogue.call_model import Auth
from gateway.catalogue.core import completed
from gateway.catalogue.model import Connector
from gateway.console.connectors import catalogue, entries, login, made
from gateway.console.connectors.entries import Field
from gateway.console.connectors.views import found
from gateway.console.forms import Form, posted
from gateway.console.page import onwards, page
from gateway.console.recording import recorded
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.wording import text
from gateway.errors import Conflict, Invalid, NotFound, Problem, VendorDown, VendorRefused
from gateway.instances.configuration import missing_of
from gateway.provisioning import draft as drafts
from gateway.provisioning import instances
from gateway.provisioning.draft import Draft

NAME = "instance.name"
#: Where a problem of a login's address stands in the form.
_FIELDS = {"apiKey": "oauth.api.key", "name": NAME}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form is about."""

    connector: Connector
    way: Auth | None
    fields: tuple[Field, ...]

    @property
    def signs_in(self) -> bool:
        """Whether a person has to agree at the vendor before anything works."""
        return login.takes_code(self.way)


async def show(request: web.Request) -> web.Response:
    """`GET /console/connectors/{key}/authenticate?way=`."""
    who = await visitor(request, "change")
    return _page(request, _asked(request, who, request.query.get("way", "")), Form())


async def send(request: web.Request) -> web.Response:
    """`POST /console/connectors/{key}/authenticate`."""
    who, form = await posted(request, "change")
    asked = _asked(request, who, form.get(entries.WAY))
    try:
        return await _made(request, who, asked, form)
    except (Invalid, Conflict) as problem:
        _refused(form, problem)
        return _page(request, asked, form, status=400 if isinstance(problem, Invalid) else 409)
    except (VendorRefused, VendorDown) as problem:
        form.refuse("", str(problem))
        status = 400 if isinstance(problem, VendorRefused) else 502
        return _page(request, asked, form, status=status, said=problem.provider or "")


def _asked(request: web.Request, who: Visitor, named: str) -> Asked:
    connector = found(request, who)
    way = connector.auth.get(named) if named else next(iter(connector.auth.values()), None)
    if named and way is None:
        raise NotFound(text("connectors.authenticate.no_way", name=connector.name))
    return Asked(connector, way, entries.fields(connector, way))


def _page(request: web.Request, asked: Asked, form: Form, *, status: int = 200, said: str = "") -> web.Response:
    return page(
        request,
        "connectors/authenticate.html",
        status=status,
        connector=asked.connector,
        way=asked.way,
        ways=catalogue.ways(asked.connector),
        fields=asked.fields,
        groups=entries.grouped(asked.fields),
        signs_in=asked.signs_in,
        redirect_url=login.redirect_url(request),
        form=form,
        sent=request.method == "POST",
        said=said,
        catalogue=catalogue,
    )


async def _made(request: web.Request, who: Visitor, asked: Asked, form: Form) -> web.Response:
    """The instance is stored; where somebody has to sign in at the vendor it waits for that."""
    rooms, draft = services(request), _draft(request, asked, form)
    if asked.signs_in:
        draft = replace(draft, unfinished=True)
        _complete(request, who, asked, draft)
    details, secrets = await instances.create(rooms, who.caller, draft)
    one = details.instance
    await recorded(request, who, "instance.created", "instance", one.id, one.name, connector=asked.connector.key)
    onward = f"/console/instances/{one.id}/{'sign-in' if asked.signs_in else 'next'}"
    response = onwards(rooms.runtime.config, onward)
    made.hand_over(request, response, who, one.id, secrets)
    return response


def _draft(request: web.Request, asked: Asked, form: Form) -> Draft:
    wanted = dict(entries.configuration(form, asked.fields))
    if asked.way is not None and len(asked.connector.auth) > 1:
        wanted[entries.WAY] = asked.way.id
    if asked.signs_in:
        wanted["oauth.callback.url"] = login.redirect_url(request)
    body = {"element": {"key": asked.connector.key}, "name": form.get(NAME) or None, "configuration": wanted}
    return drafts.read(body)


def _complete(request: web.Request, who: Visitor, asked: Asked, draft: Draft) -> None:
    """Invalid where the login could not even begin: what is unfinished is not looked through otherwise."""
    values = {key: str(value) for key, value in (draft.configuration or {}).items() if value is not None}
    missing = missing_of(asked.connector, completed(asked.connector, values))
    if missing:
        raise Invalid(text("connectors.authenticate.missing"), tuple(missing))
    login.address(request, who, asked.connector, values, "state")


def _refused(form: Form, error: Invalid | Conflict) -> None:
    found = error.problems if isinstance(error, Invalid) else ()
    renamed = tuple(Problem(_FIELDS.get(one.field, one.field), one.message) for one in found)
    form.refused_by(Invalid(str(error), renamed) if renamed else error, prefixes=("configuration.",))
