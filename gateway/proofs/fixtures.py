"""Deliveries as data: those that stand beside a connector file, read and checked."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from gateway.catalogue.change import Change
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import octets
from gateway.catalogue.table import nearest
from gateway.proofs.proof import KeySource
from gateway.proofs.received import Received

SOMEWHERE = "192.0.2.1"
_MAX_BYTES = 16 << 20
_UNKNOWN_FIELD = re.compile(r"unknown field `([^`]*)`")
_AT = re.compile(r" - at `\$\.?([^`]*)`")


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request as a fixture writes it."""

    method: str
    url: str
    query: str | None = None
    headers: dict[str, str] = {}
    body: str | None = None
    body_base64: str | None = None
    remote: str = SOMEWHERE


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a handshake is answered."""

    status: int
    body: str = ""
    headers: dict[str, str] = {}


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One delivery as a fixture writes it."""

    name: str
    origin: str
    now: float
    request: Request
    expect: Literal["accepted", "rejected", "handshake"]
    config: dict[str, str | bool | int | list[str]] = {}
    keys: dict[str, str] = {}
    check: str | None = None
    handshake: Answer | None = None
    saves: dict[str, str] | None = None
    confirms: str | None = None
    changes: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """The keys of a vendor that a fixture brings along."""

    texts: Mapping[str, str]

    def known(self, source: KeySource) -> bytes | None:
        """What the fixture says that the source answers."""
        text = self.texts.get(source.where)
        return None if text is None else text.encode()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery, ready to be judged."""

    told: Told
    config: ConfigView
    keys: KnownKeys
    received: Received

    @property
    def name(self) -> str:
        """Its name in the fixture."""
        return self.told.name


@dataclass(frozen=True, slots=True)
class Fixtures:
    """The deliveries of one connector."""

    connector: str
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a fixture file cannot be used: a line for each problem."""

    problems: tuple[str, ...]


def beside(connector: Connector) -> Path:
    """Where the fixtures of a connector stand."""
    return connector.source.parent / "tests" / f"{connector.key}.json"


def read_fixtures(path: Path) -> Fixtures | Unusable:
    """The deliveries of a file, or everything that is wrong with it, with file and delivery."""
    found = _json(path)
    if isinstance(found, Unusable):
        return found
    if not isinstance(found, dict) or not isinstance(found.get("deliveries"), list):
        return Unusable((f'{path}: expected {{"connector": "…", "deliveries": […]}}',))
    problems = [
        f"{path}: unknown key {key!r}{nearest(key, ('connector', 'deliveries'))}"
        for key in found
        if key not in ("connector", "deliveries")
    ]
    if found.get("connector") != path.stem:
        problems.append(
            f"{path}: connector: expected {path.stem!r} as the file is named, got {found.get('connector')!r}"
        )
    deliveries = []
    for number, one in enumerate(found["deliveries"]):
        read = _delivery(one)
        if isinstance(read, Delivery):
            deliveries.append(read)
        else:
            name = one.get("name") if isinstance(one, dict) else None
            problems += [f"{path}: deliveries[{number}]{f' {name!r}' if name else ''}: {problem}" for problem in read]
    names = [one.name for one in deliveries]
    problems += [
        f"{path}: two deliveries are named {name!r}" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    return Unusable(tuple(problems)) if problems else Fixtures(path.stem, tuple(deliveries))


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > _MAX_BYTES:
            return Unusable((f"{path}: expected at most {_MAX_BYTES} bytes",))
        return json.loads(path.read_text("utf-8"))
    except OSError as problem:
        return Unusable((f"{path}: cannot be read: {problem.strerror}",))
    except (ValueError, RecursionError) as problem:
        return Unusable((f"{path}: is no JSON: {problem}",))


def _delivery(value: object) -> Delivery | list[str]:
    try:
        told = msgspec.convert(value, Told)
    except msgspec.ValidationError as problem:
        return [_worded(str(problem))]
    problems = list(_contradictions(told))
    body = _body(told.request)
    if isinstance(body, str):
        problems.append(body)
    if problems or isinstance(body, str):
        return problems
    query = told.request.url.partition("?")[2] if told.request.query is None else told.request.query
    received = Received(
        method=told.request.method,
        url=told.request.url,
        query=query,
        headers=told.request.headers,
        body=body,
        remote=told.request.remote,
    )
    values = {key: _stored(value) for key, value in told.config.items()}
    return Delivery(told, ConfigView(values), KnownKeys(told.keys), received)


def _contradictions(told: Told) -> list[str]:
    request, found = told.request, []
    if not told.origin:
        found.append("origin: expected where it comes from, such as 'made for this project' or 'public: …'")
    if (told.expect == "rejected") is (told.check is None):
        found.append("check: expected with rejected deliveries, and only with them")
    if told.expect == "handshake" and told.handshake is None:
        found.append("handshake: is missing: what is answered")
    if told.expect == "rejected" and told.handshake is not None:
        found.append("handshake: a rejected delivery has none")
    if told.changes is not None and (told.expect != "accepted" or told.handshake is not None):
        found.append("changes: only an accepted delivery that is no handshake has some")
    known = Change.__struct_fields__
    for change in told.changes or ():
        found += [f"changes: unknown key {key!r}{nearest(key, known)}" for key in change if key not in known]
    found += [f"request.headers: expected lower-case names, got {n!r}" for n in request.headers if n != n.lower()]
    if request.query is not None and request.query != request.url.partition("?")[2]:
        found.append("request.query: expected what stands behind the ? of request.url")
    return found


def _body(request: Request) -> bytes | str:
    if request.body_base64 is None:
        return octets(request.body or "")
    if request.body is not None:
        return "request: expected either body or body_base64"
    try:
        return base64.b64decode(request.body_base64, validate=True)
    except (binascii.Error, ValueError):
        return "request.body_base64: is no base64"


def _stored(value: str | bool | int | list[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, list) else str(value)


def _worded(problem: str) -> str:
    """What the reader of structures says, with a hint where a key is unknown."""
    at, unknown = _AT.search(problem), _UNKNOWN_FIELD.search(problem)
    place = at[1] if at else ""
    text = _AT.sub("", problem)
    if unknown is not None:
        kinds: Mapping[str, type[msgspec.Struct]] = {"request": Request, "handshake": Answer}
        known = kinds.get(place, Told).__struct_fields__
        hint = nearest(unknown[1], known) or f"; expected one of {', '.join(sorted(known))}"
        text = f"unknown key {unknown[1]!r}{hint}"
    return f"{place}: {text}" if place else text
