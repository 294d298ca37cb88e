"""Logging in at a vendor: what is asked, and where its tokens stand among an instance's values."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.calls import grants
from gateway.calls.grants import Denied, Tokens
from gateway.calls.model import Access, Rendered
from gateway.calls.perform import Called, Calls, Manner
from gateway.calls.render import plain
from gateway.catalogue.call_model import Auth, Follow
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import CORE_SECRETS
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources
from gateway.clock import now_ms
from gateway.errors import Invalid

OAUTH_TOKEN, OAUTH_REFRESH, OAUTH_ENDS = "oauth.user.token", "oauth.user.refresh_token", "oauth.user.refresh_time"
SESSION_TOKEN, SESSION_ENDS = "session.token", "session.refresh_time"
#: Entries that a login fills and nobody else; encrypted at rest.
SEALED = frozenset({OAUTH_TOKEN, OAUTH_REFRESH, SESSION_TOKEN})
EVERY = SEALED | {OAUTH_ENDS, SESSION_ENDS}
#: A token is renewed so long before its end.
AHEAD_MS = 300_000
#: A shorter secret would be found in any text.
_SHORTEST_SECRET = 4
_MASK = "********"
_MANNER = Manner(patience_s=5.0, timeout_s=15.0)


def token_of(way: Auth, config: ConfigView) -> str | None:
    """The token that an instance has."""
    return config.get(OAUTH_TOKEN if way.type == "oauth2" else SESSION_TOKEN)


def end_of(way: Auth, config: ConfigView) -> int | None:
    """When it ends, in epoch milliseconds; None where nobody knows."""
    text = config.get(OAUTH_ENDS if way.type == "oauth2" else SESSION_ENDS) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def renew_at(ends: int | None, now: int) -> int | None:
    """When a token is renewed ahead of its end: in good time, but not at once where it never lives that long."""
    return None if ends is None else max(ends - AHEAD_MS, now + (ends - now) // 2)


def entries(way: Auth, tokens: Tokens) -> dict[str, str | None]:
    """The values to store for new tokens; a refresh token that was not given anew stays."""
    ends = None if tokens.expires_s is None else str(now_ms() + round(1000 * tokens.expires_s))
    if way.type != "oauth2":
        return {SESSION_TOKEN: tokens.access, SESSION_ENDS: ends}
    refresh = {} if tokens.refresh is None else {OAUTH_REFRESH: tokens.refresh}
    return {OAUTH_TOKEN: tokens.access, OAUTH_ENDS: ends, **refresh, **tokens.saved}


def sealed_of(connector: Connector) -> frozenset[str]:
    """The entries of a file that are encrypted at rest."""
    return frozenset(key for key, entry in connector.entries.items() if entry.sealed or entry.secret)


def discreet(text: str, access: Access, also: Iterable[str] = ()) -> str:
    """A vendor's words without the secrets that it may have repeated."""
    keys = sealed_of(access.connector) | SEALED | CORE_SECRETS
    secrets = {access.config.get(key) or "" for key in keys} | {access.token or "", *also}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _MASK)
    return text


async def renewed(calls: Calls, access: Access, way: Auth) -> Tokens | Denied:
    """New tokens without a person's help."""
    try:
        request = _renewal(access, way)
    except Invalid as problem:
        return Denied("reauth", str(problem))
    return request if isinstance(request, Denied) else await _asked(calls, access, way, request)


async def exchanged(calls: Calls, access: Access, way: Auth, code: str, verifier: str) -> Tokens | Denied:
    """The tokens for a person's agreement, and what the connector wants to know right after it."""
    if way.oauth is None:
        return Denied("reauth", f"{way.id} takes no code")
    request = grants.code_exchange(access, way.oauth, code, verifier)
    found = await _asked(calls, access, way, request, (code, verifier))
    if isinstance(found, Denied) or way.oauth.after is None:
        return found
    more = await _followed(calls, replace(access, token=found.access), way.oauth.after, found)
    return more if isinstance(more, Denied) else replace(found, saved={**found.saved, **more})


def _renewal(access: Access, way: Auth) -> Rendered | Denied:
    if way.session is not None:
        return grants.session(access, way.session)
    if way.oauth is None:
        return Denied("reauth", f"{way.id} has no login")
    if way.oauth.grant == "client_credentials":
        return grants.client_credentials(access, way.oauth)
    refresh = access.config.get(OAUTH_REFRESH)
    if not refresh:
        return Denied("reauth", "there is no refresh token; somebody has to log in again")
    return grants.refreshing(access, way.oauth, refresh)


async def _asked(
    calls: Calls, access: Access, way: Auth, request: Rendered, also: Iterable[str] = ()
) -> Tokens | Denied:
    async with calls.sent(access, request, _MANNER) as outcome:
        if not isinstance(outcome, Called):
            return Denied("unavailable", outcome.message)
        found = grants.tokens(access, way, outcome.status, outcome.headers, outcome.body or b"")
    return Denied(found.kind, discreet(found.message, access, also)) if isinstance(found, Denied) else found


async def _followed(calls: Calls, access: Access, follow: Follow, tokens: Tokens) -> Mapping[str, str] | Denied:
    try:
        request = plain(access, follow.request, {"access_token": tokens.access})
    except Invalid as problem:
        return Denied("unavailable", str(problem))
    async with calls.made(access, request, _MANNER) as outcome:
        if not isinstance(outcome, Called):
            return Denied("unavailable", outcome.message)
        if outcome.verdict.kind != "ok":
            said = outcome.verdict.message or f"status {outcome.status}"
            return Denied("unavailable", discreet(said, access, (tokens.access, tokens.refresh or "")))
        return grants.kept(follow.save, Sources(config=access.config, headers=outcome.headers, raw=outcome.body or b""))
