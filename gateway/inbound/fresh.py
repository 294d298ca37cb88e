"""A recorded delivery as a new one: what its connector knows deliveries by is put otherwise, and nothing else."""

import re
import secrets
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from gateway.catalogue.change import Change
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.document import walk
from gateway.catalogue.locator import Locator
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import NO_CONFIG, Sources, octets
from gateway.inbound.normalise import Malformed, Parcel, normalise, open_parcel
from gateway.proofs.received import Received, sources_of
from gateway.proofs.rewriting import Place, places, put

#: The query parameter that tells two equal bodies apart.
PARAMETER = "gateway_test"
_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_DECIMAL = re.compile(r"\d{9,11}\.\d+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PREFIX = re.compile(r"[A-Za-z]{1,8}_")
_DAY_S = 86_400
_SECONDS = range(10**9, 10**11)
_MILLISECONDS = range(10**12, 10**14)


def freshened(
    connector: Connector, config: ConfigView, received: Received, now_s: float, max_body: int
) -> Received | Malformed:
    """The delivery as none came before, of the instance's own account; unchanged where nothing tells two apart."""
    parcel = open_parcel(connector, config, received, max_body)
    if isinstance(parcel, Malformed):
        return parcel
    received = _own(parcel, config)
    before = normalise(connector, config, received, max_body)
    if isinstance(before, Malformed):
        return before
    for candidate in _candidates(connector, config, received, before, now_s, max_body):
        after = normalise(connector, config, candidate, max_body)
        if not isinstance(after, Malformed) and _is_another(before, after):
            return candidate
    return received


def _is_another(before: Sequence[Change], after: Sequence[Change]) -> bool:
    """Whether the same happened, to the same kinds of objects, and nothing of it is known already."""
    told = [[(one.type, one.action, one.object_type) for one in changes] for changes in (before, after)]
    known = {one.identity for one in before} - {None}
    return told[0] == told[1] and not known & {one.identity for one in after}


def _own(parcel: Parcel, config: ConfigView) -> Received:
    """The delivery with the instance's account where the vendor names one."""
    tenant, received = parcel.webhook.tenant, parcel.received
    account = tenant.of(config) if tenant is not None else None
    if tenant is None or account is None:
        return received
    for place in _places(parcel, config, tenant.account):
        received = _put(parcel, received, place, account)
    return received


def _candidates(
    connector: Connector,
    config: ConfigView,
    received: Received,
    before: tuple[Change, ...],
    now_s: float,
    max_body: int,
) -> Iterator[Received]:
    """The delivery with one thing put otherwise, the least striking first."""
    parcel = open_parcel(connector, config, received, max_body)
    if isinstance(parcel, Malformed):
        return
    if all(one.identity is None for one in before):
        if any(one.by_body for one in before):
            yield put(received, Place("query", PARAMETER), secrets.token_hex(8))
        return
    for locator in _identifying(parcel, before):
        fresh, changed = received, False
        for number, place in enumerate(_places(parcel, config, locator)):
            value = another(_at(parcel, config, place), now_s, number)
            if value is not None:
                fresh, changed = _put(parcel, fresh, place, value), True
        if changed:
            yield fresh


def _identifying(parcel: Parcel, before: tuple[Change, ...]) -> list[Locator]:
    changes = parcel.webhook.changes
    dedupe = list(changes.dedupe.locators) if changes.dedupe is not None else []
    by_version = any(one.identity is not None and one.identity.startswith("v:") for one in before)
    if not by_version:
        return dedupe
    dated = [one.version is not None and (_DATE.fullmatch(one.version) or one.version.isdigit()) for one in before]
    first, second = (changes.version, changes.object_id) if all(dated) else (changes.object_id, changes.version)
    return [*(one for one in (first, second) if one is not None), *dedupe]


def _places(parcel: Parcel, config: ConfigView, locator: Locator) -> list[Place]:
    """Where the parts stand that a locator finds, in every item."""
    sources = sources_of(parcel.connector, config, parcel.received)
    sources.read_as(parcel.body)
    path = _path_of_items(parcel, sources)
    found: list[Place] = []
    for number, item in enumerate(parcel.items):
        sources.item = item
        chosen = locator.chosen(sources)
        if chosen is not None and chosen.source in ("item", "body") and parcel.body.made:
            source = "query" if parcel.received.method == "GET" else "form"
            found.append(Place(source, ".".join(chosen.path_in(sources))))
        elif chosen is not None and chosen.source == "item" and path is None:
            found.append(Place("body", ".".join(chosen.path_in(sources))))
        else:
            found += places(locator, sources, path, number)
    return list(dict.fromkeys(found))


def _path_of_items(parcel: Parcel, sources: Sources) -> str | None:
    items = parcel.webhook.items
    place = items.chosen(sources) if items is not None else None
    if place is None or not isinstance(place.find(sources), list):
        return None
    return ".".join(place.path_in(sources))


def _put(parcel: Parcel, received: Received, place: Place, value: object) -> Received:
    """The delivery with another value at a place; the body may be JSON that stands in a field of a form."""
    field = parcel.webhook.form_field
    form = sources_of(parcel.connector, NO_CONFIG, received).form if field is not None else {}
    if place.source != "body" or field is None or field not in form:
        return put(received, place, value)
    inner = put(replace(received, body=octets(form[field])), place, value)
    return put(received, Place("form", field), inner.body.decode("utf-8", "surrogateescape"))


def _at(parcel: Parcel, config: ConfigView, place: Place) -> object:
    sources = sources_of(parcel.connector, config, parcel.received)
    sources.read_as(parcel.body)
    if place.source == "body":
        return walk(parcel.body.value, place.path.split("."))
    if place.source == "header":
        return parcel.received.headers.get(place.path.partition("#")[0].lower())
    return (sources.query if place.source == "query" else sources.form).get(place.path)


def another(value: object, now_s: float, number: int) -> int | str | None:
    """A value of the same kind that was not there before; None where nobody can say what that would be."""
    if isinstance(value, str):
        return _another_text(value, now_s, number)
    if type(value) is not int:
        return None
    if value in _SECONDS:
        # Two deliveries of one second differ too, whether it is a time or a number that looks like one.
        return int(now_s) - secrets.randbelow(_DAY_S)
    if value in _MILLISECONDS:
        return int(now_s * 1000) + number
    return 10**11 + secrets.randbelow(9 * 10**11)


def _another_text(text: str, now_s: float, number: int) -> str:
    if text.isascii() and text.isdigit():
        return str(another(int(text[:18]), now_s, number))
    if _DECIMAL.fullmatch(text):
        return f"{now_s + number / 1000:.6f}"
    if _DATE.fullmatch(text):
        at = datetime.fromtimestamp(now_s + number / 1000, UTC).isoformat(timespec="milliseconds")
        return at.replace("+00:00", "Z") if text.endswith("Z") else at
    if _UUID.fullmatch(text):
        return str(uuid.uuid4())
    prefix = _PREFIX.match(text)
    return f"{prefix[0] if prefix else ''}test{secrets.token_hex(10)}"
