"""The proof of who calls, for every way that a connector may declare."""

from base64 import b64encode
from pathlib import Path

import jwt
import pytest

from gateway.calls.authenticate import authenticated, way_of
from gateway.calls.model import Access, Rendered
from tests.calls.shop import CONFIG, HTTP, METHODS, access_to

CALL = Rendered(verb="GET", url="https://api.shop.example/v1/things/", query=(("state", "on"),))
NOW = 1_700_000_000.9


def with_auth(folder: Path, auth: str, token: str | None = None, config: dict[str, str] | None = None) -> Access:
    return access_to(folder, CONFIG + auth + HTTP + METHODS, token=token, config=config)


def proved(access: Access, call: Rendered = CALL) -> Rendered:
    found = authenticated(access, call, NOW)
    assert isinstance(found, Rendered), found
    return found


def test_a_key_goes_into_the_header_that_the_file_names(tmp_path: Path) -> None:
    access = with_auth(tmp_path, '[auth.a]\ntype = "api_key"\nname = "X-Key"\nvalue = "Token {config:key}"\n')
    call = Rendered(verb="GET", url=CALL.url, headers=(("x-key", "the caller's own"), ("A", "b")))
    assert proved(access, call).headers == (("A", "b"), ("X-Key", "Token k-1"))


def test_a_key_in_the_query_replaces_what_a_caller_put_there(tmp_path: Path) -> None:
    access = with_auth(tmp_path, '[auth.a]\ntype = "api_key"\nin = "query"\nname = "api_key"\nvalue = "{config:key}"\n')
    call = Rendered(verb="GET", url=CALL.url, query=(("api_key", "stolen"), ("state", "on")))
    assert proved(access, call).query == (("state", "on"), ("api_key", "k-1"))


@pytest.mark.parametrize(
    ("password", "key", "pair"),
    [('""', "k-1", b"k-1:"), ('"{config:user}"', "clé", "clé:ü:1".encode())],
)
def test_basic_authentication_is_utf_8(tmp_path: Path, password: str, key: str, pair: bytes) -> None:
    auth = f'[auth.a]\ntype = "basic"\nusername = "{{config:key}}"\npassword = {password}\n'
    access = with_auth(tmp_path, auth, config={"key": key, "user": "ü:1"})
    assert proved(access).headers == (("Authorization", "Basic " + b64encode(pair).decode()),)


def test_a_bearer_token_is_sent_as_it_is(tmp_path: Path) -> None:
    access = with_auth(tmp_path, '[auth.a]\ntype = "bearer"\ntoken = "{config:key}"\n')
    assert proved(access).headers == (("Authorization", "Bearer k-1"),)


def test_a_jwt_is_signed_with_the_key_and_says_what_the_file_says(tmp_path: Path) -> None:
    auth = '[auth.a]\ntype = "jwt"\nalg = "HS256"\nkey = "{config:key}"\n'
    auth += 'claims = { iss = "{config:user}", iat = "{now}" }\n'
    key = "k" * 32
    [(name, value)] = proved(with_auth(tmp_path, auth, config={"key": key, "user": "ada"})).headers
    claims = jwt.decode(value.removeprefix("Bearer "), key, algorithms=["HS256"], options={"verify_iat": False})
    assert (name, claims["iss"], int(claims["iat"])) == ("Authorization", "ada", 1_700_000_000)


def test_a_key_that_cannot_sign_is_said_and_not_told(tmp_path: Path) -> None:
    auth = '[auth.a]\ntype = "jwt"\nalg = "RS256"\nkey = "{config:key}"\nclaims = {}\n'
    found = authenticated(with_auth(tmp_path, auth, config={"key": "not a pem"}), CALL, NOW)
    assert found == "the key of a cannot be used"


OAUTH = '[auth.o]\ntype = "oauth2"\ngrant = "client_credentials"\ntoken_url = "https://shop.example/token"\n'


def test_the_token_of_a_login_is_a_bearer_token_unless_the_file_says_else(tmp_path: Path) -> None:
    assert proved(with_auth(tmp_path, OAUTH, token="t")).headers == (("Authorization", "Bearer t"),)
    placed = OAUTH + 'inject = { header = "X-Token", value = "v1 {access_token}" }\n'
    assert proved(with_auth(tmp_path, placed, token="t")).headers == (("X-Token", "v1 t"),)
    queried = OAUTH + 'inject = { query = "auth", value = "{access_token}" }\n'
    call = Rendered(verb="GET", url=CALL.url, query=(("auth", "stolen"),))
    assert proved(with_auth(tmp_path, queried, token="t"), call).query == (("auth", "t"),)


@pytest.mark.parametrize(
    "auth",
    [
        '[auth.a]\ntype = "api_key"\nname = "X-Key"\nvalue = "Token {config:key}"\n',
        '[auth.a]\ntype = "basic"\nusername = "{config:key}"\n',
        '[auth.a]\ntype = "bearer"\ntoken = "{config:key}"\n',
        '[auth.a]\ntype = "jwt"\nalg = "HS256"\nkey = "{config:key}"\nclaims = {}\n',
        OAUTH,
    ],
)
def test_what_is_missing_is_a_word_and_no_request(tmp_path: Path, auth: str) -> None:
    found = authenticated(with_auth(tmp_path, auth, config={"key": ""}), CALL, NOW)
    assert isinstance(found, str)
    assert "not configured" in found or "no access token" in found


def test_a_way_that_the_connector_does_not_have_sends_nothing_unproved(tmp_path: Path) -> None:
    access = with_auth(tmp_path, OAUTH, config={"authentication.type": "nonsense"})
    assert way_of(access) is None
    assert "no such way" in str(authenticated(access, CALL, NOW))


def test_where_nothing_has_to_be_proved_the_call_stays_as_it_is(tmp_path: Path) -> None:
    assert proved(with_auth(tmp_path, '[auth.none]\ntype = "none"\n')) == CALL
