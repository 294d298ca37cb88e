"""Logins as requests and answers: OAuth 2 (RFC 6749, PKCE of RFC 7636) and session logins; pure."""

import hashlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, quote_plus, urlencode

import orjson

from gateway.calls.bodies import form
from gateway.calls.model import Access, Rendered
from gateway.calls.render import plain
from gateway.catalogue.call_model import Auth, OAuth, Session
from gateway.catalogue.locator import Locator, plain_text
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import Template, render_json

CLIENT_ID, CLIENT_SECRET = "oauth.api.key", "oauth.api.secret"
CALLBACK, SCOPE = "oauth.callback.url", "oauth.scope"
#: Refusals that pass; any other word of a token endpoint's needs a person.
_PASSES = frozenset({"temporarily_unavailable", "server_error", "slow_down", "authorization_pending", "rate_limited"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a login gave: `expires_s` from now, None where it does not end; entries to keep beside it."""

    access: str
    refresh: str | None = None
    expires_s: float | None = None
    saved: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Denied:
    """No token: `reauth` where only a person can help, `unavailable` where trying again may."""

    kind: Literal["reauth", "unavailable"]
    message: str


def authorize_url(access: Access, oauth: OAuth, *, state: str | None, verifier: str) -> str:
    """Where a person is sent to agree."""
    sources = _sources(access)
    params = {
        "response_type": "code",
        "client_id": access.config.get(CLIENT_ID) or "",
        "redirect_uri": access.config.get(CALLBACK),
        "scope": access.config.get(SCOPE) or oauth.scope_separator.join(oauth.scopes),
        "state": state,
    }
    if oauth.pkce:
        params |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    params |= {name: template.text(sources) for name, template in oauth.authorize_params.items()}
    given = {name: value for name, value in params.items() if value}
    written = urlencode(given, quote_via=quote, errors="surrogatepass")
    url = oauth.authorize_url.url(sources) if oauth.authorize_url else ""
    return f"{url}{'&' if '?' in url else '?'}{written}"


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 §4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def code_exchange(access: Access, oauth: OAuth, code: str, verifier: str) -> Rendered:
    """The request that turns a person's agreement into tokens."""
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": access.config.get(CALLBACK)}
    return _token_request(access, oauth, fields | ({"code_verifier": verifier} if oauth.pkce else {}))


def refreshing(access: Access, oauth: OAuth, refresh_token: str) -> Rendered:
    """The request for the next tokens."""
    return _token_request(access, oauth, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def client_credentials(access: Access, oauth: OAuth) -> Rendered:
    """The request of an application that speaks for itself."""
    scope = access.config.get(SCOPE) or oauth.scope_separator.join(oauth.scopes)
    return _token_request(access, oauth, {"grant_type": "client_credentials", "scope": scope or None})


def session(access: Access, login: Session) -> Rendered:
    """The login call of a session."""
    call = plain(access, login.request, {})
    body = orjson.dumps(render_json(login.body, _sources(access))) if login.body is not None else b""
    return _with(call, body, "application/json") if body else call


def tokens(access: Access, way: Auth, status: int, headers: Mapping[str, str], body: bytes) -> Tokens | Denied:
    """What a token endpoint or a login answered."""
    sources = Sources(config=access.config, headers=headers, raw=body)
    login = way.oauth or way.session
    found = login.token.text(sources) if login else None
    if status >= 300 or not found:
        return _denied(status, sources)
    if way.oauth is None:
        return Tokens(access=found, expires_s=_session_end(way.session, sources), saved={})
    lasts = None if way.oauth.never_expires else _number(way.oauth.expires_in.text(sources))
    refresh = way.oauth.refresh.text(sources)
    return Tokens(access=found, refresh=refresh, expires_s=lasts, saved=kept(way.oauth.save, sources))


def kept(save: tuple[tuple[str, Locator], ...], sources: Sources) -> dict[str, str]:
    """The entries that an answer fills."""
    texts = ((key, locator.text(sources)) for key, locator in save)
    return {key: text for key, text in texts if text}


def _denied(status: int, sources: Sources) -> Denied:
    body = sources.body if isinstance(sources.body, dict) else {}
    word = plain_text(body.get("error")) or ""
    said = plain_text(body.get("error_description")) or word or f"status {status}"
    if word not in _PASSES and (status in (400, 401, 403) or (word and status < 300)):
        return Denied("reauth", said[:500])
    return Denied("unavailable", said[:500] if status >= 300 else "the answer holds no token")


def _session_end(login: Session | None, sources: Sources) -> float | None:
    if login is None or login.expires is None:
        return None
    return login.expires / 1000 if isinstance(login.expires, int) else _number(login.expires.text(sources))


def _token_request(access: Access, oauth: OAuth, fields: Mapping[str, str | None]) -> Rendered:
    sources = _sources(access)
    values = {name: value for name, value in fields.items() if value}
    values |= {name: text for name, template in oauth.token_params.items() if (text := template.text(sources))}
    headers = [("Accept", "application/json")]
    headers += [(name, template.text(sources)) for name, template in oauth.token_headers.items()]
    client, secret = access.config.get(CLIENT_ID) or "", access.config.get(CLIENT_SECRET) or ""
    if oauth.client_auth == "basic":
        pair = ":".join(quote_plus(one, errors="surrogatepass") for one in (client, secret)).encode()
        headers.append(("Authorization", "Basic " + b64encode(pair).decode()))
    else:
        values |= {"client_id": client, "client_secret": secret}
    call = Rendered(verb="POST", url=_url(oauth.token_url, sources), headers=tuple(headers))
    if oauth.body_format == "json":
        return _with(call, orjson.dumps(values), "application/json")
    return _with(call, form(values), "application/x-www-form-urlencoded")


def _url(template: Template, sources: Sources) -> str:
    return template.url(sources)


def _with(call: Rendered, body: bytes, content_type: str) -> Rendered:
    headers = (*call.headers, ("Content-Type", content_type))
    return Rendered(verb=call.verb, url=call.url, headers=headers, query=call.query, body=body)


def _sources(access: Access) -> Sources:
    return Sources(config=access.config, defaults=access.connector.value_defaults)


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text and text.isascii() else None
    except ValueError:
        return None
    return number if number is not None and 0 < number < 1e11 else None
