"""What is tried on an accepted delivery follows from the rule that it passed, and a hole in it is found."""

from pathlib import Path

import pytest

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.contracts.tampering import another, attempts, changed, tampered
from gateway.proofs.fixtures import Delivery, KnownKeys, Request, Told
from gateway.proofs.received import Received
from gateway.proofs.rewriting import Place, put, with_url
from gateway.proofs.signing import signed
from tests.catalogue.connector_file import MAPPING, SECRET, connector_of

NOW = 1_700_000_000.0
HMAC = 'scheme = "hmac"\nhash = "sha256"\nsecret = "config:secret"\nsignature = "header:x-sig"\n'
RAW = HMAC + 'signed = "{raw}"\n'
RULES = {
    "raw": RAW,
    "a list": RAW + 'split = ","\nprefix = "v1="\n',
    "fields": HMAC + 'signed = "{body:a}{body:b}"\nencoding = "base64"\n',
    "url": HMAC + 'signed = "{method}{url}"\n',
    "time": HMAC + 'signed = "{header:x-time}{raw}"\ntimestamp = "header:x-time"\ntolerance = "5m"\n',
    "composed": HMAC + 'signed = "{sig:t}{raw}"\ntimestamp = "sig:t"\ntolerance = "5m"\nsplit = ","\nprefix = "v1="\n',
    "digest": HMAC + 'signed = "{url}"\nbody_digest = { value = "query:hash" }\n',
    "token": 'scheme = "token"\ntoken = "header:x-token"\nsecret = "config:secret"\n',
    "basic": 'scheme = "basic"\nusername = "config:user"\npassword = "config:secret"\n',
    "networks": RAW + 'networks = ["192.0.2.0/24"]\n',
    "entry": HMAC + 'signed = "{config:user}{raw}"\n',
    "headers": RAW.replace('"header:x-sig"', '["header:x-sig", "header:x-older-sig"]'),
    "items": HMAC.replace("header:x-sig", "item:sig") + 'signed = "{item:id}"\nper_item = true\n',
}
BODY_FLIPPED = "byte 0 of the body flipped"
TRIED = {
    "raw": {BODY_FLIPPED, "a byte added to the body", "header:x-sig missing", "hexadecimal digits as capitals"},
    "a list": {"300 signatures before the right one", "a wrong signature behind the right one"},
    "fields": {"body:a changed", "body:b changed", "every signature another"},
    "url": {"another path", "another query", "another method"},
    "time": {"an old timestamp", "a timestamp of the future", "as old as is allowed", "header:x-time missing"},
    "composed": {"sig:t missing", "header:x-sig empty"},
    "digest": {BODY_FLIPPED, "query:hash missing"},
    "token": {"another token", "header:x-token missing", "header:x-token empty"},
    "basic": {"another password", "another user name", "no user name", "header:authorization missing"},
    "networks": {"another sender's address"},
    "entry": {"another user"},
    "headers": {"a wrong signature in x-older-sig"},
    "items": {"no item", "body:items.0.id changed", "body:items.1.sig alone another", "every signature missing"},
}
NOT_TRIED = {
    "fields": {BODY_FLIPPED, "hexadecimal digits as capitals"},
    "url": {BODY_FLIPPED},
    "token": {BODY_FLIPPED, "another path"},
    "raw": {"an old timestamp", "another path", "300 signatures before the right one"},
}
SECRETS = {"another instance's secret", "the secret ''", "no secret"}


def accepted(folder: Path, rule: str) -> tuple[Connector, Delivery]:
    """A connector with this rule, and a delivery that passes it."""
    user = '[[config]]\nkey = "user"\nname = "User"\n'
    text = user + SECRET + MAPPING + ('items = "body:items"\n' if "per_item" in rule else "")
    connector = connector_of(folder, text + "[[webhook.verify]]\n" + rule)
    config = ConfigView({"secret": "the secret", "user": "me"})
    body = b'{"a":"x","b":7,"items":[{"id":1},{"id":2}]}'
    plain = Received(
        method="POST", url="https://g.example/in/t", query="", headers={}, body=body, remote="192.0.2.1"
    )  # fmt: skip
    made = signed(connector, config, plain, NOW)
    assert made is not None
    told = Told(name="x", origin="x", now=NOW, request=Request("POST", made.url), expect="accepted")
    return connector, Delivery(told, config, KnownKeys({}), made)


@pytest.mark.parametrize("what", RULES)
def test_what_is_tried_follows_from_the_rule(what: str, tmp_path: Path) -> None:
    connector, one = accepted(tmp_path, RULES[what])
    assert connector.webhook is not None
    names = {attempt.what for attempt in attempts(connector, connector.webhook.verify[0], one)}
    assert TRIED[what] | SECRETS <= names
    assert not NOT_TRIED.get(what, set()) & names
    assert tampered(connector, one).failures == ()


def test_a_proof_that_also_stands_elsewhere_is_found(tmp_path: Path) -> None:
    connector, one = accepted(tmp_path, RAW.replace("header:x-sig", "header:x-sig ?? query:sig"))
    both = put(one.received, Place("query", "sig"), one.received.headers["x-sig"])
    outcome = tampered(connector, Delivery(one.told, one.config, one.keys, both))
    assert outcome.failures == (
        "every signature missing: must be rejected, was accepted",
        "header:x-sig missing: must be rejected, was accepted",
    )


def test_a_delivery_that_is_not_proved_is_not_tampered_with(tmp_path: Path) -> None:
    rule = 'scheme = "none"\nif = { user = "me" }\n'
    connector = connector_of(
        tmp_path, '[[config]]\nkey = "user"\nname = "U"\n' + MAPPING + "[[webhook.verify]]\n" + rule
    )
    _, one = accepted(tmp_path, RAW)
    assert tampered(connector, one).attempts == 0


@pytest.mark.parametrize("text", ["a", "9", "f0", "==", "", "sha256=ff", "Zz/+"])
def test_a_changed_text_is_another_one(text: str) -> None:
    assert changed(text) != text


@pytest.mark.parametrize(
    ("encoding", "secret"), [("text", "abc"), ("hex", "00ff00ff"), ("base64", "whsec_AAAA"), ("text", '["a","b"]')]
)
def test_another_secret_is_none_of_these(encoding: str, secret: str) -> None:
    assert another(secret, encoding, "whsec_") != secret


# Requests put otherwise

REQUEST = Received(
    method="POST",
    url="https://g.example/in/t?a=1&b=%20&a=2",
    query="a=1&b=%20&a=2",
    headers={"authorization": 'Digest sig="x", t=1'},
    body=b'{"n": 1.10, "big": 123456789012345678901234567890, "l": [{"k": null}], "\xc3\xa9": "\xc3\xa9"}',
    remote="192.0.2.1",
)


def test_only_the_parameter_that_is_meant_changes() -> None:
    made = put(REQUEST, Place("query", "a"), "x y")
    assert (made.query, made.url) == ("a=x+y&b=%20&a=2", "https://g.example/in/t?a=x+y&b=%20&a=2")
    assert put(REQUEST, Place("query", "b"), None).query == "a=1&a=2"
    assert put(with_url(REQUEST, "https://g.example/in/t"), Place("query", "c"), "3").url.endswith("/t?c=3")
    assert put(REQUEST, Place("query", "none"), None) == REQUEST


def test_only_the_field_of_a_header_that_is_meant_changes() -> None:
    assert put(REQUEST, Place("header", "authorization#t"), "2").headers["authorization"] == 'Digest sig="x", t=2'
    assert put(REQUEST, Place("header", "x#t"), "2").headers["x"] == "t=2"
    assert put(REQUEST, Place("header", "authorization"), None).headers == {}


def test_numbers_of_a_body_stay_as_they_were_written() -> None:
    made = put(REQUEST, Place("body", "l.0.k"), "v").body.decode()
    assert made == '{"n":1.10,"big":123456789012345678901234567890,"l":[{"k":"v"}],"é":"é"}'
    assert put(REQUEST, Place("body", "l.7.k"), "v").body.decode().count("v") == 0
    assert b"l" not in put(REQUEST, Place("body", "l"), None).body


def test_a_body_that_is_no_json_stays() -> None:
    from_text = put(REQUEST, Place("form", "a"), "1")
    assert put(from_text, Place("body", "a"), "1") == from_text
