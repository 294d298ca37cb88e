"""What of a vendor's headers reaches a caller."""

from collections.abc import Mapping

#: What holds for one connection only (RFC 9110 §7.6.1), is said anew, or speaks in the name of the gateway's own host.
_KEPT_BACK = frozenset(
    {
        "alt-svc", "connection", "content-length", "date", "keep-alive", "nel", "proxy-authenticate",
        "proxy-authentication-info", "proxy-connection", "public-key-pins", "report-to", "reporting-endpoints",
        "server", "set-cookie", "set-cookie2", "strict-transport-security", "te", "trailer", "transfer-encoding",
        "upgrade", "via", "www-authenticate", "clear-site-data", "refresh", "location",
    }
)  # fmt: skip
_UNDONE = frozenset({"gzip", "x-gzip", "deflate", "identity"})


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of an answer that are a caller's business; a length and a compression that was undone are not."""
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return {
        name: value
        for name, value in headers.items()
        if name not in _KEPT_BACK
        and name not in named
        and not name.startswith("access-control-")
        and not (name == "content-encoding" and value.strip().lower() in _UNDONE)
    }


def length_of(headers: Mapping[str, str]) -> int | None:
    """How many bytes the body has as it is passed on; None where nobody can say before its end."""
    text = headers.get("content-length", "")
    if not text.isdecimal() or len(text) > 18 or headers.get("content-encoding", "identity").lower() != "identity":
        return None
    return int(text)
