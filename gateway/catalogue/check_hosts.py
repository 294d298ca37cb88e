"""Whether the requests of a file stay on the hosts that it names."""

import re
from collections.abc import Iterable, Iterator

from gateway.catalogue.call_model import Http, Method, Poll, Request
from gateway.catalogue.read_request import PLACEHOLDER, authority
from gateway.catalogue.table import Findings
from gateway.catalogue.webhook_model import Subscribe

Placed = tuple[str, Request | None]


def check_hosts(
    http: Http, methods: Iterable[Method], polls: Iterable[Poll], registration: Subscribe | None, findings: Findings
) -> None:
    """Notes every request with a host of its own that neither the base address has nor `hosts` names."""
    for where, request in _requests(http, methods, polls, registration):
        if request is not None and not _stays(http, request.path.source_text):
            findings.problem(where, "goes to a host that is neither that of http.base_url nor one of http.hosts")


def _requests(
    http: Http, methods: Iterable[Method], polls: Iterable[Poll], registration: Subscribe | None
) -> Iterator[Placed]:
    yield "http.check.request", http.check
    for method in methods:
        yield f"methods.{method.id}.request", method.request
    for number, poll in enumerate(polls):
        yield f"poll[{number}].request", poll.request
    if registration is not None:
        yield "webhook.subscribe.request", registration.request
        yield "webhook.subscribe.renew", registration.renew
        yield "webhook.subscribe.check", registration.check
        yield "webhook.subscribe.list", registration.list
        yield "webhook.subscribe.delete", registration.delete


def _stays(http: Http, path: str) -> bool:
    """Whether a path keeps to those hosts; what values make of a host is known only when it is called."""
    host = authority(path)
    if host is None or PLACEHOLDER.search(host):
        return True
    usual = authority(http.base_url.source_text) if http.base_url is not None else None
    pattern = "[a-z0-9.-]+".join(re.escape(_bare(part)) for part in PLACEHOLDER.split(usual or ""))
    return _bare(host) in map(str.lower, http.hosts) or re.fullmatch(pattern, _bare(host)) is not None


def _bare(host: str) -> str:
    return host.lower().removesuffix(":443")
