"""`/account/signinwithtoken`: where a partner's application sends a person whom it has signed in."""

from html import escape
from urllib.parse import quote

from aiohttp import web

from gateway.accounts import sign_in
from gateway.accounts.sign_in import SESSION_MS, SignedIn
from gateway.api.surface import SERVICES, Failure
from gateway.config import Config

PATH = "/account/signinwithtoken"
_LONGEST_TOKEN, _LONGEST_PATH = 200, 2000
#: What a path may hold beside letters and digits; a backslash is a slash to browsers.
_PATH_LETTERS = "/?#[]@!$&'()*+,;=:-._~%"
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
    wanted = next((value for name, value in request.query.items() if name.lower() == "returnurl"), "")
    path = own_path(wanted)
    response = _landed(found, ignored=bool(wanted)) if path is None else _onwards(path)
    _set_cookie(response, services.runtime.config, found)
    return response


def own_path(wanted: str) -> str | None:
    """The path on this gateway that a person may be sent on to; None for everything else."""
    if not wanted.startswith("/") or wanted.startswith("//") or len(wanted) > _LONGEST_PATH:
        return None
    if "\\" in wanted or not wanted.isprintable() or any(character.isspace() for character in wanted):
        return None
    return quote(wanted, safe=_PATH_LETTERS)


def cookie_name(config: Config) -> str:
    """The name of the session's cookie; with the prefix, browsers take it from this host over TLS only."""
    return "__Host-gateway-session" if config.public_url.startswith("https:") else "gateway-session"


def _set_cookie(response: web.Response, config: Config, found: SignedIn) -> None:
    response.set_cookie(
        cookie_name(config),
        found.secret,
        max_age=SESSION_MS // 1000,
        path="/",
        httponly=True,
        secure=config.public_url.startswith("https:"),
        samesite="Lax",
    )


def _landed(found: SignedIn, *, ignored: bool) -> web.Response:
    account, user = escape(found.account.name), escape(found.session.user.username)
    note = "<p>The address to go on to was not one of this gateway, and was ignored.</p>" if ignored else ""
    text = f"<p>You are signed in to <b>{account}</b> as <b>{user}</b>.</p><p>The console is not here yet.</p>{note}"
    return _html(200, "Signed in", text)


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
