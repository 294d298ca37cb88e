"""Which public keys count for a rule: those of the configuration, or those that the vendor publishes."""

import re
from collections.abc import Sequence

from gateway.catalogue.locator import Locator
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import Template
from gateway.catalogue.webhook_model import Verify
from gateway.proofs.asymmetric import PublicKey, read_key
from gateway.proofs.certificates import certified_key
from gateway.proofs.key_answers import key_in
from gateway.proofs.pinned import host_of, is_pinned
from gateway.proofs.proof import NO_SECRET, Keys, KeySource, Rejected, Wanted

PublicKeys = Sequence[PublicKey | None]

_MOST_KEYS = 16
_KEY_ID = re.compile(r"[!#-\[\]-~]{1,256}")
_NO_KEY_ID = Rejected("missing_header", "the id of the key is missing, or no id")
_NO_ADDRESS = Rejected("key_unavailable", "the address of the key is not on a host that the connector names")
_UNREADABLE = Rejected("key_unavailable", "none of the configured texts is a key of this kind")
_NOT_ANSWERED = Rejected("key_unavailable", "the vendor's answer holds no such key")


def given_keys(rule: Verify, sources: Sources, algorithm: str) -> PublicKeys | Rejected:
    """The keys of the configuration, newest first; None in place of what cannot be read."""
    texts = _given_texts(rule.key, sources) if rule.key else ()
    if not texts:
        return NO_SECRET
    prefix = rule.secret_prefix or ""
    keys = [read_key(text.strip().removeprefix(prefix), algorithm, rule.key_format) for text in texts[:_MOST_KEYS]]
    return keys if any(keys) else _UNREADABLE


def published_keys(
    rule: Verify, sources: Sources, keys: Keys, key_id: str | None, algorithm: str, jwt_algorithm: str | None = None
) -> PublicKeys | Rejected | Wanted:
    """The key that an address or a method of the vendor answered."""
    source = _set_address(rule, sources, key_id) if rule.jwks_url else _method(rule, key_id)
    if isinstance(source, Rejected):
        return source
    text = keys.known(source)
    if text is None:
        return Wanted(source)
    key = key_in(text, rule.key_field, key_id, algorithm, jwt_algorithm)
    return _NOT_ANSWERED if key is None else (key,)


def certificate_keys(rule: Verify, sources: Sources, keys: Keys, now_s: float) -> PublicKeys | Rejected | Wanted:
    """The key of the certificate whose address the delivery names."""
    url = rule.cert_url.text(sources) if rule.cert_url else None
    if not url:
        return Rejected("missing_header", "the address of the certificate is missing")
    if not is_pinned(url, rule.cert_hosts):
        return Rejected("certificate_refused", "the certificate is not on a host that the connector names")
    source = KeySource("certificate", url, rule.cert_hosts)
    text = keys.known(source)
    if text is None:
        return Wanted(source)
    key = certified_key(text, rule, now_s)
    return key if isinstance(key, Rejected) else (key,)


def _given_texts(template: Template, sources: Sources) -> tuple[str, ...]:
    """Every value of the entry where the template is nothing else, so that keys can be rotated."""
    part = template.parts[0] if len(template.parts) == 1 else None
    if isinstance(part, Locator) and len(part.alternatives) == 1 and part.alternatives[0].source == "config":
        found = sources.config.secrets(part.alternatives[0].path)
        if found:
            return found
    text = template.complete(sources)
    return (text,) if text else ()


def _set_address(rule: Verify, sources: Sources, key_id: str | None) -> KeySource | Rejected:
    url = rule.jwks_url.url(sources) if rule.jwks_url else ""
    host = host_of(url)
    if host is None:
        return _NO_ADDRESS
    if key_id is not None and not _KEY_ID.fullmatch(key_id):
        return _NO_KEY_ID
    return KeySource("jwks", url, (host,), key_id)


def _method(rule: Verify, key_id: str | None) -> KeySource | Rejected:
    if key_id is None or not _KEY_ID.fullmatch(key_id):
        return _NO_KEY_ID
    return KeySource("method", f"{rule.key_api}:{key_id}", key_id=key_id)
