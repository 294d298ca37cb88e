"""The vendor's side of a proof: the same request, proved afresh with the instance's newest secret."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_network

from msgspec.structs import replace

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.document import walk
from gateway.catalogue.locator import Locator
from gateway.catalogue.model import Connector
from gateway.catalogue.webhook_model import Verify
from gateway.proofs.anatomy import Anatomy, applies, with_only
from gateway.proofs.encodings import key_bytes
from gateway.proofs.proof import Verified
from gateway.proofs.received import Received
from gateway.proofs.rewriting import Place, put
from gateway.proofs.verify import verify

Sign = Callable[[Anatomy, Verify, float], Received | None]


def signed(connector: Connector, config: ConfigView, received: Received, now_s: float) -> Received | None:
    """The request as the vendor would send it now; None where no rule that applies can be signed with a secret."""
    for rule in connector.webhook.verify if connector.webhook else ():
        found = signed_by(connector, rule, config, received, now_s)
        if found is not None:
            return found
    return None


def signed_by(
    connector: Connector, rule: Verify, config: ConfigView, received: Received, now_s: float
) -> Received | None:
    """The request proved by one rule, where that rule applies and can be signed."""
    sign, alone = _SIGN.get(rule.scheme), with_only(connector, rule)
    anatomy = Anatomy(alone, rule, config, received)
    if sign is None or not applies(rule, anatomy):
        return None
    found = sign(anatomy, rule, now_s)
    if found is not None and rule.networks:
        found = replace(found, remote=str(ip_network(rule.networks[0]).network_address))
    # A rule may ask for what this request has no place for, such as a field of a body that is no JSON.
    return found if found and isinstance(verify(alone, config, found, now_s), Verified) else None


def _token(anatomy: Anatomy, rule: Verify, _now_s: float) -> Received | None:
    secret = _newest(anatomy, rule.secret)
    if secret is None or rule.token is None:
        return None
    received = anatomy.received
    for place in _targets(anatomy, rule.token):
        received = put(received, place, (rule.prefix or "") + secret)
    return received


def _basic(anatomy: Anatomy, rule: Verify, _now_s: float) -> Received | None:
    username = anatomy.sources.setting(rule.username) if rule.username else None
    password = _newest(anatomy, (rule.password,) if rule.password else ())
    if not username or password is None:
        return None
    pair = base64.b64encode(f"{username}:{password}".encode("utf-8", "surrogatepass")).decode()
    return put(anatomy.received, Place("header", "authorization"), f"Basic {pair}")


def _hashed(anatomy: Anatomy, rule: Verify, now_s: float) -> Received | None:
    secret = _newest(anatomy, rule.secret)
    if secret is None or not rule.signature:
        return None
    received = _dated(anatomy, rule, now_s)
    for place in anatomy.signature:
        received = put(received, place, None)
    received = _with_digest(anatomy, rule, received)
    prepared = Anatomy(anatomy.connector, rule, anatomy.config, received)
    for number, place in enumerate(_targets(anatomy, rule.signature[0])):
        received = put(received, place, _signature(prepared, anatomy, rule, secret, now_s, number))
    return received


def _newest(anatomy: Anatomy, keys: tuple[str, ...]) -> str | None:
    return next((secret for key in keys for secret in anatomy.config.secrets(key)), None)


def _dated(anatomy: Anatomy, rule: Verify, now_s: float) -> Received:
    """The request with the present time, a fresh nonce, and something in every header that must be there."""
    received = anatomy.received
    for locator in rule.required:
        for place in _targets(anatomy, locator):
            if locator is not rule.timestamp and place.source != "sig" and not anatomy.text(place):
                received = put(received, place, f"test-{round(now_s * 1000)}")
    if rule.replay is not None:
        fresh = hashlib.sha256(f"{now_s} ".encode() + received.body).hexdigest()[:32]
        for place in _targets(anatomy, rule.replay):
            received = put(received, place, fresh)
    for place in _targets(anatomy, rule.timestamp) if rule.timestamp is not None else ():
        if place.source != "sig":
            received = put(received, place, _as_it_was(anatomy, place, _time(rule, now_s)))
    return received


def _as_it_was(anatomy: Anatomy, place: Place, text: str) -> object:
    """A number where the body had a number."""
    value = walk(anatomy.sources.body, place.path.split(".")) if place.source == "body" else None
    return int(text) if type(value) is int else text


def _time(rule: Verify, now_s: float) -> str:
    if rule.timestamp_unit == "iso":
        return datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(int(now_s * 1000) if rule.timestamp_unit == "ms" else int(now_s))


def _with_digest(anatomy: Anatomy, rule: Verify, received: Received) -> Received:
    digest = rule.body_digest
    if digest is None or digest.value is None:
        return received
    text = _encoded(hashlib.new(digest.hash, received.body).digest(), digest.encoding)
    for place in _targets(anatomy, digest.value):
        received = put(received, place, text)
    return received


def _signature(prepared: Anatomy, before: Anatomy, rule: Verify, secret: str, now_s: float, number: int) -> str | None:
    """The text of a signature header: the fields that `sig:` reads, and the signature among them."""
    sources, separator = prepared.sources, rule.split or ","
    fields = _fields(before, rule, now_s)
    sources.read_signature(separator.join(f"{name}={value}" for name, value in fields.items()), separator)
    if prepared.items is not None:
        sources.item = prepared.listed[number]
    content = _content(prepared, rule, secret)
    if content is None:
        return None
    made = (rule.prefix or "") + _encoded(content, prepared.word(rule.encoding))
    return separator.join([*(f"{name}={value}" for name, value in fields.items()), made])


def _fields(before: Anatomy, rule: Verify, now_s: float) -> dict[str, str]:
    wanted = [*(rule.signed.locators if rule.signed else ()), *([rule.timestamp] if rule.timestamp else [])]
    fields = {}
    for locator in wanted:
        for one in locator.alternatives[:1]:
            if one.source == "sig":
                is_time = rule.timestamp is not None and locator.source_text == rule.timestamp.source_text
                fields[one.path] = _time(rule, now_s) if is_time else before.sources.sig.get(one.path, "1")
    return fields


def _content(prepared: Anatomy, rule: Verify, secret: str) -> bytes | None:
    """The keyed hash, or the hash with the secret in it."""
    if rule.signed is None:
        return None
    if rule.scheme == "hmac":
        key = key_bytes(secret, rule.secret_prefix, prepared.word(rule.secret_encoding))
        return hmac.digest(key, rule.signed.render(prepared.sources), rule.hash) if key else None
    prepared.sources.words = {"secret": secret.removeprefix(rule.secret_prefix or "")}
    return hashlib.new(rule.hash, rule.signed.render(prepared.sources)).digest()


def _encoded(raw: bytes, encoding: str) -> str:
    return raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()


def _targets(anatomy: Anatomy, locator: Locator) -> list[Place]:
    """Where a part belongs: where it stands already, else where the locator looks first."""
    found = anatomy.places(locator)
    if found:
        wild = locator.alternatives[0].path.endswith("*")
        return found[:1] if wild else found
    first = locator.alternatives[0]
    path = ".".join(first.path_in(anatomy.sources)) if first.path.startswith("@") else first.path
    if first.source == "item" and anatomy.items is not None:
        return [Place("body", f"{anatomy.items}.{n}.{path}".strip(".")) for n in range(len(anatomy.listed))]
    if first.source not in ("header", "query", "form", "body") or not path:
        return []
    return [Place(first.source, path.replace("*", "1") if first.source == "header" else path)]


_SIGN: Mapping[str, Sign] = {"hmac": _hashed, "digest": _hashed, "token": _token, "basic": _basic}
