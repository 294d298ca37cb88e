"""`/oauth/token` as RFC 6749 has it."""

import base64
import io
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from tests.kit.gateway import Answered, Gateway

FORM = "application/x-www-form-urlencoded"


def fields(gateway: Gateway, **others: str) -> dict[str, str]:
    secrets = gateway.running.config.bootstrap
    return {
        "grant_type": "client_credentials",
        "client_id": secrets.client_id,
        "client_secret": secrets.client_secret,
        **others,
    }


async def ask(gateway: Gateway, **options: Any) -> Answered:
    return await gateway.call("POST", "/oauth/token", **{"headers": {}, **options})


def is_error(answered: Answered, status: int, error: str) -> None:
    assert (answered.status, answered.json["error"]) == (status, error), answered.body
    assert answered.json["error_description"]
    assert answered.headers["Cache-Control"] == "no-store"


async def test_a_form_json_and_basic_each_give_a_token(gateway: Gateway) -> None:
    sent = fields(gateway)
    basic = "Basic " + base64.b64encode(f"{sent['client_id']}:{sent['client_secret']}".encode()).decode()
    only_grant = {"grant_type": "client_credentials"}
    for options in (
        {"data": sent},
        {"json": sent},
        {"data": only_grant, "headers": {"Authorization": basic}},
    ):
        answered = await ask(gateway, **options)
        assert answered.status == 200, answered.body
        body = answered.json
        assert set(body) == {"access_token", "token_type", "expires_in", "clientId", ".issued", ".expires"}
        assert (body["token_type"], body["expires_in"]) == ("bearer", 1209599)
        assert body["clientId"] == sent["client_id"]
        issued, expires = (parsedate_to_datetime(body[name]) for name in (".issued", ".expires"))
        assert expires - issued == timedelta(days=14)
        assert body[".issued"].endswith(" GMT")
        assert answered.headers["Cache-Control"] == "no-store"
        headers = {"Authorization": f"Bearer {answered.json['access_token']}"}
        assert (await gateway.call("GET", "/api/v1/instances", headers=headers)).status == 200


async def test_a_wrong_client_is_401_with_a_challenge(sqlite_gateway: Gateway) -> None:
    for wrong in ({"client_secret": "x"}, {"client_id": "x"}, {"client_id": "\x00é"}):
        answered = await ask(sqlite_gateway, data=fields(sqlite_gateway, **wrong))
        is_error(answered, 401, "invalid_client")
        assert answered.headers["WWW-Authenticate"].startswith("Basic")


async def test_another_grant_is_unsupported_and_none_is_an_invalid_request(sqlite_gateway: Gateway) -> None:
    is_error(
        await ask(sqlite_gateway, data=fields(sqlite_gateway, grant_type="password")), 400, "unsupported_grant_type"
    )
    is_error(await ask(sqlite_gateway, data={"client_id": "x"}), 400, "invalid_request")
    is_error(await ask(sqlite_gateway), 400, "invalid_request")


async def test_a_body_that_cannot_be_read_is_an_invalid_request(sqlite_gateway: Gateway) -> None:
    for content_type, body in (
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("application/json", b"\xff"),
        ("multipart/form-data", b"x"),
        ("text/plain; charset=unknown", b"x"),
        (FORM + "; charset=unknown", b"grant_type=x\xff"),
        (FORM, b"grant_type=client_credentials&grant_type=client_credentials"),
        (FORM, b"&".join(b"a%d=1" % number for number in range(1000))),
    ):
        answered = await ask(sqlite_gateway, data=body, headers={"Content-Type": content_type})
        is_error(answered, 400, "invalid_request")


async def test_another_method_and_a_huge_body_keep_the_shape(sqlite_gateway: Gateway) -> None:
    answered = await sqlite_gateway.call("GET", "/oauth/token", headers={})
    is_error(answered, 405, "invalid_request")
    assert answered.headers["Allow"] == "POST"
    is_error(await ask(sqlite_gateway, data=io.BytesIO(b"x" * (2 << 20))), 413, "invalid_request")
