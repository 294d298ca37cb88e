"""Reads `[[webhook.verify]]`, and refuses proofs that prove nothing."""

from functools import partial
from ipaddress import ip_network

from gateway.catalogue import contexts
from gateway.catalogue.check_verify import check
from gateway.catalogue.locator import Locator
from gateway.catalogue.read_request import secure
from gateway.catalogue.table import Table, scalar_texts
from gateway.catalogue.template import Context, Template
from gateway.catalogue.webhook_model import BodyDigest, Condition, Verify
from gateway.catalogue.words import DIGESTS, ENCODINGS, HASHES, KEY_ENCODINGS, SCHEMES

_ASYMMETRIC = ("ed25519", "ecdsa", "rsa")
_KEY_FORMATS = ("hex", "base64", "pem", "spki")
_CHAINS = ("pinned", "system")
_JWT_ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "EdDSA")
#: What only the file and the configuration may say: a delivery that names its own key proves nothing.
_OWN = Context(frozenset({"config", "const"}), frozenset({"url", "url_base"}), secrets=True)


def verify(table: Table, methods: frozenset[str]) -> Verify:
    """One way to prove a delivery."""
    table.need("scheme")
    signed, timestamp = table.template("signed", contexts.PROOF), table.locator("timestamp", contexts.PROOF)
    found = Verify(
        scheme=table.choice("scheme", SCHEMES, ""),
        conditions=conditions(table, "if"),
        networks=_networks(table),
        hash=table.choice("hash", DIGESTS),
        secret=_secrets(table),
        secret_prefix=table.text("secret_prefix"),
        secret_encoding=table.choice_or_setting("secret_encoding", KEY_ENCODINGS, "text"),
        signature=table.locators("signature", contexts.PROOF),
        split=_separator(table),
        prefix=table.text("prefix"),
        prefix_optional=table.text("prefix_optional"),
        encoding=table.choice_or_setting("encoding", ENCODINGS, "hex"),
        signed=signed,
        timestamp=timestamp,
        required=_required(signed, timestamp),
        timestamp_unit=table.choice("timestamp_unit", ("s", "ms", "iso"), "s"),
        tolerance=table.duration("tolerance"),
        username=table.entry("username"),
        password=table.entry("password"),
        token=table.locator("token", contexts.PROOF),
        per_item=table.flag("per_item"),
        body_digest=_body_digest(table),
        replay=table.locator("replay", contexts.PROOF),
        key=table.template("key", _OWN),
        key_format=table.choice("key_format", _KEY_FORMATS) or None,
        key_api=_method(table, "key_api", methods),
        key_id=table.locator("key_id", contexts.PROOF),
        key_field=table.text("key_field"),
        algorithm=table.choice("algorithm", _ASYMMETRIC) or None,
        cert_url=table.locator("cert_url", contexts.PROOF),
        cert_hosts=table.texts("cert_hosts"),
        cert_names=table.texts("cert_names"),
        cert_chain=table.choice("cert_chain", _CHAINS, "pinned"),
        envelope=table.locator("envelope", contexts.PROOF),
        algorithms=_algorithms(table),
        jwks_url=secure(table, "jwks_url", contexts.LOGIN),
        issuer=table.template("issuer", _OWN),
        audience=table.template("audience", _OWN),
        claims=tuple(table.templates("claims", contexts.PROOF).items()),
        max_age=table.duration("max_age"),
        method=_method(table, "method", methods),
    )
    check(table, found)
    return found


def _required(signed: Template | None, timestamp: Locator | None) -> tuple[Locator, ...]:
    """What a delivery must carry to be checked at all: the time, and what is signed outside the body."""
    first = [timestamp] if timestamp is not None else []
    time_text = timestamp.source_text if timestamp is not None else None
    others = [
        locator
        for locator in (signed.locators if signed is not None else ())
        if locator.source_text != time_text and locator.alternatives[-1].source in ("header", "query", "sig")
    ]
    return (*first, *others)


def conditions(table: Table, key: str) -> tuple[Condition, ...]:
    """Which entries must have which values."""
    found = []
    for entry, value in table.mapping(key).items():
        texts = scalar_texts(value)
        table.use(f"{key}.{entry}", entry, secret_allowed=False)
        if texts is None:
            table.problem(f"{key}.{entry}", f"expected a plain value or a list of them, got {value!r}")
        else:
            found.append(Condition(entry, texts))
    return tuple(found)


def _secrets(table: Table) -> tuple[str, ...]:
    keys = []
    for text in table.texts("secret"):
        if text.startswith("config:") and len(text) > len("config:"):
            keys.append(text[7:])
            table.use("secret", text[7:], secret_allowed=True)
        else:
            table.problem("secret", f"expected config:<entry>, got {text!r}")
    return tuple(keys)


def _networks(table: Table) -> tuple[str, ...]:
    networks = table.texts("networks")
    for network in networks:
        table.tried("networks", partial(ip_network, network))
    return networks


def _separator(table: Table) -> str | None:
    text = table.text("split")
    if text == "":
        table.problem("split", "expected a separator, got an empty text")
    return text or None


def _algorithms(table: Table) -> tuple[str, ...]:
    found = table.texts("algorithms")
    for name in found:
        if name not in _JWT_ALGORITHMS:
            table.problem("algorithms", f"expected only {', '.join(_JWT_ALGORITHMS)}, got {name!r}")
    return found


def _method(table: Table, key: str, methods: frozenset[str]) -> str | None:
    return table.choice(key, tuple(sorted(methods))) or None


def _body_digest(table: Table) -> BodyDigest | None:
    inner = table.table("body_digest", "body_digest")
    if inner is None:
        return None
    if inner.has("value") == inner.has("claim"):
        inner.problem("value", "expected either value (a locator) or claim")
    return BodyDigest(
        hash=inner.choice("hash", HASHES, "sha256"),
        encoding=inner.choice("encoding", ENCODINGS, "hex"),
        value=inner.locator("value", contexts.PROOF),
        claim=inner.text("claim"),
    )
