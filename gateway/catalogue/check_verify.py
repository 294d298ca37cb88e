"""What a proof must have to prove anything: checked when a file is read, so that no delivery meets half a proof."""

import re
from collections.abc import Callable, Mapping

from gateway.catalogue.contents import SNS_MEMBERS
from gateway.catalogue.locator import Alternative, Locator
from gateway.catalogue.table import Table
from gateway.catalogue.template import Template
from gateway.catalogue.webhook_model import Verify
from gateway.catalogue.words import HASHES

_BODY_WORDS = frozenset({"raw", "crc32", "form_sorted", "sns_fields"})
_SIGNED = ("hmac", "digest", "public_key")
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(rf"(?:(?:\*|{_LABEL})\.)*{_LABEL}\.[a-z](?:[a-z0-9-]*[a-z0-9])?")


def check(table: Table, found: Verify) -> None:
    """Notes what is missing from a proof, or contradicts itself."""
    _check_time(table, found)
    _check_body_digest(table, found)
    _check_modifiers(table, found)
    _check_published(table, found)
    _check_covers(table, found)
    _CHECKS.get(found.scheme, _nothing_more)(table, found)


def is_host(text: str) -> bool:
    """Whether a text is the name of a host, in which `*` may stand for any label but the last two."""
    return len(text) <= 253 and _HOST.fullmatch(text) is not None


def is_place(text: str) -> bool:
    """The same with a port, or localhost: what only an operator's own connector has."""
    name, colon, port = text.partition(":")
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
        return False
    return name == "localhost" or is_host(name)


def _check_time(table: Table, found: Verify) -> None:
    if found.tolerance is not None and found.timestamp is None:
        table.problem("tolerance", "needs timestamp")
    if found.timestamp is not None and found.signed is not None and not _is_signed(found, found.timestamp):
        table.problem("timestamp", "must be part of signed, or anybody can write another one")


def _check_body_digest(table: Table, found: Verify) -> None:
    digest = found.body_digest
    if digest is None:
        return
    if digest.claim is not None and found.scheme != "jwt":
        table.problem("body_digest.claim", "needs scheme jwt")
    if digest.value is not None and found.signed is not None and not _is_said(found.signed, digest.value):
        table.problem("body_digest.value", "must be part of signed, or anybody can write another one")


def _check_modifiers(table: Table, found: Verify) -> None:
    if found.per_item and found.scheme not in ("hmac", "token"):
        table.problem("per_item", "needs scheme hmac or token")
    if not found.per_item and any(_is_of(one, "item") for one in _places(found)):
        table.problem("per_item", "is missing: item: has no meaning for the whole delivery")
    if found.envelope is not None and found.scheme not in _SIGNED:
        table.problem("envelope", f"needs one of the schemes {', '.join(_SIGNED)}")
    if found.replay is not None:
        _check_replay(table, found, found.replay)


def _check_covers(table: Table, found: Verify) -> None:
    """What is signed may leave the body out, where the vendor does; whoever writes the file should know."""
    signed = found.signed
    if found.scheme not in _SIGNED or signed is None or found.body_digest is not None or signed.words & _BODY_WORDS:
        return
    if not any(_is_of(one, source) for one in signed.locators for source in ("body", "item", "form", "token")):
        table.findings.warnings.append(
            f"{table.at('signed')}: nothing of the body is signed: who has seen one delivery can send any other"
        )


def _check_replay(table: Table, found: Verify, replay: Locator) -> None:
    if found.per_item:
        table.problem("replay", "cannot be combined with per_item")
    elif found.scheme == "jwt":
        if not _is_of(replay, "token"):
            table.problem("replay", "expected a claim, such as token:jti")
    elif found.scheme not in _SIGNED or not _is_signed(found, replay):
        table.problem("replay", "must be part of signed, or anybody can write another one")


def _check_published(table: Table, found: Verify) -> None:
    """Keys and certificates that are fetched."""
    if found.key_field is not None and not (found.key_api or found.jwks_url):
        table.problem("key_field", "needs key_api or jwks_url")
    if found.key_id is not None and not (found.key_api or found.jwks_url or found.scheme == "api_confirm"):
        table.problem("key_id", "needs key_api, jwks_url or the scheme api_confirm")
    for key in ("cert_hosts", "cert_names", "cert_chain"):
        if table.has(key) and found.cert_url is None:
            table.problem(key, "needs cert_url")
    for host in found.cert_hosts:
        if not is_host(host):
            table.problem("cert_hosts", f"expected names such as api.example.com or sns.*.example.com, got {host!r}")
    if not all(name.strip() for name in found.cert_names):
        table.problem("cert_names", "expected the names that the certificate may carry, got an empty text")
    if found.cert_chain == "system" and not found.cert_names:
        table.problem("cert_names", "is missing: anybody can have a certificate that leads to a trusted root")


def _check_hmac(table: Table, found: Verify) -> None:
    table.need("hash", "secret", "signature", "signed")
    _check_hash(table, found)
    _check_signed(table, found)
    if "secret" in found.words_signed:
        table.problem("signed", "the secret is the key of an hmac, and no part of what is signed")


def _check_digest(table: Table, found: Verify) -> None:
    table.need("hash", "secret", "signature", "signed")
    _check_signed(table, found)
    if found.signed is not None and "secret" not in found.signed.words:
        table.problem("signed", "must contain {secret}, or anybody can compute it")


def _check_hash(table: Table, found: Verify) -> None:
    if found.hash == "md5":
        table.problem("hash", f"expected one of {', '.join(HASHES)}, got 'md5'")


def _check_signed(table: Table, found: Verify) -> None:
    if found.signed is not None and not (found.signed.words or found.signed.locators):
        table.problem("signed", "signs nothing of the delivery")


def _check_public_key(table: Table, found: Verify) -> None:
    table.need("signature", "signed", "algorithm")
    _check_hash(table, found)
    _check_signed(table, found)
    if "secret" in found.words_signed:
        table.problem("signed", "a public key has no {secret}")
    if sum(table.has(key) for key in ("key", "key_api", "cert_url")) != 1:
        table.problem("key", "expected exactly one of key, key_api and cert_url")
    if found.key_api is not None and found.key_id is None:
        table.problem("key_id", "is missing: key_api must be told which key")
    if found.cert_url is not None and not found.cert_hosts:
        table.problem("cert_hosts", "is missing: anybody could name a certificate of his own")


def _check_jwt(table: Table, found: Verify) -> None:
    table.need("token", "algorithms")
    if not (found.key or found.secret or found.key_api or found.jwks_url):
        table.problem("key", "expected key, secret, key_api or jwks_url")
        return
    keyed = [name for name in found.algorithms if name.startswith("HS")]
    if keyed and not found.secret:
        table.problem("algorithms", f"{keyed[0]} needs secret: a public key is no secret")
    if found.secret and not keyed:
        table.problem("secret", "is the key of HS256, HS384 and HS512 only")
    if len(keyed) < len(found.algorithms) and not (found.key or found.key_api or found.jwks_url):
        table.problem("algorithms", "all but HS256, HS384 and HS512 need key, key_api or jwks_url")


def _check_token(table: Table, _found: Verify) -> None:
    table.need("token", "secret")


def _check_basic(table: Table, _found: Verify) -> None:
    table.need("username", "password")


def _check_api_confirm(table: Table, found: Verify) -> None:
    if found.key_id is None:
        table.problem("key_id", "is missing: where the delivery names what has to be fetched")
    table.need("method")


def _check_none(table: Table, found: Verify) -> None:
    if not found.conditions:
        table.problem("if", "is missing: deliveries may go unproved only where a configuration says so")


def _nothing_more(_table: Table, _found: Verify) -> None:
    """Nothing more to check."""


def _places(found: Verify) -> list[Locator]:
    signed = found.signed.locators if found.signed is not None else ()
    return [*found.signature, *signed, *([found.token] if found.token is not None else [])]


def _is_of(place: Locator, source: str) -> bool:
    return all(one.source == source for one in place.alternatives)


def _is_signed(found: Verify, place: Locator) -> bool:
    """Whether nobody but the vendor can write what stands at a place."""
    signed, digest = found.signed, found.body_digest
    if signed is None:
        return False
    bound = digest is not None and digest.value is not None and _is_said(signed, digest.value)
    return _is_said(signed, place) or all(_is_covered(signed.words, one, bound) for one in place.alternatives)


def _is_said(signed: Template, place: Locator) -> bool:
    """Whether what is signed names the place, or holds the address that it is part of."""
    if place.source_text.strip() in {one.source_text.strip() for one in signed.locators}:
        return True
    return "url" in signed.words and _is_of(place, "query")


def _is_covered(words: frozenset[str], one: Alternative, bound: bool) -> bool:
    # {crc32} covers nothing: whoever changes a body can choose it so that the checksum stays.
    if one.source in ("body", "form") and (bound or "raw" in words):
        return True
    if one.source == "form":
        return "form_sorted" in words
    if one.source == "query":
        return "url" in words
    return one.source == "body" and "sns_fields" in words and one.path in SNS_MEMBERS


_CHECKS: Mapping[str, Callable[[Table, Verify], None]] = {
    "hmac": _check_hmac,
    "digest": _check_digest,
    "public_key": _check_public_key,
    "jwt": _check_jwt,
    "token": _check_token,
    "basic": _check_basic,
    "api_confirm": _check_api_confirm,
    "none": _check_none,
}
