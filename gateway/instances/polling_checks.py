"""What of an instance's polling can be known to be wrong before anything is asked."""

from collections.abc import Iterator, Mapping

from gateway.calls import hosts
from gateway.calls.model import Access
from gateway.calls.polled import polled
from gateway.calls.polled_record import poll_of
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed
from gateway.catalogue.model import Connector
from gateway.catalogue.offers import Offers
from gateway.catalogue.poller_configuration import (
    CONFIGURATION,
    METADATA,
    OBJECTS,
    URLS,
    Wanted,
    interval_problem,
    wanted,
)
from gateway.catalogue.selection import EVERYTHING, Selection, narrowed, object_type_of, spread
from gateway.errors import Problem

VENDOR_TYPE = "event.vendor.type"
RECONCILE = "event.reconcile.enabled"
ENABLED = "event.notification.enabled"


def is_polled(connector: Connector, values: Mapping[str, str]) -> bool:
    """Whether the vendor is asked for the events of an instance with these values."""
    return completed(connector, values).get(VENDOR_TYPE) == "polling"


def asks_as_declared(connector: Connector, values: Mapping[str, str]) -> bool:
    """Whether anything is polled in the way that the connector's file declares."""
    if completed(connector, values).get(RECONCILE) == "true":
        return True
    return is_polled(connector, values) and not wanted(values).entries


def polling_problems(connector: Connector, values: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong, by the entry that it stands in; where nothing is polled, only the interval counts."""
    if problem := interval_problem(values):
        yield problem
    yield from _lacks_address(connector, values)
    if not is_polled(connector, values):
        return
    found = wanted(values)
    yield from found.problems
    yield from _entry_problems(connector, values, found)
    if found.problems:
        return
    if not connector.has_polling and not found.entries:
        message = f"is needed for polling: {connector.name} declares nothing that could be polled by itself"
        yield Problem(CONFIGURATION, message)
    elif not _wants_something(connector, values, found):
        key = URLS if found.names is not None else OBJECTS if values.get(OBJECTS) else METADATA
        yield Problem(key, f"names nothing that is polled here; that is {', '.join(_polled_here(connector, found))}")


def _wants_something(connector: Connector, values: Mapping[str, str], found: Wanted) -> bool:
    """Whether the chosen names leave any poller."""
    wishes = [spread(wish, connector.resources) for wish in (found.selection, Selection(found.names))]
    config = ConfigView(completed(connector, values))
    if found.entries:
        here: list[tuple[str, str | None]] = [(one.name, one.object_type) for one in found.entries]
    else:
        types = [object_type_of(poll, config, connector.value_defaults) for poll in connector.polls]
        here = [(poll.name, one) for poll, one in zip(connector.polls, types, strict=True)]
    return any(_is_left(name, object_type, wishes) for name, object_type in here)


def _is_left(name: str, object_type: str | None, wishes: list[Selection]) -> bool:
    left: Selection | None = EVERYTHING
    for wish in wishes:
        left = None if left is None else narrowed(left, wish, name, object_type)
    return left is not None


def _polled_here(connector: Connector, found: Wanted) -> list[str]:
    return [one.name for one in (found.entries or connector.polls)][:20]


def _lacks_address(connector: Connector, values: Mapping[str, str]) -> Iterator[Problem]:
    if values.get(ENABLED) != "true" or not asks_as_declared(connector, values):
        return
    config = ConfigView(completed(connector, values))
    by_path = any("://" not in poll.request.path.source_text for poll in connector.polls)
    if by_path and not hosts.base_url(connector, config):
        yield Problem(hosts.BASE_URL, "is needed for polling: this connector has no address of its own")


def _entry_problems(connector: Connector, values: Mapping[str, str], found: Wanted) -> Iterator[Problem]:
    if not found.entries:
        return
    access = Access(connector=connector, config=ConfigView(completed(connector, values)))
    offers, key = Offers(connector), _key(values)
    for entry in found.entries:
        asked = polled(access, offers, entry)
        poll = asked if isinstance(asked, str) else poll_of(connector, asked)
        if isinstance(poll, str):
            yield Problem(key, f"{entry.name}.url: {poll}")


def _key(values: Mapping[str, str]) -> str:
    """The entry that the pollers come from."""
    for key in (CONFIGURATION, URLS):
        if wanted({key: values.get(key, "")}).entries:
            return key
    return METADATA
