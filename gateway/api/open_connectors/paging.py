"""Where a list stands: page tokens that only this gateway can write, and the way from page to page."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson

from gateway.calls.asking import Wish
from gateway.calls.pages import Place, first, following
from gateway.catalogue.call_model import Pagination
from gateway.catalogue.offers import Found
from gateway.catalogue.sources import Sources
from gateway.errors import Invalid, Problem, StartRefused, VendorDown
from gateway.seal import Seal

_LONGEST_TOKEN = 8_000
_BY_NUMBER = ("offset", "page")


@dataclass(frozen=True, slots=True)
class Held:
    """What a page token holds: the place, the size, and what was asked for."""

    place: Place
    size: int | None
    query: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]


def scope_of(instance_id: int, found: Found, wish: Wish) -> str:
    """What a token is good for: one list of one instance, and nothing else."""
    told = orjson.dumps([sorted(found.values.items()), wish.arguments.body.hex()]).decode()
    name = found.offer.resource.name if found.offer.resource is not None else ""
    return f"page:{instance_id}:{name}:{found.offer.method.id}:{hashlib.sha256(told.encode()).hexdigest()}"


def token_of(seal: Seal, scope: str, held: Held) -> str:
    """The token of a place; VendorDown where what the vendor said is too long for a header."""
    place = held.place
    content = [place.params, place.number, place.seen, place.url, held.size, held.query, held.fields]
    token = urlsafe_b64encode(seal.close(orjson.dumps(content).decode(), scope)).decode().rstrip("=")
    if len(token) > _LONGEST_TOKEN:
        raise VendorDown("The place of the next page does not fit into a header; ask for less at once.")
    return token


def held_by(seal: Seal, scope: str, token: str) -> Held:
    """What a token holds; Invalid where it was made for another list, or by somebody else."""
    try:
        text = seal.open(urlsafe_b64decode(token + "=" * (-len(token) % 4)), scope)
    except (ValueError, StartRefused) as problem:
        raise _no_token() from problem
    params, number, seen, url, size, query, fields = orjson.loads(text)
    place = Place(params=_pairs(params), number=number, seen=seen, url=url)
    return Held(place, size, _pairs(query), tuple(fields))


def resumed(found: Found, wish: Wish, held: Held) -> Wish:
    """The wish with what its token holds; Invalid where the rest of the query asks for something else."""
    query, fields = wish.arguments.query, wish.fields
    own = [pair for pair in query if pair[0] not in found.values]
    if (own and tuple(query) != held.query) or (fields and fields != held.fields):
        raise _no_token()
    arguments = replace(wish.arguments, query=held.query)
    return replace(wish, arguments=arguments, fields=held.fields, size=held.size)


def at_page(paging: Pagination, size: int | None, page: int) -> Place | None:
    """The place of a page by its number, from 1; None where it is found only by walking there."""
    if page == 1:
        return first(paging, size)
    if page > paging.max_pages:
        message = f"expected a number from 1 to {paging.max_pages}"
        raise Invalid(f"page: {message}.", (Problem("page", message),))
    if paging.type not in _BY_NUMBER:
        return None
    most = paging.size or 100
    rows = min(size or most, most)
    before = Place(number=page - 2, seen=(page - 2) * rows)
    return following(replace(paging, more=None, max_records=None), before, Sources(), rows, size)


def total_of(headers: Mapping[str, str], value: object) -> int | None:
    """How many records there are in all, where the vendor says so in one of the usual ways."""
    told: object = headers.get("x-total-count")
    if told is None and isinstance(value, dict):
        told = next((value[name] for name in ("total_results", "total_count", "total") if name in value), None)
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 16:
        told = int(told)
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else None


def _pairs(listed: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple([(name, value) for name, value in listed])


def _no_token() -> Invalid:
    message = "is no page token of this list"
    return Invalid(f"nextPage: {message}.", (Problem("nextPage", message),))
