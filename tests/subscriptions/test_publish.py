"""The only way in."""

import asyncio

import pytest

from gateway.clock import now_ms
from gateway.errors import Conflict, StorageDown
from gateway.events import store
from gateway.events.model import Event
from gateway.instances.view import InstanceView
from gateway.subscriptions.publish import Publisher
from tests.delivery.nodes import is_empty, stand
from tests.delivery.parts import balanced, event, states
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway


async def publisher(gateway: Gateway, url: str | None) -> tuple[Publisher, InstanceView]:
    """A publisher of the running gateway, and the view of an instance."""
    services = gateway.running.services
    made = await gateway.create("github", url)
    view = await services.index.by_id(made["id"])
    assert view is not None
    return Publisher(services.runtime, services.worker), view


def changes(view: InstanceView, *identities: str | None) -> list[Event]:
    return [event(instance_id=view.instance.id, identity=identity) for identity in identities]


async def test_a_batch_is_stored_together_and_each_change_is_delivered_once(
    gateway: Gateway, receiver: Consumer
) -> None:
    publish, view = await publisher(gateway, receiver.url())
    batch = changes(view, "a", "b", "a", None, None)
    published = await publish.publish(view, batch, now_ms())
    assert published.accepted == (batch[0].id, batch[1].id, batch[3].id, batch[4].id)
    assert published.duplicate == 1
    await stand(gateway.running.services.runtime.database, delivered=4)
    assert sorted(receiver.ids) == sorted(published.accepted)
    assert await balanced(gateway.running.services.runtime.database)
    assert is_empty(gateway.running.services.worker)


async def test_fifty_at_the_same_moment_are_one(gateway: Gateway, receiver: Consumer) -> None:
    publish, view = await publisher(gateway, receiver.url())
    published = await asyncio.gather(*(publish.publish(view, changes(view, "same"), now_ms()) for _ in range(50)))
    assert sum(len(one.accepted) for one in published) == 1
    await stand(gateway.running.services.runtime.database, delivered=1)
    assert len(receiver.arrived) == 1
    assert is_empty(gateway.running.services.worker)


async def test_what_is_written_beside_the_events_is_written_with_them_or_not_at_all(gateway: Gateway) -> None:
    publish, view = await publisher(gateway, None)
    also = [store.remember_nonce(view.instance.id, "n", "h", now_ms())]
    assert (await publish.publish(view, changes(view, "a"), now_ms(), also)).duplicate == 0
    with pytest.raises(Conflict):
        await publish.publish(view, changes(view, "b"), now_ms(), also)
    assert (await publish.publish(view, changes(view, "b"), now_ms())).duplicate == 0
    assert (await gateway.ledger())["accepted"] == 2


async def test_without_a_destination_an_event_is_stored_and_counted_unrouted(gateway: Gateway) -> None:
    publish, view = await publisher(gateway, None)
    await publish.publish(view, changes(view, "a", "b"), now_ms())
    ledger = await gateway.ledger()
    assert (ledger["accepted"], ledger["unrouted"], ledger["created"]) == (2, 2, 0)
    assert await states(gateway.running.services.runtime.database) == {}


async def test_where_nothing_can_be_stored_it_says_so_and_memory_holds_nothing(
    sqlite_gateway: Gateway, receiver: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise StorageDown("the disk is full")

    publish, view = await publisher(sqlite_gateway, receiver.url())
    with monkeypatch.context() as patched:
        patched.setattr(sqlite_gateway.running.services.runtime.database, "_free", full)
        with pytest.raises(StorageDown):
            await publish.publish(view, changes(view, "a"), now_ms())
    assert is_empty(sqlite_gateway.running.services.worker)
    assert (await publish.publish(view, changes(view, "a"), now_ms())).duplicate == 0
    await receiver.wait(1)


async def test_who_leaves_before_the_commit_leaves_a_delivery_that_is_found_soon(
    gateway: Gateway, receiver: Consumer
) -> None:
    publish, view = await publisher(gateway, receiver.url())
    # Known from the first event on: what is awaited then is the commit.
    await gateway.running.services.worker.third_parties.of_account(view.instance.account_id)
    caller = asyncio.create_task(publish.publish(view, changes(view, "a"), now_ms()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await receiver.wait(1, 5)
    await stand(gateway.running.services.runtime.database, delivered=1)
    assert is_empty(gateway.running.services.worker)
