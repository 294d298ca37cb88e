"""A resource that an instance itself wants polled: its URL, made into the call that the hub would make of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from gateway.calls import hosts
from gateway.calls.asking import is_wire, request_of, wished
from gateway.calls.model import Access, Rendered
from gateway.catalogue.dated import Dated, Moment
from gateway.catalogue.offers import Found, NoVerb, Offers, Unknown
from gateway.catalogue.poller_entry import PollerEntry
from gateway.catalogue.sources import pairs
from gateway.catalogue.where import Comparison, parse
from gateway.errors import Invalid

_PREFIX = re.compile(r"/elements/api-v2(?=/)")
_HUB = re.compile(r"/hubs/[^/]+(?=/)")
_PARAMETER = re.compile(r"\{(\w+)\}")
_DATED_SIGNS = (">", ">=", "=")
#: Any time will do to try a URL out.
_SAMPLE = 1_533_065_986_123
_PAGES = ("page", "nextPage", "pageSize")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of the vendor; `query` and `comparisons` hold marks where a date goes."""

    dated: Dated
    found: Found
    query: tuple[tuple[str, str], ...]
    comparisons: tuple[Comparison, ...] = ()

    def rendered(self, access: Access, since: int) -> Rendered:
        """The request for the records since a time, in milliseconds; Invalid where it cannot be made."""
        values = {name: self.dated.at(text, since) for name, text in self.found.values.items()}
        found = replace(self.found, values=values)
        query = [(name, self.dated.at(text, since)) for name, text in self.query]
        if self.comparisons:
            query.append(("where", " AND ".join([_clause(self.dated, one, since) for one in self.comparisons])))
        wish, problems = wished(found, "GET", query, b"", {})
        return request_of(access, found.offer.method, wish, problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """An entry that can be asked; `field` and `moment` are those of the comparison that asks since a date."""

    entry: PollerEntry
    asked: Asked
    field: str | None = None
    moment: Moment | None = None
    #: Fields whose date the vendor cannot be asked for: everything is read, and compared by the gateway.
    unasked: tuple[str, ...] = ()


def polled(access: Access, offers: Offers, entry: PollerEntry) -> Polled | str:
    """The entry as it is asked, or what is wrong with its URL."""
    path, _, text = entry.url.marked.partition("#")[0].partition("?")
    place = _place(access, path)
    if isinstance(place, Refused):
        return place.why
    try:
        filled = _filled(place, entry.parameters)
        query = pairs(text)
    except ValueError as problem:
        return str(problem)
    found = offers.find("GET", filled, access.config)
    if isinstance(found, Unknown):
        return f"{_shown(entry, place)} is nothing that {access.connector.key} offers{found.hint}"
    if isinstance(found, NoVerb):
        return f"{_shown(entry, place)} cannot be read by GET, only by {', '.join(found.allowed)}"
    asked = Asked(dated=entry.url, found=found, query=tuple(_own(query)))
    return _compared(access, entry, asked, dict(query))


@dataclass(frozen=True, slots=True)
class Refused:
    """An address that is not asked, and why."""

    why: str


def _place(access: Access, path: str) -> str | Refused:
    """The path below the instance, percent-encoded, without a slash before it."""
    if path.startswith("//") or "://" in path:
        return _of_vendor(access, path)
    path = path if path.startswith("/") else "/" + path
    path = _HUB.sub("", _PREFIX.sub("", path, count=1), count=1)
    return path.lstrip("/")


def _of_vendor(access: Access, url: str) -> str | Refused:
    """The path of a whole address, which must be one of the vendor's."""
    own = f"{access.connector.key} is called at its own hosts alone"
    stray = hosts.leaves(access.connector, access.config, url)
    if stray is not None:
        return Refused(f"{url[:100]} leads away from there: {own}")
    base = hosts.base_url(access.connector, access.config)
    if base and url.startswith(base + "/"):
        return url[len(base) + 1 :]
    return url.partition("://")[2].partition("/")[2]


def _filled(path: str, parameters: Mapping[str, str]) -> str:
    lacking = [name for name in _PARAMETER.findall(path) if not parameters.get(name)]
    if lacking:
        raise ValueError(f"{{{lacking[0]}}} has no value; give one in parameters")
    return _PARAMETER.sub(lambda match: quote(parameters[match[1]], safe=""), path)


def _own(query: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """What is left of a query without what the gateway says itself: pages are as large as they can be."""
    return ((name, value) for name, value in query if name not in _PAGES)


def _compared(access: Access, entry: PollerEntry, asked: Asked, given: Mapping[str, str]) -> Polled | str:
    """The same with its `where` taken apart, and tried out."""
    if given.get("page", "1") != "1" or given.get("nextPage"):
        return "begins with the first page; leave out page and nextPage"
    clause = given.get("where", "")
    comparisons: tuple[Comparison, ...] = ()
    if clause.strip() and is_wire(asked.found.offer, "GET", "where"):
        parsed = parse(clause)
        if isinstance(parsed, str):
            return f"where: {parsed}"
        comparisons = parsed
        asked = replace(asked, query=tuple(pair for pair in asked.query if pair[0] != "where"))
    dates = [one for one in comparisons if one.sign in _DATED_SIGNS and entry.url.moment_in(one.value) is not None]
    kept = {one: _askable(access, asked, one) for one in dates}
    asked = replace(asked, comparisons=tuple(one for all_ in comparisons if (one := kept.get(all_, all_)) is not None))
    problem = _problem(access, asked)
    if problem is not None:
        return problem
    first = dates[0] if dates else None
    return Polled(
        entry=entry,
        asked=asked,
        field=first.field if first else None,
        moment=entry.url.moment_in(first.value) if first else None,
        unasked=tuple(one.field for one, said in kept.items() if said is None),
    )


def _askable(access: Access, asked: Asked, one: Comparison) -> Comparison | None:
    """The comparison as the vendor can be asked, the bound included where that goes; None where it cannot be asked."""
    signs = (">=", ">") if one.sign in (">", ">=") else (one.sign,)
    for sign in signs:
        tried = replace(one, sign=sign)
        if _problem(access, replace(asked, comparisons=(tried,)), only="where") is None:
            return tried
    return None


def _problem(access: Access, asked: Asked, only: str | None = None) -> str | None:
    try:
        asked.rendered(access, _SAMPLE)
    except Invalid as error:
        if only is not None and not any(problem.field == only for problem in error.problems):
            return None
        return str(error).rstrip(".")
    return None


def _clause(dated: Dated, one: Comparison, since: int) -> str:
    if one.sign == "IN":
        items = ",".join([_quoted(dated.at(item, since)) for item in one.value.split(",")])
        return f"{one.field} IN ({items})"
    return f"{one.field} {one.sign} {_quoted(dated.at(one.value, since))}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _shown(entry: PollerEntry, place: str) -> str:
    return f"/{entry.url.at(place, _SAMPLE)}"[:100]
