"""What a vendor's answer means: its own rules first, then what statuses mean everywhere."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from gateway.calls.hosts import host_of
from gateway.calls.model import Verdict
from gateway.catalogue.call_model import ErrorRule, Limits
from gateway.catalogue.document import walk
from gateway.catalogue.locator import Locator, plain_text
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources

LONGEST_WAIT_S = 3_600.0
_RETRY_AFTER = "retry-after"
_LONGEST_MESSAGE = 2_000
_LONGEST_OF_PAGE = 500
#: The usual places of a vendor's words.
_MESSAGES = tuple(
    path.split(".")
    for path in (
        "error.message", "error_description", "message", "errors.0.message", "errors.0", "error", "detail", "title",
    )
)  # fmt: skip
_HTML = re.compile(r"\s*<(?:!doctype html|html)", re.IGNORECASE)
_TAG = re.compile(r"<(style|script)\b[^>]*>.*?(?:</\1\s*>|\Z)|<[^>]*>?", re.IGNORECASE | re.DOTALL)


def judged(connector: Connector, status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Verdict:
    """The verdict on an answer; headers by lower-case name, the body as far as it was read."""
    sources = Sources(headers=headers, raw=body)
    for rule in connector.http.errors:
        if _applies(rule, status, sources):
            return _ruled(connector, rule, sources, now_s)
    limited = connector.http.limits.status if connector.http.limits else ()
    if status == 429 or status in limited:
        return Verdict(kind="rate_limited", message=told(sources), wait_s=wait_s(connector.http.limits, sources, now_s))
    if status == 401:
        return Verdict(kind="reauth", message=told(sources))
    if status in (502, 503, 504):
        return Verdict(kind="retry", message=told(sources), wait_s=wait_s(connector.http.limits, sources, now_s))
    if 300 <= status < 400 and status != 304:
        return Verdict(kind="fail", message=_elsewhere(headers))
    if status > 304:
        return Verdict(kind="fail", message=told(sources))
    return Verdict(kind="ok")


def wait_s(limits: Limits | None, sources: Sources, now_s: float) -> float | None:
    """How long the vendor wants to be left alone, brought to sanity; None where it does not say."""
    waits: list[float | None] = []
    if limits is not None:
        waits += [_relative(locator.text(sources), now_s) for locator in limits.retry_after]
        waits += [_absolute(locator, limits.reset_unit, sources, now_s) for locator in limits.reset_at]
    waits.append(_relative(sources.headers.get(_RETRY_AFTER), now_s))
    known = next((wait for wait in waits if wait is not None), None)
    return None if known is None else min(max(known, 0.0), LONGEST_WAIT_S)


def remaining(limits: Limits | None, sources: Sources) -> float | None:
    """How many calls the vendor says are left, by `remaining` or by `used` such as 39/40; None where it does not.

    Below 0 where it is no count, such as -1 for "as many as you like".
    """
    if limits is None:
        return None
    left = _number(limits.remaining.text(sources)) if limits.remaining else None
    if left is not None or limits.used is None:
        return left
    used, slash, most = (limits.used.text(sources) or "").partition("/")
    spent, allowed = _number(used), _number(most)
    return max(0.0, allowed - spent) if slash and spent is not None and allowed is not None else None


def told(sources: Sources) -> str | None:
    """The vendor's own words, from the usual places of an error."""
    for path in _MESSAGES:
        text = plain_text(walk(sources.body, path))
        if text:
            return text[:_LONGEST_MESSAGE]
    raw = sources.raw[: 4 * _LONGEST_MESSAGE].decode("utf-8", "replace")
    if "html" in sources.headers.get("content-type", "").lower() or _HTML.match(raw):
        words = " ".join(_TAG.sub(" ", raw).split())
        return f"a page for people instead of an answer: {words}"[:_LONGEST_OF_PAGE]
    return raw.strip()[:_LONGEST_MESSAGE] or None


def _elsewhere(headers: Mapping[str, str]) -> str:
    location = headers.get("location", "")
    host = host_of(location)
    where = host or ("another path of the same host" if location else "nowhere")
    return f"the vendor redirects to {where[:253]}, and redirects are not followed"


def _ruled(connector: Connector, rule: ErrorRule, sources: Sources, now_s: float) -> Verdict:
    if rule.action == "ignore":
        return Verdict(kind="ok")
    message = (rule.message.text(sources) if rule.message else None) or told(sources)
    wait = wait_s(connector.http.limits, sources, now_s) if rule.action in ("rate_limited", "retry") else None
    kinds: Mapping[str, Verdict] = {
        "retry": Verdict(kind="retry", message=message, wait_s=wait),
        "rate_limited": Verdict(kind="rate_limited", message=message, wait_s=wait),
        "reauth": Verdict(kind="reauth", message=message),
    }
    return kinds.get(rule.action, Verdict(kind="fail", message=message))


def _applies(rule: ErrorRule, status: int, sources: Sources) -> bool:
    if rule.status and status not in rule.status:
        return False
    if not all(_matches(sources.headers.get(name.lower()), values) for name, values in rule.header.items()):
        return False
    found = ((plain_text(walk(sources.body, path.split("."))), values) for path, values in rule.body.items())
    if not all(_matches(text, values) for text, values in found):
        return False
    return rule.body_contains is None or rule.body_contains.encode() in sources.raw


def _matches(text: str | None, values: Iterable[str]) -> bool:
    return text is not None and (text in values or "*" in values)


def _relative(text: str | None, now_s: float) -> float | None:
    """Seconds, or an HTTP date (RFC 9110 §10.2.3)."""
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        return _since(parsedate_to_datetime(text), now_s)
    except (ValueError, OverflowError):
        return None


def _absolute(locator: Locator, unit: str, sources: Sources, now_s: float) -> float | None:
    text = locator.text(sources)
    if unit == "iso":
        try:
            return _since(datetime.fromisoformat(text or ""), now_s)
        except (ValueError, OverflowError):
            return None
    number = _number(text)
    return None if number is None else (number / 1000 if unit == "ms" else number) - now_s


def _since(at: datetime, now_s: float) -> float:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now_s


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text and text.isascii() and "_" not in text else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < 1e15 else None
