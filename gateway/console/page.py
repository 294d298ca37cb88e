"""Pages: the one door of jinja2; every value is escaped unless it is made of templates itself."""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from gateway.api import cookie
from gateway.config import Config
from gateway.console import assets, shown, wording
from gateway.console.navigation import menu, settings
from gateway.console.visitor import VISITOR, services

if TYPE_CHECKING:
    from jinja2 import Environment

NOTICE = "gateway-notice"
THEME = "gateway-theme"
THEMES = ("auto", "light", "dark")
_LONGEST_NOTICE = 2000


def page(request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
    """The page that a template of `templates/` makes of these values; `who`, where somebody is signed in."""
    response = web.Response(
        status=status, text=rendered(request, template, **values), content_type="text/html", charset="utf-8"
    )
    response.enable_compression()
    # The script may only fetch this page to go there: then the notice is for the page that people see.
    if NOTICE in request.cookies and "X-Requested-With" not in request.headers:
        response.del_cookie(NOTICE, path="/console")
    return response


def rendered(request: web.Request, template: str, **values: object) -> str:
    """The HTML alone; for a fragment that a stream sends."""
    config, who = services(request).runtime.config, request.get(VISITOR)
    theme = request.cookies.get(THEME, "")
    return (
        environment()
        .get_template(template)
        .render(
            request=request,
            path=request.path,
            who=who,
            brand=config.partner,
            menu=menu(request.path, who),
            notice=_notice(request),
            theme=theme if theme in THEMES else "auto",
            show=shown.Shown(who.zone) if who is not None else shown.UNKNOWN,
            **values,
        )
    )


def onwards(config: Config, path: str, notice: str = "", **values: object) -> web.Response:
    """Send a browser on to another page after a change, which shows the text of this name once."""
    response = web.Response(status=303, headers={"Location": path})
    if notice:
        # A number stays one: texts with forms go by it.
        plain = {name: value if isinstance(value, int) else str(value)[:200] for name, value in values.items()}
        content = orjson.dumps({"text": notice, "values": plain})
        response.set_cookie(
            NOTICE,
            content.hex(),
            max_age=60,
            path="/console",
            secure=cookie.secure(config),
            samesite="Lax",
        )
    return response


def _notice(request: web.Request) -> str:
    """What the page before has to say; a cookie that somebody made up says nothing."""
    given = request.cookies.get(NOTICE, "")
    try:
        found = orjson.loads(bytes.fromhex(given[: 2 * _LONGEST_NOTICE])) if given else {}
        return wording.text(found["text"], **found["values"]) if found else ""
    except (ValueError, KeyError, TypeError):
        return ""


@cache
def environment() -> "Environment":
    """The templates; what is not there is an error, never empty."""
    # Read with the first page: a gateway that nobody looks at does without its five megabytes.
    jinja2 = import_module("jinja2")
    found: Environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gateway.console", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    found.globals.update(t=wording.text, has_text=wording.has, asset=assets.address, settings_menu=settings)
    return found
