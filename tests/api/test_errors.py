"""What is wrong is said in the surface's own shape, and changes nothing."""

import asyncio
import gzip
import io
from typing import Any

import pytest

from gateway.api import read
from tests.api.asking import OC, is_platform_error, is_problem
from tests.kit.gateway import Gateway

PATHS = ("/instances", OC + "/instances")


async def test_a_body_that_is_no_json_object_is_400(sqlite_gateway: Gateway) -> None:
    for path in PATHS:
        for body in (b"", b"{", b"[]", b"1", b"\xff", b'{"a":NaN}', b"[" * 2000, b"null", b"'"):
            is_platform_error(await sqlite_gateway.call("POST", path, data=body), 400)
    assert (await sqlite_gateway.call("GET", "/instances")).json == []


async def test_a_packed_body_is_415_and_a_huge_one_413(sqlite_gateway: Gateway) -> None:
    headers = {**sqlite_gateway.auth, "Content-Encoding": "gzip"}
    packed = gzip.compress(b"{}")
    is_platform_error(await sqlite_gateway.call("POST", "/instances", data=packed, headers=headers), 415)
    huge = io.BytesIO(b" " * (2 << 20))
    is_platform_error(await sqlite_gateway.call("POST", "/instances", data=huge), 413)


async def test_a_body_that_does_not_come_is_408(sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "BODY_DEADLINE_S", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_gateway.running.port)
    head = f"Authorization: {sqlite_gateway.auth['Authorization']}\r\nContent-Length: 10\r\n"
    writer.write(f"POST /instances HTTP/1.1\r\nHost: x\r\n{head}\r\n{{".encode())
    async with asyncio.timeout(5):
        assert b" 408 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_wrong_types_are_named_all_at_once(sqlite_gateway: Gateway) -> None:
    wrong: dict[str, Any] = {
        "element": "closeio",
        "name": 5,
        "tags": "a",
        "configuration": [],
        "externalAuthentication": "x",
    }
    message = is_platform_error(await sqlite_gateway.call("POST", "/instances", json=wrong), 400)
    for field in wrong:
        assert f"{field}: expected" in message


async def test_an_unknown_path_is_404_and_another_method_405_in_the_surfaces_shape(sqlite_gateway: Gateway) -> None:
    for path in ("/instances/1/nothing", "/instances/", OC + "/nothing", "/elements/146/nothing/x"):
        for headers in (sqlite_gateway.auth, {}):
            is_platform_error(await sqlite_gateway.call("GET", path, headers=headers), 404)
    for method, path in (("POST", "/elements"), ("DELETE", "/instances/count"), ("PATCH", OC + "/elements/146")):
        answered = await sqlite_gateway.call(method, path)
        if path != "/instances/count":
            assert is_platform_error(answered, 405)
            assert "GET" in answered.headers["Allow"]
    is_problem(await sqlite_gateway.call("GET", "/api/v1/nothing"), 404)
    is_problem(await sqlite_gateway.call("DELETE", "/api/v1/instances"), 405)
    elsewhere = await sqlite_gateway.call("GET", "/nothing")
    assert (elsewhere.status, elsewhere.json) == (404, None)


async def test_an_id_that_is_none_names_nothing(sqlite_gateway: Gateway) -> None:
    for text in ("0", "-1", "x", "1.0", "9" * 15, "9" * 30, "²", "%00", "1%20"):
        for path in (f"/instances/{text}", f"{OC}/instances/{text}/events"):
            assert is_platform_error(await sqlite_gateway.call("GET", path), 404).startswith("No instance found")
        is_problem(await sqlite_gateway.call("GET", f"/api/v1/instances/{text}"), 404)


async def test_browsers_may_call_every_path(sqlite_gateway: Gateway) -> None:
    for path in ("/instances", "/instances/1/configuration/2", OC + "/elements/closeio", OC + "/instances/events"):
        asked = {"Origin": "https://app.test", "Access-Control-Request-Method": "PATCH"}
        answered = await sqlite_gateway.call("OPTIONS", path, headers=asked)
        assert answered.status == 204, path
        assert answered.headers["Access-Control-Allow-Origin"] == "*"
        assert "PATCH" in answered.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in answered.headers["Access-Control-Allow-Headers"]
    answered = await sqlite_gateway.call("GET", "/instances", headers={"Origin": "https://app.test"})
    exposed = answered.headers["Access-Control-Expose-Headers"]
    assert "Elements-Next-Page-Token" in exposed
    assert "Elements-Request-Id" in exposed


async def test_the_gateways_own_fault_tells_only_a_request_id(
    sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(sqlite_gateway.running.services.runtime.database, "all", broken)
    answered = await sqlite_gateway.call("GET", "/instances")
    assert "secret" not in is_platform_error(answered, 500)
    assert "secret" not in is_problem(await sqlite_gateway.call("GET", "/api/v1/instances"), 500)
