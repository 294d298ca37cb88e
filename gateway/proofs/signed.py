"""What a delivery's signature covers and how it is written: the same for keyed hashes and for public keys."""

import base64
import hashlib
import hmac

import orjson

from gateway.catalogue.dates import date_reader
from gateway.catalogue.locator import plain_text
from gateway.catalogue.sources import Sources, octets
from gateway.catalogue.template import Template
from gateway.catalogue.webhook_model import Verify
from gateway.proofs.encodings import signature_bytes
from gateway.proofs.proof import Rejected

MAX_COMPARISONS = 256
MAX_ENVELOPE = 16 << 10

UNKNOWN = Rejected("unknown_scheme", "the rule has a part that this gateway does not know")
NO_SIGNATURE = Rejected("missing_header", "the signature is missing")
MISMATCH = Rejected("signature_mismatch", "no signature matches")
_NO_ENVELOPE = Rejected("missing_header", "the signature is missing, or not wrapped as it should be")
_READ_TIME = {
    unit: date_reader(form, "UTC") for unit, form in (("s", "epoch_s"), ("ms", "epoch_ms"), ("iso", "iso8601"))
}
_UNITS = {"s": "seconds", "ms": "milliseconds", "iso": "ISO 8601"}
_PORTS = {"https": ":443", "http": ":80"}


def signature_texts(rule: Verify, sources: Sources) -> list[str] | Rejected:
    """The texts that signatures stand in; makes the fields of the signature readable."""
    if rule.envelope is not None:
        fields = _enveloped(rule.envelope.text(sources) or "")
        if fields is None:
            return _NO_ENVELOPE
        sources.read_envelope(fields)
    texts: list[str] = []
    for locator in rule.signature:
        texts += locator.texts(sources)
    if not texts:
        return NO_SIGNATURE
    if rule.envelope is None:
        sources.read_signature(texts[0], rule.split or ",")
    return texts


def lacking(rule: Verify, sources: Sources) -> Rejected | None:
    """What must be signed and is not there; a field of the body may be missing and is signed as nothing."""
    for locator in rule.required:
        if not locator.text(sources):
            check = "timestamp_missing" if locator is rule.timestamp else "missing_header"
            return Rejected(check, f"{locator.source_text} is missing")
    return None


def candidates(rule: Verify, texts: list[str], sources: Sources, most: int) -> list[bytes]:
    """The signatures that the texts hold, at most so many."""
    encoding = setting(rule.encoding, sources)
    found = []
    for text in texts:
        for part in text.split(rule.split, most) if rule.split else (text,):
            candidate = _candidate(rule, part.strip(), encoding)
            if candidate:
                found.append(candidate)
    return found if len(found) <= most else found[:most]


def contents(signed: Template, sources: Sources) -> list[bytes]:
    """What the vendor may have signed: the address with and without the default port."""
    found = [signed.render(sources)]
    if "url" not in signed.words:
        return found
    usual, other = sources.url, _other_port(sources.url)
    if other is not None:
        sources.url = other
        found.append(signed.render(sources))
        sources.url = usual
    return found


def bound_to_body(rule: Verify, sources: Sources) -> Rejected | None:
    """The declared hash of the body, where the signature covers only the address."""
    digest = rule.body_digest
    if digest is None:
        return None
    if digest.value is None:
        return UNKNOWN
    text = digest.value.text(sources)
    if not text:
        return Rejected("missing_header", f"{digest.value.source_text} is missing")
    return None if is_digest(text, digest.hash, digest.encoding, sources.raw) else BODY_DIFFERS


BODY_DIFFERS = Rejected("body_digest_mismatch", "the body is not the one that was signed")


def is_digest(text: str, name: str, encoding: str, content: bytes) -> bool:
    """Whether a text is the hash of a content."""
    stated = signature_bytes(text, encoding)
    return stated is not None and hmac.compare_digest(stated, hashlib.new(name, content).digest())


def stale(rule: Verify, sources: Sources, now_s: float) -> Rejected | None:
    """Why the time that was signed does not count; None where it does."""
    if rule.timestamp is None:
        return None
    at = _READ_TIME[rule.timestamp_unit](rule.timestamp.text(sources) or "")
    if at is None:
        return Rejected(
            "timestamp_missing", f"{rule.timestamp.source_text} is no time in {_UNITS[rule.timestamp_unit]}"
        )
    apart = abs(now_s * 1000 - at)
    if rule.tolerance is not None and not apart <= rule.tolerance:
        return Rejected("timestamp_stale", f"{round(apart / 1000)} s apart, {rule.tolerance // 1000} s allowed")
    return None


def setting(word: str, sources: Sources) -> str:
    """A word of the file, or the one that a configuration entry says."""
    return (sources.setting(word[1:]) or "") if word[:1] == "@" else word


def _enveloped(text: str) -> dict[str, str] | None:
    if not text or len(text) > MAX_ENVELOPE:
        return None
    try:
        value = orjson.loads(base64.b64decode(octets(text), validate=True))
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    fields = {name: plain_text(member) for name, member in value.items()}
    return {name: member for name, member in fields.items() if member is not None}


def _candidate(rule: Verify, text: str, encoding: str) -> bytes | None:
    if rule.prefix is not None:
        if not text.startswith(rule.prefix):
            return None
        text = text[len(rule.prefix) :]
    if rule.prefix_optional is not None:
        text = text.removeprefix(rule.prefix_optional)
    return signature_bytes(text, encoding)


def _other_port(url: str) -> str | None:
    """The same address with the default port written out, or left out: vendors differ."""
    scheme, separator, rest = url.partition("://")
    port = _PORTS.get(scheme)
    host, slash, path = rest.partition("/")
    if not separator or port is None:
        return None
    if host.endswith(port):
        return f"{scheme}://{host.removesuffix(port)}{slash}{path}"
    return None if ":" in host.rpartition("]")[2] else f"{scheme}://{host}{port}{slash}{path}"
