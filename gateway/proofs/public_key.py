"""Verification by public key: a signature that only the vendor can make, over what the connector's file says."""

from gateway.catalogue.sources import Sources
from gateway.catalogue.webhook_model import Verify
from gateway.proofs.asymmetric import is_signed
from gateway.proofs.proof import Keys, Rejected, Verdict, Verified, Wanted
from gateway.proofs.signed import (
    MISMATCH,
    UNKNOWN,
    bound_to_body,
    candidates,
    contents,
    lacking,
    signature_texts,
    stale,
)
from gateway.proofs.vendor_keys import PublicKeys, certificate_keys, given_keys, published_keys

#: One such comparison costs as much as a hundred keyed hashes.
MOST_SIGNATURES = 8


def public_key(rule: Verify, sources: Sources, now_s: float, keys: Keys) -> Verdict:
    """Passes when one of the signatures was made with the private half of one of the keys."""
    texts = signature_texts(rule, sources)
    if isinstance(texts, Rejected):
        return texts
    absent = lacking(rule, sources)
    if absent is not None:
        return absent
    found = candidates(rule, texts, sources, MOST_SIGNATURES)
    if not found:
        return MISMATCH
    too_old = stale(rule, sources, now_s)
    known = _keys(rule, sources, now_s, keys)
    if isinstance(known, Wanted) and too_old is not None:
        return too_old  # nobody is asked for a key on behalf of what would be refused anyway
    if isinstance(known, Rejected | Wanted):
        return known
    matched = _matched(rule, sources, known, found)
    if matched is None:
        return MISMATCH
    return too_old or bound_to_body(rule, sources) or Verified(matched)


def _keys(rule: Verify, sources: Sources, now_s: float, keys: Keys) -> PublicKeys | Rejected | Wanted:
    algorithm = rule.algorithm or ""
    if rule.key is not None:
        return given_keys(rule, sources, algorithm)
    if rule.cert_url is not None:
        return certificate_keys(rule, sources, keys, now_s)
    if rule.key_api is not None:
        key_id = rule.key_id.text(sources) if rule.key_id else None
        return published_keys(rule, sources, keys, key_id, algorithm)
    return UNKNOWN


def _matched(rule: Verify, sources: Sources, known: PublicKeys, found: list[bytes]) -> int | None:
    if rule.signed is None:
        return None
    texts = contents(rule.signed, sources)
    name = rule.hash or "sha256"
    for index, key in enumerate(known):
        if key is not None and any(is_signed(key, one, text, name) for text in texts for one in found):
            return index
    return None
