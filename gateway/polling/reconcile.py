"""Polling beside a webhook that names its changes otherwise: what is left to it, and what it has brought; pure."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gateway.catalogue.call_model import Poll, Resource
from gateway.catalogue.change_map import ChangeMap
from gateway.catalogue.model import Connector
from gateway.catalogue.selection import called
from gateway.polling.advance import clock
from gateway.polling.model import Cursor, Found, Plan, PollSource, Read
from gateway.polling.records import Record
from gateway.polling.window import AHEAD_MS

#: So long the webhook has to bring a change itself.
SETTLE_MS = 5 * 60_000
_SECOND_MS = 1_000


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """What the webhook has brought of one object: the newest date of all, and of what said that it is gone."""

    object_type: str | None
    object_id: str
    at: int | None
    gone_at: int | None


def patience(connector: Connector, poll: Poll, source: PollSource) -> int | None:
    """How long a change is left to the webhook; None where both roads give one change the same identity."""
    if source != "reconcile" or connector.webhook is None:
        return None
    known_by = _known_by(connector.webhook.changes)
    return None if known_by is not None and known_by == _known_by(poll.changes) else SETTLE_MS


def ripe(plan: Plan, cursor: Cursor, read: Read, records: list[Record]) -> list[Record]:
    """The records that the webhook has had its time for; the others come again, and a first poll remembers them all."""
    if not plan.patience or plan.poll.mode == "token" or not (cursor.started or plan.backfills):
        return records
    now = clock(read)
    since = now - plan.patience
    # What is dated further ahead is no young change, but a clock that is wrong.
    return [one for one in records if one.at is None or one.at <= since or one.at > now + AHEAD_MS]


def unbrought(
    found: Sequence[Found], arrivals: Iterable[Arrival], resources: Mapping[str, Resource]
) -> tuple[Found, ...]:
    """What is left of these changes without those that the webhook brought, or something later of the same object."""
    by_id: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        by_id.setdefault(arrival.object_id, []).append(arrival)
    if not by_id:
        return tuple(found)
    return tuple([one for one in found if not _is_brought(one, by_id, resources)])


def _is_brought(one: Found, by_id: Mapping[str, list[Arrival]], resources: Mapping[str, Resource]) -> bool:
    change = one.change
    if one.further or change.object_id is None:
        return False
    came = by_id.get(change.object_id, [])
    came = [other for other in came if _is_same_kind(other.object_type, change.object_type, resources)]
    newest = max((other.at for other in came if other.at is not None), default=None)
    if change.action != "DELETED":
        return _reaches(newest, one.at)
    gone = max((other.gone_at for other in came if other.gone_at is not None), default=None)
    if one.at is None:
        # A list that an object is missing from does not say since when.
        return gone is not None and gone == newest
    return _reaches(gone, one.at)


def _reaches(came: int | None, date: int | None) -> bool:
    """Whether what came is not older; a date in whole seconds stands for all of its second."""
    if came is None or date is None:
        return False
    return date < came + _SECOND_MS if came % _SECOND_MS == 0 else date <= came


def _is_same_kind(one: str | None, other: str | None, resources: Mapping[str, Resource]) -> bool:
    if one is None or other is None:
        return one == other
    # `called` holds the name itself, and what the connector's resources call it.
    return other.lower() in called(frozenset({one}), resources)


def _known_by(changes: ChangeMap) -> str | None:
    """What makes the identity of a change, as far as it is declared."""
    if changes.object_type and changes.object_id and changes.version:
        return "version"
    return "vendor's id" if changes.dedupe else None
