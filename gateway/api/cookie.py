"""The cookie of a person's session, whoever sets it."""

from aiohttp import web

from gateway.accounts.sign_in import SESSION_MS
from gateway.config import Config


def name(config: Config) -> str:
    """The name of the session's cookie; with the prefix, browsers take it from this host over TLS only."""
    return "__Host-gateway-session" if secure(config) else "gateway-session"


def secure(config: Config) -> bool:
    """Whether people reach the gateway over TLS."""
    return config.public_url.startswith("https:")


def give(response: web.Response, config: Config, secret: str) -> None:
    """Let the browser keep a session."""
    response.set_cookie(
        name(config),
        secret,
        max_age=SESSION_MS // 1000,
        path="/",
        httponly=True,
        secure=secure(config),
        samesite="Lax",
    )


def take(response: web.Response, config: Config) -> None:
    """Let the browser forget it."""
    response.del_cookie(name(config), path="/", secure=secure(config), httponly=True, samesite="Lax")
