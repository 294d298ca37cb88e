"""Where a request comes from."""

from aiohttp import web

from gateway.api.surface import SERVICES
from gateway.inbound.forwarded import source_address


def address(request: web.Request) -> str:
    """The caller's address; through proxies only where the operator trusts them."""
    proxies = request.app[SERVICES].runtime.config.server.trusted_proxies
    return source_address(request.remote or "", request.headers.getall("X-Forwarded-For", []), proxies)
