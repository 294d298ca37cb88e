"""Signatures by private keys: every kind of key in every way it is written, and what proves nothing."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.catalogue.config_view import ConfigView
from gateway.proofs.asymmetric import read_key
from gateway.proofs.proof import NO_KEYS, Keys, KeySource, Verdict, Verified, Wanted
from gateway.proofs.verify import verify
from tests.proofs.signers import (
    EC,
    ED,
    NOW,
    REQUEST,
    RSA,
    Fetched,
    PrivateKey,
    b64,
    check,
    connector,
    pem,
    signed,
    spki,
    view,
)
from tests.proofs.signers import raw as raw_key

RULE = """
scheme = "public_key"
key = "{config:secret}"
signature = "header:x-sig"
encoding = "base64"
signed = "{raw}"
"""


def _rule(algorithm: str, more: str = "") -> str:
    return RULE + f'algorithm = "{algorithm}"\n' + more


def _verdict(
    folder: Path, rule: str, headers: dict[str, str], config: ConfigView, keys: Keys = NO_KEYS, now: float = NOW
) -> Verdict:
    return verify(connector(folder, rule), config, replace(REQUEST, headers=headers), now, keys)


@pytest.mark.parametrize(
    ("algorithm", "key", "text", "form"),
    [
        ("ed25519", ED, raw_key(ED).hex(), 'key_format = "hex"'),
        ("ed25519", ED, raw_key(ED).hex(), ""),
        ("ed25519", ED, b64(raw_key(ED)), 'key_format = "base64"'),
        ("ed25519", ED, b64(raw_key(ED)).rstrip("="), ""),
        ("ed25519", ED, "whpk_" + b64(raw_key(ED)), 'secret_prefix = "whpk_"'),
        ("ed25519", ED, spki(ED), 'key_format = "spki"'),
        ("ed25519", ED, pem(ED), ""),
        ("ecdsa", EC, spki(EC), 'key_format = "spki"'),
        ("ecdsa", EC, spki(EC), ""),
        ("ecdsa", EC, pem(EC), 'key_format = "pem"'),
        ("ecdsa", EC, pem(EC).replace("\n", ""), ""),
        ("ecdsa", EC, pem(EC).replace("\n", "\\n"), ""),
        ("rsa", RSA, pem(RSA), ""),
        ("rsa", RSA, pem(RSA).replace("\n", " "), 'key_format = "pem"'),
        ("rsa", RSA, spki(RSA), 'key_format = "spki"'),
    ],
)
def test_a_key_is_read_as_it_is_written(algorithm: str, key: PrivateKey, text: str, form: str, tmp_path: Path) -> None:
    rule = _rule(algorithm, form + "\n")
    headers = {"x-sig": b64(signed(key, REQUEST.body))}
    assert check(_verdict(tmp_path, rule, headers, view(text))) == "verified"
    forged = {"x-sig": b64(signed(key, REQUEST.body + b" "))}
    assert check(_verdict(tmp_path, rule, forged, view(text))) == "signature_mismatch"


@pytest.mark.parametrize("algorithm", ["ecdsa", "rsa"])
@pytest.mark.parametrize("name", ["sha1", "sha256", "sha384", "sha512"])
def test_every_hash_is_known(algorithm: str, name: str, tmp_path: Path) -> None:
    key: PrivateKey = EC if algorithm == "ecdsa" else RSA
    headers = {"x-sig": b64(signed(key, REQUEST.body, getattr(hashes, name.upper())))}
    assert check(_verdict(tmp_path, _rule(algorithm, f'hash = "{name}"\n'), headers, view(pem(key)))) == "verified"
    other = "sha1" if name != "sha1" else "sha256"
    rule = _rule(algorithm, f'hash = "{other}"\n')
    assert check(_verdict(tmp_path, rule, headers, view(pem(key)))) == "signature_mismatch"


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_two_bare_numbers_are_an_ecdsa_signature_at_their_right_length_only(
    curve: ec.EllipticCurve, tmp_path: Path
) -> None:
    key = ec.generate_private_key(curve)
    length = (key.key_size + 7) // 8
    numbers = decode_dss_signature(signed(key, REQUEST.body))
    bare = b"".join(number.to_bytes(length) for number in numbers)
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    rule = _rule("ecdsa", 'key_format = "hex"\n')
    assert check(_verdict(tmp_path, rule, {"x-sig": b64(bare)}, view(point.hex()))) == "verified"
    for wrong in (b"\0" + bare, bare[:-1], bare + b"\0", bare[length:] + bare[:length], b"\0" * len(bare), b"0"):
        verdict = _verdict(tmp_path, rule, {"x-sig": b64(wrong)}, view(point.hex()))
        assert check(verdict) == "signature_mismatch"


def test_a_rotated_key_still_counts(tmp_path: Path) -> None:
    new, old = ed25519.Ed25519PrivateKey.generate(), ED
    headers = {"x-sig": b64(signed(old, REQUEST.body))}
    assert _verdict(tmp_path, _rule("ed25519"), headers, view(raw_key(new).hex(), raw_key(old).hex())) == Verified(1)
    assert check(_verdict(tmp_path, _rule("ed25519"), headers, view(raw_key(new).hex()))) == "signature_mismatch"
    assert _verdict(tmp_path, _rule("ed25519"), headers, view("broken", raw_key(old).hex())) == Verified(1)


@pytest.mark.parametrize(
    ("algorithm", "text", "expected"),
    [
        ("ed25519", raw_key(ED).hex()[2:], "key_unavailable"),
        ("ed25519", raw_key(ED).hex() + "00", "key_unavailable"),
        ("ed25519", pem(EC), "key_unavailable"),
        ("ecdsa", pem(RSA), "key_unavailable"),
        ("rsa", raw_key(ED).hex(), "key_unavailable"),
        ("rsa", "-----BEGIN PUBLIC KEY-----", "key_unavailable"),
        ("rsa", "-----BEGIN PUBLIC KEY-----\n%%%\n-----END PUBLIC KEY-----", "key_unavailable"),
        ("rsa", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "key_unavailable"),
        ("rsa", pem(RSA).replace("PUBLIC", "PRIVATE"), "key_unavailable"),
        ("rsa", "-----BEGIN " * 10_000, "key_unavailable"),
        ("ecdsa", "é", "key_unavailable"),
        ("ecdsa", "A" * (1 << 20), "key_unavailable"),
        ("ecdsa", "", "missing_secret"),
    ],
)
def test_what_is_no_key_of_the_kind_proves_nothing(algorithm: str, text: str, expected: str, tmp_path: Path) -> None:
    headers = {"x-sig": b64(signed(ED, REQUEST.body))}
    assert check(_verdict(tmp_path, _rule(algorithm), headers, view(text))) == expected


def test_a_key_of_a_few_bits_or_of_very_many_is_none() -> None:
    huge = rsa.RSAPublicNumbers(65537, (1 << 16_384) + 1)
    text = huge.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert read_key(text.decode(), "rsa") is None


@pytest.mark.parametrize("text", ["", "!", "AAAA", "0" * 64, "é", "\udcff", "A" * (1 << 20), ",".join(["AAAA"] * 300)])
@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa", "rsa"])
def test_what_is_no_signature_is_no_match(algorithm: str, text: str, tmp_path: Path) -> None:
    keys: dict[str, PrivateKey] = {"ed25519": ED, "ecdsa": EC, "rsa": RSA}
    verdict = _verdict(tmp_path, _rule(algorithm, 'split = ","\n'), {"x-sig": text}, view(pem(keys[algorithm])))
    assert check(verdict) in ("signature_mismatch", "missing_header")


def test_a_signature_behind_a_prefix_is_found_among_others(tmp_path: Path) -> None:
    rule = _rule("ed25519", 'split = " "\nprefix = "v1a,"\n').replace(
        "{raw}", "{header:webhook-id}.{header:webhook-timestamp}.{raw}"
    )
    rule += 'timestamp = "header:webhook-timestamp"\ntolerance = "5m"\n'
    good = b64(signed(ED, f"msg_1.{NOW}.".encode() + REQUEST.body))
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "x-sig": f"v1,{good} v1a,AAAA v1a,{good}"}
    config = view(pem(ED))
    assert check(_verdict(tmp_path, rule, headers, config)) == "verified"
    assert check(_verdict(tmp_path, rule, {**headers, "x-sig": f"v1,{good}"}, config)) == "signature_mismatch"
    assert check(_verdict(tmp_path, rule, headers, config, now=NOW + 301)) == "timestamp_stale"
    eastern = {**headers, "webhook-timestamp": "".join(chr(0x660 + int(digit)) for digit in str(NOW))}
    assert check(_verdict(tmp_path, rule, eastern, config)) == "signature_mismatch"
    assert check(_verdict(tmp_path, rule, {**headers, "webhook-timestamp": ""}, config)) == "timestamp_missing"


def test_of_many_signatures_only_a_few_are_tried(tmp_path: Path) -> None:
    good = b64(signed(ED, REQUEST.body))
    rule = _rule("ed25519", 'split = ","\n')
    assert check(_verdict(tmp_path, rule, {"x-sig": "AAAA," * 7 + good}, view(pem(ED)))) == "verified"
    assert check(_verdict(tmp_path, rule, {"x-sig": "AAAA," * 300 + good}, view(pem(ED)))) == "signature_mismatch"


ENVELOPE = """
scheme = "public_key"
algorithm = "ecdsa"
hash = "sha1"
envelope = "header:x-sig"
signature = "sig:signature"
encoding = "base64"
signed = "{raw}"
key_api = "key_get"
key_id = "sig:kid"
key_field = "key"
"""


def _enveloped(**fields: object) -> dict[str, str]:
    return {"x-sig": b64(json.dumps(fields).encode())}


def test_a_key_of_a_method_is_wanted_by_its_id_and_found_in_a_field_of_the_answer(tmp_path: Path) -> None:
    headers = _enveloped(alg="ecdsa", kid="k-1", signature=b64(signed(EC, REQUEST.body, hashes.SHA1)))
    source = KeySource("method", "key_get:k-1", key_id="k-1")
    assert _verdict(tmp_path, ENVELOPE, headers, view()) == Wanted(source)
    answered = Fetched().put(source.where, json.dumps({"key": pem(EC).replace("\n", ""), "algorithm": "ECDSA"}))
    assert check(_verdict(tmp_path, ENVELOPE, headers, view(), answered)) == "verified"
    other = Fetched().put(source.where, json.dumps({"key": pem(ec.generate_private_key(ec.SECP256R1()))}))
    assert check(_verdict(tmp_path, ENVELOPE, headers, view(), other)) == "signature_mismatch"
    for text in ("", "{}", '{"key": 1}', '{"key": "-----BEGIN"}', "\xff", json.dumps({"key": pem(RSA)})):
        assert check(_verdict(tmp_path, ENVELOPE, headers, view(), Fetched().put(source.where, text))) == (
            "key_unavailable"
        )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "e30=",
        b64(b"[]"),
        b64(b"1"),
        b64(b'"x"'),
        b64(b'{"signature": {}}'),
        b64(b"\xff"),
        "é",
        "\udcff",
        b64(b"[" * 9000),
        b64(json.dumps({"signature": "AAAA", "kid": "k", "pad": "x" * 20_000}).encode()),
    ],
)
def test_an_envelope_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, ENVELOPE, {"x-sig": text}, view())) == "missing_header"


@pytest.mark.parametrize("kid", ["", "a b", "é", 'a"b', "a\\b", "k" * 257, None])
def test_an_id_that_is_none_fetches_nothing(kid: str | None, tmp_path: Path) -> None:
    headers = _enveloped(kid=kid, signature="AAAA")
    assert check(_verdict(tmp_path, ENVELOPE, headers, view())) == "missing_header"


def test_another_rule_that_passes_spares_the_question_for_a_key(tmp_path: Path) -> None:
    rule = ENVELOPE + '[[webhook.verify]]\nscheme = "token"\ntoken = "header:x-token"\nsecret = "config:secret"\n'
    headers = _enveloped(kid="k-1", signature="AAAA")
    assert check(_verdict(tmp_path, rule, {**headers, "x-token": "s"}, view())) == "verified"
    assert check(_verdict(tmp_path, rule, {**headers, "x-token": "t"}, view())) == "wanted"


@given(
    header=st.text(max_size=200) | st.binary(max_size=200).map(b64),
    body=st.binary(max_size=200),
    key=st.text(max_size=100) | st.just(pem(EC)),
    algorithm=st.sampled_from(["ed25519", "ecdsa", "rsa"]),
    answer=st.binary(max_size=200),
)
def test_nothing_that_comes_makes_it_fail(
    tmp_path_factory: pytest.TempPathFactory, header: str, body: bytes, key: str, algorithm: str, answer: bytes
) -> None:
    request = replace(REQUEST, headers={"x-sig": header}, body=body)
    folder = tmp_path_factory.getbasetemp()
    for rule in (_rule(algorithm), ENVELOPE):
        keys = Fetched(**{"key_get:k": answer})
        assert check(verify(connector(folder, rule), view(key), request, NOW, keys)) != "verified"
