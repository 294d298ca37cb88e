"""Inbound URLs on aiohttp: read the body within its bounds, pass it on, write the answer."""

import asyncio
import binascii
from base64 import b64decode

from aiohttp import web

from gateway.inbound.answers import worst
from gateway.inbound.app_url import App
from gateway.inbound.forwarded import source_address
from gateway.inbound.handshake import Reply
from gateway.inbound.proving import proves_sender
from gateway.inbound.receive import Admitted, Receiver
from gateway.instances.index import InstanceIndex, Orphan
from gateway.proofs.received import Received

BODY_DEADLINE_S = 10.0
MOST_INSTANCES = 20


class InboundRoutes:
    """The routes of the vendor's road."""

    def __init__(
        self,
        receiver: Receiver,
        index: InstanceIndex,
        *,
        public_url: str,
        trusted_proxies: tuple[str, ...],
        allow_guessable: bool,
    ) -> None:
        self._receiver = receiver
        self._index = index
        self._public_url = public_url
        self._proxies = trusted_proxies
        self._allow_guessable = allow_guessable

    def table(self) -> list[web.RouteDef]:
        """Every route of this room."""
        prefix = "/elements/api-v2/events/{key}"
        return [
            # Which methods mean anything is the connector's to say, once it is known whose URL this is.
            web.route("*", "/in/{token}", self.by_token),
            web.route("*", prefix, self.by_key),
            web.route("*", prefix + "/{encoded}", self.by_id),
        ]

    async def by_token(self, request: web.Request) -> web.Response:
        """An instance's own URL."""
        return await self._answer(request, await self._receiver.admit(request.match_info["token"]))

    async def by_id(self, request: web.Request) -> web.Response:
        """The Open Connectors form with the instance's id in base64."""
        instance_id = _decoded(request.match_info["encoded"])
        return await self._answer(request, await self._admit_guessed(request.match_info["key"], instance_id))

    async def by_key(self, request: web.Request) -> web.Response:
        """The Open Connectors form with the ids in the header `Element-Instances`; every one of them gets the event.

        Without the header it is the one URL of a whole app: whose a delivery is, it says itself.
        """
        named = request.headers.get("Element-Instances")
        if named is None:
            return await self._answer_app(request, await self._receiver.admit_app(request.match_info["key"]))
        listed = named.split(",")
        ids = list(dict.fromkeys(int(text) for text in map(str.strip, listed) if _is_id(text)))
        if not ids or len(ids) > MOST_INSTANCES:
            return await self._answer(request, self._receiver.admit_view(None))
        replies = [await self._admit_guessed(request.match_info["key"], id_) for id_ in ids]
        return await self._answer_all(request, replies)

    async def _admit_guessed(self, key: str, instance_id: int | None) -> Admitted | Reply:
        if instance_id is None:
            return self._receiver.admit_view(None)
        limited = self._receiver.limited(f"{key}/{instance_id}")
        if limited is not None:
            return limited
        view = await self._index.by_guess(instance_id)
        if isinstance(view, Orphan):
            return self._receiver.admit_view(view if view.connector == key else None)
        if view is not None and (view.connector.key != key or not (self._allow_guessable or proves_sender(view))):
            view = None
        return self._receiver.admit_view(view, guessable=not self._allow_guessable)

    async def _answer_app(self, request: web.Request, app: App | Reply) -> web.Response:
        if isinstance(app, Reply):
            return _response(app, close=request.can_read_body)
        received = await self._received(request, app)
        if isinstance(received, web.Response):
            return received
        return _response(await self._receiver.receive_app(app, received))

    async def _answer(self, request: web.Request, admitted: Admitted | Reply) -> web.Response:
        return await self._answer_all(request, [admitted])

    async def _answer_all(self, request: web.Request, admissions: list[Admitted | Reply]) -> web.Response:
        refused = next((reply for reply in admissions if isinstance(reply, Reply)), None)
        if refused is not None:
            return _response(refused, close=request.can_read_body)
        admitted = [admission for admission in admissions if isinstance(admission, Admitted)]
        received = await self._received(request, min(admitted, key=lambda one: one.max_body))
        if isinstance(received, web.Response):
            return received
        return _response(worst([await self._receiver.receive(one, received) for one in admitted]))

    async def _received(self, request: web.Request, strictest: Admitted | App) -> Received | web.Response:
        """The request with its body, or the answer where that is too long or too slow."""
        remote = source_address(request.remote or "", request.headers.getall("X-Forwarded-For", []), self._proxies)
        body = await _read(request, strictest.max_body)
        if body is None:
            return _response(self._receiver.overlong(strictest, remote), close=True)
        if isinstance(body, TimeoutError):
            return _response(self._receiver.too_slow(strictest, remote), close=True)
        return self._made(request, body, remote)

    def _made(self, request: web.Request, body: bytes, remote: str) -> Received:
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            lower = name.lower()
            headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
        target = _target(request.raw_path)
        return Received(
            method=request.method,
            url=self._public_url + target,
            query=target.partition("?")[2],
            headers=headers,
            body=body,
            remote=remote,
        )


async def _read(request: web.Request, limit: int) -> bytes | TimeoutError | None:
    if not request.can_read_body:
        return b""
    if (request.content_length or 0) > limit:
        return None
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            return await _read_up_to(request, limit)
    except TimeoutError as late:
        return late


async def _read_up_to(request: web.Request, limit: int) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _target(written: str) -> str:
    """The path and query; a client may write its own idea of the host before them."""
    return written if written.startswith("/") else "/" + written.partition("://")[2].partition("/")[2]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _decoded(encoded: str) -> int | None:
    try:
        text = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return int(text) if text.isdigit() and len(text) < 16 else None


def _response(reply: Reply, *, close: bool = False) -> web.Response:
    response = web.Response(status=reply.status, body=reply.body, headers=dict(reply.headers))
    if close:
        # The rest of the body is not wanted, so the connection cannot be used again.
        response.force_close()
    return response
