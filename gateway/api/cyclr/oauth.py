"""The token endpoint (RFC 6749): client credentials, and where the operator allows it passwords, for bearer tokens."""

import math
from base64 import b64decode
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
import structlog
from aiohttp import web

from gateway.accounts.credentials import grants
from gateway.accounts.credentials.grants import Client, Issued, Refused
from gateway.accounts.credentials.model import EXPIRES_IN_S
from gateway.api import read
from gateway.api.source import address
from gateway.api.surface import SERVICES, Failure

PATH = "/oauth/token"
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_MOST_FIELDS = 50
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="connector-gateway"'}

log = structlog.get_logger()


def routes() -> list[web.AbstractRouteDef]:
    """The token endpoint."""
    return [web.post(PATH, token)]


async def token(request: web.Request) -> web.Response:
    """`POST /oauth/token`."""
    fields = await _fields(request)
    if isinstance(fields, str):
        return error(400, "invalid_request", fields)
    if "grant_type" not in fields:
        return error(400, "invalid_request", "The grant_type is missing; it must be client_credentials.")
    found = await _granted(request, fields)
    if isinstance(found, Refused):
        client = _client(request, fields)
        log.info("token.refused", error=found.error, client_id=client.client_id[:64], remote=client.address)
        return _refused(found)
    return _json(200, _issued(found))


async def _granted(request: web.Request, fields: dict[str, str]) -> Issued | Refused:
    services, client = request.app[SERVICES], _client(request, fields)
    database, reception = services.runtime.database, services.reception
    grant_type = fields["grant_type"]
    if grant_type == "client_credentials":
        return await grants.by_client(database, reception, client, fields.get("scope", ""))
    if grant_type not in ("password", "refresh_token"):
        return Refused("unsupported_grant_type", "The grant_type must be client_credentials.")
    if not services.runtime.config.security.password_grant:
        message = "The grant_type must be client_credentials; security.password_grant allows others."
        return Refused("unsupported_grant_type", message)
    if grant_type == "refresh_token":
        return await grants.by_refresh(database, reception, client, fields.get("refresh_token", ""))
    username, password = _text(fields.get("username", "")), fields.get("password", "")
    return await grants.by_password(database, reception, client, username, password)


def _issued(found: Issued) -> dict[str, Any]:
    body: dict[str, Any] = {
        "access_token": found.token,
        "token_type": "bearer",
        "expires_in": EXPIRES_IN_S,
        "clientId": found.client_id,
        ".issued": _http_date(found.issued_at),
        ".expires": _http_date(found.expires_at),
    }
    if found.refresh is not None:
        body |= {"refresh_token": found.refresh, "userName": found.username}
    return body


def _refused(found: Refused) -> web.Response:
    if found.wait_s > 0:
        response = error(429, found.error, found.message)
        response.headers["Retry-After"] = str(math.ceil(found.wait_s))
        return response
    return error(401 if found.error == "invalid_client" else 400, found.error, found.message)


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


def _client(request: web.Request, fields: dict[str, str]) -> Client:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    client_id, secret = fields.get("client_id", ""), fields.get("client_secret", "")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = b64decode(encoded).decode().partition(":")
        except ValueError:
            client_id = secret = ""
        # RFC 6749, 2.3.1: both are written as in a form before they are joined.
        client_id, secret = unquote(client_id), unquote(secret)
    known = client_id if client_id.isascii() and client_id.isprintable() else ""
    return Client(client_id=known, secret=secret, address=address(request))


def _text(value: str) -> str:
    return value if value.isprintable() else ""


def _http_date(at_ms: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_ms // 1000, UTC), usegmt=True)


def refuse(failure: Failure) -> web.Response:
    """The error shape of RFC 6749."""
    name = "temporarily_unavailable" if failure.status == 503 else "server_error"
    return error(failure.status, "invalid_request" if failure.status < 500 else name, failure.message)


def error(status: int, name: str, description: str) -> web.Response:
    """An error of this endpoint."""
    response = _json(status, {"error": name, "error_description": description})
    if status == 401:
        response.headers.update(_CHALLENGE)
    return response


def _json(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type=_JSON)
