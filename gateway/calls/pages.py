"""Paging: what is asked for the first page and for the next, as the connector's way of paging says."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urldefrag, urljoin

import orjson

from gateway.calls.hosts import leaves
from gateway.calls.model import Access, Rendered, Unsent
from gateway.catalogue.call_model import Pagination
from gateway.catalogue.sources import Sources

_WORD = r"[^\s=;,\"<>]"
_VALUE = rf"(?:\"(?:[^\"\\]|\\.)*+\"|{_WORD}*+)"
_LINK = re.compile(rf"<([^<>]*)>((?:\s*+;\s*+{_WORD}*+\s*+(?:=\s*+{_VALUE})?)*+)")
_REL = re.compile(rf";\s*+rel\s*+=\s*+({_VALUE})", re.IGNORECASE)
_LONGEST_TOKEN = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a list stands: the parameters that ask for this page, and what they replace.

    `url` where the vendor gave a whole address for the next page; `number` counts pages from 0.
    """

    params: tuple[tuple[str, str], ...] = ()
    number: int = 0
    seen: int = 0
    url: str | None = None


def first(paging: Pagination, size: int | None) -> Place:
    """The first page, of the size that is wanted as far as the vendor goes."""
    params = [*_size(paging, size)]
    start = 0 if paging.first is None else paging.first
    if paging.type == "page" and paging.param:
        params.append((paging.param, str(1 if paging.first is None else paging.first)))
    if paging.type == "offset" and paging.offset_param and paging.first is not None:
        params.append((paging.offset_param, str(start)))
    return Place(params=tuple(params))


def following(paging: Pagination, at: Place, sources: Sources, count: int, size: int | None) -> Place | None:
    """The page after this one; None where this is the last, or the vendor's bounds are reached."""
    number, seen = at.number + 1, at.seen + count
    if number >= paging.max_pages or (paging.max_records is not None and seen >= paging.max_records):
        return None
    if paging.more is not None and (paging.more.text(sources) or "false") in ("false", "0", "null", ""):
        return None
    find = _FOLLOWING.get(paging.type)
    found = find(paging, sources, Read(number, seen, count, size)) if find else None
    if found is None:
        return None
    if isinstance(found, str):
        return None if found == at.url else Place(url=found, number=number, seen=seen)
    params = (*_size(paging, size), *found)
    # Who names this page as the next one would be read for ever.
    return None if params == at.params else Place(params=params, number=number, seen=seen)


def turned(access: Access, paging: Pagination, call: Rendered, place: Place) -> Rendered | Unsent:
    """The call that asks for a page; a vendor's address for it must stay within the instance's hosts."""
    if place.url is not None:
        url = _joined(call.url, place.url)
        stray = leaves(access.connector, access.config, url)
        if stray is not None:
            return Unsent("forbidden", f"the vendor's next page would leave its hosts: {stray[:200]}")
        return replace(call, url=url, query=())
    if paging.where == "body":
        return _turned_body(paging, call, place)
    later = place.number > 0
    left_out = {name for name, _ in place.params} | {*(paging.omit if later else ())}
    kept = () if later and paging.drop_params else (pair for pair in call.query if pair[0] not in left_out)
    return replace(call, query=(*kept, *place.params))


def _joined(base: str, url: str) -> str:
    try:
        return urldefrag(urljoin(base, url)).url
    except ValueError:
        return url


def _turned_body(paging: Pagination, call: Rendered, place: Place) -> Rendered | Unsent:
    try:
        body = orjson.loads(call.body or b"{}")
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        return Unsent("forbidden", "pages of this list are asked for in a JSON object, and the body is none")
    counts = {paging.size_param, paging.offset_param, paging.param if paging.type == "page" else None}
    params = {name: int(value) if name in counts and value.isdecimal() else value for name, value in place.params}
    later = place.number > 0
    kept = {} if later and paging.drop_params else {k: v for k, v in body.items() if not (later and k in paging.omit)}
    for name, value in params.items():
        kept = _placed(kept, name.split("."), value)
    return replace(call, body=orjson.dumps(kept))


def _placed(into: Mapping[str, object], path: list[str], value: object) -> dict[str, object]:
    """The object with a value at a path of names; dots lead inwards."""
    name, rest = path[0], path[1:]
    if not rest:
        return {**into, name: value}
    inner = into.get(name)
    return {**into, name: _placed(inner if isinstance(inner, dict) else {}, rest, value)}


def _size(paging: Pagination, size: int | None) -> list[tuple[str, str]]:
    if paging.size_param is None:
        return []
    most = paging.size or 100
    return [(paging.size_param, str(min(size or most, most)))]


Found = str | list[tuple[str, str]] | None
Follow = Callable[[Pagination, Sources, "Read"], Found]


@dataclass(frozen=True, slots=True)
class Read:
    """How far a list was read: pages, records, records of the last page, and the size that was asked for."""

    number: int
    seen: int
    count: int
    size: int | None


def _cursor(paging: Pagination, sources: Sources, _read: Read) -> Found:
    token = paging.next.text(sources) if paging.next else None
    if not token or len(token) > _LONGEST_TOKEN:
        return None
    # Some vendors say the whole address of the next page where others say a token.
    if token.startswith(("https://", "http://")):
        return token
    if paging.param is None:
        return token if token.startswith(("/", "?")) else None
    return [(paging.param, token)]


def _offset(paging: Pagination, _sources: Sources, read: Read) -> Found:
    if paging.offset_param is None or _is_last(paging, read):
        return None
    return [(paging.offset_param, str((paging.first or 0) + read.seen))]


def _page(paging: Pagination, _sources: Sources, read: Read) -> Found:
    if paging.param is None or _is_last(paging, read):
        return None
    return [(paging.param, str((1 if paging.first is None else paging.first) + read.number))]


def _is_last(paging: Pagination, read: Read) -> bool:
    """An empty page, or one that is not full where the vendor does not say whether there is more."""
    most = paging.size or 100
    return not read.count or (paging.more is None and read.count < min(read.size or most, most))


def _link(paging: Pagination, sources: Sources, _read: Read) -> Found:
    return links(sources.headers.get("link", "")).get((paging.rel or "next").lower())


def links(header: str) -> Mapping[str, str]:
    """The addresses of a Link header (RFC 8288) by their relation."""
    found: dict[str, str] = {}
    for match in _LINK.finditer(header[:16_384]):
        rel = _REL.search(match[2])
        for word in rel[1].strip('"').split() if rel else ():
            found.setdefault(word.lower(), match[1])
    return found


_FOLLOWING: Mapping[str, Follow] = {
    "cursor": _cursor,
    "keyset": _cursor,
    "offset": _offset,
    "page": _page,
    "link": _link,
}
