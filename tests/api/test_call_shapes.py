"""Calls of other shapes: uploads, lists that are asked for with a body, cursors and links, any path at all."""

import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from tests.api.asking import OC, is_platform_error, with_element
from tests.kit.gateway import Answered, Gateway, settings, started
from tests.vendors import Vendor, vendor
from tests.vendors.misbehaving import MIB, Act, answering, slow_head

NEXT = "Elements-Next-Page-Token"
ODD = """
format = 1
key = "odd"
name = "Odd"
version = "1.0.0"
hub = "documents"
[[config]]
key = "t"
name = "Token"
secret = true
auth = "bearer"
[auth.none]
type = "none"
[auth.bearer]
type = "bearer"
token = "{config:t}"
[http]
timeout = "3s"
base_url = "https://odd.example"
idempotency_header = "Idempotency-Key"
[pagination.cursor]
type = "cursor"
where = "body"
param = "start"
next = "body:next"
size_param = "size"
size = 50
max_pages = 4
[pagination.link]
type = "link"
size_param = "per_page"
size = 30
[methods.put_file]
request = "PUT /files/{id}"
body = "raw"
[methods.search]
request = "POST /search"
body = "json"
fields = { text = {}, depth = { type = "integer" } }
records = "found"
paginate = "cursor"
[methods.things]
request = "GET /things"
paginate = "link"
records = ""
[methods.thing]
request = "GET /thing"
query = { name = { required = true } }
records = "thing"
[methods.make]
request = "POST /things"
body = "json"
[resources.files]
update = "put_file"
[resources.found]
list = "search"
[resources.things]
list = "things"
get = "thing"
create = "make"
"""


@dataclass
class Odd:
    gateway: Gateway
    there: Vendor
    made: dict[str, Any]

    @property
    def token(self) -> str:
        found: str = self.made["token"]
        return found

    async def __call__(self, method: str, path: str, **options: Any) -> Answered:
        headers = {**with_element(self.gateway, self.token, organization=False), **options.pop("headers", {})}
        return await self.gateway.call(method, f"{OC}/hubs/x/{path}", headers=headers, **options)


@pytest.fixture(params=["odd"])
async def call(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Odd]:
    folder = tmp_path / "connectors"
    folder.mkdir()
    (folder / "odd.toml").write_text(ODD)
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(vendor())
        gateway = await stack.enter_async_context(started(settings(tmp_path, "", catalogue={"paths": [str(folder)]})))
        values: dict[str, Any] = {"base.url": there.url, "event.notification.enabled": False}
        if request.param == "generic":
            values |= {"authentication.type": "none"}
        body = {"element": {"key": request.param}, "name": "odd", "configuration": values}
        made = await gateway.call("POST", "/instances", json=body)
        yield Odd(gateway, there, made.json)


async def test_an_upload_streams_up_to_the_byte(call: Odd) -> None:
    call.there.always(answering(200, '{"ok":true}'))
    size = 20 * MIB
    answered = await call("PUT", "files/a", data=io.BytesIO(b"\xfe" * size), headers={"Content-Type": "x/y"})
    assert answered.json == {"ok": True}
    [arrived] = call.there.to("/files/a")
    assert (arrived.size, arrived.headers["Content-Type"]) == (size, "x/y")
    assert set(arrived.body) == {0xFE}
    small = await call("PATCH", "files/b", data=b"{not json")
    assert small.status == 200
    [arrived] = call.there.to("/files/b")
    assert (arrived.method, arrived.body, arrived.headers["Content-Length"]) == ("PUT", b"{not json", "9")


async def test_an_upload_beyond_every_measure_is_refused_by_its_length(call: Odd) -> None:
    headers = {"Content-Length": str(6 << 30)}

    async def piece() -> AsyncIterator[bytes]:
        yield b"x"

    answered = await call("PUT", "files/a", data=piece(), headers=headers)
    is_platform_error(answered, 413)
    assert call.there.to("/files") == []


async def test_a_list_that_the_vendor_wants_to_be_asked_for_with_a_body(call: Odd) -> None:
    call.there.always(answering(200, '{"found":[{"a":1}],"next":"n"}'), on="/search")
    answered = await call("GET", "found?text=hello&depth=3&pageSize=7")
    assert (answered.status, answered.json) == (200, [{"a": 1}])
    [arrived] = call.there.to("/search")
    assert arrived.method == "POST"
    assert arrived.body == b'{"text":"hello","depth":3,"size":7}'
    again = await call("GET", f"found?nextPage={answered.headers[NEXT]}", headers={})
    assert again.status == 400, "the question stands in the body, which the token does not hold"
    again = await call("GET", f"found?text=hello&depth=3&nextPage={answered.headers[NEXT]}")
    assert again.status == 200
    assert call.there.to("/search")[-1].body == b'{"text":"hello","depth":3,"size":7,"start":"n"}'


async def test_a_page_by_number_is_walked_to_where_only_a_cursor_leads(call: Odd) -> None:
    for number in range(3):
        call.there.next(answering(200, f'{{"found":[{{"n":{number}}}],"next":"to{number + 1}"}}'), on="/search")
    answered = await call("GET", "found?page=3")
    assert answered.json == [{"n": 2}]
    assert len(call.there.to("/search")) == 3
    is_platform_error(await call("GET", "found?page=5"), 400)


@pytest.mark.parametrize(
    "link",
    ["https://evil.example/things?page=2", "http://127.0.0.1:9/things", "//evil.example/", "http://u@127.0.0.1/"],
)
async def test_a_link_that_leads_elsewhere_is_not_followed(call: Odd, link: str) -> None:
    call.there.next(answering(200, "[1]", Link=f'<{link}>; rel="next"'), on="/things")
    first = await call("GET", "things")
    assert first.status == 200
    answered = await call("GET", f"things?nextPage={first.headers[NEXT]}")
    assert answered.status == 502, answered.body
    assert len(call.there.to("/things")) == 1


async def test_a_link_within_the_vendor_is_followed(call: Odd) -> None:
    call.there.next(answering(200, "[1]", Link='</things?cursor=b%2Fc>; rel="next"'), on="/things")
    call.there.next(answering(200, "[2]"), on="/things")
    first = await call("GET", "things?pageSize=5")
    second = await call("GET", f"things?nextPage={first.headers[NEXT]}")
    assert (first.json, second.json) == ([1], [2])
    assert call.there.to("/things")[-1].query == "cursor=b%2Fc"
    assert NEXT not in second.headers


async def test_an_id_may_be_a_parameter_of_the_vendors_query(call: Odd) -> None:
    call.there.next(answering(200, '{"thing":{"a":1}}'), answering(200, '{"thing":null}'), on="/thing")
    assert (await call("GET", "things/x%2Fy")).json == {"a": 1}
    assert call.there.to("/thing")[-1].query == "name=x%2Fy"
    assert (await call("GET", "things/none")).status == 404


async def test_the_callers_idempotency_key_goes_on(call: Odd) -> None:
    call.there.always(answering(201, '{"id":1}'))
    answered = await call("POST", "things", json={"any": "thing"}, headers={"Idempotency-Key": "k-1"})
    assert answered.status == 201
    assert call.there.requests[-1].headers["Idempotency-Key"] == "k-1"


def _echo() -> Act:
    async def act(request: web.Request) -> web.StreamResponse:
        return web.json_response({"method": request.method, "path": request.raw_path})

    return act


@pytest.mark.parametrize("call", ["generic"], indirect=True)
async def test_a_generic_instance_reaches_any_path_of_its_own_host_with_any_verb(call: Odd) -> None:
    call.there.always(_echo())
    for verb in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        assert (await call(verb, "a/b c/d?x=1&page=2")).json == {"method": verb, "path": "/a/b%20c/d?x=1&page=2"}
    before = len(call.there.requests)
    for path in ("a/%2e%2e/b", "a/%2e%2e%2fb", "%2e"):
        url = URL(f"{call.gateway.url}{OC}/hubs/x/{path}", encoded=True)
        headers = with_element(call.gateway, call.token)
        async with call.gateway.session.get(url, headers=headers) as answered:
            assert answered.status == 400, path
    assert len(call.there.requests) == before


async def test_an_instance_without_credentials_is_403_and_says_what_is_needed(call: Odd) -> None:
    body = {"configuration": {"authentication.type": "bearer", "t": "secret"}}
    path = f"/instances/{call.made['id']}"
    assert (await call.gateway.call("PATCH", path, json=body)).status == 200
    call.there.always(answering(200, "[]"))
    assert (await call("GET", "things")).status == 200
    assert call.there.requests[-1].headers["Authorization"] == "Bearer secret"
    await call.gateway.call("PATCH", path, json={"configuration": {"t": None}})
    before = len(call.there.requests)
    message = is_platform_error(await call("GET", "things"), 403)
    assert "authenticated again" in message
    assert len(call.there.requests) == before


async def test_a_vendor_that_thinks_for_too_long_is_504(call: Odd) -> None:
    call.there.always(slow_head())
    assert "in time" in is_platform_error(await call("GET", "things"), 504)
