"""`/account/signinwithtoken`: where a partner's application sends a person whom it has signed in."""

from html import escape

from aiohttp import web

from gateway.accounts import sign_in
from gateway.api import auditing, cookie
from gateway.api.onwards import own_path
from gateway.api.surface import SERVICES, Failure

PATH = "/account/signinwithtoken"
#: Where people go on to who were not sent anywhere.
CONSOLE = "/console"
_LONGEST_TOKEN = 200
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_ENDED = {
    "unknown": (400, "This sign-in link is not valid."),
    "used": (410, "This sign-in link was used before; each one works once."),
    "expired": (410, "This sign-in link has expired; links work for five minutes."),
}
_AGAIN = "Go back to the application that sent you here, and sign in from there again."


def routes() -> list[web.AbstractRouteDef]:
    """The page; a HEAD request would use the token up."""
    return [web.get(PATH, page, allow_head=False)]


async def page(request: web.Request) -> web.Response:
    """`GET /account/signinwithtoken?token=&returnUrl=`."""
    services, token = request.app[SERVICES], request.query.get("token", "")
    if not (token.isascii() and token.isprintable() and 0 < len(token) <= _LONGEST_TOKEN):
        return _ended("unknown")
    found = await sign_in.redeem(services.runtime.database, token)
    if isinstance(found, str):
        return _ended(found)
    await auditing.signed_in(request, found)
    wanted = next((value for name, value in request.query.items() if name.lower() == "returnurl"), "")
    response = _onwards(own_path(wanted) or CONSOLE)
    cookie.give(response, services.runtime.config, found.secret)
    return response


def _onwards(path: str) -> web.Response:
    return web.Response(status=303, headers={**_HEADERS, "Location": path})


def _ended(how: str) -> web.Response:
    status, message = _ENDED[how]
    return _html(status, "Not signed in", f"<p>{escape(message)}</p><p>{_AGAIN}</p>")


def refuse(failure: Failure) -> web.Response:
    """A page for people."""
    return _html(failure.status, "Not signed in", f"<p>{escape(failure.message)}</p>")


def _html(status: int, title: str, text: str) -> web.Response:
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"></head><body><h1>{title}</h1>{text}</body></html>'
    )
    return web.Response(status=status, text=body, content_type="text/html", headers=_HEADERS)
