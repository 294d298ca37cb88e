"""An OAuth 2 authorization server: oauthlib decides, this holds what was given out; and a login for sessions."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from oauthlib.oauth2 import Server

from tests.vendors.arrived import BODY
from tests.vendors.oauth_rules import Client, Grants, Rules

CLIENT_ID, CLIENT_SECRET = "gateway-client", "gateway-client-secret"
REDIRECT_URI = "https://gateway.example/callback"
#: The library refuses plain http; the simulated vendor says that it stands behind TLS.
_FACE = "https://vendor.example"


@dataclass
class Authorization:
    """The authorization server and its switches; everything it gave out is in `grants`."""

    expires_in: int = 3600
    #: Whether every refresh gives a new refresh token and ends the old one.
    single_use: bool = True
    #: Session logins: who may log in, and how long it lasts.
    users: dict[str, str] = field(default_factory=lambda: {"ada": "secret"})
    grants: Grants = field(default_factory=Grants)
    #: How many tokens were given out, by grant type.
    given: dict[str, int] = field(default_factory=dict)
    #: Seconds by which the vendor's clock runs ahead, to end tokens at once.
    ahead_s: float = 0.0

    def __post_init__(self) -> None:
        self.grants.clients[CLIENT_ID] = Client(CLIENT_SECRET, (REDIRECT_URI,))
        self._server = Server(Rules(self.grants, self), token_expires_in=lambda _request: self.expires_in)

    def now(self) -> float:
        """The vendor's time."""
        return time.time() + self.ahead_s

    def is_valid(self, token: str) -> bool:
        """Whether an access token counts."""
        return self.grants.access.get(token, 0.0) > self.now()

    def expire(self) -> None:
        """End every access token; refresh tokens stay."""
        self.grants.access.clear()

    def forget_refresh_tokens(self) -> None:
        """The user has taken the agreement back: refreshing is invalid_grant from now on."""
        self.grants.refresh.clear()

    def issue(self) -> tuple[str, str]:
        """An access and a refresh token, as somebody would have who has agreed before."""
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.grants.access[access] = self.now() + self.expires_in
        self.grants.refresh[refresh] = (CLIENT_ID, ["all.full_access"])
        return access, refresh

    def agree(self, url: str) -> Mapping[str, str]:
        """A person agrees on the page of this address: what is sent back to the redirect URI."""
        headers, _, status = self._authorized(url)
        if status != 302:
            raise ValueError(f"the authorization server refuses the address with status {status}")
        back = urlsplit(headers["Location"])
        return {name: values[0] for name, values in parse_qs(back.query).items()}

    def routes(self) -> list[web.RouteDef]:
        """What it serves."""
        return [
            web.get("/oauth2/authorize/", self._authorize),
            web.post("/oauth2/token/", self._token),
            web.post("/oauth2/revoke/", self._revoke),
            web.post("/session/login/", self._login),
        ]

    def _authorized(self, url: str) -> tuple[Mapping[str, str], str | None, int]:
        parts = urlsplit(url)
        uri = f"{_FACE}{parts.path}?{parts.query}"
        scopes, credentials = self._server.validate_authorization_request(uri)
        headers, body, status = self._server.create_authorization_response(
            uri, scopes=scopes, credentials=credentials | {"user": "ada"}
        )
        return headers, body, status

    async def _authorize(self, request: web.Request) -> web.Response:
        headers, body, status = self._authorized(str(request.url))
        return web.Response(status=status, headers=headers, text=body or "")

    async def _token(self, request: web.Request) -> web.Response:
        text = request[BODY].decode()
        headers, body, status = self._server.create_token_response(
            _FACE + request.path_qs, "POST", text, dict(request.headers)
        )
        if status == 200:
            kind = parse_qs(text).get("grant_type", ["?"])[0]
            self.given[kind] = self.given.get(kind, 0) + 1
        return web.Response(status=status, headers=headers, text=body or "")

    async def _revoke(self, request: web.Request) -> web.Response:
        headers, body, status = self._server.create_revocation_response(
            _FACE + request.path_qs, "POST", request[BODY].decode(), dict(request.headers)
        )
        return web.Response(status=status, headers=headers, text=body or "")

    async def _login(self, request: web.Request) -> web.Response:
        try:
            asked = json.loads(request[BODY])
        except ValueError:
            asked = None
        if (
            not isinstance(asked, dict)
            or not asked.get("user")
            or self.users.get(asked["user"]) != asked.get("password")
        ):
            return web.json_response({"error": "wrong user or password"}, status=401)
        token = secrets.token_urlsafe(24)
        self.grants.access[token] = self.now() + self.expires_in
        self.given["session"] = self.given.get("session", 0) + 1
        return web.json_response({"session": {"token": token, "expires_in": self.expires_in}})
