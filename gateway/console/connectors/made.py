"""What is shown once of a new instance, on its way to the page that shows it: sealed, in the browser, for a while."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict

from aiohttp import web

from gateway.api import cookie
from gateway.clock import now_ms
from gateway.console.visitor import Visitor, services
from gateway.errors import StartRefused
from gateway.provisioning.instances import Made

LASTS_S = 3600
_NAME = "gateway-made"
_LONGEST = 4096


def sealed(request: web.Request, who: Visitor, instance_id: int, made: Made) -> str:
    """The secrets as a text that this gateway alone can open, and shows to this person alone."""
    content = json.dumps(asdict(made) | {"until": now_ms() + 1000 * LASTS_S})
    closed = services(request).runtime.seal.close(content, _place(who, instance_id))
    return urlsafe_b64encode(closed).decode()


def opened(request: web.Request, who: Visitor, instance_id: int, text: str) -> Made | None:
    """The secrets; None where the text is another's, too old or made up."""
    try:
        closed = urlsafe_b64decode(text[:_LONGEST])
        content = json.loads(services(request).runtime.seal.open(closed, _place(who, instance_id)))
    except (ValueError, StartRefused):
        return None
    until = content.pop("until")
    return Made(**content) if until > now_ms() else None


def hand_over(request: web.Request, response: web.Response, who: Visitor, instance_id: int, made: Made) -> None:
    """Let the browser bring them to the page of next steps."""
    response.set_cookie(
        _NAME,
        sealed(request, who, instance_id, made),
        max_age=LASTS_S,
        path=_path(instance_id),
        httponly=True,
        secure=cookie.secure(services(request).runtime.config),
        samesite="Lax",
    )


def brought(request: web.Request, who: Visitor, instance_id: int) -> Made | None:
    """What the browser brings."""
    text = request.cookies.get(_NAME, "")
    return opened(request, who, instance_id, text) if text else None


def take(request: web.Request, response: web.Response, instance_id: int) -> None:
    """Let the browser forget them: once is enough."""
    if _NAME in request.cookies:
        response.del_cookie(_NAME, path=_path(instance_id))


def _path(instance_id: int) -> str:
    return f"/console/instances/{instance_id}/next"


def _place(who: Visitor, instance_id: int) -> str:
    return f"console:{who.session.user.id}:{instance_id}"
