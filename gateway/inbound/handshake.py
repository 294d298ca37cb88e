"""Answers to the probes by which vendors check an address, and to the deliveries themselves."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, replace

import orjson

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources, octets
from gateway.catalogue.template import render_json
from gateway.catalogue.webhook_model import Compute, Handshake, Respond, When
from gateway.proofs.pinned import is_pinned
from gateway.proofs.received import Received, sources_of

_JSON = ("content-type", "application/json")
# An answer may repeat what the request said: no browser shall take it for a page.
_NO_SNIFFING = ("x-content-type-options", "nosniff")
_CHALLENGE = re.compile(rb"[A-Za-z0-9_+/=.:~-]{1,512}")
_HEADER_UNSAFE = re.compile(r"[^\x20-\x7e]")


#: Longer than any secret that a vendor hands over.
LONGEST_SAVED = 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a vendor, and what has to be done before it is given.

    `saves` are values for empty entries of the instance, `confirm` is an address that has to be fetched.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    saves: tuple[tuple[str, str], ...] = ()
    confirm: str | None = None

    @property
    def acts(self) -> bool:
        """Whether anything has to be done first."""
        return bool(self.saves) or self.confirm is not None


_ACCEPTED = Reply(200, (_JSON,), b'{"status":"accepted"}')
_REFUSED = Reply(403, (_JSON,), b'{"status":"refused"}')


def handshake(connector: Connector, config: ConfigView, received: Received, *, verified: bool) -> Reply | None:
    """The answer where the request is a handshake of this connector, else None.

    Called before verification only those answer that need none, and after it only those that do.
    """
    declared = connector.webhook.handshakes if connector.webhook else ()
    asked = [one for one in declared if one.verify is verified]
    if not asked:
        return None
    sources = sources_of(connector, config, received)
    for one in asked:
        if _is_meant(one.when, sources):
            return _answer(one, sources)
    return None


def is_handshake(connector: Connector, config: ConfigView, received: Received) -> bool:
    """Whether any handshake of this connector is meant, proved or not."""
    declared = connector.webhook.handshakes if connector.webhook else ()
    sources = sources_of(connector, config, received)
    return any(_is_meant(one.when, sources) for one in declared)


def acknowledgement(connector: Connector, config: ConfigView, received: Received) -> Reply:
    """What the vendor wants to hear when its delivery was accepted."""
    ack = connector.webhook.ack if connector.webhook else None
    return _ACCEPTED if ack is None else _reply(ack, sources_of(connector, config, received))


def _is_meant(when: When, sources: Sources) -> bool:
    if when.methods and sources.method not in when.methods:
        return False
    for locator, values in when.fields:
        text = locator.text(sources)
        if locator.find(sources) is None or (values is not None and text not in values):
            return False
    return True


def _answer(one: Handshake, sources: Sources) -> Reply:
    if not all(_same(locator.text(sources), template.complete(sources)) for locator, template in one.check):
        return _REFUSED
    if one.compute is not None:
        computed = _computed(one.compute, sources)
        if computed is None:
            return _REFUSED
        sources.words = {"computed": computed}
    saves = tuple([(key, locator.text(sources) or "") for key, locator in one.save_once])
    if not all(_can_be_saved(value) for _, value in saves):
        return _REFUSED
    if one.confirm_url is None:
        return replace(_reply(one.respond, sources), saves=saves)
    confirm = one.confirm_url.text(sources)
    if confirm is None or not is_pinned(confirm, one.confirm_hosts):
        return _REFUSED
    return replace(_reply(one.respond, sources), saves=saves, confirm=confirm)


def _can_be_saved(value: str) -> bool:
    return 0 < len(value) <= LONGEST_SAVED and value.isprintable()


def _same(found: str | None, expected: str | None) -> bool:
    return bool(found and expected) and hmac.compare_digest(octets(found or ""), octets(expected or ""))


def _computed(compute: Compute, sources: Sources) -> str | None:
    secrets = sources.config.secrets(compute.secret) if compute.secret else ()
    if compute.secret and not secrets:
        return None
    if compute.kind == "hmac":
        content = compute.input.render(sources)
        # Anybody may ask: what is answered must never be the signature of a delivery.
        if not _CHALLENGE.fullmatch(content):
            return None
        digest = hmac.digest(octets(secrets[0]), content, compute.hash)
    else:
        sources.words = {"secret": secrets[0]} if secrets else {}
        digest = hashlib.new(compute.hash, compute.input.render(sources)).digest()
    return digest.hex() if compute.encoding == "hex" else base64.b64encode(digest).decode()


def _reply(respond: Respond, sources: Sources) -> Reply:
    body, usual = _body(respond, sources)
    kind = respond.content_type or usual
    headers = [("content-type", kind), _NO_SNIFFING] if body else []
    headers += [(name, _header(template.text(sources))) for name, template in respond.headers]
    return Reply(respond.status, tuple(headers), body)


def _body(respond: Respond, sources: Sources) -> tuple[bytes, str]:
    if respond.json is not None:
        return _json(render_json(respond.json, sources)), "application/json"
    return respond.body.render(sources) if respond.body else b"", "text/plain; charset=utf-8"


def _json(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # an echoed text with a lone surrogate, or an echoed depth that no vendor sends
        return b"{}"


def _header(text: str) -> str:
    return _HEADER_UNSAFE.sub("", text)
