"""Credentials from the first address to the last refusal, as callers of the wire see them."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.calls.model import Access
from gateway.provisioning.credentials import NO_CODE
from tests.kit.gateway import Answered, Gateway
from tests.kit.logins import brought, knowing, standing, values, view
from tests.vendors import API_KEY, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Vendor, vendor
from tests.vendors.arrived import BODY

OC = "/elements/api-v2"


@pytest.fixture
async def there() -> Any:
    async with vendor() as found:
        yield found


@pytest.fixture
async def gateway(tmp_path: Path) -> Any:
    async with knowing(tmp_path) as found:
        yield found


def asking(there: Vendor, **more: str) -> dict[str, str]:
    return {"apiKey": CLIENT_ID, "callbackUrl": REDIRECT_URI, "site": there.url, "state": "s-1", **more}


async def code(gateway: Gateway, there: Vendor, connector: str = "vend-code") -> str:
    """A code, from a person who was sent to the vendor."""
    answered = await gateway.call("GET", f"/elements/{connector}/oauth/url", params=asking(there))
    assert answered.status == 200, answered.body
    back = there.oauth.agree(answered.json["oauthUrl"])
    assert back["state"] == "s-1"
    return back["code"]


async def create(gateway: Gateway, connector: str, configuration: dict[str, Any], **more: Any) -> Answered:
    body = {"element": {"key": connector}, "name": "mine", "configuration": configuration, **more}
    return await gateway.call("POST", "/instances", json=body)


def refused(answered: Answered, status: int = 400) -> dict[str, Any]:
    assert answered.status == status, answered.body
    body: dict[str, Any] = answered.json
    return body


async def test_a_person_agrees_and_the_code_becomes_an_instance(gateway: Gateway, there: Vendor) -> None:
    made = await create(gateway, "vend-code", values(there), providerData={"code": await code(gateway, there)})
    assert made.status == 200, made.body
    assert made.json["valid"] is True
    assert "providerData" not in made.json
    assert made.json["configuration"]["oauth.user.token"] == "********"
    assert there.to("/api/v1/me/")[-1].headers["Authorization"].startswith("Bearer ")
    assert (await standing(gateway, made.json["id"]))["state"] == "good"


@pytest.mark.parametrize("prefix", ["", OC])
@pytest.mark.parametrize("form", ["query", "json", "form"])
async def test_the_address_is_made_from_a_query_json_or_a_form(
    gateway: Gateway, there: Vendor, prefix: str, form: str
) -> None:
    path, wanted = f"{prefix}/elements/vend-code/oauth/url", asking(there, scope="one two", apiSecret="hush-hush")
    options: dict[str, Any] = {"json": {"json": wanted}, "form": {"data": wanted}}.get(form, {"params": wanted})
    answered = await gateway.call("GET" if form == "query" else "POST", path, **options)
    assert answered.status == 200, answered.body
    assert answered.json["element"] == "vend-code"
    url = answered.json["oauthUrl"]
    assert url.startswith(f"{there.url}/oauth2/authorize/?response_type=code&client_id={CLIENT_ID}&redirect_uri=")
    assert "scope=one%20two" in url
    assert "code_challenge_method=S256" in url
    assert "hush" not in url


async def test_what_an_address_lacks_is_named(gateway: Gateway) -> None:
    message = refused(await gateway.call("GET", "/elements/vend-code/oauth/url"))["message"]
    for name in ("apiKey", "callbackUrl", "site"):
        assert f"{name}: is" in message


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"callbackUrl": "javascript:alert(1)"}, "callbackUrl"),
        ({"state": "a\nb"}, "state"),
        ({"sight": "x"}, "did you mean site?"),
        ({"apiKey": "k" * 5000}, "apiKey"),
        ({"authentication.type": "session"}, "no login with OAuth"),
    ],
)
async def test_a_parameter_of_an_address_that_does_not_fit_is_refused(
    gateway: Gateway, there: Vendor, wrong: dict[str, str], named: str
) -> None:
    answered = await gateway.call("GET", "/elements/vend-code/oauth/url", params={**asking(there), **wrong})
    assert named in refused(answered)["message"]


async def test_a_customers_own_address_goes_where_the_login_needs_it(gateway: Gateway) -> None:
    own = {"apiKey": "k", "callbackUrl": "http://localhost:3000/back"}
    for given in ({"shop": "acme"}, {"siteAddress": "acme"}, {"siteAddress": "https://acme.myshopify.com/"}):
        answered = await gateway.call("GET", "/elements/shopify/oauth/url", params={**own, **given})
        assert answered.status == 200, answered.body
        assert answered.json["oauthUrl"].startswith("https://acme.myshopify.com/admin/oauth/authorize?")
    assert "shop" in refused(await gateway.call("GET", "/elements/shopify/oauth/url", params=own))["message"]
    strange = {**own, "siteAddress": "evil.example/x?"}
    refused(await gateway.call("GET", "/elements/shopify/oauth/url", params=strange))


async def test_an_element_without_oauth_has_no_address(gateway: Gateway) -> None:
    params = {"apiKey": "k", "callbackUrl": REDIRECT_URI}
    assert "OAuth" in refused(await gateway.call("GET", "/elements/stripe/oauth/url", params=params))["message"]


@pytest.mark.parametrize("body", [b"[1]", b'{"apiKey": 7}', b"{", b'"x"'])
async def test_a_body_for_an_address_that_cannot_be_read_is_refused(gateway: Gateway, body: bytes) -> None:
    refused(await gateway.call("POST", "/elements/vend-code/oauth/url", data=body))


async def test_the_ways_to_authenticate_are_listed_with_what_each_asks(gateway: Gateway) -> None:
    found = (await gateway.call("GET", f"{OC}/elements/vend-code/authentication-types")).json
    assert [(one["id"], one["type"], one["default"]) for one in found][:2] == [
        ("code", "oauth2", True),
        ("key", "basic", False),
    ]
    path = "/elements/vend-code/authentication-types"
    asked = {one["key"] for one in (await gateway.call("GET", f"{path}/session/configurations")).json}
    assert {"user", "password", "site"} <= asked
    assert not {"oauth.api.key", "api.key"} & asked
    refused(await gateway.call("GET", f"{path}/saml/configurations"), 404)


async def test_a_missing_code_is_told_in_the_words_of_the_wire(gateway: Gateway, there: Vendor) -> None:
    assert refused(await create(gateway, "vend-code", values(there)))["message"] == NO_CODE
    assert NO_CODE == "You must provide an OAuth code in order to create an instance of this element"


@pytest.mark.parametrize("wrong", ["", "x" * 5000, "a\nb", 7, ["a"]])
async def test_a_code_that_is_none_is_refused(gateway: Gateway, there: Vendor, wrong: Any) -> None:
    refused(await create(gateway, "vend-code", values(there), providerData={"code": wrong}))


async def test_a_code_that_the_vendor_refuses_makes_no_instance(gateway: Gateway, there: Vendor) -> None:
    answered = refused(await create(gateway, "vend-code", values(there), providerData={"code": "made-up-code"}))
    assert "refuses the login" in answered["message"]
    assert answered["providerMessage"] == "invalid_grant"
    assert (await gateway.call("GET", "/instances/count")).json["totalInstances"] == 0


async def test_a_code_counts_once(gateway: Gateway, there: Vendor) -> None:
    once = await code(gateway, there)
    assert (await create(gateway, "vend-code", values(there), providerData={"code": once})).status == 200
    refused(await create(gateway, "vend-code", values(there), providerData={"code": once}))


async def test_tokens_can_be_brought_along(gateway: Gateway, there: Vendor) -> None:
    made = await brought(gateway, there)
    found = (await gateway.call("GET", f"/instances/{made}")).json
    assert found["externalAuthentication"] == "initial"
    assert found["valid"] is True
    refresh_time = (await view(gateway, made)).config.get("oauth.user.refresh_time")
    assert refresh_time is not None
    assert refresh_time.isdigit()


async def test_a_refresh_token_alone_is_enough(gateway: Gateway, there: Vendor) -> None:
    _, refresh = there.oauth.issue()
    own = values(there) | {"oauth.user.refresh_token": refresh}
    made = await create(gateway, "vend-code", own, externalAuthentication="initial")
    assert (made.status, made.json["valid"]) == (200, True)
    assert there.oauth.given == {"refresh_token": 1}


async def test_an_ended_token_is_no_obstacle_where_its_refresh_token_counts(gateway: Gateway, there: Vendor) -> None:
    _, refresh = there.oauth.issue()
    own = values(there) | {"oauth.user.token": "over-and-done", "oauth.user.refresh_token": refresh}
    made = await create(gateway, "vend-code", own, externalAuthentication="initial")
    assert (made.status, made.json["valid"]) == (200, True)
    own["oauth.user.refresh_token"] = "over-as-well"
    answered = await create(gateway, "vend-code", own, externalAuthentication="initial")
    assert "refuses these credentials" in refused(answered)["message"]


async def test_a_client_secret_can_be_corrected_while_the_token_is_over(gateway: Gateway, there: Vendor) -> None:
    made = await brought(gateway, there)
    there.oauth.expire()
    path = f"/instances/{made}"
    for secret in ("wrong-secret", CLIENT_SECRET):
        answered = await gateway.call("PATCH", path, json={"configuration": {"oauth.api.secret": secret}})
        assert answered.status == 200, answered.body
        assert answered.json["valid"] is False
    seen = await view(gateway, made)
    access = await gateway.running.services.vendors.tokens.access(seen, failed=seen.config.get("oauth.user.token"))
    assert isinstance(access, Access)
    assert (await gateway.call("GET", path)).json["valid"] is True


async def test_tokens_that_are_announced_and_do_not_come_are_missed(gateway: Gateway, there: Vendor) -> None:
    answered = await create(gateway, "vend-code", values(there), externalAuthentication="initial")
    assert "oauth.user.token" in refused(answered)["message"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_new_code_keeps_id_and_token(gateway: Gateway, there: Vendor, method: str) -> None:
    first = await create(gateway, "vend-code", values(there), providerData={"code": await code(gateway, there)})
    there.oauth.expire()
    there.oauth.forget_refresh_tokens()
    body: dict[str, Any] = {"providerData": {"code": await code(gateway, there)}}
    if method == "PUT":
        whole = (await gateway.call("GET", f"/instances/{first.json['id']}")).json
        body |= {"name": "mine", "configuration": whole["configuration"]}
    answered = await gateway.call(method, f"/instances/{first.json['id']}", json=body)
    assert answered.status == 200, answered.body
    assert (answered.json["id"], answered.json["token"]) == (first.json["id"], first.json["token"])
    assert answered.json["valid"] is True
    token = (await view(gateway, first.json["id"])).config.get("oauth.user.token")
    assert token is not None
    assert there.oauth.is_valid(token)


async def test_a_whole_instance_that_is_sent_back_keeps_its_login(gateway: Gateway, there: Vendor) -> None:
    made = await brought(gateway, there)
    before = (await view(gateway, made)).config.get("oauth.user.refresh_token")
    whole = (await gateway.call("GET", f"/instances/{made}")).json
    for body in (whole | {"tags": ["a"]}, {"name": "n", "configuration": values(there)}):
        answered = await gateway.call("PUT", f"/instances/{made}", json=body)
        assert answered.status == 200, answered.body
    assert (await view(gateway, made)).config.get("oauth.user.refresh_token") == before
    assert there.oauth.given == {}


async def test_a_key_that_the_vendor_refuses_makes_no_instance(gateway: Gateway, there: Vendor) -> None:
    answered = refused(await create(gateway, "vend-key", {"site": there.url, "api.key": "api_wrong.0123456789"}))
    assert answered["message"] == "Vend vend-key refuses these credentials."
    assert answered["providerMessage"]
    assert (await gateway.call("GET", "/instances/count")).json["totalInstances"] == 0


async def test_a_changed_key_is_tried_and_the_former_one_stays_where_it_is_refused(
    gateway: Gateway, there: Vendor
) -> None:
    made = (await create(gateway, "vend-key", {"site": there.url, "api.key": API_KEY})).json
    path, before = f"/instances/{made['id']}", len(there.requests)
    refused(await gateway.call("PATCH", path, json={"configuration": {"api.key": "api_wrong.0123456789"}}))
    assert (await view(gateway, made["id"])).config.get("api.key") == API_KEY
    assert (await gateway.call("GET", path)).json["valid"] is True
    assert len(there.requests) == before + 1
    assert (await gateway.call("PATCH", path, json={"name": "other"})).status == 200
    assert len(there.requests) == before + 1


async def test_a_vendor_that_cannot_be_reached_makes_an_instance_that_is_not_valid(gateway: Gateway) -> None:
    made = await create(gateway, "vend-key", {"site": "http://127.0.0.1:9", "api.key": "anything"})
    assert made.status == 200, made.body
    assert made.json["valid"] is False
    told = await standing(gateway, made.json["id"])
    assert told["state"] == "unchecked"
    assert "127.0.0.1" in told["reason"]
    listed = (await gateway.call("GET", "/instances")).json
    assert [one["valid"] for one in listed] == [False]


async def test_a_vendor_in_trouble_makes_an_instance_that_is_not_valid(gateway: Gateway, there: Vendor) -> None:
    there.always(_failing, on="/api/v1/me/")
    made = await create(gateway, "vend-key", {"site": there.url, "api.key": API_KEY})
    assert (made.status, made.json["valid"]) == (200, False)
    assert (await standing(gateway, made.json["id"]))["state"] == "unchecked"


async def test_a_code_is_not_lost_on_a_vendor_that_cannot_be_asked(gateway: Gateway, there: Vendor) -> None:
    there.always(_failing, on="/oauth2/token/")
    own = await code(gateway, there)
    answered = refused(await create(gateway, "vend-code", values(there), providerData={"code": own}), 502)
    assert "cannot be asked" in answered["message"]
    there.behave()
    assert (await create(gateway, "vend-code", values(there), providerData={"code": own})).status == 200


async def test_a_connector_without_a_check_is_valid(gateway: Gateway, there: Vendor) -> None:
    made = await brought(gateway, there, connector="vend-unchecked")
    assert (await standing(gateway, made))["state"] == "good"
    assert there.requests == []


async def test_a_session_and_a_client_log_in_at_once(gateway: Gateway, there: Vendor) -> None:
    session = await create(gateway, "vend-session", {"site": there.url, "user": "ada", "password": "secret"})
    client = await create(gateway, "vend-client", values(there))
    assert [one.json["valid"] for one in (session, client)] == [True, True]
    assert there.oauth.given == {"session": 1, "client_credentials": 1}
    wrong = await create(gateway, "vend-session", {"site": there.url, "user": "ada", "password": "wrong-one"})
    assert refused(wrong)["providerMessage"] == "wrong user or password"
    shown = (await gateway.call("GET", f"/instances/{session.json['id']}")).body.decode()
    assert "session.token" not in shown


async def test_a_changed_password_logs_in_anew(gateway: Gateway, there: Vendor) -> None:
    own = {"site": there.url, "user": "ada", "password": "secret"}
    made = (await create(gateway, "vend-session", own)).json
    there.oauth.users["ada"] = "another"
    path = f"/instances/{made['id']}"
    refused(await gateway.call("PATCH", path, json={"configuration": {"password": "third"}}))
    assert (await gateway.call("PATCH", path, json={"configuration": {"password": "another"}})).status == 200
    assert there.oauth.given == {"session": 2}


async def test_the_way_to_log_in_follows_from_what_was_sent(gateway: Gateway, there: Vendor) -> None:
    once = await code(gateway, there, "vend-key")
    made = await create(gateway, "vend-key", values(there), providerData={"code": once})
    assert made.status == 200, made.body
    assert made.json["configuration"]["authentication.type"] == "code"


@pytest.mark.parametrize(
    "url",
    ["https://evil.example", "http://api.close.com/api/v1", "https://api.close.com.evil.example", "https://8.8.8.8"],
)
async def test_a_base_url_outside_the_connectors_hosts_is_refused(gateway: Gateway, url: str) -> None:
    message = refused(await create(gateway, "closeio", {"username": "k", "base.url": url}))["message"]
    assert "base.url" in message
    assert "api.close.com" in message or "egress" in message


async def test_a_base_url_is_a_declared_host_or_an_allowed_network(gateway: Gateway, there: Vendor) -> None:
    own = {"username": API_KEY, "base.url": f"{there.url}/api/v1"}
    made = await create(gateway, "closeio", own)
    assert (made.status, made.json["valid"]) == (200, True)
    named = await create(gateway, "closeio", own | {"base.url": f"http://localhost:{there.port}/api/v1"})
    assert (named.status, named.json["valid"]) == (200, True)
    path = f"/instances/{made.json['id']}"
    moved = await gateway.call("PATCH", path, json={"configuration": {"base.url": "https://evil.example"}})
    assert "api.close.com" in refused(moved)["message"]


async def test_a_generic_instance_may_be_pointed_anywhere_that_is_public(gateway: Gateway) -> None:
    assert (await create(gateway, "generic", {"base.url": "https://api.vendor.example"})).status == 200
    refused(await create(gateway, "generic", {"base.url": "https://10.0.0.1"}))


async def test_no_secret_of_a_login_is_ever_shown(gateway: Gateway, there: Vendor, capsys: Any) -> None:
    secrets = [CLIENT_SECRET]
    once = await code(gateway, there)
    made = await create(gateway, "vend-code", values(there), providerData={"code": once})
    config = (await view(gateway, made.json["id"])).config
    secrets += [once, config.get("oauth.user.token") or "", config.get("oauth.user.refresh_token") or ""]
    there.always(_echoing, on="/")
    texts = [made.body]
    for wanted in ({"configuration": {"oauth.api.secret": "Other-secret-99"}}, {"providerData": {"code": "Code-77"}}):
        texts.append((await gateway.call("PATCH", f"/instances/{made.json['id']}", json=wanted)).body)
    key = await create(gateway, "vend-key", {"site": there.url, "api.key": "Key-0123456789"})
    session = await create(gateway, "vend-session", {"site": there.url, "user": "ada", "password": "Pass-0123456789"})
    texts += [key.body, session.body]
    for path in (
        f"/instances/{made.json['id']}",
        f"/api/v1/instances/{made.json['id']}",
        "/instances?hydrate=true",
        f"/instances/{made.json['id']}/configuration",
        "/metrics",
    ):
        texts.append((await gateway.call("GET", path)).body)
    logged = capsys.readouterr()
    shown = b"".join(texts).decode() + logged.out + logged.err
    assert "********" in shown
    secrets += ["Other-secret-99", "Code-77", "Key-0123456789", "Pass-0123456789"]
    assert all(secrets)
    assert [secret for secret in secrets if secret in shown] == []


async def _failing(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=503, text="down")


async def _echoing(request: web.Request) -> web.StreamResponse:
    """A vendor that repeats everything that it was sent."""
    said = f"{request[BODY].decode()} {request.headers.get('Authorization', '')} {request.query_string}"
    return web.json_response({"error": "invalid_grant", "error_description": said}, status=400)
