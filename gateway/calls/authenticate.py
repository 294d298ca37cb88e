"""Puts the proof of who calls into a request, as the connector's way to authenticate says."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.calls.model import Access, Rendered
from gateway.catalogue.call_model import Auth, Inject
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import Template, render_json
from gateway.jose import signed_token

#: Ways whose token comes from a login and not from the configuration.
BY_LOGIN = frozenset({"oauth2", "session"})


def way_of(access: Access) -> Auth | None:
    """The way to authenticate that is in effect: the configured one, else the first declared."""
    ways = access.connector.auth
    chosen = access.config.get("authentication.type")
    return ways.get(chosen) if chosen else next(iter(ways.values()), None)


def authenticated(access: Access, call: Rendered, now_s: float) -> Rendered | str:
    """The request with its proof; or the word for what is missing, which never tells a value."""
    way = way_of(access)
    if way is None and access.connector.auth:
        return f"{access.connector.key} has no such way to authenticate: see authentication.type"
    if way is None or way.type == "none":
        return call
    if way.type in BY_LOGIN:
        return _by_login(access, way, call)
    return _PROOFS[way.type](way, call, _sources(access), now_s)


def _by_login(access: Access, way: Auth, call: Rendered) -> Rendered | str:
    if not access.token:
        return f"there is no access token yet for {way.id}"
    login = way.oauth or way.session
    inject = login.inject if login else None
    if inject is None:
        return _with_header(call, "Authorization", f"Bearer {access.token}")
    sources = _sources(access)
    sources.words = {"access_token": access.token}
    return _injected(call, inject, sources)


def _injected(call: Rendered, inject: Inject, sources: Sources) -> Rendered:
    value = inject.value.text(sources)
    if inject.place == "header":
        return _with_header(call, inject.name, value)
    return _with_parameter(call, inject.name, value)


def _api_key(way: Auth, call: Rendered, sources: Sources, _now_s: float) -> Rendered | str:
    name, value = _filled(way.name, sources), _filled(way.value, sources)
    if not name or not value:
        return f"the key of {way.id} is not configured"
    if way.place == "header":
        return _with_header(call, name, value)
    return _with_parameter(call, name, value)


def _basic(way: Auth, call: Rendered, sources: Sources, _now_s: float) -> Rendered | str:
    username = _filled(way.username, sources)
    if not username:
        return f"the user name of {way.id} is not configured"
    password = way.password.text(sources) if way.password else ""
    pair = f"{username}:{password}".encode("utf-8", "surrogatepass")
    return _with_header(call, "Authorization", "Basic " + b64encode(pair).decode())


def _bearer(way: Auth, call: Rendered, sources: Sources, _now_s: float) -> Rendered | str:
    token = _filled(way.token, sources)
    return (
        _with_header(call, "Authorization", f"Bearer {token}") if token else f"the token of {way.id} is not configured"
    )


def _jwt(way: Auth, call: Rendered, sources: Sources, now_s: float) -> Rendered | str:
    key = _filled(way.key, sources)
    if not key:
        return f"the key of {way.id} is not configured"
    sources.words = {"now": str(int(now_s))}
    claims = render_json(way.claims, sources)
    token = signed_token(claims if isinstance(claims, dict) else {}, key, way.algorithm or "RS256")
    return _with_header(call, "Authorization", f"Bearer {token}") if token else f"the key of {way.id} cannot be used"


def _with_header(call: Rendered, name: str, value: str) -> Rendered:
    lowered = name.lower()
    others = [pair for pair in call.headers if pair[0].lower() != lowered]
    headers = (*others, (name, value))
    return Rendered(verb=call.verb, url=call.url, headers=headers, query=call.query, body=call.body)


def _with_parameter(call: Rendered, name: str, value: str) -> Rendered:
    others = tuple(pair for pair in call.query if pair[0] != name)
    return replace(call, query=(*others, (name, value)))


def _filled(template: Template | None, sources: Sources) -> str | None:
    return template.complete(sources) if template is not None else None


def _sources(access: Access) -> Sources:
    return Sources(config=access.config, defaults=access.connector.value_defaults)


_PROOFS: Mapping[str, Callable[[Auth, Rendered, Sources, float], Rendered | str]] = {
    "api_key": _api_key,
    "basic": _basic,
    "bearer": _bearer,
    "jwt": _jwt,
}
