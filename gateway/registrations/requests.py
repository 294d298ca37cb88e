"""The requests about a registration, as the connector's file words them; pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson

from gateway.calls.bodies import form
from gateway.calls.model import Access, Rendered
from gateway.calls.render import plain
from gateway.catalogue.call_model import Request
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import Json, render_json, templates_in
from gateway.catalogue.webhook_model import Subscribe
from gateway.clock import iso_ms
from gateway.errors import Invalid


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the vendor: events to this address, by an id of our own, from now on."""

    callback: str
    uuid: str
    now: int


def creating(access: Access, subscribe: Subscribe, wanted: Wanted) -> Rendered:
    """The request for a new one."""
    return _rendered(access, subscribe, subscribe.request, subscribe.body, wanted)


def renewing(access: Access, subscribe: Subscribe, request: Request, wanted: Wanted) -> Rendered:
    """The request that prolongs it."""
    return _rendered(access, subscribe, request, subscribe.renew_body, wanted)


def deleting(access: Access, subscribe: Subscribe) -> Rendered | None:
    """The request that removes the one whose values the instance holds; None where there is no way, or no value."""
    request = subscribe.delete
    if request is None or not _filled(access, request, subscribe.delete_body):
        return None
    return _rendered(access, subscribe, request, subscribe.delete_body, Wanted("", "", 0))


def asking(access: Access, request: Request, callback: str) -> Rendered:
    """A request without a body: a check, a list, what follows."""
    return plain(access, request, {"callback_url": callback})


def fingerprint(access: Access, subscribe: Subscribe, callback: str) -> str:
    """The same as long as the same is asked of the vendor; Invalid where nothing can be."""
    call = creating(access, subscribe, Wanted(callback, "", 0))
    return hashlib.sha256(b"\x00".join([call.verb.encode(), call.url.encode(), call.body])).hexdigest()


def with_values(access: Access, values: Mapping[str, str]) -> Access:
    """The same instance with other values in some entries."""
    return replace(access, config=ConfigView({**access.config.values, **values}, access.config.previous))


def id_entry(subscribe: Subscribe) -> str | None:
    """The saved entry by which the vendor knows the registration: the one that later requests name."""
    saved = [key for key, _ in subscribe.save]
    later = (subscribe.delete, subscribe.check, subscribe.renew)
    locators = [one for request in later if request for one in request.path.locators]
    locators += [one for template in templates_in(subscribe.delete_body) for one in template.locators]
    named = {key for one in locators for key in one.config_keys}
    return next((key for key in saved if key in named), saved[0] if len(saved) == 1 else None)


def _filled(access: Access, request: Request, body: Json) -> bool:
    sources = Sources(config=access.config, defaults=access.connector.value_defaults)
    locators = [*request.path.locators, *(one for template in templates_in(body) for one in template.locators)]
    return all(locator.text(sources) for locator in locators)


def _rendered(access: Access, subscribe: Subscribe, request: Request, body: Json, wanted: Wanted) -> Rendered:
    words = {
        "callback_url": wanted.callback,
        "uuid": wanted.uuid,
        "now": iso_ms(wanted.now),
        "expires_at": _written(wanted.now + (subscribe.lifetime or 0), subscribe.expires_format),
    }
    call = plain(access, request, words)
    if body is None:
        return call
    sources = Sources(config=_single(access), defaults=access.connector.value_defaults, words=words)
    sources.structured = access.connector.structured
    return _with_body(call, _present(render_json(body, sources)), subscribe.body_type)


def _single(access: Access) -> ConfigView:
    """The values with the newest of several secrets: the vendor is told one."""
    several = (key for key, entry in access.connector.entries.items() if entry.multiple and entry.secret)
    newest = {key: found[0] for key in several if (found := access.config.secrets(key)) and access.config.get(key)}
    return ConfigView({**access.config.values, **newest})


def _with_body(call: Rendered, value: object, kind: str) -> Rendered:
    if kind == "form":
        text, content_type = form(value if isinstance(value, dict) else {}), "application/x-www-form-urlencoded"
    else:
        text, content_type = _json(value), "application/json"
    others = tuple(pair for pair in call.headers if pair[0].lower() != "content-type")
    return replace(call, body=text, headers=(*others, ("Content-Type", content_type)))


def _json(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as problem:  # half a surrogate pair, or a depth that no vendor takes
        raise Invalid("The registration cannot be written as JSON.") from problem


def _present(value: object) -> object:
    """Without the members that nothing is configured for: vendors take a null for a wish."""
    if isinstance(value, dict):
        return {key: _present(inner) for key, inner in value.items() if inner is not None}
    return [_present(inner) for inner in value] if isinstance(value, list) else value


def _written(at: int, form_: str) -> str:
    if form_ == "epoch_s":
        return str(at // 1000)
    return str(at) if form_ == "epoch_ms" else iso_ms(at)
