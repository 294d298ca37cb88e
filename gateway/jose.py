"""JSON Web Tokens and keys: reads what others signed, and trusts no word of it before the signature."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import jwt
import orjson
from jwt.algorithms import AllowedPublicKeys
from jwt.warnings import InsecureKeyLengthWarning

Family = Literal["hmac", "rsa", "ecdsa", "ed25519"]

LONGEST = 16 << 10
_FAMILIES: Mapping[str, Family] = {
    **dict.fromkeys(("HS256", "HS384", "HS512"), "hmac"),
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "rsa"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "ecdsa"),
    "EdDSA": "ed25519",
}
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
#: All that the library throws at what it does not like; a key of another kind is a TypeError to it.
_REFUSALS = (jwt.PyJWTError, ValueError, TypeError, RecursionError, NotImplementedError)
_SIGNATURES = jwt.PyJWS(algorithms=sorted(_FAMILIES))


@dataclass(frozen=True, slots=True)
class Header:
    """What a token says of itself, which anybody can write."""

    algorithm: str
    key_id: str | None


def family_of(algorithm: str) -> Family | None:
    """Which kind of key an algorithm needs."""
    return _FAMILIES.get(algorithm)


def header(token: str) -> Header | None:
    """The unproved header of a token; None where it is no token, or an overlong one."""
    if len(token) > LONGEST or not token.isascii():
        return None
    try:
        told = _SIGNATURES.get_unverified_header(token)
    except _REFUSALS:
        return None
    algorithm, key_id = told.get("alg"), told.get("kid")
    if not isinstance(algorithm, str) or not isinstance(key_id, str | None):
        return None
    return Header(algorithm, key_id)


def claims(token: str, key: AllowedPublicKeys | bytes, algorithm: str) -> Mapping[str, object] | None:
    """The claims of a token that was signed so and with this key; times are left to the caller."""
    if isinstance(key, bytes) is not (family_of(algorithm) == "hmac"):
        return None
    try:
        # How long a secret is was the vendor's choice, and nobody reads warnings.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
            found = orjson.loads(_SIGNATURES.decode(token, key, algorithms=[algorithm]))
    except _REFUSALS:
        return None
    return found if isinstance(found, dict) else None


def signed_token(told: Mapping[str, object], key: str, algorithm: str, key_id: str | None = None) -> str | None:
    """A token of our own with these claims; None where the key does not fit the algorithm."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
            return _SIGNATURES.encode(orjson.dumps(told), key, algorithm, {"kid": key_id} if key_id else None)
    except _REFUSALS:
        return None


def public_key(jwk: Mapping[str, object], algorithm: str | None = None) -> object:
    """The key that a JSON Web Key describes; None where it is private, symmetric, or meant for something else."""
    if jwk.get("use", "sig") != "sig" or "d" in jwk or "k" in jwk:
        return None
    if algorithm is not None and jwk.get("alg", algorithm) != algorithm:
        return None
    try:
        return jwt.PyJWK(dict(jwk), _usual_algorithm(jwk)).key
    except _REFUSALS:
        return None


def _usual_algorithm(jwk: Mapping[str, object]) -> str:
    """One that fits the key; what the key itself says may be a word that the library does not know."""
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if kind == "EC":
        return _CURVES.get(curve, "") if isinstance(curve, str) else ""
    return {"RSA": "RS256", "OKP": "EdDSA"}.get(kind, "") if isinstance(kind, str) else ""
