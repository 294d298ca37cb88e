"""JSON Web Tokens: the file says what counts, and whatever a token says of itself is worth nothing."""

import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway import jose
from gateway.catalogue.config_view import ConfigView
from gateway.proofs.proof import NO_KEYS, Keys, KeySource, Rejected, Verdict, Verified, Wanted
from gateway.proofs.verify import verify
from tests.proofs.signers import (
    EC,
    ED,
    NOW,
    REQUEST,
    RSA,
    Fetched,
    PrivateKey,
    check,
    connector,
    jwk,
    jwks,
    pem,
    token,
    view,
)

HS = 'scheme = "jwt"\ntoken = "header:x-token"\nalgorithms = ["HS256"]\nsecret = "config:secret"\n'
GIVEN = 'scheme = "jwt"\ntoken = "header:x-token"\nalgorithms = ["ES256", "RS256", "EdDSA"]\nkey = "{config:secret}"\n'
URL = "https://keys.vendor.example/jwks"
SET = f'scheme = "jwt"\ntoken = "header:x-token"\nalgorithms = ["ES256", "RS256"]\njwks_url = "{URL}"\n'
SECRET = "a secret that is long enough for it"


def _verdict(
    folder: Path, rule: str, text: str, config: ConfigView | None = None, keys: Keys = NO_KEYS, now: float = NOW
) -> Verdict:
    request = replace(REQUEST, headers={"x-token": text})
    return verify(connector(folder, rule), config or view(SECRET), request, now, keys)


def _hs(claims: Mapping[str, object], key: str = SECRET, algorithm: str = "HS256") -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return token(claims, key, algorithm)


def _made(header: dict[str, object], claims: object, signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts).decode()


def test_a_token_under_a_secret_passes_under_that_secret_only(tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, HS, _hs({"a": 1}))) == "verified"
    assert _verdict(tmp_path, HS, _hs({"a": 1}), view("another", SECRET)) == Verified(1)
    assert check(_verdict(tmp_path, HS, _hs({"a": 1}), view("another"))) == "token_refused"
    assert check(_verdict(tmp_path, HS, _hs({"a": 1}), view(""))) == "missing_secret"
    assert check(_verdict(tmp_path, HS, "")) == "missing_header"


def test_a_short_secret_counts_and_warns_nobody(tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, HS, _hs({}, "short"), view("short"))) == "verified"


def test_a_secret_may_be_written_in_base64(tmp_path: Path) -> None:
    text = token({}, b"\x00\xff" * 20, "HS256")
    config = view(base64.b64encode(b"\x00\xff" * 20).decode())
    assert check(_verdict(tmp_path, HS + 'secret_encoding = "base64"\n', text, config)) == "verified"


@pytest.mark.parametrize(("key", "algorithm"), [(EC, "ES256"), (RSA, "RS256"), (ED, "EdDSA")])
def test_a_token_under_a_given_key_passes(key: PrivateKey, algorithm: str, tmp_path: Path) -> None:
    text = token({"a": 1}, key, algorithm)
    assert check(_verdict(tmp_path, GIVEN, text, view(pem(key)))) == "verified"
    assert check(_verdict(tmp_path, GIVEN, text, view("no key", pem(key)))) == "verified"
    assert check(_verdict(tmp_path, GIVEN, text, view(pem(ec.generate_private_key(ec.SECP256R1()))))) == "token_refused"
    assert check(_verdict(tmp_path, GIVEN, text[:-4] + "AAAA", view(pem(key)))) == "token_refused"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "ES384", "PS256", 1, None, ["ES256"]])
def test_the_token_never_chooses_the_algorithm(algorithm: object, tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, GIVEN, _made({"alg": algorithm}, {}), view(pem(EC)))) == "token_refused"


def test_a_public_key_is_no_secret(tmp_path: Path) -> None:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")
    signed = head + b"." + base64.urlsafe_b64encode(b'{"a":1}').rstrip(b"=")
    for key in (pem(RSA), pem(RSA).strip()):
        mac = base64.urlsafe_b64encode(hmac.digest(key.encode(), signed, "sha256")).rstrip(b"=")
        text = (signed + b"." + mac).decode()
        assert check(_verdict(tmp_path, GIVEN, text, view(key))) == "token_refused"
        both = GIVEN.replace('"ES256"', '"HS256", "ES256"') + 'secret = "config:other"\n'
        other = '[[config]]\nkey = "other"\nname = "Other"\nsecret = true\n'
        made = connector(tmp_path, both, other)
        request = replace(REQUEST, headers={"x-token": text})
        config = ConfigView({"secret": key, "other": "another secret"})
        assert check(verify(made, config, request, NOW)) == "token_refused"
        # Even where somebody pastes the public key as the secret.
        assert check(verify(made, ConfigView({"secret": key, "other": key}), request, NOW)) == "token_refused"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "..",
        "a.b.c",
        "é.é.é",
        "\udcff",
        "." * 5000,
        "e30.e30.",
        "A" * (1 << 20),
        _made({"alg": "ES256"}, {}) + "." + "A" * (1 << 20),
        _made({"alg": "ES256", "crit": ["b64"], "b64": False}, {}),
        _made({"alg": "ES256", "crit": ["exp"]}, {}),
        _made({"alg": "ES256", "kid": 7}, {}),
        base64.urlsafe_b64encode(b"[" * 9000).decode() + ".e30.AAAA",
        base64.urlsafe_b64encode(b'{"alg":"ES256","a":' + b"[" * 9000).decode() + ".e30.AAAA",
    ],
)
def test_what_is_no_token_is_refused(text: str, tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, GIVEN, text, view(pem(EC)))) == "token_refused"


def test_a_payload_that_is_no_object_is_refused(tmp_path: Path) -> None:
    for payload in (b"[]", b"1", b"x", b"[" * 5000, b'{"exp":NaN}', b"\xff"):
        text = jwt.PyJWS().encode(payload, EC, "ES256")
        assert check(_verdict(tmp_path, GIVEN, text, view(pem(EC)))) == "token_refused"


@pytest.mark.parametrize(
    ("claims", "more", "expected"),
    [
        ({"exp": NOW + 1}, "", "verified"),
        ({"exp": NOW - 59}, "", "verified"),
        ({"exp": NOW - 60}, "", "token_refused"),
        ({"nbf": NOW + 60}, "", "verified"),
        ({"nbf": NOW + 61}, "", "token_refused"),
        ({"iat": NOW + 60}, "", "verified"),
        ({"iat": NOW + 61}, "", "token_refused"),
        ({"iat": NOW - 300}, 'max_age = "5m"\n', "verified"),
        ({"iat": NOW - 301}, 'max_age = "5m"\n', "token_refused"),
        ({}, 'max_age = "5m"\n', "token_refused"),
        ({"exp": str(NOW + 9)}, "", "token_refused"),
        ({"exp": True}, "", "token_refused"),
        ({"exp": None}, "", "token_refused"),
        ({"iat": []}, "", "token_refused"),
        ({"iat": -(10**400)}, 'max_age = "5m"\n', "token_refused"),
        ({"exp": 10**400}, "", "token_refused"),
        ({"exp": 1e300}, "", "verified"),
    ],
)
def test_times_are_judged_by_the_gateway_s_clock(
    claims: dict[str, object], more: str, expected: str, tmp_path: Path
) -> None:
    text = jwt.PyJWS().encode(json.dumps(claims).encode(), SECRET, "HS256")
    assert check(_verdict(tmp_path, HS + more, text)) == expected


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "vendor", "aud": "us", "kind": "event"}, "verified"),
        ({"iss": "vendor", "aud": ["them", "us"], "kind": "event"}, "verified"),
        ({"iss": "other", "aud": "us", "kind": "event"}, "token_refused"),
        ({"iss": ["vendor"], "aud": "us", "kind": "event"}, "token_refused"),
        ({"iss": "vendor", "aud": "them", "kind": "event"}, "token_refused"),
        ({"iss": "vendor", "aud": {"us": 1}, "kind": "event"}, "token_refused"),
        ({"iss": "vendor", "aud": [], "kind": "event"}, "token_refused"),
        ({"iss": "vendor", "aud": "us", "kind": "other"}, "token_refused"),
        ({"iss": "vendor", "aud": "us"}, "token_refused"),
        ({"aud": "us", "kind": "event"}, "token_refused"),
        ({"iss": "vendor", "kind": "event"}, "token_refused"),
    ],
)
def test_a_token_must_be_meant_for_us(claims: dict[str, object], expected: str, tmp_path: Path) -> None:
    rule = HS + 'issuer = "vendor"\naudience = "us"\nclaims = { kind = "event" }\n'
    assert check(_verdict(tmp_path, rule, _hs(claims))) == expected


def test_an_audience_that_is_not_configured_is_nobody(tmp_path: Path) -> None:
    head = '[[config]]\nkey = "audience"\nname = "Audience"\n'
    made = connector(tmp_path, HS + 'audience = "{config:audience}"\n', head)
    for claims in ({"aud": ""}, {"aud": None}, {}, {"aud": ["", None]}):
        request = replace(REQUEST, headers={"x-token": _hs(claims)})
        assert check(verify(made, view(SECRET), request, NOW)) == "token_refused"


@pytest.mark.parametrize(("encoding", "name"), [("hex", "sha256"), ("base64", "sha256"), ("hex", "sha512")])
def test_a_claim_binds_the_body(encoding: str, name: str, tmp_path: Path) -> None:
    rule = HS + f'body_digest = {{ hash = "{name}", encoding = "{encoding}", claim = "request_body" }}\n'
    digest = hashlib.new(name, REQUEST.body).digest()
    text = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    assert check(_verdict(tmp_path, rule, _hs({"request_body": text}))) == "verified"
    for other in (hashlib.new(name, b"").hexdigest(), "", None, 1, [text], "é"):
        assert check(_verdict(tmp_path, rule, _hs({"request_body": other}))) == "body_digest_mismatch"
    assert check(_verdict(tmp_path, rule, _hs({}))) == "body_digest_mismatch"


def test_a_token_may_stand_behind_a_word(tmp_path: Path) -> None:
    rule = HS + 'prefix = "Bearer "\n'
    assert check(_verdict(tmp_path, rule, "Bearer " + _hs({}))) == "verified"
    assert check(_verdict(tmp_path, rule, "bearer  " + _hs({}))) == "verified"
    for text in (_hs({}), "Bearer", "Bearer ", "Basic " + _hs({})):
        assert check(_verdict(tmp_path, rule, text)) == "token_refused"


def test_of_several_tokens_each_must_pass(tmp_path: Path) -> None:
    made = connector(tmp_path, HS.replace("header:x-token", "body:tokens"))
    good, bad = _hs({}), _hs({}, "another secret of the same length")
    for tokens, expected in (
        ([good, good], "verified"),
        ([good, bad], "token_refused"),
        ([bad, good], "token_refused"),
        ([good, ""], "missing_header"),
        ([], "missing_header"),
        ([good] * 9, "token_refused"),
    ):
        request = replace(REQUEST, body=json.dumps({"tokens": tokens}).encode())
        assert check(verify(made, view(SECRET), request, NOW)) == expected


def test_a_claim_may_be_good_for_once(tmp_path: Path) -> None:
    rule = HS + 'replay = "token:jti"\n'
    assert _verdict(tmp_path, rule, _hs({"jti": "n-1"})) == Verified(0, "n-1")
    for claims in ({}, {"jti": ""}, {"jti": ["n"]}):
        assert check(_verdict(tmp_path, rule, _hs(claims))) == "missing_header"


def test_the_id_in_the_token_chooses_among_published_keys(tmp_path: Path) -> None:
    text = token({}, EC)
    source = KeySource("jwks", URL, ("keys.vendor.example",), "k1")
    assert _verdict(tmp_path, SET, text) == Wanted(source)
    other = ec.generate_private_key(ec.SECP256R1())
    for keys, expected in (
        (jwks(jwk(other, "k0"), jwk(EC)), "verified"),
        (jwks(jwk(RSA), jwk(EC)), "verified"),
        (jwks(jwk(EC, use="sig", alg="ES256")), "verified"),
        (jwks(jwk(EC, "k0")), "token_refused"),
        (jwks(jwk(other)), "token_refused"),
        (jwks(jwk(EC, use="enc")), "token_refused"),
        (jwks(jwk(EC, alg="ES384")), "token_refused"),
        (jwks(jwk(EC, d="AAAA")), "token_refused"),
        (jwks({"kty": "oct", "k": "AAAA", "kid": "k1"}), "token_refused"),
        (jwks({"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA", "kid": "k1"}), "token_refused"),
        ('{"keys": [1, null, "x"]}', "token_refused"),
        ('{"keys": 1}', "token_refused"),
        ("[]", "token_refused"),
        ("x", "token_refused"),
    ):
        assert check(_verdict(tmp_path, SET, text, keys=Fetched().put(URL, keys))) == expected, keys


def test_a_token_without_an_id_fits_only_where_there_is_no_choice(tmp_path: Path) -> None:
    text = token({}, EC, kid=None)
    one = Fetched().put(URL, jwks(jwk(EC)))
    assert check(_verdict(tmp_path, SET, text, keys=one)) == "verified"
    two = Fetched().put(URL, jwks(jwk(EC), jwk(RSA, "k2")))
    assert check(_verdict(tmp_path, SET, text, keys=two)) == "token_refused"
    assert two.asked == [KeySource("jwks", URL, ("keys.vendor.example",))]


def test_keys_may_be_published_otherwise_than_as_a_set(tmp_path: Path) -> None:
    text = token({}, RSA, "RS256")
    for field, answer in (
        ("data.keys", {"data": {"keys": {"k1": pem(RSA)}}}),
        ("data", {"data": {"keys": [jwk(RSA)]}}),
        ("data", {"data": [jwk(RSA)]}),
        ("data", {"data": jwk(RSA)}),
    ):
        rule = SET + f'key_field = "{field}"\n'
        assert check(_verdict(tmp_path, rule, text, keys=Fetched().put(URL, json.dumps(answer)))) == "verified"
        assert check(_verdict(tmp_path, rule, text, keys=Fetched().put(URL, "{}"))) == "token_refused"


def test_the_key_of_a_method_is_named_by_the_token(tmp_path: Path) -> None:
    rule = 'scheme = "jwt"\ntoken = "header:x-token"\nalgorithms = ["ES256"]\nkey_api = "key_get"\nkey_field = "key"\n'
    text = token({}, EC)
    source = KeySource("method", "key_get:k1", key_id="k1")
    assert _verdict(tmp_path, rule, text) == Wanted(source)
    answer = json.dumps({"key": jwk(EC, alg="ES256", use="sig", created_at=1)})
    assert check(_verdict(tmp_path, rule, text, keys=Fetched().put(source.where, answer))) == "verified"
    other = json.dumps({"key": jwk(EC, "k2")})
    assert check(_verdict(tmp_path, rule, text, keys=Fetched().put(source.where, other))) == "token_refused"
    assert check(_verdict(tmp_path, rule, token({}, EC, kid=None))) == "token_refused"
    assert check(_verdict(tmp_path, rule, token({}, EC, kid="k" * 300))) == "token_refused"


@pytest.mark.parametrize(
    "url", ["http://keys.vendor.example/", "https://u:p@keys.vendor.example/", "https:///x", "ftp://a.b/", "x", "é"]
)
def test_an_address_of_keys_that_is_none_fetches_nothing(url: str, tmp_path: Path) -> None:
    head = '[[config]]\nkey = "url"\nname = "URL"\n'
    made = connector(tmp_path, SET.replace(URL, "{config:url}"), head)
    request = replace(REQUEST, headers={"x-token": token({}, EC)})
    assert check(verify(made, ConfigView({"url": url}), request, NOW)) == "token_refused"


def test_a_refusal_names_the_reason_and_nothing_else(tmp_path: Path) -> None:
    verdict = _verdict(tmp_path, HS, _hs({"exp": 1}), view(SECRET))
    assert verdict == Rejected("token_refused", "it has expired")


def test_a_token_of_our_own_is_read_again() -> None:
    text = jose.signed_token({"iss": "us"}, SECRET, "HS256")
    assert text is not None
    assert jose.claims(text, SECRET.encode(), "HS256") == {"iss": "us"}
    assert jose.signed_token({}, "no key", "RS256") is None
    assert jose.signed_token({}, "", "none") is None


@given(text=st.text(max_size=200) | st.binary(max_size=100).map(lambda b: _made({"alg": "ES256", "kid": "k"}, {}, b)))
def test_nothing_that_comes_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    for rule in (HS, GIVEN, SET):
        verdict = _verdict(tmp_path_factory.getbasetemp(), rule, text, view(pem(EC)))
        assert check(verdict) in ("token_refused", "missing_header", "wanted")


@given(answer=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_nothing_that_an_address_answers_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, answer: bytes) -> None:
    keys = Fetched().put(URL, answer)
    assert check(_verdict(tmp_path_factory.getbasetemp(), SET, token({}, EC), keys=keys)) == "token_refused"
