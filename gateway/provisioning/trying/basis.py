"""Which event a 3rd-party connector is tried on: the one that is named, the newest that fires it, or a sample."""

import asyncio
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from gateway.accounts.model import AccountId, Caller
from gateway.catalogue.model import Connector
from gateway.clock import now_ms
from gateway.errors import NotFound
from gateway.events.model import Event, EventId
from gateway.ids import time_ordered
from gateway.inbound.normalise import Malformed, normalise
from gateway.proofs.fixtures import Unusable, beside, read_fixtures
from gateway.runtime import Runtime
from gateway.thirdparty import store
from gateway.thirdparty.fitting import fits
from gateway.thirdparty.model import Fires

_LOOKED = 500
_SAMPLED = 20
_LARGEST_SAMPLE = 1 << 20
_LAST_RESORT = b'{"id":"sample-1","name":"A sample record","email":"sample@example.com","tags":["one","two"]}'


async def event_of(runtime: Runtime, caller: Caller, account_id: str, fires: Fires, event_id: str | None) -> Event:
    """The event; one that was received has a row, a sample has none."""
    if event_id is not None:
        found = await store.event(runtime.database, account_id, event_id)
        if found is None:
            raise NotFound(f"No event with a payload found with ID {event_id[:64]} in this account")
        return found
    for brief in await store.newest_events(runtime.database, account_id, _LOOKED):
        found = await store.event(runtime.database, account_id, brief.id) if fits(fires, brief) else None
        if found is not None:
            return found
    used = await store.connectors_in(runtime.database, account_id)
    return await asyncio.to_thread(_sample, runtime, caller, account_id, fires, used)


def _sample(runtime: Runtime, caller: Caller, account_id: str, fires: Fires, used: Sequence[str]) -> Event:
    """Of a connector that is meant, of one that the account uses before any other."""
    connectors = {one.key: one for one in runtime.catalogue.visible_to(caller.partner_id)}
    meant = [key for key in fires.connectors if key in connectors] or list(connectors)
    wanted = [connectors[key] for key in sorted(meant, key=lambda key: used.index(key) if key in used else len(used))]
    made = [event for one in wanted[:_SAMPLED] for event in _events_of(one, account_id)]
    fitting = (one for one in made if fits(Fires(event_types=fires.event_types, object_types=fires.object_types), one))
    return next(fitting, None) or next(iter(made), None) or _plain(account_id)


def _events_of(connector: Connector, account_id: str) -> Iterator[Event]:
    """What the recorded deliveries beside a connector's file tell."""
    found = read_fixtures(beside(connector))
    for one in () if isinstance(found, Unusable) else found.deliveries:
        if one.told.expect != "accepted" or one.told.handshake is not None or not one.told.changes:
            continue
        changes = normalise(connector, one.config, one.received, _LARGEST_SAMPLE)
        for change in () if isinstance(changes, Malformed) else changes:
            yield replace(
                _event(account_id, connector.key, change.payload),
                type=change.type,
                action=change.action,
                object_type=change.object_type,
                object_id=change.object_id,
                occurred_at=change.occurred_at,
                vendor_event_id=change.vendor_event_id,
            )


def _plain(account_id: str) -> Event:
    return _event(account_id, "sample", _LAST_RESORT)


def _event(account_id: str, connector: str, payload: bytes) -> Event:
    now = now_ms()
    return Event(
        id=EventId(time_ordered()),
        account_id=AccountId(account_id),
        instance_id=0,
        connector=connector,
        source="webhook",
        type="sample",
        action="UPDATED",
        object_type=None,
        object_id=None,
        occurred_at=now,
        vendor_event_id=None,
        identity=None,
        filter_nulls=True,
        received_at=now,
        payload=payload,
    )
