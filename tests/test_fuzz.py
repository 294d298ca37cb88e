"""Every route of the application under random requests: none breaks it, and each error keeps its surface's shape."""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import app
from gateway.catalogue.core import CORE_KEYS
from gateway.console import surface as console
from gateway.history.feed.feed import Feed
from gateway.inbound.receive import Receiver
from gateway.subscriptions.publish import Publisher
from tests.api.asking import bearer, with_element
from tests.kit import gateway as kit
from tests.kit.gateway import Gateway

SECONDS = 10
REQUESTS = 1500
#: A stream has no end, and whoever is fuzzed must not lose his own secrets.
_LEFT_OUT = re.compile(r"/events/stream$|/rotate$|/revoke$")
_PLACE = re.compile(r"\{(\w+)(?::([^{}]+))?\}")
_METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
_WORDS = st.sampled_from(
    ["closeio", "github", "generic", "146", "1", "2", "0", "-1", "9" * 15, "9" * 40, "0x1", "²", "", "%", "%00", "%ff",
     "é", "..", ".", "null",
     "true", "1.5", "NaN", "'; --", "2026-01-01T00:00:00Z", "9999-99-99", "0001-01-01", "a" * 900]
)  # fmt: skip
_TEXTS = st.one_of(_WORDS, st.text(max_size=20), st.binary(max_size=8).map(lambda raw: raw.decode("latin-1")))
_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4), max_leaves=12
)
_KEYS = st.sampled_from(sorted(CORE_KEYS | {"username", "password", "token", "webhook.secret"})) | _TEXTS
_BODIES = st.fixed_dictionaries(
    {},
    optional={
        "element": st.fixed_dictionaries({}, optional={"key": _WORDS, "id": _LEAVES}) | _VALUES,
        "connector": _VALUES,
        "name": _VALUES,
        "tags": st.lists(_TEXTS, max_size=3) | _VALUES,
        "configuration": st.dictionaries(_KEYS, _VALUES, max_size=5) | _VALUES,
        "externalAuthentication": _VALUES,
        "propertyValue": _VALUES,
        "key": _VALUES,
        "overlap": _VALUES,
    },
)
_PARAMETERS = st.lists(
    st.tuples(
        st.sampled_from(["pageSize", "nextPage", "limit", "cursor", "tags[]", "searchText", "hydrate", "from", "to"]),
        _TEXTS | st.sampled_from(["eyJhZnRlciI6MX0", "eyJhZnRlciI6Ii0xIn0", "W10", "bnVsbA"]),
    ),
    max_size=4,
)
_CONTENTS = st.one_of(
    st.none(),
    _BODIES.map(lambda content: json.dumps(content).encode("utf-8", "replace")),
    _VALUES.map(lambda content: json.dumps(content).encode("utf-8", "replace")),
    st.binary(max_size=40),
    st.sampled_from(
        [b"[" * 1200 + b"]" * 1200, b'{"configuration":{"event.metadata":' + b"[" * 300 + b"]" * 300 + b"}}"]
    ),
)
_CONTENT_TYPES = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain; charset=nope", ""]
)


@dataclass(frozen=True)
class Sent:
    """One request, as it goes over the wire."""

    method: str
    target: bytes
    headers: tuple[tuple[str, str], ...]
    body: bytes | None

    def wire(self) -> bytes:
        lines = [self.method.encode() + b" " + self.target + b" HTTP/1.1", b"Host: x", b"Connection: close"]
        lines += [f"{name}: {value}".encode("utf-8", "replace") for name, value in self.headers]
        if self.body is not None:
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + (self.body or b"")


@dataclass(frozen=True)
class Got:
    """One answer, taken apart."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@st.composite
def requests(draw: st.DrawFn, routes: list[str], callers: list[str]) -> Sent:
    """One request to a route, or near it."""
    path = _PLACE.sub(lambda match: _filled(draw, match[2]), draw(st.sampled_from(routes)))
    path += draw(st.sampled_from(["", "", "", "", "/", "/x"]))
    query = "&".join(f"{quote(name, safe='[]')}={_escaped(value)}" for name, value in draw(_PARAMETERS))
    return Sent(
        method=draw(_METHODS),
        target=path.encode() + (b"?" + query.encode() if query else b""),
        headers=(
            ("Authorization", draw(st.sampled_from(callers) | st.text("UserElement, xyz=é", max_size=30))),
            ("Content-Type", draw(_CONTENT_TYPES)),
            ("Element-Instances", draw(st.sampled_from(["1", "1,2", "x", "9" * 30, "9" * 4500]))),
            ("Content-Encoding", draw(st.sampled_from(["", "identity", "gzip"]))),
        ),
        body=draw(_CONTENTS),
    )


def _filled(draw: st.DrawFn, choices: str | None) -> str:
    if choices and "|" in choices:
        return draw(st.sampled_from(choices.split("|")))
    return _escaped(draw(_WORDS)) or "x"


def _escaped(text: str) -> str:
    return text if re.fullmatch("%[0-9a-f]{2}", text) else quote(text, safe="")


async def test_no_route_breaks_and_each_error_has_its_surfaces_shape(tmp_path: Path) -> None:
    async with kit.started(kit.settings(tmp_path, "")) as gateway:
        made = await gateway.create("github")
        element = with_element(gateway, made["token"])["Authorization"]
        callers = [gateway.auth["Authorization"], (await bearer(gateway))["Authorization"], element, ""]
        await asyncio.to_thread(fuzz, gateway, requests(every_route(gateway), callers), asyncio.get_running_loop())
        assert (await gateway.call("GET", "/readyz", headers={})).status == 200


def fuzz(gateway: Gateway, wanted: st.SearchStrategy[Sent], loop: asyncio.AbstractEventLoop) -> None:
    """Let hypothesis choose and shrink in a thread of its own, while the gateway runs on the loop."""
    until = time.monotonic() + SECONDS

    @settings(
        max_examples=REQUESTS,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(wanted)
    def one(sent: Sent) -> None:
        if time.monotonic() < until:
            asyncio.run_coroutine_threadsafe(check(gateway, sent), loop).result(20)

    one()


def every_route(gateway: Gateway) -> list[str]:
    """The paths of all routes that are registered in the application."""
    services = gateway.running.services
    publisher = Publisher(services.runtime, services.worker)
    feed = Feed(services.runtime.database, services.runtime.metrics, alone=True)
    application = app._application(services, Receiver(services.runtime, services.index, publisher), feed)
    routed = list(application.router.resources())
    paths = {vars(resource).get("_orig_path", resource.canonical) for resource in routed}
    assert {"/in/{token}", "/oauth/token", "/metrics", "/instances", "/elements/api-v2/instances"} <= paths
    return sorted(path for path in paths if not _LEFT_OUT.search(path))


async def check(gateway: Gateway, sent: Sent) -> None:
    """Send it, and judge the answer by its surface."""
    got = await exchange(gateway.running.port, sent)
    path = sent.target.split(b"?")[0].decode()
    # A vendor that cannot be reached is told as 502; that is no fault of the gateway's.
    assert got.status < 500 or got.status == 502, (sent, got)
    if got.status < 400 or sent.method == "HEAD":
        return
    if path.startswith(("/in/", "/elements/api-v2/events/")):
        assert got.headers["content-type"].startswith(("text/plain", "application/json")), (sent, got)
    elif path == "/oauth/token":
        assert {"error", "error_description"} == set(json.loads(got.body)), (sent, got)
    elif path.startswith("/api/v1"):
        assert got.headers["content-type"].startswith("application/problem+json"), (sent, got)
        assert json.loads(got.body)["status"] == got.status
    elif path.startswith(("/v1.0", "/api/partner")):
        assert {"Message"} == set(json.loads(got.body)), (sent, got)
        assert got.headers["x-content-type-options"] == "nosniff"
    elif path == "/account/signinwithtoken" or console.owns(path):
        assert got.headers["content-type"].startswith("text/html"), (sent, got)
    elif path.startswith(("/instances", "/elements", "/hubs", "/jobs")):
        assert {"requestId", "message"} == set(json.loads(got.body)) - {"providerMessage"}, (sent, got)
        assert got.headers["elements-request-id"]
    else:
        assert got.headers["content-type"].startswith("text/plain"), (sent, got)


async def exchange(port: int, sent: Sent) -> Got:
    """One request and its answer on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent.wire())
        async with asyncio.timeout(15):
            answer = await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines)
    return Got(int(first.split()[1]), {name.lower(): value.strip() for name, _, value in fields}, body)
