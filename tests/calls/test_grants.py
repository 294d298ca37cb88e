"""Logins as requests and answers, checked against the standards and a real authorization server."""

from base64 import b64decode
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.calls import grants
from gateway.calls.grants import Denied, Tokens
from gateway.calls.model import Access, Rendered
from gateway.calls.perform import Called, Calls, Manner
from gateway.catalogue.call_model import OAuth
from tests.calls.shop import CONFIG, HTTP, METHODS, access_to
from tests.vendors import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Vendor

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CODE = """
[auth.o]
type = "oauth2"
grant = "authorization_code"
authorize_url = "{config:auth.url}/oauth2/authorize/"
token_url = "{config:auth.url}/oauth2/token/"
scopes = ["all.full_access", "offline_access"]
authorize_params = { prompt = "consent" }
"""
MACHINE = """
[auth.o]
type = "oauth2"
grant = "client_credentials"
client_auth = "basic"
token_url = "{config:auth.url}/oauth2/token/"
scopes = ["all.full_access"]
"""
SESSION = """
[auth.o]
type = "session"
request = "POST /session/login/"
body = { user = "{config:user}", password = "{config:key}" }
token = "session.token"
expires = "body:session.expires_in"
"""
CLIENT = {"oauth.api.key": CLIENT_ID, "oauth.api.secret": CLIENT_SECRET, "oauth.callback.url": REDIRECT_URI}
MANNER = Manner(patience_s=0.0, timeout_s=5.0)


def access_by(folder: Path, auth: str, url: str = "https://shop.example", **config: str) -> Access:
    values = {**CLIENT, "auth.url": url, "base.url": url, **config}
    return access_to(folder, CONFIG + auth + HTTP + METHODS, config=values)


def oauth_of(access: Access) -> OAuth:
    oauth = access.connector.auth["o"].oauth
    assert oauth is not None
    return oauth


async def asked(calls: Calls, access: Access, request: Rendered) -> Tokens | Denied:
    async with calls.sent(access, request, MANNER) as outcome:
        assert isinstance(outcome, Called), outcome
        way = access.connector.auth["o"]
        return grants.tokens(access, way, outcome.status, outcome.headers, outcome.body or b"")


def test_the_challenge_is_that_of_rfc_7636() -> None:
    assert grants.challenge(VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_address_to_agree_at_holds_all_that_the_standard_asks_for(tmp_path: Path) -> None:
    access = access_by(tmp_path, CODE)
    url = grants.authorize_url(access, oauth_of(access), state="a&b=c", verifier=VERIFIER)
    assert url.startswith("https://shop.example/oauth2/authorize/?")
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "all.full_access offline_access",
        "state": "a&b=c",
        "code_challenge": grants.challenge(VERIFIER),
        "code_challenge_method": "S256",
        "prompt": "consent",
    }


def test_an_instance_may_ask_for_other_scopes_and_no_state(tmp_path: Path) -> None:
    access = access_by(tmp_path, CODE, **{"oauth.scope": "read"})
    query = parse_qs(urlsplit(grants.authorize_url(access, oauth_of(access), state=None, verifier=VERIFIER)).query)
    assert query["scope"] == ["read"]
    assert "state" not in query


async def test_a_code_becomes_tokens_with_its_verifier_and_refreshing_counts_once(
    tmp_path: Path, there: Vendor, calls: Calls
) -> None:
    access = access_by(tmp_path, CODE, there.url)
    oauth = oauth_of(access)
    back = there.oauth.agree(grants.authorize_url(access, oauth, state="s", verifier=VERIFIER))
    first = await asked(calls, access, grants.code_exchange(access, oauth, back["code"], VERIFIER))
    assert isinstance(first, Tokens)
    assert there.oauth.is_valid(first.access)
    assert first.expires_s == 3600
    assert first.refresh is not None
    second = await asked(calls, access, grants.refreshing(access, oauth, first.refresh))
    assert isinstance(second, Tokens)
    assert second.refresh not in (None, first.refresh)
    spent = await asked(calls, access, grants.refreshing(access, oauth, first.refresh))
    assert isinstance(spent, Denied)
    assert spent.kind == "reauth"


@pytest.mark.parametrize("verifier", ["x" * 43, ""])
async def test_a_code_without_the_right_verifier_is_nothing(
    tmp_path: Path, there: Vendor, calls: Calls, verifier: str
) -> None:
    access = access_by(tmp_path, CODE, there.url)
    back = there.oauth.agree(grants.authorize_url(access, oauth_of(access), state="s", verifier=VERIFIER))
    found = await asked(calls, access, grants.code_exchange(access, oauth_of(access), back["code"], verifier))
    assert isinstance(found, Denied)
    assert found.kind == "reauth"


async def test_an_application_speaks_for_itself(tmp_path: Path, there: Vendor, calls: Calls) -> None:
    access = access_by(tmp_path, MACHINE, there.url)
    found = await asked(calls, access, grants.client_credentials(access, oauth_of(access)))
    assert isinstance(found, Tokens)
    assert there.oauth.is_valid(found.access)
    assert there.oauth.given == {"client_credentials": 1}


async def test_a_session_is_a_login_with_its_own_words(tmp_path: Path, there: Vendor, calls: Calls) -> None:
    access = access_by(tmp_path, SESSION, there.url, user="ada", key="secret")
    login = access.connector.auth["o"].session
    assert login is not None
    found = await asked(calls, access, grants.session(access, login))
    assert isinstance(found, Tokens)
    assert found.expires_s == 3600
    there.oauth.users.clear()
    refused = await asked(calls, access, grants.session(access, login))
    assert refused == Denied("reauth", "wrong user or password")


def test_client_credentials_in_a_header_are_encoded_as_forms_are(tmp_path: Path) -> None:
    access = access_by(tmp_path, MACHINE, **{"oauth.api.key": "a:b c", "oauth.api.secret": "ü%"})
    request = grants.client_credentials(access, oauth_of(access))
    proof = dict(request.headers)["Authorization"].removeprefix("Basic ")
    assert b64decode(proof) == b"a%3Ab+c:%C3%BC%25"
    assert dict(parse_qsl(request.body.decode())) == {"grant_type": "client_credentials", "scope": "all.full_access"}


def test_a_token_request_may_be_json(tmp_path: Path) -> None:
    access = access_by(tmp_path, CODE + 'body_format = "json"\n')
    request = grants.refreshing(access, oauth_of(access), "r")
    assert ("Content-Type", "application/json") in request.headers
    assert orjson.loads(request.body)["refresh_token"] == "r"


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, {"error": "invalid_grant", "error_description": "gone"}, "reauth", "gone"),
        (400, {"error": "temporarily_unavailable"}, "unavailable", "temporarily_unavailable"),
        (401, {"error": "invalid_client"}, "reauth", "invalid_client"),
        (403, None, "reauth", "status 403"),
        (200, {"ok": False, "error": "invalid_code"}, "reauth", "invalid_code"),
        (200, {"access_token": ""}, "unavailable", "the answer holds no token"),
        (200, {"access_token": {"a": 1}}, "unavailable", "the answer holds no token"),
        (200, None, "unavailable", "the answer holds no token"),
        (302, None, "unavailable", "status 302"),
        (429, {"error": "slow_down"}, "unavailable", "slow_down"),
        (500, {"error": "server_error"}, "unavailable", "server_error"),
        (503, None, "unavailable", "status 503"),
        (400, {"error": {"message": "x"}}, "reauth", "status 400"),
    ],
)
def test_only_what_a_person_can_help_with_asks_for_one(
    tmp_path: Path, status: int, body: object, kind: str, message: str
) -> None:
    access = access_by(tmp_path, CODE)
    raw = b"<html>" if body is None else orjson.dumps(body)
    found = grants.tokens(access, access.connector.auth["o"], status, {}, raw)
    assert isinstance(found, Denied)
    assert (found.kind, found.message) == (kind, message)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("3600", 3600.0), (3600, 3600.0), (0.5, 0.5), (0, None), (-1, None), ("nan", None), (1e300, None), ("soon", None)],
)
def test_an_end_that_makes_no_sense_is_none(tmp_path: Path, given: object, expected: float | None) -> None:
    access = access_by(tmp_path, CODE)
    raw = orjson.dumps({"access_token": "t", "expires_in": given})
    found = grants.tokens(access, access.connector.auth["o"], 200, {}, raw)
    assert isinstance(found, Tokens)
    assert (found.expires_s, found.refresh) == (expected, None)


def test_what_else_a_login_tells_is_kept(tmp_path: Path) -> None:
    access = access_by(tmp_path, CODE + 'save = { "user" = "instance_url" }\nexpires = "never"\n')
    raw = orjson.dumps({"access_token": "t", "expires_in": 1, "instance_url": "https://eu.shop.example"})
    found = grants.tokens(access, access.connector.auth["o"], 200, {}, raw)
    assert found == Tokens(access="t", expires_s=None, saved={"user": "https://eu.shop.example"})


@given(st.binary(max_size=200), st.sampled_from([200, 302, 400, 401, 500]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_answer_is_tokens_or_a_refusal(shop: Access, raw: bytes, status: int) -> None:
    assert isinstance(grants.tokens(shop, shop.connector.auth["basic"], status, {}, raw), Denied)
