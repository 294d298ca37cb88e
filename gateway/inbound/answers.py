"""Short answers in plain words, for a vendor's log."""

from collections.abc import Iterable

from gateway.inbound.handshake import Reply

RETRY_AFTER_S = 5


def plain(status: int, text: str, *, retry_after: float | None = None, allow: Iterable[str] = ()) -> Reply:
    """A short text, and when to come again or how."""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/plain; charset=utf-8"),)
    if retry_after is not None:
        headers = (*headers, ("Retry-After", str(max(1, round(retry_after)))))
    if allow:
        headers = (*headers, ("Allow", ", ".join(sorted(allow))))
    return Reply(status=status, headers=headers, body=text.encode())


def worst(replies: list[Reply]) -> Reply:
    """The one answer to a request that was for several: where one of them must be sent again, all are."""
    return max(replies, key=lambda reply: reply.status)
