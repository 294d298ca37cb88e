"""Who looks at a page: the session behind a cookie, the account that the pages are about, and what they may do."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, tzinfo
from urllib.parse import urlsplit

from aiohttp import web

from gateway.accounts import sign_in
from gateway.accounts.directory import store as directory
from gateway.accounts.model import Account, Caller
from gateway.accounts.sessions.model import Session
from gateway.api import cookie
from gateway.api.surface import SERVICES
from gateway.catalogue.zones import zone_of
from gateway.console.roles import Act, may
from gateway.errors import Forbidden, Unauthorized
from gateway.provisioning.services import Services

VISITOR: web.RequestKey["Visitor"] = web.RequestKey("visitor")
#: What a page says of a request that nobody has asked for.
ALONE = "X-Alone"
_UNSAFE = "The request did not come from a page of this console. Load the page again, and try once more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who is signed in."""

    session: Session
    account: Account
    #: What every form that changes something must send along.
    csrf: str

    @property
    def caller(self) -> Caller:
        """The same for the rooms below: whatever the role, a page is about one account."""
        return Caller(partner_id=self.session.user.partner_id, account_id=self.account.id, user=self.session.user)

    @property
    def zone(self) -> tzinfo:
        """The time zone of the account."""
        try:
            return zone_of(self.account.timezone)
        except ValueError:  # a name that the zone database does not have any more
            return UTC

    def may(self, act: Act) -> bool:
        """Whether their role allows this."""
        return may(self.session.user.role, act)


def services(request: web.Request) -> Services:
    """The rooms below."""
    return request.app[SERVICES]


def secret_of(request: web.Request) -> str:
    """The secret of the session's cookie; empty where there is none that can be one."""
    found = request.cookies.get(cookie.name(services(request).runtime.config), "")
    return found if found.isascii() and found.isprintable() and len(found) <= 200 else ""


async def found(request: web.Request) -> Visitor | None:
    """Who is signed in, if anybody is; asked for once in a request."""
    if VISITOR in request:
        return request[VISITOR]
    secret, database = secret_of(request), services(request).runtime.database
    # A list that is open comes back for its stream by itself.
    alone = request.headers.get(ALONE) == "true" or "text/event-stream" in request.headers.get("Accept", "")
    session = await sign_in.seen(database, secret, by_somebody=not alone) if secret else None
    account = None if session is None else await directory.get(database, session.account_id)
    if session is None or account is None:
        return None
    request[VISITOR] = Visitor(session=session, account=account, csrf=csrf_of(secret))
    return request[VISITOR]


async def visitor(request: web.Request, act: Act = "read") -> Visitor:
    """Who is signed in; Unauthorized where nobody is, Forbidden where their role does not allow this."""
    who = await found(request)
    if who is None:
        raise Unauthorized
    if not who.may(act):
        raise Forbidden
    return who


def csrf_of(secret: str) -> str:
    """The token that goes with a session, which no other site can know."""
    return hashlib.sha256(b"console form\0" + secret.encode()).hexdigest()[:40]


def refuse_foreign(request: web.Request) -> None:
    """Forbidden where a browser says that another site's page sends this."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        raise Forbidden(_UNSAFE)
    origin = request.headers.get("Origin")
    own = urlsplit(services(request).runtime.config.public_url).netloc
    if origin is not None and _place_of(origin) not in (own, request.host):
        raise Forbidden(_UNSAFE)


def _place_of(origin: str) -> str | None:
    """Host and port of an origin; None for what is none."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


def refuse_unasked(who: Visitor, given: str) -> None:
    """Forbidden where a form does not carry the session's token."""
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), who.csrf.encode()):
        raise Forbidden(_UNSAFE)
