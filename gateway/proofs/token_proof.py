"""Verification by JSON Web Token: the file says which algorithms and keys count, never the token."""

from collections.abc import Iterable, Mapping

from gateway import jose
from gateway.catalogue.locator import plain_text
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import Template
from gateway.catalogue.webhook_model import Verify
from gateway.proofs.encodings import key_bytes
from gateway.proofs.proof import NO_SECRET, Keys, Rejected, Verdict, Verified, Wanted
from gateway.proofs.signed import BODY_DIFFERS, MAX_COMPARISONS, bound_to_body, is_digest, setting
from gateway.proofs.vendor_keys import PublicKeys, given_keys, published_keys

Claims = Mapping[str, object]

_LEEWAY_S = 60
_MOST_TOKENS = 8
_NO_TOKEN = Rejected("missing_header", "the token is missing")


def jwt(rule: Verify, sources: Sources, now_s: float, keys: Keys) -> Verdict:
    """Passes when every token at the place is signed, meant for this receiver, and of this time."""
    texts = rule.token.texts(sources)[: _MOST_TOKENS + 1] if rule.token else []
    if not texts or not all(texts):
        return _NO_TOKEN
    if len(texts) > _MOST_TOKENS:
        return _refused("there are too many tokens")
    oldest = 0
    for text in texts:
        outcome = _proved(rule, sources, text, now_s, keys)
        if not isinstance(outcome, Verified):
            return outcome
        oldest = max(oldest, outcome.secret_index)
    outside = rule.body_digest is not None and rule.body_digest.value is not None
    return (bound_to_body(rule, sources) if outside else None) or Verified(oldest)


def _proved(rule: Verify, sources: Sources, text: str, now_s: float, keys: Keys) -> Verdict:
    token = _behind_prefix(rule.prefix or "", text.strip())
    header = jose.header(token) if token else None
    if header is None:
        return _refused("this is no token")
    if header.algorithm not in rule.algorithms:
        return _refused("the algorithm is not one that the connector names")
    known = _keys(rule, sources, header, keys)
    if isinstance(known, Rejected | Wanted):
        return known
    for index, key in enumerate(known):
        claims = jose.claims(token, key, header.algorithm) if key is not None else None
        if claims is not None:
            sources.token = claims
            return _unfit(rule, sources, claims, now_s) or Verified(index)
    return _refused("no key matches the signature")


def _behind_prefix(prefix: str, text: str) -> str:
    """Names of authentication schemes may be written in any case."""
    return text[len(prefix) :].strip() if text[: len(prefix)].lower() == prefix.lower() else ""


def _keys(
    rule: Verify, sources: Sources, header: jose.Header, keys: Keys
) -> PublicKeys | list[bytes | None] | Rejected | Wanted:
    family = jose.family_of(header.algorithm)
    if family is None:
        return _refused("the algorithm is not known")
    if family == "hmac":
        return _secrets(rule, sources)
    found: PublicKeys | Rejected | Wanted = NO_SECRET
    if rule.key is not None:
        found = given_keys(rule, sources, family)
    if found is NO_SECRET and (rule.jwks_url is not None or rule.key_api is not None):
        key_id = rule.key_id.text(sources) if rule.key_id else header.key_id
        found = published_keys(rule, sources, keys, key_id, family, header.algorithm)
    return _refused(found.detail) if isinstance(found, Rejected) and found is not NO_SECRET else found


def _secrets(rule: Verify, sources: Sources) -> list[bytes | None] | Rejected:
    encoding = setting(rule.secret_encoding, sources)
    secrets = [secret for key in rule.secret for secret in sources.config.secrets(key)][:MAX_COMPARISONS]
    return [key_bytes(secret, rule.secret_prefix, encoding) for secret in secrets] or NO_SECRET


def _unfit(rule: Verify, sources: Sources, claims: Claims, now_s: float) -> Rejected | None:
    word = _untimely(claims, rule.max_age, now_s) or _not_meant(rule, sources, claims)
    if word is not None:
        return _refused(word)
    digest = rule.body_digest
    if digest is None or digest.claim is None:
        return None
    stated = claims.get(digest.claim)
    is_it = isinstance(stated, str) and is_digest(stated, digest.hash, digest.encoding, sources.raw)
    return None if is_it else BODY_DIFFERS


def _untimely(claims: Claims, max_age: int | None, now_s: float) -> str | None:
    for name in ("exp", "nbf", "iat"):
        if name in claims and _seconds(claims[name]) is None:
            return f"{name} is no time"
    expires, begins, issued = (_seconds(claims.get(name)) for name in ("exp", "nbf", "iat"))
    if expires is not None and not now_s < expires + _LEEWAY_S:
        return "it has expired"
    if any(at is not None and not at <= now_s + _LEEWAY_S for at in (begins, issued)):
        return "it is not valid yet"
    if max_age is not None and (issued is None or not issued >= now_s - max_age / 1000):
        return "it is too old"
    return None


def _seconds(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _not_meant(rule: Verify, sources: Sources, claims: Claims) -> str | None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if not _is_one_of(rule.issuer, sources, [claims.get("iss")]):
        return "the issuer is another"
    if not _is_one_of(rule.audience, sources, audiences):
        return "it is meant for somebody else"
    for name, template in rule.claims:
        if not _is_one_of(template, sources, [plain_text(claims.get(name))]):
            return f"the claim {name} is another"
    return None


def _is_one_of(template: Template | None, sources: Sources, values: Iterable[object]) -> bool:
    if template is None:
        return True
    expected = template.complete(sources)
    return expected is not None and any(value == expected for value in values)


def _refused(word: str) -> Rejected:
    return Rejected("token_refused", word)
