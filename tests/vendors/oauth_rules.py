"""What oauthlib asks about clients, codes and tokens, answered from memory."""

# ruff: noqa: ARG002  the library says which arguments there are

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote_plus

from oauthlib.oauth2 import RequestValidator

_USUAL_SCOPES = ["all.full_access", "offline_access"]


class Switches(Protocol):
    """What a test may change."""

    expires_in: int
    single_use: bool

    def now(self) -> float: ...


@dataclass(frozen=True)
class Client:
    """An application that is known, and where people may be sent back to."""

    secret: str
    redirect_uris: Sequence[str]


@dataclass(frozen=True)
class Code:
    """An agreement that has not been turned into tokens yet."""

    client: str
    redirect_uri: str
    scopes: list[str]
    challenge: str | None
    method: str | None


@dataclass
class Grants:
    """What was given out: access tokens with their ends, refresh tokens and codes with whose they are."""

    clients: dict[str, Client] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, float] = field(default_factory=dict)
    refresh: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    #: Refresh tokens that counted once, and did.
    spent: set[str] = field(default_factory=set)
    pkce_required: bool = True


class Rules(RequestValidator):
    """The answers; a request of the library's is untyped, as the library is."""

    def __init__(self, grants: Grants, switches: Switches) -> None:
        super().__init__()
        self._grants = grants
        self._switches = switches

    def validate_client_id(self, client_id: str, request: Any, *_: Any, **__: Any) -> bool:
        return client_id in self._grants.clients

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *_: Any, **__: Any) -> bool:
        return redirect_uri in self._grants.clients[client_id].redirect_uris

    def validate_response_type(
        self, client_id: str, response_type: str, client: Any, request: Any, *_: Any, **__: Any
    ) -> bool:
        return response_type == "code"

    def validate_scopes(self, client_id: str, scopes: Any, client: Any, request: Any, *_: Any, **__: Any) -> bool:
        return True

    def get_default_scopes(self, client_id: str, request: Any, *_: Any, **__: Any) -> list[str]:
        return list(_USUAL_SCOPES)

    def get_default_redirect_uri(self, client_id: str, request: Any, *_: Any, **__: Any) -> str:
        return self._grants.clients[client_id].redirect_uris[0]

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        return self._grants.pkce_required

    def save_authorization_code(self, client_id: str, code: Any, request: Any, *_: Any, **__: Any) -> None:
        self._grants.codes[code["code"]] = Code(
            client_id, request.redirect_uri, list(request.scopes), request.code_challenge, request.code_challenge_method
        )

    def authenticate_client(self, request: Any, *_: Any, **__: Any) -> bool:
        name, secret = _credentials(request)
        known = self._grants.clients.get(name)
        if known is None or known.secret != secret:
            return False
        request.client = _Known(name)
        return True

    def authenticate_client_id(self, client_id: str, request: Any, *_: Any, **__: Any) -> bool:
        return False

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *_: Any, **__: Any) -> bool:
        known = self._grants.codes.get(code)
        if known is None or known.client != client.client_id:
            return False
        request.scopes = known.scopes
        request.user = "ada"
        return True

    def get_code_challenge(self, code: str, request: Any) -> Any:
        return self._grants.codes[code].challenge

    def get_code_challenge_method(self, code: str, request: Any) -> Any:
        return self._grants.codes[code].method

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, request: Any, *_: Any, **__: Any
    ) -> bool:
        return self._grants.codes[code].redirect_uri == redirect_uri

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *_: Any, **__: Any) -> None:
        self._grants.codes.pop(code, None)

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *_: Any, **__: Any
    ) -> bool:
        return grant_type in ("authorization_code", "refresh_token", "client_credentials")

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *_: Any, **__: Any) -> bool:
        known = self._grants.refresh.get(refresh_token)
        if known is None or known[0] != client.client_id:
            return False
        request.user = "ada"
        return True

    def get_original_scopes(self, refresh_token: str, request: Any, *_: Any, **__: Any) -> list[str]:
        return self._grants.refresh[refresh_token][1]

    def rotate_refresh_token(self, request: Any) -> bool:
        return self._switches.single_use

    def save_bearer_token(self, token: Any, request: Any, *_: Any, **__: Any) -> None:
        grants = self._grants
        grants.access[token["access_token"]] = self._switches.now() + token["expires_in"]
        used = request.refresh_token if request.grant_type == "refresh_token" else None
        if used and self._switches.single_use:
            grants.refresh.pop(used, None)
            grants.spent.add(used)
        if token.get("refresh_token"):
            grants.refresh[token["refresh_token"]] = (request.client.client_id, list(request.scopes))

    def revoke_token(self, token: str, token_type_hint: str, request: Any, *_: Any, **__: Any) -> None:
        self._grants.access.pop(token, None)
        self._grants.refresh.pop(token, None)


@dataclass(frozen=True)
class _Known:
    client_id: str


def _credentials(request: Any) -> tuple[str, str]:
    headers: Mapping[str, str] = {name.lower(): value for name, value in request.headers.items()}
    scheme, _, proof = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, secret = b64decode(proof).decode().partition(":")
        return unquote_plus(name), unquote_plus(secret)
    return str(request.client_id or ""), str(request.client_secret or "")
