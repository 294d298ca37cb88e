"""The schemes, one fact at a time; vectors that others published are named."""

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.load import load_catalogue
from gateway.catalogue.model import Connector
from gateway.proofs.proof import Verdict, Wanted
from gateway.proofs.received import Received
from gateway.proofs.verify import Rejected, Verified, verify
from tests.catalogue.connector_file import MAPPING, SECRET, connector_of

NOW = 1_700_000_000
REQUEST = Received(
    method="POST", url="https://g.example/in/t", query="", headers={}, body=b'{"a":1}', remote="192.0.2.1"
)


def _connector(folder: Path, rule: str) -> Connector:
    return connector_of(folder, SECRET + MAPPING + "[[webhook.verify]]\n" + rule)


def _verdict(
    connector: Connector,
    headers: dict[str, str],
    secret: str = "s",
    now: float = NOW,
    request: Received = REQUEST,
    previous: tuple[str, ...] = (),
) -> Verdict:
    config = ConfigView({"secret": secret}, {"secret": previous})
    return verify(connector, config, replace(request, headers=headers), now)


def _check(verdict: Verdict) -> str:
    assert not isinstance(verdict, Wanted)
    return "verified" if isinstance(verdict, Verified) else verdict.check


def _hex(key: str, content: bytes, name: str = "sha256") -> str:
    return hmac.new(key.encode(), content, name).hexdigest()


PLAIN = 'scheme = "hmac"\nhash = "sha256"\nsecret = "config:secret"\nsignature = "header:x-sig"\nsigned = "{raw}"\n'


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha384", "sha512"])
def test_every_hash_is_known(name: str, tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN.replace("sha256", name))
    assert _check(_verdict(connector, {"x-sig": _hex("s", REQUEST.body, name)})) == "verified"
    assert _check(_verdict(connector, {"x-sig": _hex("t", REQUEST.body, name)})) == "signature_mismatch"


def test_slack_published_this_vector(tmp_path: Path) -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    connector = _connector(
        tmp_path,
        PLAIN.replace('"{raw}"', '"v0:{header:x-slack-request-timestamp}:{raw}"')
        + 'prefix = "v0="\ntimestamp = "header:x-slack-request-timestamp"\ntolerance = "5m"\n',
    )
    headers = {
        "x-sig": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        "x-slack-request-timestamp": "1531420618",
    }
    request = replace(REQUEST, body=body)
    assert _check(_verdict(connector, headers, "8f742231b10e8888abcd99yyyzzz85a5", 1531420618, request)) == "verified"


def test_the_hubspot_sdk_published_this_vector(tmp_path: Path) -> None:
    connector = _connector(
        tmp_path,
        PLAIN.replace('"{raw}"', '"{method}{url}{raw}{header:x-time}"')
        + 'encoding = "base64"\ntimestamp = "header:x-time"\ntimestamp_unit = "ms"\ntolerance = "5m"\n',
    )
    request = replace(REQUEST, url="https://www.example.com/webhook_uri", body=b"{'example_field':'example_value'}")
    headers = {"x-sig": "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=", "x-time": "1693657560000"}
    secret = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
    assert _check(_verdict(connector, headers, secret, 1693657560, request)) == "verified"
    ported = replace(request, url="https://www.example.com:443/webhook_uri")
    assert _check(_verdict(connector, headers, secret, 1693657560, ported)) == "verified"
    elsewhere = replace(request, url="https://www.example.com:8443/webhook_uri")
    assert _check(_verdict(connector, headers, secret, 1693657560, elsewhere)) == "signature_mismatch"


@pytest.mark.parametrize(
    ("encoding", "prefix", "secret"),
    [
        ("hex", "", "00ff10"),
        ("hex", "", "00FF10"),
        ("hex", "", " 00ff10\n"),
        ("base64", "", "AP8Q"),
        ("base64", "whsec_", "whsec_AP8Q"),
        ("base64", "whsec_", "AP8Q"),
    ],
)
def test_a_key_is_decoded_as_the_file_says(encoding: str, prefix: str, secret: str, tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN + f'secret_encoding = "{encoding}"\nsecret_prefix = "{prefix}"\n')
    signature = hmac.new(b"\x00\xff\x10", REQUEST.body, "sha256").hexdigest()
    assert _check(_verdict(connector, {"x-sig": signature}, secret)) == "verified"


@pytest.mark.parametrize(
    ("encoding", "secret"), [("hex", "xyz"), ("hex", "f"), ("base64", "@@"), ("base64", "whsec_"), ("text", "whsec_")]
)
def test_a_key_that_cannot_be_read_proves_nothing(encoding: str, secret: str, tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN + f'secret_encoding = "{encoding}"\nsecret_prefix = "whsec_"\n')
    empty = hmac.new(b"", REQUEST.body, "sha256").hexdigest()
    assert _check(_verdict(connector, {"x-sig": empty}, secret)) == "signature_mismatch"


def test_every_current_and_earlier_secret_is_tried_newest_first(tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN)
    for index, key in enumerate(["new", "old", "older"]):
        verdict = _verdict(connector, {"x-sig": _hex(key, REQUEST.body)}, '["new","old"]', previous=("older",))
        assert verdict == Verified(index)
    assert _check(_verdict(connector, {"x-sig": _hex("gone", REQUEST.body)}, '["new","old"]')) == "signature_mismatch"


def test_several_signatures_and_headers_are_candidates(tmp_path: Path) -> None:
    split = _connector(tmp_path, PLAIN + 'split = ","\nprefix = "v1="\n')
    good = _hex("s", REQUEST.body)
    assert _check(_verdict(split, {"x-sig": f"t=1, v0={good}, v1=zz, v1={good}"})) == "verified"
    assert _check(_verdict(split, {"x-sig": f"t=1,v0={good}"})) == "signature_mismatch"
    listed = _connector(tmp_path, PLAIN.replace('"header:x-sig"', '["header:x-a", "header:x-b"]'))
    assert _check(_verdict(listed, {"x-a": "00", "x-b": good})) == "verified"
    numbered = _connector(tmp_path, PLAIN.replace("header:x-sig", "header:x-sig-*"))
    assert _check(_verdict(numbered, {"x-sig-1": "00", "x-sig-2": good})) == "verified"
    assert _check(_verdict(numbered, {"x-sig": good})) == "missing_header"


def test_comparisons_are_bounded(tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN + 'split = ","\n')
    good, bad = _hex("s", REQUEST.body), "00" * 32
    assert _check(_verdict(connector, {"x-sig": ",".join([bad] * 255 + [good])})) == "verified"
    assert _check(_verdict(connector, {"x-sig": ",".join([bad] * 256 + [good])})) == "signature_mismatch"
    assert _check(_verdict(connector, {"x-sig": ",".join([bad] * 255 + [good])}, '["a","s"]')) == "signature_mismatch"


@pytest.mark.parametrize(
    "text", ["", "zz", "é", "\udcff", "a" * 63, " ", "0x00", "\x00", "=", "====", "a b", "%00", "0" * 100_000]
)
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_signature_that_cannot_be_read_is_no_match(encoding: str, text: str, tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN + f'encoding = "{encoding}"\n')
    assert isinstance(_verdict(connector, {"x-sig": text}), Rejected)


def test_base64_counts_only_as_an_encoder_writes_it(tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN + 'encoding = "base64"\n')
    good = base64.b64encode(hmac.new(b"s", REQUEST.body, "sha256").digest()).decode()
    other = good[:-2] + chr(ord(good[-2]) + 1) + "="
    assert base64.b64decode(other) == base64.b64decode(good) or good[-2] == "z"
    assert _check(_verdict(connector, {"x-sig": good})) == "verified"
    assert _check(_verdict(connector, {"x-sig": other})) == "signature_mismatch"


@pytest.mark.parametrize(
    ("unit", "text", "check"),
    [
        ("s", str(NOW), "verified"),
        ("s", f"{NOW}.5", "verified"),
        ("s", str(NOW - 300), "verified"),
        ("s", str(NOW + 300), "verified"),
        ("s", str(NOW - 301), "timestamp_stale"),
        ("s", str(NOW + 301), "timestamp_stale"),
        ("s", str(NOW * 1000), "timestamp_missing"),
        ("s", "-1", "timestamp_stale"),
        ("ms", str(NOW * 1000), "verified"),
        ("ms", str(NOW), "timestamp_stale"),
        ("iso", "2023-11-14T22:13:20Z", "verified"),
        ("iso", "2023-11-14T23:13:20+01:00", "verified"),
        ("iso", "2023-11-14T23:13:20Z", "timestamp_stale"),
        ("s", "", "timestamp_missing"),
        ("s", "now", "timestamp_missing"),
        ("s", "NaN", "timestamp_missing"),
        ("s", "1e9", "timestamp_missing"),
        ("s", "٣", "timestamp_missing"),
        ("iso", "9999-12-31T23:59:59-23:00", "timestamp_missing"),
        ("iso", "0001-01-01T00:00:00+23:00", "timestamp_missing"),
    ],
)
def test_a_time_counts_within_its_tolerance_both_ways(unit: str, text: str, check: str, tmp_path: Path) -> None:
    connector = _connector(
        tmp_path,
        PLAIN.replace("{raw}", "{header:x-time}.{raw}")
        + f'timestamp = "header:x-time"\ntimestamp_unit = "{unit}"\ntolerance = "5m"\n',
    )
    content = text.encode() + b"." + REQUEST.body
    assert _check(_verdict(connector, {"x-sig": _hex("s", content), "x-time": text})) == check


def test_a_time_in_the_signature_header_is_found(tmp_path: Path) -> None:
    rule = (
        PLAIN.replace("{raw}", "{sig:t}.{raw}") + 'split = ","\nprefix = "v1="\ntimestamp = "sig:t"\ntolerance = "5m"\n'
    )
    connector = _connector(tmp_path, rule)
    good = _hex("s", f"{NOW}.".encode() + REQUEST.body)
    assert _check(_verdict(connector, {"x-sig": f"t={NOW},v1={good}"})) == "verified"
    assert _check(_verdict(connector, {"x-sig": f"t={NOW + 1},v1={good}"})) == "signature_mismatch"
    assert _check(_verdict(connector, {"x-sig": f"v1={good}"})) == "timestamp_missing"


def test_a_plain_hash_holds_the_secret(tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN.replace("hmac", "digest").replace("{raw}", "{secret}{method}{url}{raw}"))
    good = hashlib.sha256(b"sPOSThttps://g.example/in/t" + REQUEST.body).hexdigest()
    assert _check(_verdict(connector, {"x-sig": good})) == "verified"
    assert _check(_verdict(connector, {"x-sig": good}, "t")) == "signature_mismatch"
    assert _check(_verdict(connector, {"x-sig": good}, "")) == "missing_secret"


def test_a_body_digest_binds_the_body_to_a_signed_address(tmp_path: Path) -> None:
    rule = PLAIN.replace("{raw}", "{url}") + 'body_digest = { hash = "sha256", value = "query:bodySHA256" }\n'
    connector = _connector(tmp_path, rule)
    digest = hashlib.sha256(REQUEST.body).hexdigest()
    query = f"bodySHA256={digest}"
    request = replace(REQUEST, url=f"https://g.example/in/t?{query}", query=query)
    headers = {"x-sig": _hex("s", request.url.encode())}
    assert _check(_verdict(connector, headers, request=request)) == "verified"
    assert _check(_verdict(connector, headers, request=replace(request, body=b"{}"))) == "body_digest_mismatch"
    assert _check(_verdict(connector, headers, request=replace(request, query=""))) == "missing_header"


def test_a_signature_may_stand_in_the_body_and_a_gzip_body_holds_none(tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN.replace("header:x-sig", "body:sig").replace("{raw}", "{body:time}"))
    body = b'{"time":"5","sig":"' + _hex("s", b"5").encode() + b'"}'
    assert _check(_verdict(connector, {}, request=replace(REQUEST, body=body))) == "verified"
    assert _check(_verdict(connector, {}, request=replace(REQUEST, body=b"\x1f\x8b"))) == "missing_header"


TOKEN = 'scheme = "token"\ntoken = "header:x-token"\nsecret = "config:secret"\n'


@pytest.mark.parametrize(
    ("headers", "check"),
    [
        ({"x-token": "s"}, "verified"),
        ({"x-token": "S"}, "credentials_mismatch"),
        ({"x-token": "s "}, "credentials_mismatch"),
        ({"x-token": "\udcff"}, "credentials_mismatch"),
        ({"x-token": ""}, "missing_header"),
        ({}, "missing_header"),
    ],
)
def test_a_token_is_compared_whole(headers: dict[str, str], check: str, tmp_path: Path) -> None:
    assert _check(_verdict(_connector(tmp_path, TOKEN), headers)) == check


def test_a_token_may_stand_behind_a_word(tmp_path: Path) -> None:
    connector = _connector(tmp_path, TOKEN + 'prefix = "Bearer "\n')
    assert _check(_verdict(connector, {"x-token": "Bearer s"})) == "verified"
    assert _check(_verdict(connector, {"x-token": "s"})) == "credentials_mismatch"


def _basic(text: bytes) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text).decode()}


@pytest.mark.parametrize(
    ("headers", "check"),
    [
        (_basic(b"u:s"), "verified"),
        ({"authorization": "bAsIc  dTpz"}, "verified"),
        (_basic(b"u:s:"), "credentials_mismatch"),
        (_basic(b"v:s"), "credentials_mismatch"),
        (_basic(b"us"), "credentials_mismatch"),
        ({"authorization": "Basic %"}, "credentials_mismatch"),
        ({"authorization": "Bearer dTpz"}, "credentials_mismatch"),
        ({"authorization": "Basic"}, "credentials_mismatch"),
        ({"authorization": "Basic \udcff"}, "credentials_mismatch"),
        ({}, "missing_header"),
    ],
)
def test_basic_credentials_are_compared_whole(headers: dict[str, str], check: str, tmp_path: Path) -> None:
    user = '[[config]]\nkey = "user"\nname = "User"\ndefault = "u"\n'
    rule = '[[webhook.verify]]\nscheme = "basic"\nusername = "config:user"\npassword = "config:secret"\n'
    connector = connector_of(tmp_path, user + SECRET + MAPPING + rule)
    assert _check(_verdict(connector, headers)) == check
    assert _check(_verdict(connector, headers, secret="")) in ("missing_secret", "missing_header")


def test_what_only_names_an_object_is_no_more_than_a_question_to_the_vendor(tmp_path: Path) -> None:
    text = '[http]\nbase_url = "https://shop.example"\n[methods.get]\nname = "Get"\nrequest = "GET /things/{id}"\n'
    rule = '[[webhook.verify]]\nscheme = "api_confirm"\nmethod = "get"\nkey_id = "header:x-id"\n'
    connector = connector_of(tmp_path, text + MAPPING + rule)
    assert _check(_verdict(connector, {})) == "missing_header"
    verdict = _verdict(connector, {"x-id": "7"})
    assert isinstance(verdict, Wanted)
    assert (verdict.source.kind, verdict.source.where) == ("object", "get:7")


def test_the_fields_of_one_rule_s_signature_are_not_those_of_another(tmp_path: Path) -> None:
    rule = (
        PLAIN.replace("{raw}", "{sig:t}.{raw}") + 'split = ","\nprefix = "v1="\ntimestamp = "sig:t"\ntolerance = "5m"\n'
    )
    connector = _connector(tmp_path, rule + "[[webhook.verify]]\n" + rule.replace("x-sig", "x-other"))
    good = _hex("s", f"{NOW}.".encode() + REQUEST.body)
    headers = {"x-sig": f"t={NOW - 9},v1={good}", "x-other": f"t={NOW},v1={good}"}
    assert _check(_verdict(connector, headers)) == "verified"


def test_a_header_of_a_mebibyte_is_no_match(tmp_path: Path) -> None:
    split = _connector(tmp_path, PLAIN + 'split = ","\nprefix = "v1="\n')
    for text in ("a" * (1 << 20), "v1=" + "a" * (1 << 20), "," * (1 << 20), "v1=00," * (1 << 18)):
        assert _check(_verdict(split, {"x-sig": text})) == "signature_mismatch"


def test_of_three_hundred_signatures_only_so_many_are_compared(tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN + 'split = ","\n')
    assert _check(_verdict(connector, {"x-sig": ",".join(["00" * 32] * 300)})) == "signature_mismatch"


def test_any_rule_that_applies_may_pass(tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN + "[[webhook.verify]]\n" + TOKEN)
    assert _check(_verdict(connector, {"x-token": "s"})) == "verified"
    assert _check(_verdict(connector, {"x-sig": _hex("s", REQUEST.body)})) == "verified"
    assert _check(_verdict(connector, {"x-token": "t"})) == "credentials_mismatch"
    assert _check(_verdict(connector, {})) == "missing_header"


def test_addresses_may_be_pinned(tmp_path: Path) -> None:
    connector = _connector(tmp_path, TOKEN + 'networks = ["192.0.2.0/24", "2001:db8::/32"]\n')
    for remote, check in (
        ("192.0.2.9", "verified"),
        ("::ffff:192.0.2.9", "verified"),
        ("2001:db8::1", "verified"),
        ("198.51.100.1", "network_mismatch"),
        ("somewhere", "network_mismatch"),
    ):
        assert _check(_verdict(connector, {"x-token": "s"}, request=replace(REQUEST, remote=remote))) == check


def test_without_a_rule_that_applies_nothing_passes(tmp_path: Path) -> None:
    generic = load_catalogue([]).get("generic")
    assert generic is not None
    unknown = verify(generic, ConfigView({"webhook.verify": "nothing"}), REQUEST, NOW)
    assert _check(unknown) == "not_configured"
    assert _check(verify(connector_of(tmp_path, ""), ConfigView({}), REQUEST, NOW)) == "not_configured"


def test_a_refusal_gives_nothing_away(tmp_path: Path) -> None:
    connector = _connector(tmp_path, PLAIN)
    verdict = _verdict(connector, {"x-sig": "00"}, "very secret")
    assert isinstance(verdict, Rejected)
    assert "very secret" not in repr(verdict)
    assert _hex("very secret", REQUEST.body) not in repr(verdict)


SHIPPED = load_catalogue([])
GITHUB = SHIPPED.get("github")
GENERIC = SHIPPED.get("generic")


@given(body=st.binary(max_size=200), secret=st.text(min_size=1, max_size=40), data=st.data())
def test_tampering_anywhere_is_rejected(body: bytes, secret: str, data: st.DataObject) -> None:
    assert GITHUB is not None
    config = ConfigView({"webhook.secret": secret})
    keys = config.secrets("webhook.secret")
    if not keys:
        return
    signature = "sha256=" + hmac.new(keys[0].encode("utf-8", "surrogatepass"), body, "sha256").hexdigest()
    good = replace(REQUEST, body=body, headers={"x-hub-signature-256": signature})
    assert verify(GITHUB, config, good, NOW) == Verified(0)
    at = data.draw(st.integers(0, len(signature) - 1))
    other = data.draw(st.characters().filter(lambda c: c.lower() != signature[at]))
    forged = signature[:at] + other + signature[at + 1 :]
    changed = data.draw(st.binary(max_size=200).filter(lambda b: b != body))
    assert isinstance(verify(GITHUB, config, replace(good, headers={"x-hub-signature-256": forged}), NOW), Rejected)
    assert isinstance(verify(GITHUB, config, replace(good, body=changed), NOW), Rejected)


@given(
    st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()), st.binary()
)
def test_nothing_that_comes_makes_verification_fail(headers: dict[str, str], body: bytes) -> None:
    assert GENERIC is not None
    config = ConfigView({"webhook.secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})
    assert isinstance(verify(GENERIC, config, replace(REQUEST, headers=headers, body=body), NOW), Rejected)
