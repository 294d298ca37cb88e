"""Credentials while an instance is made or changed: the login behind a code, and whether the vendor takes them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.access import logins, model
from gateway.access.keep import proof_of
from gateway.access.model import Standing
from gateway.access.trial import tried as tried_out
from gateway.calls import grants
from gateway.calls.authenticate import BY_LOGIN, authenticated, way_of
from gateway.calls.grants import Denied, Tokens
from gateway.calls.model import Access, Rendered
from gateway.calls.perform import Calls, Manner
from gateway.catalogue.call_model import Auth
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed
from gateway.catalogue.model import Connector
from gateway.clock import now_ms
from gateway.errors import Invalid, Problem, VendorDown, VendorRefused
from gateway.instances.configuration import missing_of
from gateway.provisioning.draft import Draft

NO_CODE = "You must provide an OAuth code in order to create an instance of this element"
#: What a login leaves behind that is no entry of the connector.
LOGIN_ENTRIES = frozenset({logins.SESSION_TOKEN, logins.SESSION_ENDS})
#: Nobody has signed in; nothing is tried again by itself.
_AWAITED = "nobody has signed in yet"
_NO_CALL = Rendered(verb="GET", url="")
_TYPE = "authentication.type"
_MANNER = Manner(patience_s=3.0, timeout_s=8.0)
Values = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Entered:
    """The values with the tokens that belong to them, and how the vendor takes them."""

    values: Values
    standing: Standing


def with_way(connector: Connector, draft: Draft, stored: Mapping[str, str]) -> Draft:
    """The draft with the way to authenticate that its credentials are of, where it names none itself.

    Callers of this wire send a code, or tokens, and expect that to be enough.
    """
    sent = draft.configuration or {}
    if _TYPE in sent or len(connector.auth) < 2:
        return draft
    way = way_of(Access(connector=connector, config=ConfigView(stored)))
    wanted = next((one for one in connector.auth.values() if _takes_code(one)), None)
    brings = {key for key in (grants.CLIENT_ID, logins.OAUTH_TOKEN, logins.OAUTH_REFRESH) if sent.get(key)}
    if wanted is None or way is None or _takes_code(way) or not (brings or (draft.code and stored)):
        return draft
    others = any(entry.auth and way.id in entry.auth and sent.get(key) for key, entry in connector.entries.items())
    if (others or way.oauth is not None) and draft.code is None:
        return draft
    return replace(draft, configuration={**sent, _TYPE: wanted.id})


async def entered(
    calls: Calls, connector: Connector, stored: Values, values: Values, draft: Draft, verifier: str
) -> Entered:
    """Log in where that is the way, and try the credentials out, which stand upon those that are stored.

    VendorRefused where the vendor says no, Invalid where a code or a token is missing; a vendor that cannot be reached
    is no failure unless a code would be lost. Where the draft is unfinished, credentials may be lacking.
    """
    access = _access(connector, values)
    way = way_of(access)
    if draft.unfinished and draft.code is None and lacks(connector, values):
        return Entered(values, Standing(state="reauth", reason=_AWAITED, since=now_ms()))
    if way is None or way.type not in BY_LOGIN:
        return Entered(values, await _tried(calls, connector, values))
    _brings_what_it_says(draft, access)
    token = logins.token_of(way, access.config)
    if draft.code is None and token:
        values = {**values, **_brought(way, access.config)}
        is_new = token != logins.token_of(way, _access(connector, stored).config)
        return await (_with_brought if is_new else _with_kept)(calls, connector, way, values)
    found = await _asked(calls, access, way, draft.code, verifier)
    if isinstance(found, Tokens):
        values = {**values, **logins.entries(way, found)}
        return Entered(values, await _tried(calls, connector, values))
    if found.kind == "reauth":
        raise VendorRefused(f"{connector.name} refuses the login.", found.message)
    if draft.code is not None:
        raise VendorDown(f"{connector.name} cannot be asked for tokens now; the code was not used.", found.message)
    return Entered(values, model.unchecked(found.message, now_ms()))


def lacks(connector: Connector, values: Values) -> bool:
    """Whether something is missing before calls can be made with these values: an entry, or a person's login."""
    access = _access(connector, values)
    way = way_of(access)
    if missing_of(connector, access.config.values):
        return True
    if way is None or way.type not in BY_LOGIN:
        return isinstance(authenticated(access, _NO_CALL, 0.0), str)
    has_token = logins.token_of(way, access.config) or access.config.get(logins.OAUTH_REFRESH)
    return _takes_code(way) and not has_token


def awaited(standing: Standing | None) -> bool:
    """Whether nobody has signed in yet, or not since somebody signed out."""
    return standing is not None and standing.state == "reauth" and standing.reason == _AWAITED


def renewed_by(connector: Connector, stored: Mapping[str, str], changed: Values) -> Values:
    """What a change of credentials makes worthless: the tokens that the former ones have brought."""
    values = {key: changed.get(key, stored.get(key)) for key in {*stored, *changed}}
    way = way_of(_access(connector, values))
    if way is None or way.type not in BY_LOGIN:
        return {}
    if changed.get(logins.OAUTH_TOKEN) not in (None, stored.get(logins.OAUTH_TOKEN)):
        brought = (logins.OAUTH_REFRESH, logins.OAUTH_ENDS)
        return {key: None for key in brought if changed.get(key) is None}
    if way.oauth is not None and way.oauth.grant == "authorization_code":
        return {}
    return dict.fromkeys(key for key in logins.EVERY if key in stored)


def concerns(connector: Connector, stored: Mapping[str, str], changed: Values) -> bool:
    """Whether a change touches what calls are proved with, or where they go."""
    keys = proof_of(connector) | logins.SEALED
    return any(stored.get(key) != value and key in keys for key, value in changed.items())


def sealed_keys(connector: Connector) -> frozenset[str]:
    """The entries of logins and of the file that are encrypted at rest."""
    return logins.SEALED | logins.sealed_of(connector)


def _takes_code(way: Auth) -> bool:
    return way.oauth is not None and way.oauth.grant == "authorization_code"


def _brings_what_it_says(draft: Draft, access: Access) -> None:
    brings = access.config.get(logins.OAUTH_TOKEN) or access.config.get(logins.OAUTH_REFRESH)
    if draft.external_authentication == "initial" and draft.code is None and not brings:
        problem = Problem(f"configuration.{logins.OAUTH_TOKEN}", "is required where externalAuthentication is initial")
        raise Invalid(f"Invalid instance: {problem.field}: {problem.message}.", (problem,))


async def _asked(calls: Calls, access: Access, way: Auth, code: str | None, verifier: str) -> Tokens | Denied:
    if code is not None and _takes_code(way):
        return await logins.exchanged(calls, access, way, code, verifier)
    if _takes_code(way) and not access.config.get(logins.OAUTH_REFRESH):
        raise Invalid(NO_CODE, (Problem("providerData.code", "is required"),))
    return await logins.renewed(calls, access, way)


async def _with_brought(calls: Calls, connector: Connector, way: Auth, values: Values) -> Entered:
    """Tokens that the caller brings; one that is over is no refusal where its refresh token still counts."""
    try:
        return Entered(values, await _tried(calls, connector, values))
    except VendorRefused:
        access = _access(connector, values)
        if not access.config.get(logins.OAUTH_REFRESH):
            raise
        found = await logins.renewed(calls, access, way)
        if not isinstance(found, Tokens):
            raise
    values = {**values, **logins.entries(way, found)}
    return Entered(values, await _tried(calls, connector, values))


async def _with_kept(calls: Calls, connector: Connector, way: Auth, values: Values) -> Entered:
    """A token that stays: where it is refused or over, its next renewal will tell, under the lease that it needs."""
    access = _access(connector, values)
    ends, now = logins.end_of(way, access.config), now_ms()
    if ends is not None and ends <= now:
        return Entered(values, model.unchecked("the token has ended; the next login tells more", now))
    found = await tried_out(calls, access, _MANNER)
    return Entered(values, model.unchecked(found.message, now) if isinstance(found, Denied) else found)


async def _tried(calls: Calls, connector: Connector, values: Values) -> Standing:
    found = await tried_out(calls, _access(connector, values), _MANNER)
    if isinstance(found, Denied):
        raise VendorRefused(f"{connector.name} refuses these credentials.", found.message)
    return found


def _brought(way: Auth, config: ConfigView) -> dict[str, str | None]:
    """When a token ends that the caller brought along, told by its lifetime."""
    lifetime = config.get("oauth.user.refresh_interval") or ""
    if way.type != "oauth2" or logins.end_of(way, config) or not (lifetime.isascii() and lifetime.isdigit()):
        return {}
    return {logins.OAUTH_ENDS: str(now_ms() + 1000 * int(lifetime[:9]))}


def _access(connector: Connector, values: Values) -> Access:
    given = {key: value for key, value in values.items() if value is not None}
    return Access(connector=connector, config=ConfigView(completed(connector, given)))
