"""The client of the commands: what it says where a gateway is not as expected, and how it resumes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from gateway.client import ANYWHERE, Api, Refused, Unanswered, open_api
from gateway.egress.open import open_streaming_client
from tests.kit.gateway import Gateway

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def api(url: str) -> AsyncIterator[Api]:
    async with open_streaming_client(ANYWHERE) as client:
        yield Api(client, url, "User u, Organization o")


async def test_a_gateway_that_does_not_run_is_told_as_such() -> None:
    async with api("http://127.0.0.1:9") as one:
        with pytest.raises(Unanswered, match=r"No gateway answers at http://127.0.0.1:9 \(connection refused") as told:
            await one.get("/api/v1/events")
    assert "gateway serve" in str(told.value)


async def test_an_address_that_is_none_is_told_as_such() -> None:
    async with api("127.0.0.1:8080") as one:
        with pytest.raises(Unanswered, match="no address of a gateway"):
            await one.get("/api/v1/events")


async def test_other_credentials_are_told_as_such(sqlite_gateway: Gateway) -> None:
    async with api(sqlite_gateway.url) as one:
        with pytest.raises(Refused, match="does not know these credentials") as told:
            await one.get("/api/v1/instances")
    assert told.value.status == 401


async def test_a_refusal_is_said_in_the_gateways_words(sqlite_gateway: Gateway) -> None:
    async with open_streaming_client(ANYWHERE) as client:
        one = Api(client, sqlite_gateway.url, sqlite_gateway.auth["Authorization"])
        with pytest.raises(Refused, match="No instance found with ID 4711"):
            await one.get("/api/v1/instances/4711")
        with pytest.raises(Refused, match="limit: expected a number"):
            await one.get("/api/v1/instances", {"limit": 0})


async def test_all_pages_of_a_list_are_read(sqlite_gateway: Gateway) -> None:
    made = [(await sqlite_gateway.create("generic"))["id"] for _ in range(3)]
    async with open_streaming_client(ANYWHERE) as client:
        one = Api(client, sqlite_gateway.url, sqlite_gateway.auth["Authorization"])
        assert [item["id"] async for item in one.pages("/api/v1/instances", {"limit": 1})] == made


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, "<html>", "does not answer like a gateway"),
        (502, "bad gateway", "answered 502"),
        (404, "[1]", "answered 404"),
    ],
)
async def test_something_else_at_the_address_is_told_as_such(status: int, body: str, words: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        del request
        return web.Response(status=status, text=body)

    async with served(answer) as url, api(url) as one:
        with pytest.raises((Unanswered, Refused), match=words):
            await one.get("/api/v1/events")


async def test_a_stream_goes_on_behind_its_last_message() -> None:
    asked: list[str | None] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Last-Event-ID"))
        if len(asked) == 2:
            return web.Response(status=503, text="leaving")
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(f"id: {len(asked)}\ndata: {{}}\n\n".encode())
        if len(asked) == 1 and request.transport is not None:
            request.transport.abort()
        return response

    lost: list[str] = []
    async with served(answer) as url, api(url) as one:
        found = []
        async with asyncio.timeout(20), aclosing(one.stream("/s", lost=lost.append)) as messages:
            async for message in messages:
                found.append(message.id)
                if len(found) == 2:
                    break
    assert found == ["1", "3"]
    assert asked == [None, "1", "1"]
    assert "broke off" in lost[0]
    assert "503" in lost[1]


async def test_a_stream_that_never_began_is_not_tried_again() -> None:
    async with api("http://127.0.0.1:9") as one:
        with pytest.raises(Unanswered):
            await anext(one.stream("/s"))


async def test_a_port_that_the_gateway_chose_must_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[server]\nport = 0\n[security]\nencryption_keys = ["k"]\n[bootstrap]\n' + _SECRETS)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unanswered, match="--url"):
        async with open_api(file):
            pass
    async with open_api(file, "http://127.0.0.1:9/") as one:
        assert one.url == "http://127.0.0.1:9"


_SECRETS = "".join(
    f'{name} = "x"\n'
    for name in ("organization_secret", "user_secret", "client_id", "client_secret", "admin_username", "admin_password")
)
