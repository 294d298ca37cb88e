"""From a method and a caller's arguments to the request; what does not fit the method is Invalid, field by field."""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode

from gateway.calls import hosts
from gateway.calls.bodies import body_of
from gateway.calls.fields import lacking, problem_of, unknown
from gateway.calls.model import Access, Arguments, Rendered
from gateway.catalogue.call_model import Field, Method, Request
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import Template, Word
from gateway.catalogue.words import VERBS
from gateway.egress.limits import MAX_URL
from gateway.errors import Invalid, Problem

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_LONGEST = 2_048
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def rendered(access: Access, method: Method, arguments: Arguments) -> Rendered:
    """The request of one method."""
    problems = [*_path_problems(method, arguments), *_header_problems(method, arguments)]
    problems += [*_query_problems(method, arguments), *_key_problems(arguments)]
    body, content_type, found = body_of(method, arguments)
    problems += found
    if problems:
        raise Invalid(sentence(method, problems), tuple(problems))
    usual = {name: one.default for name, one in method.params.items() if one.default}
    sources = _sources(access, {**usual, **arguments.params})
    headers = [(name, template.text(sources)) for name, template in _headers(access, method).items()]
    if content_type:
        headers.append(("Content-Type", content_type))
    call = Rendered(
        verb=verb(method.request, arguments),
        url=address(access, method.request, sources),
        headers=tuple((name, value) for name, value in headers if value),
        query=tuple(_query(method, arguments, sources)),
        body=body,
    )
    if len(whole_url(call)) > MAX_URL:
        raise Invalid(f"{method.name} would have an address of more than {MAX_URL} characters.")
    return _once(access, call, arguments.idempotency_key)


def _once(access: Access, call: Rendered, given: str | None) -> Rendered:
    """A POST with a key by which the vendor knows its repetition, where it has such keys."""
    name = access.connector.http.idempotency_header
    if name is None or call.verb != "POST":
        return call
    others = tuple(pair for pair in call.headers if pair[0].lower() != name.lower())
    return replace(call, headers=(*others, (name, given or str(uuid.uuid4()))))


def plain(access: Access, request: Request, words: Mapping[str, str]) -> Rendered:
    """A request that the file itself makes, such as a check or a registration."""
    sources = _sources(access, words)
    headers = [(name, template.text(sources)) for name, template in access.connector.http.headers.items()]
    return Rendered(
        verb=request.verb,
        url=address(access, request, sources),
        headers=tuple((name, value) for name, value in headers if value),
    )


def address(access: Access, request: Request, sources: Sources) -> str:
    """The URL of a request; Invalid where it would leave the connector's hosts."""
    path = request.path.url(sources)
    base = hosts.base_url(access.connector, access.config)
    if "://" not in path and not base:
        message = "is needed for calls: this connector has no address of its own"
        raise Invalid(f"{hosts.BASE_URL} {message}.", (Problem(hosts.BASE_URL, message),))
    url = path if "://" in path else base + path
    stray = hosts.leaves(access.connector, access.config, url)
    if stray is not None:
        raise Invalid(f"The call would leave the hosts of {access.connector.key}: {stray[:100]}.")
    return url


def whole_url(call: Rendered) -> str:
    """The URL with its query."""
    if not call.query:
        return call.url
    written = urlencode(call.query, quote_via=quote, safe="", errors="surrogatepass")
    return f"{call.url}{'&' if '?' in call.url else '?'}{written}"


def verb(request: Request, arguments: Arguments) -> str:
    """The HTTP method, which may be a parameter."""
    return arguments.params.get("verb", "GET").upper() if request.verb == "{verb}" else request.verb


def sentence(method: Method, problems: list[Problem]) -> str:
    """What is wrong with the arguments of a method, in one line."""
    listed = "; ".join(f"{problem.field}: {problem.message}" for problem in problems[:10])
    return f"{method.name} cannot be called like this: {listed}."


def _sources(access: Access, words: Mapping[str, str]) -> Sources:
    return Sources(config=access.config, defaults=access.connector.value_defaults, words=words)


def _headers(access: Access, method: Method) -> Mapping[str, Template]:
    return {**access.connector.http.headers, **method.headers}


def _key_problems(arguments: Arguments) -> Iterator[Problem]:
    key = arguments.idempotency_key
    if key is not None and not _KEY.fullmatch(key):
        yield Problem("idempotency key", "expected up to 255 printable ASCII characters")


def _path_problems(method: Method, arguments: Arguments) -> Iterator[Problem]:
    if method.request.verb == "{verb}":
        declared, asked = method.params.get("verb"), verb(method.request, arguments)
        known = (declared.choices if declared else ()) or VERBS
        if asked not in known:
            yield Problem("verb", f"expected one of {', '.join(known)}")
    for part in method.request.path.parts:
        if not isinstance(part, Word):
            continue
        value = arguments.params.get(part.name)
        if not value:
            yield Problem(part.name, "is needed in the path")
        elif _UNSAFE.search(value) or len(value) > _LONGEST:
            yield Problem(part.name, "holds control characters, or is too long")
        elif any(step in (".", "..") for step in (value.split("/") if part.wide else [value])):
            yield Problem(part.name, "is no id, but a step in a path")
        elif part.name in method.params and (text := problem_of(method.params[part.name], value)):
            yield Problem(part.name, text)


def _header_problems(method: Method, arguments: Arguments) -> Iterator[Problem]:
    """Of the parameters that stand in headers and not in the path as well."""
    words = {word for template in method.headers.values() for word in template.words}
    for name in sorted(words - method.request.path.words):
        value, declared = arguments.params.get(name), method.params.get(name)
        if value and (_UNSAFE.search(value) or len(value) > _LONGEST):
            yield Problem(name, "holds control characters, or is too long")
        elif value and declared is not None and (text := problem_of(declared, value)):
            yield Problem(name, text)
        elif not value and declared is not None and declared.required and declared.default is None:
            yield Problem(name, "is required")


def _query_problems(method: Method, arguments: Arguments) -> Iterator[Problem]:
    given = dict(arguments.query)
    for name, value in arguments.query:
        declared = method.query.get(name)
        if declared is None and not method.any_query:
            yield Problem(name, unknown("parameter", name, [key for key, one in method.query.items() if not one.fixed]))
        elif declared is not None and declared.fixed is not None:
            yield Problem(name, "is set by the connector")
        elif declared is not None and (text := problem_of(declared, value)):
            yield Problem(name, text)
    yield from lacking(method.query, given)


def _query(method: Method, arguments: Arguments, sources: Sources) -> Iterator[tuple[str, str]]:
    given = {name for name, _ in arguments.query}
    for name, declared in method.query.items():
        text = _usual(declared, sources)
        if name not in given and text:
            yield name, text
    yield from arguments.query


def _usual(declared: Field, sources: Sources) -> str | None:
    return declared.fixed.text(sources) if declared.fixed is not None else declared.default
