"""The facts about a resource that an instance itself wants polled, in the words of a connector's `[[poll]]`."""

from dataclasses import dataclass

from gateway.calls.polled import Polled
from gateway.catalogue import contexts
from gateway.catalogue.call_model import Interval, Poll, Request
from gateway.catalogue.change_map import ChangeMap
from gateway.catalogue.dates import ReadDate, date_reader
from gateway.catalogue.locator import Locator, compile_locator
from gateway.catalogue.model import Connector
from gateway.catalogue.poller_entry import locator_of
from gateway.catalogue.template import compile_template

OVERLAP_MS = 120_000
USUAL = Interval(default=15 * 60_000, min=60_000, max=24 * 3_600_000)
_DELETED = ("IsDeleted", "isDeleted", "is_deleted")
_ISO = date_reader("iso8601", "UTC")


@dataclass(frozen=True, slots=True)
class _Updated:
    locator: Locator
    read: ReadDate


def poll_of(connector: Connector, found: Polled) -> Poll | str:
    """How the records are read, or why they could not be."""
    entry, method = found.entry, found.asked.found.offer.method
    updated = _updated(found)
    if updated is None and entry.url.moments:
        return "asks since a date, so datesConfiguration.updatedDateField is needed: the field that the date is of"
    created = entry.created
    here = compile_locator("", contexts.RECORD.sources, "body")
    return Poll(
        name=entry.name,
        description="",
        changes=_changes(found, updated),
        request=Request("GET", compile_template("/", contexts.CALL)),
        query=(),
        body=None,
        paginate=method.paginate or _by_link(connector),
        records=method.records or here,
        order="any",
        id=entry.id,
        updated=updated.locator if updated else None,
        read_updated=updated.read if updated else _ISO,
        created=created.locator if created else None,
        read_created=(created.read or _ISO) if created else _ISO,
        created_tolerance=entry.tolerance,
        deleted_when=tuple((locator_of(name), frozenset({"true"})) for name in _DELETED),
        mode="snapshot" if updated is None else "since",
        from_format="iso8601",
        overlap=_overlap(found),
        settle=None,
        start="now",
        retention=None,
        interval=_interval(connector, is_whole=updated is None or bool(found.unasked)),
        min_interval_from=None,
        etag=False,
        limits=None,
    )


def _by_link(connector: Connector) -> str | None:
    """Pages that an answer itself points at are followed wherever the vendor has such."""
    return next((page.id for page in connector.pagination.values() if page.type == "link"), None)


def _interval(connector: Connector, *, is_whole: bool) -> Interval:
    """How often it is asked where the user said nothing: as the connector declares, more seldom where all is read."""
    if not connector.polls:
        return USUAL
    declared = connector.polls[0].interval
    least = max(USUAL.min, declared.min)
    usual = max(USUAL.default if is_whole else least, declared.default)
    return Interval(default=usual, min=least, max=max(usual, declared.max))


def _updated(found: Polled) -> _Updated | None:
    """The field that polling goes on by: the one that is named, else the one that the URL compares."""
    declared, moment = found.entry.updated, found.moment
    if declared is not None:
        as_asked = moment.read if moment is not None and declared.path == found.field else _ISO
        return _Updated(declared.locator, declared.read or as_asked)
    if found.field is None or moment is None:
        return None
    return _Updated(locator_of(found.field), moment.read)


def _overlap(found: Polled) -> int:
    """How far back it is asked each time: further than records are late, and than written dates are off."""
    moments = found.entry.url.moments
    coarse = max((moment.resolution for moment in moments), default=0)
    slack = max((moment.slack for moment in moments), default=0)
    return max(OVERLAP_MS, found.entry.delay, coarse) + slack


def _changes(found: Polled, updated: _Updated | None) -> ChangeMap:
    entry = found.entry
    at = updated.locator if updated else None
    name = entry.object_type.replace("{", "{{").replace("}", "}}")
    return ChangeMap(
        type=compile_template(f"{name}.{{action}}", contexts.RECORD),
        action=None,
        action_split=None,
        actions={},
        object_type=compile_locator("const:" + entry.object_type, contexts.RECORD.sources),
        object_type_split=None,
        object_id=entry.id,
        version=at,
        date=at,
        read_date=updated.read if updated else _ISO,
        dedupe=None,
        never_equal=False,
        payload=None,
    )
