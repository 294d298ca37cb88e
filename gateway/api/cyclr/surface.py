"""The token endpoint (RFC 6749): client credentials for a bearer token."""

from base64 import b64decode
from typing import Any

import orjson
from aiohttp import web

from gateway import ids
from gateway.accounts import store
from gateway.api.surface import SERVICES, Failure, Surface
from gateway.clock import now_ms

PATH = "/oauth/token"
_ERRORS = {400: "invalid_request", 401: "invalid_client", 405: "invalid_request", 413: "invalid_request"}


def surface() -> Surface:
    """The routes of this wire."""
    return Surface("cyclr", lambda path: path == PATH, [web.post(PATH, token)], refuse, finish)


async def token(request: web.Request) -> web.Response:
    """`POST /oauth/token` with `grant_type=client_credentials`."""
    fields = await _fields(request)
    if fields.get("grant_type") != "client_credentials":
        return _error(400, "unsupported_grant_type", "The grant_type must be client_credentials.")
    client_id, client_secret = _client(request, fields)
    database, now = request.app[SERVICES].runtime.database, now_ms()
    partner_id = await store.partner_of_client(database, client_id, client_secret)
    if partner_id is None:
        return _error(401, "invalid_client", "The client ID or secret is wrong.")
    made = ids.token()
    await store.keep_token(database, partner_id, client_id, made, now)
    return _json(200, {"access_token": made, "token_type": "Bearer", "expires_in": store.TOKEN_LIFETIME_S})


async def _fields(request: web.Request) -> dict[str, str]:
    if request.content_type == "application/json":
        try:
            body = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            return {}
        return {name: value for name, value in body.items() if isinstance(value, str)} if isinstance(body, dict) else {}
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _client(request: web.Request, fields: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = b64decode(encoded).decode().partition(":")
        except ValueError:
            return "", ""
        return _printable(client_id), secret
    return _printable(fields.get("client_id", "")), fields.get("client_secret", "")


def _printable(text: str) -> str:
    return text if text.isascii() and text.isprintable() else ""


def refuse(request: web.Request, failure: Failure) -> web.StreamResponse:
    """The error shape of RFC 6749."""
    del request
    return _error(failure.status, _ERRORS.get(failure.status, "server_error"), failure.message)


def finish(request: web.Request, response: web.StreamResponse) -> None:
    """Tokens are kept by nobody on the way."""
    del request
    response.headers["Cache-Control"] = "no-store"


def _error(status: int, error: str, description: str) -> web.Response:
    return _json(status, {"error": error, "error_description": description})


def _json(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
