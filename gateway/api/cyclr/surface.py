"""The token endpoint (RFC 6749): client credentials for a bearer token."""

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from aiohttp import web

from gateway import ids
from gateway.accounts import store
from gateway.api import read
from gateway.api.surface import SERVICES, Failure, Surface
from gateway.clock import now_ms

PATH = "/oauth/token"
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_MOST_FIELDS = 50
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="connector-gateway"'}


def surface() -> Surface:
    """The routes of this wire."""
    return Surface("cyclr", lambda path: path == PATH, [web.post(PATH, token)], refuse, finish)


async def token(request: web.Request) -> web.Response:
    """`POST /oauth/token` with `grant_type=client_credentials`."""
    fields = await _fields(request)
    if isinstance(fields, str):
        return _error(400, "invalid_request", fields)
    if "grant_type" not in fields:
        return _error(400, "invalid_request", "The grant_type is missing; it must be client_credentials.")
    if fields["grant_type"] != "client_credentials":
        return _error(400, "unsupported_grant_type", "The grant_type must be client_credentials.")
    client_id, client_secret = _client(request, fields)
    database, now = request.app[SERVICES].runtime.database, now_ms()
    partner_id = await store.partner_of_client(database, client_id, client_secret)
    if partner_id is None:
        return _error(401, "invalid_client", "The client ID or secret is wrong.")
    made = ids.token()
    await store.keep_token(database, partner_id, client_id, made, now)
    return _json(200, {"access_token": made, "token_type": "Bearer", "expires_in": store.TOKEN_LIFETIME_S})


async def _fields(request: web.Request) -> dict[str, str] | str:
    """The fields of a form or of a JSON object; or what is wrong with the body."""
    content = await read.body(request)
    if request.content_type == _JSON:
        try:
            found = orjson.loads(content)
        except orjson.JSONDecodeError:
            return "The body is not valid JSON."
        if not isinstance(found, dict):
            return "The body must be a JSON object."
        return {name: value for name, value in found.items() if isinstance(value, str)}
    if content and request.content_type != _FORM and "Content-Type" in request.headers:
        return f"The body must be a form ({_FORM}) or JSON ({_JSON})."
    return _form(content)


def _form(content: bytes) -> dict[str, str] | str:
    try:
        pairs = parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return "The body is no form that can be read."
    found = dict(pairs)
    # RFC 6749, 3.2: a parameter must not be given twice.
    return found if len(found) == len(pairs) else "A parameter is given more than once."


def _client(request: web.Request, fields: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = b64decode(encoded).decode().partition(":")
        except ValueError:
            return "", ""
        # RFC 6749, 2.3.1: both are written as in a form before they are joined.
        return _printable(unquote(client_id)), unquote(secret)
    return _printable(fields.get("client_id", "")), fields.get("client_secret", "")


def _printable(text: str) -> str:
    return text if text.isascii() and text.isprintable() else ""


def refuse(request: web.Request, failure: Failure) -> web.StreamResponse:
    """The error shape of RFC 6749."""
    del request
    error = "temporarily_unavailable" if failure.status == 503 else "server_error"
    return _error(failure.status, "invalid_request" if failure.status < 500 else error, failure.message)


def finish(request: web.Request, response: web.StreamResponse) -> None:
    """Tokens are kept by nobody on the way."""
    del request
    response.headers["Cache-Control"] = "no-store"


def _error(status: int, error: str, description: str) -> web.Response:
    response = _json(status, {"error": error, "error_description": description})
    if status == 401:
        response.headers.update(_CHALLENGE)
    return response


def _json(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type=_JSON)
