"""The header block of a request: what may stand in it, and what every request carries."""

import re

from gateway.egress.model import Fault, Request

Headers = tuple[tuple[str, str], ...]

_ACCEPT: Headers = (("Accept", "*/*"),)
_ENCODING: Headers = (("Accept-Encoding", "identity"),)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
# How the message is framed and where it goes is decided by the client alone.
_RESERVED = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def headers_of(request: Request, agent: str) -> Headers | Fault:
    """Every header but Host, Content-Length and Connection, or the fault of the one that cannot be sent."""
    if _TOKEN.fullmatch(request.method) is None or request.method == "CONNECT":
        return Fault("invalid_method", f"{request.method[:20]!r} is not a method that can be sent")
    given = set()
    for name, value in request.headers:
        lowered = name.lower()
        if lowered in _RESERVED or _TOKEN.fullmatch(name) is None or _FORBIDDEN.search(value) is not None:
            return _refused(name, lowered)
        given.add(lowered)
    return request.headers + _defaults(given, agent)


def _defaults(given: set[str], agent: str) -> Headers:
    accept = () if "accept" in given else _ACCEPT
    encoding = () if "accept-encoding" in given else _ENCODING
    return (*accept, *encoding) if "user-agent" in given else (("User-Agent", agent), *accept, *encoding)


def _refused(name: str, lowered: str) -> Fault:
    if lowered in _RESERVED:
        return Fault("invalid_header", f"the header {name} is set by the gateway itself")
    if _TOKEN.fullmatch(name) is None:
        return Fault("invalid_header", f"{name[:40]!r} is not a valid name of a header")
    return Fault("invalid_header", f"the value of the header {name} contains control characters")
