"""Vendors that sign with private keys: keys, certificates and tokens of our own, and connectors that check them."""

import base64
import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.proofs.proof import KeySource, Rejected, Verdict, Verified
from gateway.proofs.received import Received
from tests.catalogue.connector_file import MAPPING, SECRET, connector_of

NOW = 1_700_000_000
REQUEST = Received(
    method="POST", url="https://g.example/in/t", query="", headers={}, body=b'{"a":1}', remote="192.0.2.1"
)
METHOD = """
[http]
base_url = "https://shop.example"
[methods.key_get]
name = "Get a key"
request = "GET /keys/{id}"
params = { id = { required = true } }
"""
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

ED = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)


class Fetched:
    """Keys that were fetched already, by address."""

    def __init__(self, **texts: str | bytes) -> None:
        self.texts: dict[str, bytes] = {}
        self.asked: list[KeySource] = []
        for where, text in texts.items():
            self.put(where, text)

    def put(self, where: str, text: str | bytes) -> "Fetched":
        self.texts[where] = text if isinstance(text, bytes) else text.encode()
        return self

    def known(self, source: KeySource) -> bytes | None:
        self.asked.append(source)
        return self.texts.get(source.where)


def connector(folder: Path, rule: str, head: str = "", webhook: str = "") -> Connector:
    return connector_of(folder, METHOD + SECRET + head + MAPPING + webhook + "[[webhook.verify]]\n" + rule)


def view(secret: str = "s", *previous: str) -> ConfigView:
    return ConfigView({"secret": secret}, {"secret": previous})


def check(verdict: Verdict) -> str:
    if isinstance(verdict, Verified):
        return "verified"
    return verdict.check if isinstance(verdict, Rejected) else "wanted"


def pem(key: PrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def spki(key: PrivateKey) -> str:
    return base64.b64encode(
        key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).decode()


def raw(key: ed25519.Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def signed(key: PrivateKey, content: bytes, name: type[hashes.HashAlgorithm] = hashes.SHA256) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(content)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(content, padding.PKCS1v15(), name())
    return key.sign(content, ec.ECDSA(name()))


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def token(
    claims: Mapping[str, object], key: Any = EC, algorithm: str = "ES256", kid: str | None = "k1", **header: object
) -> str:
    told = {**({"kid": kid} if kid is not None else {}), **header}
    return jwt.PyJWS().encode(json.dumps(dict(claims)).encode(), key, algorithm, headers=told)


def jwk(key: PrivateKey, kid: str | None = "k1", **more: object) -> dict[str, object]:
    public = key.public_key()
    text: object
    if isinstance(public, ed25519.Ed25519PublicKey):
        text = jwt.algorithms.OKPAlgorithm.to_jwk(public)
    elif isinstance(public, rsa.RSAPublicKey):
        text = jwt.algorithms.RSAAlgorithm.to_jwk(public)
    else:
        text = jwt.algorithms.ECAlgorithm.to_jwk(public)
    found: dict[str, object] = json.loads(str(text))
    return {**found, **({"kid": kid} if kid is not None else {}), **more}


def jwks(*keys: Mapping[str, object]) -> str:
    return json.dumps({"keys": list(keys)})


class Authority:
    """An authority whose certificates carry dates, names and keys as a test wants them."""

    def __init__(self, common: str = "Vendor Authority") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
        self.certificate = self._sign(self.name, self.key, None, 0, 0, issuer=None)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def signing(
        self,
        key: PrivateKey,
        name: str = "sign.vendor.example",
        *,
        san: bool = True,
        begins: int = NOW - 86_400,
        ends: int = NOW + 86_400,
    ) -> bytes:
        """A certificate in PEM."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._sign(subject, key, name if san else None, begins, ends, issuer=self)
        return made.public_bytes(serialization.Encoding.PEM)

    @staticmethod
    def _sign(
        subject: x509.Name, key: PrivateKey, san: str | None, begins: int, ends: int, issuer: "Authority | None"
    ) -> x509.Certificate:
        signer = issuer.key if issuer else key
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.name if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_at(begins or NOW - 10 * 86_400))
            .not_valid_after(_at(ends or NOW + 10 * 86_400))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .add_extension(_usage(issuer is None), critical=True)
        )
        if issuer is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        if san is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(san)]), critical=False)
        return builder.sign(signer, hashes.SHA256())


def _at(epoch_s: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(epoch_s, datetime.UTC)


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
