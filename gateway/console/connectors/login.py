"""Logins with OAuth: where people are sent, and the state by which they are known when they come back."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from aiohttp import web

from gateway.calls import grants
from gateway.catalogue.call_model import Auth
from gateway.catalogue.model import Connector
from gateway.clock import now_ms
from gateway.console.forms import number
from gateway.console.visitor import Visitor, secret_of, services
from gateway.provisioning import oauth
from gateway.provisioning.details import Details

PATH = "/console/oauth"
LASTS_MS = 3_600_000
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class State:
    """Which login somebody comes back from, and whether it went on in a window of its own."""

    instance_id: int
    in_popup: bool


def takes_code(way: Auth | None) -> bool:
    """Whether a person agrees at the vendor."""
    return way is not None and way.oauth is not None and way.oauth.grant == "authorization_code"


def redirect_url(request: web.Request) -> str:
    """Where vendors send people back to; people register it at the vendor."""
    return f"{services(request).runtime.config.public_url}{PATH}/callback"


def address(request: web.Request, who: Visitor, connector: Connector, values: dict[str, str], state: str) -> str:
    """Where the vendor asks a person; Invalid where something is missing for that."""
    runtime = services(request).runtime
    return oauth.address_of(runtime, who.caller, connector, values, redirect_url(request), state)


def is_first(details: Details) -> bool:
    """Whether nobody has signed in before."""
    return not details.stored.get("oauth.user.token")


def brings_back(details: Details, url: str) -> dict[str, str]:
    """What of the configuration has to change so that the code can be redeemed with this redirect URL."""
    return {} if details.stored.get(grants.CALLBACK) == url else {grants.CALLBACK: url}


def state(request: web.Request, wanted: State) -> str:
    """What goes to the vendor and comes back; it counts for this session alone, and for an hour."""
    content = f"{wanted.instance_id}.{int(wanted.in_popup)}.{now_ms()}.{secrets.token_hex(8)}"
    return f"{content}.{_mac(request, content)}"


def known(request: web.Request, text: str) -> State | None:
    """The state that this session began with; None where it is another's, too old or made up."""
    content, _, mac = text[:_LONGEST].rpartition(".")
    if not hmac.compare_digest(mac.encode("utf-8", "replace"), _mac(request, content).encode()):
        return None
    instance_id, in_popup, at, _ = content.split(".")
    return State(int(instance_id), in_popup == "1") if now_ms() - int(at) < LASTS_MS else None


def said(text: str) -> int | None:
    """The instance that a state speaks of, whether it counts or not; for a way back to where one began."""
    return number(text.partition(".")[0])


def _mac(request: web.Request, content: str) -> str:
    key = hashlib.sha256(b"console login\0" + secret_of(request).encode()).digest()
    return hmac.digest(key, content.encode("utf-8", "replace"), "sha256").hex()[:40]
