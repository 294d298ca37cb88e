"""How the commands speak to a running gateway: its own API over HTTP, with the first administrator's secrets."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from gateway import config as configuration
from gateway import keyring
from gateway.egress.guard import Guard
from gateway.egress.model import BrokenOffError, Failure, Request, Streamed, StreamingClient
from gateway.egress.open import open_streaming_client
from gateway.errors import GatewayError
from gateway.event_stream import Message, Reading, TooLongError

TIMEOUT_S = 60.0
LONGEST_ANSWER = 64 << 20
#: What a command calls is what its user has written down, so that no address is closed to it.
ANYWHERE = Guard(allow_http=True, allow_networks=("0.0.0.0/0", "::/0"))
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 10.0
_PROBLEM_BYTES = 65536
_COME_AGAIN = (408, 425, 429, 500, 502, 503, 504)

Query = Mapping[str, str | int | bool | None]


class Unanswered(GatewayError):
    """No gateway answers."""


class Refused(GatewayError):
    """The gateway said no; the message is a sentence for people."""

    def __init__(self, status: int, message: str, problem: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


class Api:
    """A running gateway's API; paths begin with `/api/v1/`, bodies and answers are JSON."""

    def __init__(self, client: StreamingClient, url: str, authorization: str) -> None:
        self.client = client
        self.url = url
        self._authorization = authorization

    async def get(self, path: str, query: Query | None = None) -> Any:
        """What stands at a path; Refused or Unanswered where nothing does."""
        return await self.ask("GET", path, query)

    async def post(self, path: str, body: Any = None, query: Query | None = None) -> Any:
        """What the gateway answers to a body."""
        return await self.ask("POST", path, query, body)

    async def put(self, path: str, body: Any) -> Any:
        """What the gateway answers to a body that is put there."""
        return await self.ask("PUT", path, None, body)

    async def delete(self, path: str) -> Any:
        """What the gateway answers to a removal."""
        return await self.ask("DELETE", path)

    async def ask(self, method: str, path: str, query: Query | None = None, body: Any = None) -> Any:
        """One request; the answer's JSON, None where it has no body."""
        content = bytearray()
        async for piece in self.pieces(path, query, method=method, body=body):
            content += piece
            if len(content) > LONGEST_ANSWER:
                raise Unanswered(f"The answer of {self.url}{path} is longer than {LONGEST_ANSWER >> 20} MiB.")
        try:
            return orjson.loads(content) if content else None
        except orjson.JSONDecodeError as problem:
            raise Unanswered(f"{self.url} does not answer like a gateway: expected JSON at {path}.") from problem

    async def pages(self, path: str, query: Query | None = None) -> AsyncIterator[dict[str, Any]]:
        """Every item of a list, page after page."""
        cursor: str | None = None
        while True:
            page = await self.get(path, {**(query or {}), "cursor": cursor})
            for item in page["items"]:
                yield item
            cursor = page["next"]
            if cursor is None:
                return

    async def pieces(
        self, path: str, query: Query | None = None, *, method: str = "GET", body: Any = None
    ) -> AsyncIterator[bytes]:
        """An answer of any length as it arrives; Unanswered where it breaks off."""
        headers = (("Accept", "*/*"), ("Content-Type", "application/json"))
        content = b"" if body is None else orjson.dumps(body)
        request = self._request(method, path, query, headers if content else headers[:1], content)
        async with self.client.open(request) as answer:
            if isinstance(answer, Failure):
                raise Unanswered(self._silence(answer))
            await self._judge(answer)
            try:
                async for piece in answer.pieces:
                    yield piece
            except BrokenOffError as problem:
                raise Unanswered(f"The answer of {self.url} broke off: {problem}.") from problem

    async def stream(
        self,
        path: str,
        query: Query | None = None,
        *,
        after: str | None = None,
        lost: Callable[[str], None] = lambda _: None,
    ) -> AsyncGenerator[Message, None]:
        """The messages of a stream for ever; one that is lost is told to `lost` and resumed where it stood.

        What cannot be had from the beginning raises Unanswered, and what the gateway will not give raises Refused.
        """
        last, connected, wait_s = after, False, _FIRST_WAIT_S
        while True:
            try:
                async for message in self._streamed(path, query, last):
                    connected, wait_s = True, _FIRST_WAIT_S
                    last = message.id or last
                    yield message
                reason = f"{self.url} ended the stream."
            except Unanswered as problem:
                reason = str(problem)
                if not connected:
                    raise
            except Refused as problem:
                if not connected or problem.status not in _COME_AGAIN:
                    raise
                reason = str(problem)
            lost(reason)
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 - so that not all come at once
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _streamed(self, path: str, query: Query | None, last: str | None) -> AsyncIterator[Message]:
        accept = ("Accept", "text/event-stream")
        request = self._request("GET", path, query, (accept, ("Last-Event-ID", last)) if last else (accept,))
        async with self.client.open(request) as answer:
            if isinstance(answer, Failure):
                raise Unanswered(self._silence(answer))
            await self._judge(answer)
            reading = Reading()
            try:
                async for piece in answer.pieces:
                    for message in reading.feed(piece):
                        yield message
            except (BrokenOffError, TooLongError) as problem:
                raise Unanswered(f"The stream of {self.url} broke off: {problem or 'a message is too long'}.") from None

    def _request(
        self, method: str, path: str, query: Query | None, headers: tuple[tuple[str, str], ...], body: bytes = b""
    ) -> Request:
        return Request(
            method=method,
            url=self.url + path + _written(query or {}),
            headers=(("Authorization", self._authorization), ("Accept-Encoding", "identity"), *headers),
            body=body,
            timeout=TIMEOUT_S,
        )

    async def _judge(self, answer: Streamed) -> None:
        """Pass what is a success; Refused says what the gateway said."""
        if 200 <= answer.status < 300:
            return
        said = await _start_of(answer)
        raise Refused(answer.status, self._refusal(answer.status, said), said)

    def _refusal(self, status: int, said: Mapping[str, Any]) -> str:
        if status == 401:
            return (
                f"The gateway at {self.url} does not know these credentials (401): it runs with another configuration. "
                "Give the same --config, or stand in the same folder."
            )
        detail = said.get("detail")
        if not isinstance(detail, str) or not detail:
            return f"{self.url} answered {status}, and not like a gateway of this version."
        errors = said.get("errors")
        fields = [f"{one.get('field')}: {one.get('message')}" for one in errors] if isinstance(errors, list) else []
        more = f" ({'; '.join(fields)})" if fields and not all(one in detail for one in fields) else ""
        return f"{detail}{more}"

    def _silence(self, failure: Failure) -> str:
        if failure.reason == "invalid_url":
            return f"{self.url} is no address of a gateway: {failure.detail}. Give it with --url."
        said = f"No gateway answers at {self.url} ({failure.detail})."
        return f"{said} Is `gateway serve` running? --url names another." if failure.reason == "connect" else said


@asynccontextmanager
async def open_api(path: Path | None, url: str | None = None) -> AsyncIterator[Api]:
    """The API of the gateway that a configuration file describes, or of the one at `url`.

    StartRefused where the configuration or its secrets cannot be read.
    """
    config = keyring.found(configuration.load(path, configuration.environment()))
    secrets = config.bootstrap
    if url is None and config.server.port == 0:
        raise Unanswered("server.port is 0: the gateway has chosen one by itself. Give its address with --url.")
    async with open_streaming_client(ANYWHERE) as client:
        authorization = f"User {secrets.user_secret}, Organization {secrets.organization_secret}"
        yield Api(client, (url or config.local_url).rstrip("/"), authorization)


def _written(query: Query) -> str:
    given = {name: _text(value) for name, value in query.items() if value is not None}
    return "?" + urlencode(given, quote_via=quote) if given else ""


def _text(value: str | int | bool | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def _start_of(answer: Streamed) -> Mapping[str, Any]:
    """The problem details of a refusal; empty where it has none."""
    content = b""
    try:
        async for piece in answer.pieces:
            content += piece
            if len(content) > _PROBLEM_BYTES:
                return {}
        found = orjson.loads(content)
    except (BrokenOffError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
