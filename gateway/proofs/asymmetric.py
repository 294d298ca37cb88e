"""Public keys and certificates, read from the texts that they are written in, and asked what they prove."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import (
    Certificate,
    DNSName,
    DuplicateExtension,
    ExtensionNotFound,
    SubjectAlternativeName,
    UnsupportedGeneralNameType,
    load_der_x509_certificate,
)
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from gateway.proofs.encodings import key_bytes
from gateway.proofs.pem import blocks, is_pem

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey
Roots = Store

_KINDS: dict[str, type[PublicKey]] = {
    "ed25519": Ed25519PublicKey,
    "ecdsa": EllipticCurvePublicKey,
    "rsa": RSAPublicKey,
}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - what the vendor signs with is the vendor's choice
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
#: A point of an elliptic curve, packed or not, tells its curve by its length.
_CURVES: dict[int, type[ec.EllipticCurve]] = {
    33: ec.SECP256R1,
    65: ec.SECP256R1,
    49: ec.SECP384R1,
    97: ec.SECP384R1,
    67: ec.SECP521R1,
    133: ec.SECP521R1,
}
_ED25519_BYTES = 32
_LONGEST = 64 << 10
_RSA_BITS = range(1024, 8193)
_LONGEST_CHAIN = 8
_PKCS1 = padding.PKCS1v15()


@lru_cache(maxsize=1024)
def read_key(text: str, algorithm: str, key_format: str | None = None) -> PublicKey | None:
    """The public key that a text holds; None where it holds none of this algorithm."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    try:
        key = _pem_key(text) if _is_pem(text, key_format) else _raw_key(text, algorithm, key_format)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return usable(key, algorithm)


def usable(key: object, algorithm: str) -> PublicKey | None:
    """The key if it is one of this algorithm, and of a size that is neither a joke nor an attack."""
    kind = _KINDS.get(algorithm)
    if kind is None or not isinstance(key, kind):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size not in _RSA_BITS:
        return None
    return key


def is_signed(key: PublicKey, signature: bytes, content: bytes, name: str) -> bool:
    """Whether a signature of a content was made with the private half of this key."""
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, content)
        elif isinstance(key, RSAPublicKey):
            key.verify(signature, content, _PKCS1, _HASHES[name])
        else:
            return _is_ecdsa(key, signature, content, name)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _is_pem(text: str, key_format: str | None) -> bool:
    return key_format == "pem" or (key_format is None and is_pem(text))


def _pem_key(text: str) -> object:
    found = blocks(text)
    if not found:
        return None
    label, content = found[0]
    if label == "CERTIFICATE":
        return load_der_x509_certificate(content).public_key()
    return load_der_public_key(content) if label.endswith("PUBLIC KEY") else None


def _raw_key(text: str, algorithm: str, key_format: str | None) -> object:
    if key_format is None:
        key_format = "hex" if algorithm == "ed25519" and len(text) == 2 * _ED25519_BYTES else "base64"
    content = key_bytes(text, None, "hex" if key_format == "hex" else "base64") or b""
    if key_format != "spki":
        if algorithm == "ed25519" and len(content) == _ED25519_BYTES:
            return Ed25519PublicKey.from_public_bytes(content)
        if algorithm == "ecdsa" and content[:1] in (b"\x02", b"\x03", b"\x04") and len(content) in _CURVES:
            return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[len(content)](), content)
    return load_der_public_key(content)


def _is_ecdsa(key: EllipticCurvePublicKey, signature: bytes, content: bytes, name: str) -> bool:
    """Two numbers in DER, or one behind the other at the key's length: vendors write both."""
    forms, length = [signature], (key.key_size + 7) // 8
    if len(signature) == 2 * length:
        numbers = int.from_bytes(signature[:length]), int.from_bytes(signature[length:])
        forms.append(encode_dss_signature(*numbers))
    for form in forms:
        with suppress(InvalidSignature):
            key.verify(form, content, ec.ECDSA(_HASHES[name]))
            return True
    return False


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate: the names that it is made out to, in lower case, and its dates in epoch seconds."""

    certificate: Certificate
    names: frozenset[str]
    begins: float
    ends: float

    def key(self, algorithm: str) -> PublicKey | None:
        """Its key, if it is one of this algorithm."""
        try:
            return usable(self.certificate.public_key(), algorithm)
        except (ValueError, UnsupportedAlgorithm):
            return None


def read_certificate(der: bytes) -> Certified | None:
    """The certificate that these bytes are; None where they are none."""
    try:
        found = load_der_x509_certificate(der)
        names = frozenset(name.lower() for name in _names(found))
        return Certified(found, names, found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp())
    except (ValueError, DuplicateExtension, UnsupportedGeneralNameType):
        return None


def leads_to_a_root(chain: Sequence[Certified], name: str, at_s: float, roots: Roots) -> bool:
    """Whether a chain leads from a server of this name to one of the roots."""
    leaf, *others = [one.certificate for one in chain]
    try:
        policy = PolicyBuilder().store(roots).time(datetime.fromtimestamp(at_s, UTC)).max_chain_depth(_LONGEST_CHAIN)
        policy.build_server_verifier(DNSName(name)).verify(leaf, others)
    except (VerificationError, ValueError, UnsupportedAlgorithm):
        return False
    return True


def roots_of(found: Sequence[Certified]) -> Roots | None:
    """What chains may lead to; None where there is nothing."""
    return Store([one.certificate for one in found]) if found else None


def _names(certificate: Certificate) -> list[str]:
    common = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        found = certificate.extensions.get_extension_for_class(SubjectAlternativeName)
    except ExtensionNotFound:
        return common
    return common + found.value.get_values_for_type(DNSName)
