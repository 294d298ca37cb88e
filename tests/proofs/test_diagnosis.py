"""Which check would have let a refused delivery pass, on connectors as they are shipped."""

import base64
import gzip
import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace

import pytest

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.load import load_catalogue
from gateway.catalogue.model import Connector
from gateway.proofs import diagnosis
from gateway.proofs.diagnosis import MOST_BODY, Others, compare, diagnose
from gateway.proofs.proof import Rejected
from gateway.proofs.received import Received
from gateway.proofs.verify import verify
from tests.kit import signed

CATALOGUE = load_catalogue([])
NOW = 1_760_000_000
SECRET = "6b8c1a4f9d"
KEY = "whsec_" + base64.b64encode(b"k" * 24).decode()
BODY = b'{"action":"opened","name":"M\\u00fcller/S\xc3\xb6hne","issue":{"id":7,"at":1.5}}\n'
URL = "https://gateway.example/in/t0ken"


def named(key: str) -> Connector:
    found = CATALOGUE.get(key)
    assert found is not None
    return found


@dataclass(frozen=True)
class Case:
    """A connector, what its instance has configured, and how its vendor signs here."""

    connector: str
    config: dict[str, str]
    headers: dict[str, str]
    body: bytes = BODY
    url: str = URL
    others: Others = field(default_factory=Others)

    def found(self) -> Rejected:
        """What the refusal of this delivery comes down to; it must be one."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(
            method="POST", url=self.url, query="", headers=headers, body=self.body, remote="198.51.100.7"
        )
        view, connector = ConfigView(self.config), named(self.connector)
        refused = verify(connector, view, received, NOW)
        assert isinstance(refused, Rejected)
        known = (connector, view, received, NOW, refused)
        return diagnose(*known) or compare(*known, self.others) or refused


def hub(secret: bytes = SECRET.encode(), body: bytes = BODY, name: str = "sha256", prefix: str = "sha256=") -> str:
    return prefix + hmac.digest(secret, body, name).hex()


def github(signature: str, body: bytes = BODY, secret: str = SECRET, **headers: str) -> Case:
    return Case("github", {"webhook.secret": secret}, {"X-Hub-Signature-256": signature, **headers}, body)


def slack(at: int) -> Case:
    content = f"v0:{at}:".encode() + BODY
    made = "v0=" + hmac.digest(SECRET.encode(), content, "sha256").hex()
    headers = {"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": made}
    return Case("slack", {"signing.secret": SECRET}, headers)


def square(url: str, host: str = "gateway.example") -> Case:
    made = base64.b64encode(hmac.digest(SECRET.encode(), url.encode() + BODY, "sha256")).decode()
    headers = {"X-Square-HmacSha256-Signature": made, "Host": host}
    return Case("square", {"webhook.signature.key": SECRET}, headers)


def generic(how: str, headers: dict[str, str], secret: str = KEY, **config: str) -> Case:
    usual = {"webhook.verify": how, "webhook.secret": secret, "webhook.signature.header": "x-signature"}
    return Case("generic", {**usual, "webhook.signature.encoding": "hex", **config}, headers)


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


COMPACT = json.dumps(json.loads(BODY), separators=(",", ":"), ensure_ascii=False).encode()
SPACED = json.dumps(json.loads(BODY)).encode()
SORTED = json.dumps(json.loads(BODY), separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
FORMER = Others(former={"webhook.secret": ("earlier", "former")})
OTHER = Others(instances={8: ConfigView({}), 9: ConfigView({"webhook.secret": "theirs"})})

CASES: dict[str, tuple[Case, str, str]] = {
    "an old delivery": (slack(NOW - 4000), "timestamp_stale", "4000 s behind this clock, 300 s are allowed"),
    "a vendor's clock ahead": (slack(NOW + 900), "timestamp_stale", "900 s ahead of this clock"),
    "another hash": (github(hub(name="sha1", prefix="sha1=")), "wrong_algorithm", "signed with sha1, expected sha256"),
    "another hash under the same name": (github(hub(name="sha512")), "wrong_algorithm", "signed with sha512"),
    "another rule": (
        generic("hmac", signed.standard(KEY, BODY, at=NOW)),
        "wrong_algorithm",
        "it matches the rule for webhook.verify = standard",
    ),
    "a key in hex": (github(hub(bytes.fromhex(SECRET))), "wrong_key_encoding", "the secret taken as hex"),
    "a key in base64": (
        github(hub(base64.b64decode("c2VjcmV0")), secret="c2VjcmV0"),
        "wrong_key_encoding",
        "the secret taken as base64",
    ),
    "a key whose mark is no part of it": (
        github(hub(b"k" * 24), secret=KEY),
        "wrong_key_encoding",
        "taken as base64, without 'whsec_' in front",
    ),
    "a key with its mark": (
        generic("standard", {**signed.standard(KEY, BODY, at=NOW)} | {
            "webhook-id": "m", "webhook-signature": "v1," + base64.b64encode(
                hmac.digest(KEY.encode(), f"m.{NOW}.".encode() + BODY, "sha256")).decode()}),
        "wrong_key_encoding",
        "the secret taken as text",
    ),
    "a secret with a line end": (github(hub(), secret=SECRET + "\n"), "wrong_key_encoding", "white space around it"),
    "a signature in base64": (
        github("sha256=" + base64.b64encode(hmac.digest(SECRET.encode(), BODY, "sha256")).decode()),
        "wrong_signature_encoding",
        "the signature is written in base64",
    ),
    "a signature without its mark": (
        github(hub(prefix="")),
        "wrong_signature_encoding",
        "written in hex, without 'sha256=' in front",
    ),
    "a signature with another mark": (
        github(hub(prefix="v1=")),
        "wrong_signature_encoding",
        "written in hex, with 'v1=' in front",
    ),
    "JSON that was compact": (github(hub(body=COMPACT)), "body_reencoded", "matches with its JSON written compactly;"),
    "JSON that had spaces": (github(hub(body=SPACED)), "body_reencoded", "spaces after commas and colons, and \\u"),
    "JSON in order": (github(hub(body=SORTED)), "body_reencoded", "written compactly with sorted keys"),
    "JSON with \\/": (
        github(hub(body=json.dumps(json.loads(BODY), separators=(",", ":")).replace("/", "\\/").encode())),
        "body_reencoded",
        "escapes and \\/",
    ),
    "a line end too many": (github(hub(body=BODY[:-1])), "body_reencoded", "without the line end at its end"),
    "a line end too few": (github(hub(body=b"a\n"), b"a"), "body_reencoded", "with a line end at its end"),
    "other line ends": (github(hub(body=b"a\r\nb"), b"a\nb"), "body_reencoded", "with CRLF for LF"),
    "the other other line ends": (github(hub(body=b"a\nb"), b"a\r\nb"), "body_reencoded", "with LF for CRLF"),
    "a body that was packed on the way": (
        github(hub(), gzip.compress(BODY), **{"Content-Encoding": "gzip"}),
        "body_reencoded",
        "it matches unpacked",
    ),
    "plain http": (square("http://gateway.example/in/t0ken"), "wrong_url", "http://gateway.example: check server.publ"),
    "the host that the vendor was told": (
        square("https://hooks.example:8443/in/t0ken", "hooks.example:8443"),
        "wrong_url",
        "another address, https://hooks.example:8443: check server.public_url",
    ),
    "a slash at the end": (square(URL + "/"), "wrong_url", "slash at its end"),
    "a former secret": (replace(github(hub(b"former")), others=FORMER), "old_secret", "does not count any more"),
    "another instance's secret": (
        replace(github(hub(b"theirs")), others=OTHER),
        "other_secret",
        "the secret of instance 9",
    ),
    "a token with a scheme": (
        generic("token", {"X-Signature": f"Bearer {KEY}"}), "wrong_signature_encoding", "'Bearer' in front"
    ),
    "a token with white space": (
        generic("token", {"X-Signature": KEY}, secret=f" {KEY}\n"), "wrong_key_encoding", "white space around it"
    ),
    "a former token": (
        replace(generic("token", {"X-Signature": "former"}), others=FORMER), "old_secret", "does not count any more"
    ),
    "another instance's token": (
        replace(generic("token", {"X-Signature": "theirs"}), others=OTHER), "other_secret", "of instance 9"
    ),
    "a former password": (
        replace(
            generic("basic", basic("u", "was"), **{"webhook.username": "u", "webhook.password": "is"}),
            others=Others(former={"webhook.password": ("was",)}),
        ),
        "old_secret",
        "does not count any more",
    ),
    "another instance's password": (
        replace(
            generic("basic", basic("them", "theirs"), **{"webhook.username": "u", "webhook.password": "is"}),
            others=Others(instances={3: ConfigView({"webhook.username": "them", "webhook.password": "theirs"})}),
        ),
        "other_secret",
        "of instance 3",
    ),
    "a password with white space": (
        generic("basic", basic("u", "is"), **{"webhook.username": "u", "webhook.password": "is "}),
        "wrong_key_encoding",
        "white space around it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_the_check_that_would_have_passed_is_named(what: str) -> None:
    case, check, words = CASES[what]
    found = case.found()
    assert (found.check, words in found.detail) == (check, True), found


@pytest.mark.parametrize("what", CASES)
def test_no_secret_no_signature_and_no_token_of_the_address_stands_in_the_words(what: str) -> None:
    case, _, _ = CASES[what]
    detail = case.found().detail
    hidden = [*case.config.values(), *case.headers.values(), "t0ken", "theirs", "former"]
    short = {"u", "hmac", "token", "basic", "standard", "hex", "x-signature", "gzip", "gateway.example"}
    shown = {text for text in hidden if len(text) > 2 and text not in short and text in detail}
    assert shown <= {"hooks.example:8443"}
    signatures = [text.removeprefix("sha256=") for text in case.headers.values() if "=" in text]
    assert [text for text in signatures if text in detail] == []


@pytest.mark.parametrize(
    "case",
    [
        github(hub(b"nobody's")),
        github("sha256=00"),
        github("sha256=" + "é" * 40),
        slack(NOW).__class__("slack", {"signing.secret": "other"}, slack(NOW).headers),
        square("https://elsewhere.example/"),
        generic("token", {"X-Signature": "x"}),
        generic("basic", {"Authorization": "Basic !!"}, **{"webhook.username": "u", "webhook.password": "p"}),
        github(hub(b"nobody's"), b"[" * 3000),
        github(hub(b"nobody's"), b'{"a":"\\ud800"}'),
        github(hub(b"nobody's"), b"\xff\xfe"),
        github(hub(b"nobody's"), b"\x1f\x8bnonsense", **{"Content-Encoding": "gzip, gzip, gzip"}),
    ],
)
def test_what_nothing_explains_stays_as_it_was(case: Case) -> None:
    assert case.found().check in {"signature_mismatch", "credentials_mismatch"}


def test_a_long_body_is_not_looked_into() -> None:
    body = b" " * MOST_BODY
    assert github(hub(body=body), body + b"\n").found().check == "signature_mismatch"
    assert github(hub(body=body[:-2]), body[:-2] + b"\n").found().check == "body_reencoded"


@pytest.mark.parametrize("secrets", [1, 3, 20])
def test_the_digests_are_bounded_and_some_are_kept_for_other_secrets(
    secrets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    digest = hmac.digest

    def counted(key: bytes, content: bytes, name: str) -> bytes:
        nonlocal made
        made += 1
        return digest(key, content, name)

    others = Others(instances={number: ConfigView({"webhook.secret": f"theirs{number}"}) for number in range(20)})
    listed = json.dumps([f"s{number}" for number in range(secrets)])
    case = replace(github(hub(b"theirs3"), secret=listed), others=others)
    monkeypatch.setattr(hmac, "digest", counted)
    found = case.found()
    assert made <= diagnosis.MOST_OWN + diagnosis.MOST_OTHER + secrets
    assert found.check == "other_secret"


def test_a_connector_without_proofs_that_apply_is_left_alone() -> None:
    case = generic("nothing", {"X-Signature": hashlib.sha256(BODY).hexdigest()})
    assert case.found().check == "not_configured"
