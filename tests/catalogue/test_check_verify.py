"""Proofs that prove nothing are refused when the file is read, in words that say why."""

from pathlib import Path

import pytest

from gateway.catalogue.check_verify import is_host
from tests.catalogue.connector_file import MAPPING, SECRET, problems_of

METHOD = """
[http]
base_url = "https://shop.example"
[methods.key_get]
name = "Get a key"
request = "GET /keys"
"""
HMAC = 'scheme = "hmac"\nhash = "sha256"\nsecret = "config:secret"\nsignature = "header:x-sig"\nsigned = "{raw}"\n'
PUBLIC = 'scheme = "public_key"\nalgorithm = "rsa"\nsignature = "header:x-sig"\nsigned = "{raw}"\n'
KEY = 'key = "{config:secret}"\n'
CERT = 'cert_url = "header:x-cert"\n'
HOSTS = 'cert_hosts = ["api.vendor.example"]\n'
JWT = 'scheme = "jwt"\ntoken = "header:x-token"\n'
TOKEN = 'scheme = "token"\ntoken = "header:x-token"\nsecret = "config:secret"\n'
SNS = PUBLIC.replace("{raw}", "{sns_fields}") + CERT + HOSTS


def _problems(folder: Path, rule: str) -> str:
    return problems_of(folder, METHOD + SECRET + MAPPING + "[[webhook.verify]]\n" + rule)


@pytest.mark.parametrize(
    "rule",
    [
        PUBLIC + KEY,
        PUBLIC + CERT + HOSTS,
        PUBLIC + CERT + 'cert_hosts = ["sns.*.vendor.example"]\ncert_names = ["a.b"]\ncert_chain = "system"\n',
        PUBLIC + 'key_api = "key_get"\nkey_id = "header:x-kid"\nkey_field = "a.b"\n',
        PUBLIC.replace("header:x-sig", "sig:s") + KEY + 'envelope = "header:x-sig"\n',
        JWT + 'algorithms = ["HS256"]\nsecret = "config:secret"\nreplay = "token:jti"\n',
        JWT + 'algorithms = ["ES256", "RS256"]\njwks_url = "https://k.example/"\n',
        JWT + 'algorithms = ["ES256"]\nkey_api = "key_get"\naudience = "{url}"\n',
        JWT + 'algorithms = ["HS256", "ES256"]\nsecret = "config:secret"\n' + KEY,
        HMAC.replace("header:", "item:").replace("{raw}", "{item:id}") + "per_item = true\n",
        TOKEN.replace("header:", "item:") + "per_item = true\n",
        HMAC.replace("{raw}", "{header:x-nonce}{raw}") + 'replay = "header:x-nonce"\n',
        HMAC + 'replay = "body:nonce"\n',
        HMAC.replace("{raw}", "{url}") + 'replay = "query:nonce"\n',
        HMAC + 'timestamp = "form:t"\n',
        HMAC.replace("{raw}", "{url}{form_sorted}") + 'timestamp = "form:t"\n',
        SNS + 'timestamp = "body:Timestamp"\ntimestamp_unit = "iso"\ntolerance = "1h"\n',
        HMAC.replace("{raw}", "{url}") + 'timestamp = "body:t"\nbody_digest = { value = "query:d" }\n',
    ],
)
def test_a_whole_proof_is_taken(rule: str, tmp_path: Path) -> None:
    assert _problems(tmp_path, rule) == ""


@pytest.mark.parametrize(
    ("rule", "where", "words"),
    [
        (PUBLIC, "key", "exactly one of key, key_api and cert_url"),
        (PUBLIC + KEY + CERT + HOSTS, "key", "exactly one of"),
        (PUBLIC + CERT, "cert_hosts", "is missing"),
        (PUBLIC + CERT + 'cert_hosts = ["*.example"]\n', "cert_hosts", "'*.example'"),
        (PUBLIC + CERT + 'cert_hosts = ["https://a.example"]\n', "cert_hosts", "'https://a.example'"),
        (PUBLIC + CERT + HOSTS + 'cert_chain = "system"\n', "cert_names", "is missing"),
        (PUBLIC + CERT + HOSTS + 'cert_names = [""]\n', "cert_names", "empty text"),
        (PUBLIC + KEY + HOSTS, "cert_hosts", "needs cert_url"),
        (PUBLIC + KEY + 'cert_chain = "pinned"\n', "cert_chain", "needs cert_url"),
        (PUBLIC + 'key_api = "key_get"\n', "key_id", "is missing"),
        (PUBLIC + KEY + 'key_id = "header:x-kid"\n', "key_id", "needs key_api, jwks_url or"),
        (PUBLIC + KEY + 'key_field = "key"\n', "key_field", "needs key_api or jwks_url"),
        (PUBLIC + KEY + 'hash = "md5"\n', "hash", "'md5'"),
        (PUBLIC.replace("{raw}", "{secret}{raw}") + KEY, "signed", "no {secret}"),
        (PUBLIC.replace("{raw}", "x") + KEY, "signed", "signs nothing"),
        (PUBLIC + 'key = "{header:x-key}"\n', "key", "no locator here"),
        (JWT + 'algorithms = ["ES256"]\njwks_url = "https://k.example/{header:x}"\n', "jwks_url", "no locator here"),
        (JWT + 'algorithms = ["ES256"]\naudience = "{query:aud}"\n' + KEY, "audience", "no locator here"),
        (JWT + 'algorithms = ["ES256"]\n', "key", "expected key, secret, key_api or jwks_url"),
        (JWT + 'algorithms = ["none"]\n' + KEY, "algorithms", "'none'"),
        (JWT + 'algorithms = ["HS256"]\n' + KEY, "algorithms", "a public key is no secret"),
        (JWT + 'algorithms = ["ES256"]\nsecret = "config:secret"\n', "secret", "only"),
        (JWT + 'algorithms = ["HS256", "ES256"]\nsecret = "config:secret"\n', "algorithms", "need key"),
        (JWT + 'algorithms = ["ES256"]\nreplay = "header:x"\n' + KEY, "replay", "token:jti"),
        (PUBLIC + KEY + "per_item = true\n", "per_item", "needs scheme hmac or token"),
        (HMAC.replace("header:", "item:"), "per_item", "is missing"),
        (TOKEN.replace("header:", "item:"), "per_item", "is missing"),
        (HMAC + 'per_item = true\nreplay = "body:x"\n', "replay", "cannot be combined"),
        (HMAC + 'replay = "header:x"\n', "replay", "must be part of signed"),
        (TOKEN + 'replay = "header:x"\n', "replay", "must be part of signed"),
        (TOKEN + 'envelope = "header:x"\n', "envelope", "needs one of the schemes"),
        (HMAC.replace("{raw}", "{crc32}") + 'timestamp = "body:t"\n', "timestamp", "must be part of signed"),
        (HMAC.replace("{raw}", "{form_sorted}") + 'timestamp = "body:t"\n', "timestamp", "must be part of signed"),
        (HMAC.replace("{raw}", "{url_base}") + 'timestamp = "query:t"\n', "timestamp", "must be part of signed"),
        (SNS + 'timestamp = "body:Other"\n', "timestamp", "must be part of signed"),
        (SNS + 'timestamp = "body:Timestamp ?? header:x"\n', "timestamp", "must be part of signed"),
        (HMAC + 'body_digest = { claim = "x" }\n', "body_digest.claim", "needs scheme jwt"),
        (HMAC.replace("{raw}", "{url_base}") + 'body_digest = { value = "query:d" }\n', "body_digest.value", "signed"),
    ],
)
def test_half_a_proof_is_refused(rule: str, where: str, words: str, tmp_path: Path) -> None:
    found = _problems(tmp_path, rule)
    assert f"webhook.verify[0].{where}: " in found
    assert words in found


def test_a_host_is_a_name_below_a_domain() -> None:
    for text in ("a.example", "x.a.example", "sns.*.a.example", "*.a.example", "a-b.c1.example"):
        assert is_host(text), text
    for text in ("", "*", "example", "*.example", "a.*", "a*.b.example", "A.example", "a.example.", ".a.example"):
        assert not is_host(text), text
    for text in ("a..example", "127.0.0.1", "[::1]", "a.example:443", "a.example/x", "u@a.example", "-a.b.example"):
        assert not is_host(text), text
