"""The verification schemes by name; whatever is missing, empty or unreadable is a refusal."""

import hashlib
import hmac
from collections.abc import Callable, Mapping

from gateway.catalogue.sources import Sources
from gateway.catalogue.template import Template
from gateway.catalogue.webhook_model import Verify
from gateway.proofs.credentials import basic, token
from gateway.proofs.encodings import key_bytes
from gateway.proofs.proof import NO_SECRET, Keys, KeySource, Rejected, Verdict, Verified, Wanted
from gateway.proofs.public_key import public_key
from gateway.proofs.signed import (
    MAX_COMPARISONS,
    MISMATCH,
    UNKNOWN,
    bound_to_body,
    candidates,
    contents,
    lacking,
    setting,
    signature_texts,
    stale,
)
from gateway.proofs.token_proof import jwt

Scheme = Callable[[Verify, Sources, float, Keys], Verdict]
ItemScheme = Callable[[Verify, Sources, float, int], Verified | Rejected]
Match = Callable[[Verify, Template, Sources, tuple[str, ...], list[bytes]], int | None]

_BY_NEWEST = Verified(0)


def _hmac(rule: Verify, sources: Sources, now_s: float, _keys: Keys) -> Verdict:
    return _hashed(rule, sources, now_s, MAX_COMPARISONS, _keyed)


def _digest(rule: Verify, sources: Sources, now_s: float, _keys: Keys) -> Verdict:
    return _hashed(rule, sources, now_s, MAX_COMPARISONS, _plain)


def _hashed(rule: Verify, sources: Sources, now_s: float, most: int, match: Match) -> Verified | Rejected:
    signed = rule.signed
    if signed is None:
        return UNKNOWN
    texts = signature_texts(rule, sources)
    if isinstance(texts, Rejected):
        return texts
    secrets = _secrets(rule, sources)
    if not secrets:
        return NO_SECRET
    absent = lacking(rule, sources) if rule.required else None
    if absent is not None:
        return absent
    found = candidates(rule, texts, sources, max(1, most // len(secrets)))
    matched = match(rule, signed, sources, secrets, found) if found else None
    if matched is None:
        return MISMATCH
    refused = bound_to_body(rule, sources) if rule.body_digest is not None else None
    return refused or stale(rule, sources, now_s) or (Verified(matched) if matched else _BY_NEWEST)


def _secrets(rule: Verify, sources: Sources) -> tuple[str, ...]:
    if len(rule.secret) == 1:
        return sources.config.secrets(rule.secret[0])[:MAX_COMPARISONS]
    return tuple(secret for key in rule.secret for secret in sources.config.secrets(key))[:MAX_COMPARISONS]


def _keyed(
    rule: Verify, signed: Template, sources: Sources, secrets: tuple[str, ...], found: list[bytes]
) -> int | None:
    """Which secret is the key that one of the signatures was made with."""
    texts = contents(signed, sources)
    encoding = setting(rule.secret_encoding, sources)
    for index, secret in enumerate(secrets):
        key = key_bytes(secret, rule.secret_prefix, encoding)
        if not key:
            continue
        for content in texts:
            wanted = hmac.digest(key, content, rule.hash)
            for one in found:
                if hmac.compare_digest(one, wanted):
                    return index
    return None


def _plain(
    rule: Verify, signed: Template, sources: Sources, secrets: tuple[str, ...], found: list[bytes]
) -> int | None:
    """Which secret is the one that was hashed with the content."""
    for index, secret in enumerate(secrets):
        text = secret.removeprefix(rule.secret_prefix or "")
        sources.words = {"secret": text}
        for content in contents(signed, sources) if text else ():
            wanted = hashlib.new(rule.hash, content).digest()
            for one in found:
                if hmac.compare_digest(one, wanted):
                    return index
    return None


def _token(rule: Verify, sources: Sources, _now_s: float, _keys: Keys) -> Verdict:
    return token(rule, sources)


def _basic(rule: Verify, sources: Sources, _now_s: float, _keys: Keys) -> Verdict:
    return basic(rule, sources)


def _api_confirm(rule: Verify, sources: Sources, _now_s: float, keys: Keys) -> Verdict:
    """The delivery is a hint and nothing more: what counts is what the vendor answers about its object."""
    named = rule.key_id.text(sources) if rule.key_id is not None else None
    if not named or len(named) > _LONGEST_ID:
        return Rejected("missing_header", "what was changed is not named")
    source = KeySource("object", f"{rule.method}:{named}")
    answer = keys.known(source)
    return Wanted(source) if answer is None else Verified(confirmed=answer)


def _none(rule: Verify, _sources: Sources, _now_s: float, _keys: Keys) -> Verdict:
    return Verified() if rule.conditions else Rejected("not_configured", "unproved deliveries are not allowed")


_LONGEST_ID = 512
SCHEMES: Mapping[str, Scheme] = {
    "hmac": _hmac,
    "digest": _digest,
    "public_key": public_key,
    "jwt": jwt,
    "token": _token,
    "basic": _basic,
    "api_confirm": _api_confirm,
    "none": _none,
}

#: Those that can prove one item of a batch after the other, with a bound on the comparisons for each.
OF_ITEMS: Mapping[str, ItemScheme] = {
    "hmac": lambda rule, sources, now_s, most: _hashed(rule, sources, now_s, most, _keyed),
    "token": lambda rule, sources, _now_s, _most: token(rule, sources),
}
