"""`/console/instances/{id}/rotate/{what}`: a new address or secret, shown once; the old one counts on for a while."""

from typing import cast

from aiohttp import web

from gateway.console.forms import Form, posted
from gateway.console.instances.place import ONE, asked_for
from gateway.console.page import page
from gateway.console.recording import recorded
from gateway.console.visitor import services, visitor
from gateway.console.wording import text
from gateway.errors import Conflict, Invalid
from gateway.provisioning import rotate as rotation
from gateway.provisioning.details import Details
from gateway.registrations.wanted import subscribe_of

_WHAT = ONE + "/rotate/{what:webhook-url|signing-secret|webhook-secret}"
OVERLAPS = ("0s", "1h", "24h", "7d", "30d")


def routes() -> list[web.AbstractRouteDef]:
    """The question and the answer."""
    return [web.get(_WHAT, ask), web.post(_WHAT, rotate)]


async def ask(request: web.Request) -> web.Response:
    """`GET …/rotate/{what}`."""
    who = await visitor(request, "change")
    return _asked(request, await asked_for(request, who), Form())


async def rotate(request: web.Request) -> web.Response:
    """`POST …/rotate/{what}` with an overlap; the answer shows the new one, and nothing does later."""
    who, form = await posted(request)
    found, what = await asked_for(request, who), cast(rotation.What, request.match_info["what"])
    try:
        overlap = rotation.overlap_ms(form.get("overlap", rotation.DEFAULT_OVERLAP))
        made = await rotation.rotate(services(request), who.caller, found.instance.id, what, overlap)
    except (Invalid, Conflict) as problem:
        form.refused_by(problem)
        return _asked(request, found, form, status=400 if isinstance(problem, Invalid) else 409)
    await recorded(request, who, "instance.rotated", "instance", found.instance.id, found.instance.name, what=what)
    [value] = made.values()
    registers = what == "webhook-url" and subscribe_of(found.connector) is not None
    return page(
        request,
        "instances/rotated.html",
        found=found,
        what=_word(what),
        value=value,
        overlap=overlap,
        registers=registers,
    )


def _asked(request: web.Request, found: Details, form: Form, *, status: int = 200) -> web.Response:
    overlaps = [(one, text(f"instances.rotate.overlaps.{one}")) for one in OVERLAPS]
    what = _word(request.match_info["what"])
    return page(request, "instances/rotate.html", status=status, found=found, what=what, form=form, overlaps=overlaps)


def _word(what: str) -> str:
    return what.replace("-", "_")
