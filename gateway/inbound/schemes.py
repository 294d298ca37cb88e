"""The verification schemes, one function each; whatever is missing, empty or unreadable is a refusal."""

import hashlib
import hmac
from collections.abc import Callable, Mapping

from gateway.catalogue.dates import date_reader
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import Template
from gateway.catalogue.webhook_model import Verify
from gateway.inbound.credentials import basic, token
from gateway.inbound.encodings import key_bytes, signature_bytes
from gateway.inbound.proof import NO_SECRET, Rejected, Verified

MAX_COMPARISONS = 256

Match = Callable[[Verify, Template, Sources, tuple[str, ...], list[bytes]], int | None]
Scheme = Callable[[Verify, Sources, float], Verified | Rejected]

_WORDS = frozenset({"raw", "method", "url", "url_base", "secret"})
_UNKNOWN = Rejected("unknown_scheme", "the signed content has a part that this gateway does not know")
_NO_SIGNATURE = Rejected("missing_header", "the signature is missing")
_MISMATCH = Rejected("signature_mismatch", "no signature matches")
_BY_NEWEST = Verified(0)
_READ_TIME = {
    unit: date_reader(form, "UTC") for unit, form in (("s", "epoch_s"), ("ms", "epoch_ms"), ("iso", "iso8601"))
}
_PORTS = {"https": ":443", "http": ":80"}


def _signed(rule: Verify, sources: Sources, now_s: float) -> Verified | Rejected:
    signed = rule.signed
    if signed is None or not rule.words_signed <= _WORDS:
        return _UNKNOWN
    texts = _texts(rule, sources)
    if not texts:
        return _NO_SIGNATURE
    secrets = _secrets(rule, sources)
    if not secrets:
        return NO_SECRET
    sources.sig_text, sources.sig_separator = texts[0], rule.split or ","
    lacking = _lacking(rule, sources)
    if lacking is not None:
        return lacking
    candidates = _candidates(rule, texts, sources, MAX_COMPARISONS // len(secrets))
    matched = _EXPECTED[rule.scheme](rule, signed, sources, secrets, candidates) if candidates else None
    if matched is None:
        return _MISMATCH
    refused = _bound_to_body(rule, sources) if rule.body_digest is not None else None
    return refused or _fresh(rule, sources, now_s) or (Verified(matched) if matched else _BY_NEWEST)


def _texts(rule: Verify, sources: Sources) -> list[str]:
    texts: list[str] = []
    for locator in rule.signature:
        texts += locator.texts(sources)
    return texts


def _secrets(rule: Verify, sources: Sources) -> tuple[str, ...]:
    if len(rule.secret) == 1:
        return sources.config.secrets(rule.secret[0])[:MAX_COMPARISONS]
    return tuple(secret for key in rule.secret for secret in sources.config.secrets(key))[:MAX_COMPARISONS]


def _lacking(rule: Verify, sources: Sources) -> Rejected | None:
    """What must be signed and is not there; a field of the body may be missing and is signed as nothing."""
    for locator in rule.required:
        if not locator.text(sources):
            check = "timestamp_missing" if locator is rule.timestamp else "missing_header"
            return Rejected(check, f"{locator.source_text} is missing")
    return None


def _candidates(rule: Verify, texts: list[str], sources: Sources, most: int) -> list[bytes]:
    encoding = _setting(rule.encoding, sources)
    found = []
    for text in texts:
        for part in text.split(rule.split, most) if rule.split else (text,):
            candidate = _candidate(rule, part.strip(), encoding)
            if candidate:
                found.append(candidate)
    return found[:most]


def _candidate(rule: Verify, text: str, encoding: str) -> bytes | None:
    if rule.prefix is not None:
        if not text.startswith(rule.prefix):
            return None
        text = text[len(rule.prefix) :]
    if rule.prefix_optional is not None:
        text = text.removeprefix(rule.prefix_optional)
    return signature_bytes(text, encoding)


def _keyed(
    rule: Verify, signed: Template, sources: Sources, secrets: tuple[str, ...], candidates: list[bytes]
) -> int | None:
    """Which secret is the key that one of the signatures was made with."""
    contents = _contents(signed, sources)
    encoding = _setting(rule.secret_encoding, sources)
    for index, secret in enumerate(secrets):
        key = key_bytes(secret, rule.secret_prefix, encoding)
        if key and _any_equal([hmac.digest(key, content, rule.hash) for content in contents], candidates):
            return index
    return None


def _plain(
    rule: Verify, signed: Template, sources: Sources, secrets: tuple[str, ...], candidates: list[bytes]
) -> int | None:
    """Which secret is the one that was hashed with the content."""
    for index, secret in enumerate(secrets):
        text = secret.removeprefix(rule.secret_prefix or "")
        sources.words = {"secret": text}
        wanted = [hashlib.new(rule.hash, content).digest() for content in _contents(signed, sources)]
        if text and _any_equal(wanted, candidates):
            return index
    return None


def _any_equal(wanted: list[bytes], candidates: list[bytes]) -> bool:
    for one in wanted:
        for candidate in candidates:
            if hmac.compare_digest(candidate, one):
                return True
    return False


def _contents(signed: Template, sources: Sources) -> list[bytes]:
    contents = [signed.render(sources)]
    other = _other_port(sources.url) if "url" in signed.words else None
    if other is not None:
        usual, sources.url = sources.url, other
        contents.append(signed.render(sources))
        sources.url = usual
    return contents


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


def _bound_to_body(rule: Verify, sources: Sources) -> Rejected | None:
    """The declared hash of the body, where the signature covers only the address."""
    digest = rule.body_digest
    if digest is None:
        return None
    if digest.value is None:
        return _UNKNOWN
    text = digest.value.text(sources)
    if not text:
        return Rejected("missing_header", f"{digest.value.source_text} is missing")
    stated = signature_bytes(text, digest.encoding)
    if stated is None or not hmac.compare_digest(stated, hashlib.new(digest.hash, sources.raw).digest()):
        return Rejected("body_digest_mismatch", "the body is not the one that was signed")
    return None


def _fresh(rule: Verify, sources: Sources, now_s: float) -> Rejected | None:
    if rule.timestamp is None:
        return None
    at = _READ_TIME[rule.timestamp_unit](rule.timestamp.text(sources) or "")
    if at is None:
        return Rejected("timestamp_missing", f"{rule.timestamp.source_text} is no time")
    apart = abs(now_s * 1000 - at)
    if rule.tolerance is not None and not apart <= rule.tolerance:
        return Rejected("timestamp_stale", f"{round(apart / 1000)} s apart, {rule.tolerance // 1000} s allowed")
    return None


def _setting(word: str, sources: Sources) -> str:
    return (sources.setting(word[1:]) or "") if word.startswith("@") else word


def _none(rule: Verify, _sources: Sources, _now_s: float) -> Verified | Rejected:
    return Verified() if rule.conditions else Rejected("not_configured", "unproved deliveries are not allowed")


_EXPECTED: Mapping[str, Match] = {"hmac": _keyed, "digest": _plain}

SCHEMES: Mapping[str, Scheme] = {"hmac": _signed, "digest": _signed, "token": token, "basic": basic, "none": _none}
