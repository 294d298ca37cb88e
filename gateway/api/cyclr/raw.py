"""A vendor's answer as it is: its status, its bytes, its headers but for those of the connection."""

import math
import re
from collections.abc import Mapping

from aiohttp import web

from gateway.api.cyclr.wire import finish, said
from gateway.api.streaming import streamed
from gateway.api.surface import clean
from gateway.calls.model import Unsent
from gateway.calls.passing import length_of, passed_on
from gateway.calls.perform import Called
from gateway.instances.view import InstanceView

_MASK = "********"
_LONGEST_WORDS = 2_000
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_BODYLESS = frozenset({204, 205, 304})
_WHY: Mapping[str, tuple[int, str]] = {
    "rate_limited": (429, "The vendor takes no further call now"),
    "unreachable": (502, "The vendor cannot be reached"),
    "late": (504, "The vendor does not answer in time"),
    "no_credentials": (400, "The account connector is not authenticated"),
    "forbidden": (502, "The gateway may not call this address"),
}


async def passed(request: web.Request, outcome: Called) -> tuple[web.StreamResponse, int]:
    """The answer as the vendor gave it, and how many bytes it has."""
    headers = {name: _UNPRINTABLE.sub("", clean(value)) for name, value in passed_on(outcome.headers).items()}
    # Whatever a vendor sends, it is no page of this origin.
    headers["content-security-policy"] = "default-src 'none'; sandbox"
    status = outcome.status if 200 <= outcome.status < 600 else 502
    if outcome.pieces is not None:
        return await streamed(request, status, headers | _length(outcome.headers), outcome.pieces, finish)
    body = b"" if status in _BODYLESS else outcome.body or b""
    if status in _BODYLESS:
        headers.pop("content-type", None)
    return web.Response(status=status, body=body or None, headers=headers), len(body)


def unsent(view: InstanceView, outcome: Unsent) -> web.Response:
    """That there is no answer of the vendor's, and why."""
    status, sentence = _WHY[outcome.why]
    response = said(status, clean(f"{sentence}: {scrubbed(view, outcome.message)}."))
    if outcome.wait_s is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(outcome.wait_s)))
    return response


def failed(view: InstanceView, outcome: Called | Unsent) -> web.Response | None:
    """What a test answers where the vendor did not say that all is well; None where it did."""
    if isinstance(outcome, Unsent):
        return said(400, clean(f"{_WHY[outcome.why][1]}: {scrubbed(view, outcome.message)}."))
    if 200 <= outcome.status < 300:
        return None
    told = scrubbed(view, outcome.verdict.message or "it said nothing more")[:_LONGEST_WORDS]
    return said(400, clean(f"The vendor answered with status {outcome.status}: {told}"))


def scrubbed(view: InstanceView, text: str) -> str:
    """A text without the instance's secrets in it."""
    for secret in view.secrets:
        text = text.replace(secret, _MASK)
    return text


def _length(headers: Mapping[str, str]) -> dict[str, str]:
    length = length_of(headers)
    return {} if length is None else {"content-length": str(length)}
