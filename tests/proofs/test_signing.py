"""Requests that are proved afresh: what is written where, and that nobody else's verification differs."""

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.proofs.proof import Verified
from gateway.proofs.received import Received
from gateway.proofs.signing import signed
from gateway.proofs.verify import verify
from tests.catalogue.connector_file import MAPPING, SECRET, connector_of

NOW = 1_700_000_000.25
BODY = b'{"type":"a","at":5,"items":[{"id":1,"sig":"x"},{"id":2,"sig":"x"}],"n":1.10}'
HEX = {"secret": "00ff" * 8}
CONFIG = ConfigView({"secret": '["newest secret", "older secret"]'})


def rule(text: str, mapping: str = MAPPING) -> str:
    return SECRET + mapping + "[[webhook.verify]]\n" + text


HMAC = 'scheme = "hmac"\nhash = "sha256"\nsecret = "config:secret"\n'
RULES = {
    "a header": HMAC + 'signature = "header:x-sig"\nprefix = "sha256="\nsigned = "{raw}"',
    "base64": HMAC + 'signature = "header:x-sig"\nencoding = "base64"\nsigned = "{method}{url}{raw}"',
    "a time in seconds": HMAC
    + 'signature = "header:x-sig"\nsigned = "{header:x-time}.{raw}"\ntimestamp = "header:x-time"\n'
    'tolerance = "1s"',
    "a time in milliseconds": HMAC + 'signature = "header:x-sig"\nsigned = "{header:x-time}.{raw}"\n'
    'timestamp = "header:x-time"\ntimestamp_unit = "ms"\ntolerance = "1s"',
    "a time as a date": HMAC
    + 'signature = "header:x-sig"\nsigned = "{header:x-time}.{raw}"\ntimestamp = "header:x-time"\n'
    'timestamp_unit = "iso"\ntolerance = "1s"',
    "a time in the body": HMAC
    + 'signature = "header:x-sig"\nsigned = "{raw}"\ntimestamp = "body:at"\ntolerance = "1s"',
    "a composed header": HMAC + 'signature = "header:x-sig"\nsplit = ","\nprefix = "v1="\nsigned = "{sig:t}.{raw}"\n'
    'timestamp = "sig:t"\ntolerance = "1s"',
    "a header that is missing": HMAC + 'signature = "header:x-sig"\nsigned = "{header:x-id}.{raw}"',
    "a field of a header": HMAC + 'signature = "header:authorization#sig"\nsigned = "{raw}"',
    "one header of many": HMAC + 'signature = "header:x-sig-*"\nsigned = "{raw}"',
    "the query": HMAC + 'signature = "query:sig"\nsigned = "{raw}"',
    "the body": HMAC + 'signature = "body:sig"\nsigned = "{body:at}{body:type}"',
    "the hash of the body beside it": HMAC + 'signature = "header:x-sig"\nsigned = "{url}"\n'
    'body_digest = { value = "query:digest" }',
    "a digest": 'scheme = "digest"\nhash = "sha256"\nsecret = "config:secret"\nsignature = "header:x-sig"\n'
    'signed = "{secret}{raw}"',
    "a token": 'scheme = "token"\ntoken = "header:x-token"\nprefix = "Bearer "\nsecret = "config:secret"',
    "a token in the body": 'scheme = "token"\ntoken = "body:token"\nsecret = "config:secret"',
    "a user and a password": 'scheme = "basic"\nusername = "config:user"\npassword = "config:secret"',
    "a sender's address": HMAC + 'signature = "header:x-sig"\nsigned = "{raw}"\nnetworks = ["192.0.2.64/26"]',
}
PER_ITEM = HMAC + 'signature = "item:sig"\nencoding = "base64"\nsigned = "{item:id}:{body:type}"\nper_item = true'
USER = '[[config]]\nkey = "user"\nname = "User"\n'


def request(headers: dict[str, str] | None = None, body: bytes = BODY) -> Received:
    return Received(
        method="POST",
        url="https://gateway.example/in/t?a=1",
        query="a=1",
        headers=headers or {},
        body=body,
        remote="198.51.100.1",
    )


def passes(connector: Connector, values: dict[str, str], received: Received, at: float = NOW) -> bool:
    return isinstance(verify(connector, ConfigView(values), received, at), Verified)


@pytest.mark.parametrize("what", RULES)
def test_what_is_signed_passes_now_and_under_this_secret_alone(what: str, tmp_path: Path) -> None:
    connector = connector_of(tmp_path, USER + rule(RULES[what]))
    config = {**CONFIG.values, "user": "me"}
    made = signed(connector, ConfigView(config), request(), NOW)
    assert made is not None
    assert passes(connector, config, made)
    assert passes(connector, {"secret": "newest secret", "user": "me"}, made)
    assert not passes(connector, {"secret": "older secret", "user": "me"}, made)
    if "tolerance" in RULES[what]:
        assert not passes(connector, config, made, NOW + 3)


def test_every_item_of_a_batch_is_signed(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, rule(PER_ITEM, MAPPING + 'items = "body:items"\n'))
    made = signed(connector, CONFIG, request(), NOW)
    assert made is not None
    digests = [hmac.digest(b"newest secret", f"{n}:a".encode(), "sha256") for n in (1, 2)]
    for digest in digests:
        assert base64.b64encode(digest) in made.body
    assert made.body.endswith(b'"n":1.10}')


def test_the_header_is_written_as_the_vendor_writes_it(tmp_path: Path) -> None:
    made = signed(connector_of(tmp_path, rule(RULES["a composed header"])), CONFIG, request(), NOW)
    assert made is not None
    expected = hmac.new(b"newest secret", b"1700000000." + BODY, hashlib.sha256).hexdigest()
    assert made.headers == {"x-sig": f"t=1700000000,v1={expected}"}
    assert made.body == BODY


def test_signatures_that_were_there_go(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, rule(RULES["one header of many"]))
    old = request(headers={"x-sig-1": "00", "x-sig-2": "11", "x-other": "kept"})
    made = signed(connector, CONFIG, old, NOW)
    assert made is not None
    assert "x-sig-2" not in made.headers
    assert made.headers["x-other"] == "kept"


def test_keys_are_read_as_the_rule_says(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, rule(RULES["a header"] + '\nsecret_encoding = "hex"'))
    made = signed(connector, ConfigView(HEX), request(), NOW)
    assert made is not None
    expected = hmac.new(bytes.fromhex(HEX["secret"]), BODY, hashlib.sha256).hexdigest()
    assert made.headers["x-sig"] == f"sha256={expected}"


@pytest.mark.parametrize("values", [{}, {"secret": ""}, {"secret": "[]"}])
def test_without_a_secret_nothing_is_signed(values: dict[str, str], tmp_path: Path) -> None:
    for what in RULES:
        assert signed(connector_of(tmp_path, USER + rule(RULES[what])), ConfigView(values), request(), NOW) is None


def test_what_only_the_vendor_can_sign_is_left_alone(tmp_path: Path) -> None:
    text = 'scheme = "public_key"\nalgorithm = "ed25519"\nkey = "{config:secret}"\nkey_format = "hex"\n'
    connector = connector_of(tmp_path, rule(text + 'signature = "header:x-sig"\nsigned = "{raw}"'))
    assert signed(connector, ConfigView(HEX), request(), NOW) is None


def test_a_rule_that_does_not_apply_is_passed_over(tmp_path: Path) -> None:
    first = RULES["a header"] + '\nif = { "user" = "one" }\n'
    connector = connector_of(tmp_path, USER + rule(first) + "\n[[webhook.verify]]\n" + RULES["a token"])
    made = signed(connector, ConfigView({**CONFIG.values, "user": "two"}), request(), NOW)
    assert made is not None
    assert set(made.headers) == {"x-token"}


def test_a_body_that_has_no_such_place_cannot_be_signed(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, rule(RULES["a token in the body"]))
    assert signed(connector, CONFIG, request(body=b"no JSON"), NOW) is None
